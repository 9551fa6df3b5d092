package sources

import (
	"testing"
	"time"
)

func TestCoversUpToItsLastRecord(t *testing.T) {
	at := func(ms int) time.Time { return time.Date(2025, 11, 27, 14, 58, 30, ms*int(time.Millisecond), time.UTC) }
	for _, tt := range []struct {
		name     string
		from, to int // milliseconds of the first and the last record
		until    int // the moment that is asked about
		want     bool
	}{
		{"milliseconds, before the end", 123, 4321, 4000, true},
		{"milliseconds, behind the end", 123, 4321, 4400, false},
		{"milliseconds, the last of which is a whole second", 123, 4000, 4400, false},
		{"whole seconds", 0, 4000, 4400, true},
		{"whole seconds, behind the last", 0, 4000, 5100, false},
	} {
		c := Coverage{From: at(tt.from), To: at(tt.to)}
		if got := c.Covers(Window{From: at(1000), To: at(tt.until)}); got != tt.want {
			t.Errorf("%s: %t", tt.name, got)
		}
	}
}
