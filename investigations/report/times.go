package report

import (
	"time"

	"inquest/sources"
)

// moment prints a time in UTC with milliseconds, and with microseconds when it
// has any.
func moment(t time.Time) string {
	if t.IsZero() {
		return "unknown"
	}
	t = t.UTC()
	if t.Nanosecond()%1e6 >= 1e3 {
		return t.Format("2006-01-02 15:04:05.000000")
	}
	return t.Format("2006-01-02 15:04:05.000")
}

// span prints a bracket, or one moment when it has no end.
func span(from, to time.Time) string {
	if to.IsZero() || to.Equal(from) {
		return moment(from)
	}
	return moment(from) + " to " + moment(to)
}

func windowText(w sources.Window) string {
	switch {
	case w.IsZero():
		return "none: nothing told when it happened"
	case w.From.IsZero():
		return "until " + moment(w.To)
	case w.To.IsZero():
		return "since " + moment(w.From)
	}
	return span(w.From, w.To)
}
