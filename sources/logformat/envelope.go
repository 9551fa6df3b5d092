package logformat

import (
	"strings"

	"inquest/sources"
)

// isEnvelope reports whether records of a format may carry whole records of
// another one as their message: container runtimes, syslog, cloud log stores.
func isEnvelope(f *Format) bool {
	switch f.Name {
	case "json", "cri", "syslog", "syslog-5424":
		return true
	}
	return false
}

// openEnvelopes looks at what the messages themselves are written in. One line
// of the enveloped format is one record, as an envelope holds one line.
func (r *Reader) openEnvelopes(lines []string) {
	if !isEnvelope(r.Main.Format) {
		return
	}
	var inside []string
	for _, l := range lines[:min(len(lines), 200)] {
		e := sources.Event{}
		if r.Main.Parse([]byte(l), &r.Context, &e) && e.Message != "" && !strings.HasPrefix(strings.TrimSpace(e.Message), "{") {
			inside = append(inside, firstLine(e.Message))
		}
	}
	if len(inside) == 0 {
		return
	}
	inner := detect(inside, r.Context, false)
	known := 0
	for _, l := range inside {
		if _, _, timed := inner.Main.TimeAt([]byte(l)); timed || inner.Main.Format.Name == "postgres" && inner.Begins([]byte(l)) {
			known++
		}
	}
	if name := inner.Main.Format.Name; name != "text" && name != "csv" && name != "logfmt" && known*2 > len(inside) {
		r.inner = inner
	}
}

// unfold reads the record inside an envelope. The envelope's time stands: it is
// the one that the file is ordered by.
func (r *Reader) unfold(e *sources.Event) {
	if r.inner == nil || e.Message == "" {
		return
	}
	in := sources.Event{}
	if !r.inner.Main.Parse([]byte(e.Message), &r.inner.Context, &in) {
		return
	}
	for k, v := range in.Fields {
		if _, taken := e.Fields[k]; !taken || r.inner.Main.Format.Name == "postgres" {
			e.Fields[k] = v
		}
	}
	adopt(e, &in)
	if in.Actor != "" {
		e.Actor = in.Actor
	}
	if in.Op != "" {
		e.Op = in.Op
	}
}
