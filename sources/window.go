package sources

import "time"

// Window is a span of time; From is inclusive, To exclusive, and a zero bound
// is open. The zero Window is all of time.
type Window struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// Around returns the window of d before and after t.
func Around(t time.Time, d time.Duration) Window {
	return Window{From: t.Add(-d), To: t.Add(d)}
}

// IsZero reports whether both bounds are open.
func (w Window) IsZero() bool { return w.From.IsZero() && w.To.IsZero() }

// Contains reports whether t lies in the window.
func (w Window) Contains(t time.Time) bool {
	return (w.From.IsZero() || !t.Before(w.From)) && (w.To.IsZero() || t.Before(w.To))
}

// Widen returns the window with both closed bounds moved outwards by d.
func (w Window) Widen(d time.Duration) Window {
	if !w.From.IsZero() {
		w.From = w.From.Add(-d)
	}
	if !w.To.IsZero() {
		w.To = w.To.Add(d)
	}
	return w
}

// Overlaps reports whether the two windows share an instant.
func (w Window) Overlaps(o Window) bool {
	return (w.To.IsZero() || o.From.IsZero() || o.From.Before(w.To)) &&
		(o.To.IsZero() || w.From.IsZero() || w.From.Before(o.To))
}
