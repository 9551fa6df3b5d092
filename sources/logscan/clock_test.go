package logscan

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"inquest/sources/logformat"
)

// layouts are ways to write a time, and what stands around it.
var layouts = []struct{ before, layout, after string }{
	{`{"time":"`, "2006-01-02T15:04:05.000Z", `","level":"info","msg":"x"}`},
	{`{"time":"`, "2006-01-02T15:04:05.000000000Z07:00", `","level":"info","msg":"x"}`},
	{`{"ts":"`, "2006-01-02T15:04:05.999999999Z", `","level":"info","msg":"x"}`},
	{"", "2006-01-02 15:04:05.000 UTC", ` [41] LOG:  duration: 0.042 ms  statement: SELECT 1`},
	{"", "2006-01-02 15:04:05.000000-07:00", " app INFO served something to somebody"},
	{"", "2006-01-02 15:04:05,000", " INFO [main] a.b.C - served something"},
	{"", "2006/01/02 15:04:05", " server.go:12: served something to somebody"},
	{"10.1.2.3 - - [", "02/Jan/2006:15:04:05 -0700", `] "GET /x HTTP/1.1" 200 12 "-" "-"`},
	{"", "Jan _2 15:04:05", " host app[1]: served something to somebody"},
	{"time=", "2006-01-02T15:04:05Z", " level=info msg=served id=12 path=/x"},
	{"", "02-01-2006 15:04:05.00", " served something to somebody else"},
}

// TestClockReadsWhatTheParserReads writes times in every layout, most of them
// in the minute of the one before, and some lines spoilt: the clock, which remembers, must
// read from each line what one that never saw another reads from it.
func TestClockReadsWhatTheParserReads(t *testing.T) {
	for n, l := range layouts {
		r := rand.New(rand.NewPCG(uint64(n), 5))
		now := time.Date(2025, 11, 27, 23, 57, 0, 0, time.UTC)
		zone := time.UTC
		var lines []string
		for range 4000 {
			now = now.Add(time.Duration(r.IntN(2_000_000_000)))
			if r.IntN(40) == 0 {
				now = now.Add(-time.Duration(r.IntN(90)) * time.Second)
			}
			if r.IntN(60) == 0 {
				zone = time.FixedZone("", []int{0, 3600, -12600}[r.IntN(3)])
			}
			line := l.before + now.In(zone).Format(l.layout) + l.after
			if r.IntN(10) == 0 {
				i := len(l.before) + r.IntN(len(l.layout))
				line = line[:i] + string("0123456789:.,+-ZUTC \x80"[r.IntN(21)]) + line[i+1:]
			}
			if r.IntN(50) == 0 {
				line = line[:r.IntN(len(line))]
			}
			lines = append(lines, line)
		}
		reader := logformat.Detect(lines[:200], logformat.Context{Near: now})
		clock := newClock(reader, lines[:200])
		if !clock.timed() {
			t.Fatalf("%q: no time found", lines[0])
		}
		quick, fresh := 0, clock.copy()
		for _, line := range lines {
			if _, ok := clock.first.quick([]byte(line)); ok {
				quick++
			}
			got, ok := clock.read([]byte(line))
			want, wantOK := fresh.copy().read([]byte(line))
			if got != want || ok != wantOK {
				t.Fatalf("%q: %v %v, want %v %v", line, at(got), ok, at(want), wantOK)
			}
		}
		if layout := l.layout; quick < len(lines)/4 && !strings.Contains(layout, "999") && !strings.HasSuffix(layout, ".00") {
			t.Errorf("%q: only %d of %d lines were read the quick way", layout, quick, len(lines))
		}
	}
}

func FuzzClock(f *testing.F) {
	f.Add("2025-11-27T14:58:12.104Z", "served to somebody", "2025-11-27T14:58:59.9Z rest of the line")
	f.Add("2025-11-27 14:58:12.104 UTC [12] LOG:  x", " [12] ", "2025-11-27 14:58:60.104 UTC [12] LOG:  x")
	for _, l := range layouts {
		now := time.Date(2025, 11, 27, 14, 58, 12, 104_000_000, time.UTC)
		f.Add(l.before+now.Format(l.layout)+l.after, l.after, l.before+now.Add(time.Second).Format(l.layout)+l.after)
	}
	f.Fuzz(func(t *testing.T, first, after, second string) {
		first = strings.ReplaceAll(first+after, "\n", " ")
		reader := logformat.Detect([]string{first, second}, logformat.Context{})
		fresh := newClock(reader, []string{first})
		clock := fresh.copy()
		clock.read([]byte(first))
		got, ok := clock.read([]byte(second))
		want, wantOK := fresh.copy().read([]byte(second))
		if got != want || ok != wantOK {
			t.Fatalf("%q after %q: %v %v, want %v %v", second, first, at(got), ok, at(want), wantOK)
		}
	})
}
