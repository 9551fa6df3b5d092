package parts

import (
	"time"

	"inquest/sources"
	"inquest/ui/backend"
)

// Spans returns the stretches of time that a histogram can show, from the
// narrowest: the events in the window, when they fill less than a quarter of it;
// the window; and all events, when there are some outside. Without window and
// events there is none.
func Spans(all backend.Moments, window sources.Window) []sources.Window {
	events := spanOf(all, 0, all.Timed())
	if window.From.IsZero() || !window.To.After(window.From) {
		if events.IsZero() {
			return nil
		}
		return []sources.Window{events}
	}
	var out []sources.Window
	inside := spanOf(all, all.Find(window.From), all.Find(window.To))
	if !inside.IsZero() && inside.To.Sub(inside.From) < window.To.Sub(window.From)/4 {
		out = append(out, inside)
	}
	out = append(out, window)
	if !events.IsZero() && (events.From.Before(window.From) || events.To.After(window.To)) {
		wide := events
		if window.From.Before(wide.From) {
			wide.From = window.From
		}
		if window.To.After(wide.To) {
			wide.To = window.To
		}
		out = append(out, wide)
	}
	return out
}

// spanOf is the time of the moments from..to-1 with some room at both ends.
func spanOf(all backend.Moments, from, to int) sources.Window {
	if from >= to {
		return sources.Window{}
	}
	first, last := all.At(from).Time, all.At(to-1).Time
	room := max(last.Sub(first)/16, 20*time.Millisecond)
	return sources.Window{From: first.Add(-room), To: last.Add(room)}
}

// Stamp returns the layout in which the two ends of a span are written: as fine
// as its length asks for.
func Stamp(w sources.Window, zone *time.Location) string {
	from, to := w.From.In(zone), w.To.In(zone)
	switch d := w.To.Sub(w.From); {
	case d < time.Second*2:
		return "15:04:05.000"
	case d < 10*time.Minute:
		return "15:04:05"
	case d > 48*time.Hour:
		return "2 Jan"
	case from.YearDay() != to.YearDay():
		return "2 Jan 15:04"
	}
	return "15:04"
}
