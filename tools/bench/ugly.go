package main

import (
	"bytes"
	"fmt"
	"strings"
	"time"
)

// ugly writes what real files hold and made ones do not: stack traces, JSON
// over several lines, lines of other programs in other formats, disorder, a clock
// that jumps back, long lines, carriage returns and bytes that are no text.
type ugly struct {
	f *feed
	n int
}

// write appends one event and what stands around it.
func (u *ugly) write(b []byte, l *line) []byte {
	u.n++
	skewed := *l
	r := u.f.r
	switch {
	case u.n/40_000%5 == 4:
		skewed.at = l.at.Add(-90 * time.Second) // another host's clock for a while
	case r.IntN(50) == 0:
		skewed.at = l.at.Add(-time.Duration(r.IntN(3000)) * time.Millisecond)
	}
	switch k := r.IntN(1000); {
	case k < 700:
		return writeJSON(b, &skewed)
	case k < 800:
		return writeLogfmt(b, &skewed)
	case k < 850:
		b = writeJSON(b, &skewed)
		return append(b[:len(b)-1], "\r\n"...)
	case k < 900:
		return writeAccess(b, &skewed)
	case k < 950:
		b = skewed.at.AppendFormat(b, "2006-01-02 15:04:05.000")
		b = append(b, " ERROR [worker-3] uk.gov.dtro.Records - could not store "+l.path+"\n"...)
		for i := range 3 + r.IntN(30) {
			b = fmt.Appendf(b, "\tat uk.gov.dtro.records.Layer%d.call(Layer%d.java:%d)\n", i, i, 40+i)
		}
		return append(b, "Caused by: java.sql.SQLException: deadlock detected\n\t... 12 more\n"...)
	case k < 970:
		return append(b, "{\n  \"event\": \"snapshot\",\n  \"path\": \""+l.path+"\"\n}\n"...)
	case k < 990:
		return append(b, "panic recovered in handler, going on\n\n"...)
	case k < 998:
		return append(append(b, bytes.Repeat([]byte{0xff, 0x01, 'x'}, 20)...), '\n')
	default:
		skewed.msg = strings.Repeat("payload ", 1000+r.IntN(8000))
		return writeJSON(b, &skewed)
	}
}
