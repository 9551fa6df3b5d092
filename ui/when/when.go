// Package when reads times as people type them: "27/11/2025 14:58", "2h ago",
// "yesterday 3pm", RFC 3339. It never guesses: a date that can be read in two
// ways, or a clock time that happened twice, comes back as both.
package when

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Result is a time as it was understood.
type Result struct {
	// Time is the instant; zero when Ambiguous holds the choices instead.
	Time time.Time
	// Ambiguous lists the instants that the text could mean, earliest first; empty
	// when there is only one.
	Ambiguous []time.Time
	// Echo says for people what was understood, with its zone.
	Echo string
}

// Examples names some of the forms that are understood.
const Examples = "27/11/2025 14:58, 2h ago, yesterday 3pm, 2025-11-27T14:58:03Z"

// ErrEmpty is returned for an empty text.
var ErrEmpty = errors.New("no time given: type one such as " + Examples)

// Parse reads a time. What the text leaves open is taken relative to now, in
// loc: a clock time without a date is the last one that has passed, a date
// without a year the last one that has come. It does not use the current time
// or zone of the machine.
func Parse(text string, now time.Time, loc *time.Location) (Result, error) {
	if loc == nil {
		loc = time.UTC
	}
	trimmed := strings.TrimSpace(text)
	if trimmed == "" {
		return Result{}, ErrEmpty
	}
	if len(trimmed) > 100 {
		return Result{}, fmt.Errorf("a text of %d bytes is no time: type one such as %s", len(trimmed), Examples)
	}
	now = now.In(loc)
	if t, ok := relative(strings.ToLower(trimmed), now.Truncate(time.Second)); ok {
		return settled(t, now), nil
	}
	if t, ok := epoch(trimmed); ok {
		return settled(t.In(loc), now), nil
	}
	p := parser{now: now, loc: loc, text: trimmed, hour: -1}
	if err := p.read(); err != nil {
		return Result{}, err
	}
	return p.result()
}

func settled(t, now time.Time) Result { return Result{Time: t, Echo: Say(t, now)} }

// Say writes an instant for people, with its zone, in UTC as well when that
// differs, and with a word of warning when it lies ahead of now.
func Say(t, now time.Time) string {
	layout := "Mon 2 Jan 2006 15:04:05"
	if t.Nanosecond() != 0 {
		layout += ".000"
	}
	s := t.Format(layout) + " " + zoneName(t)
	if _, offset := t.Zone(); offset != 0 {
		s += " = " + t.UTC().Format("2 Jan 15:04:05") + " UTC"
	}
	if t.After(now.Add(time.Minute)) {
		s += " (in the future)"
	}
	return s
}

func zoneName(t time.Time) string {
	name, offset := t.Zone()
	if offset == 0 && (name == "" || name == "UTC") {
		return "UTC"
	}
	if name == "" || strings.ContainsAny(name, "+-0123456789") {
		return "UTC" + t.Format("-07:00")
	}
	return name
}

// result lays the parsed pieces on the calendar.
func (p *parser) result() (Result, error) {
	var all []time.Time
	for _, d := range p.dates() {
		ts, err := p.on(d)
		if err != nil {
			return Result{}, err
		}
		all = append(all, ts...)
	}
	switch len(all) {
	case 0:
		return Result{}, p.unknown(p.text)
	case 1:
		return settled(all[0], p.now), nil
	}
	if all[1].Before(all[0]) {
		all[0], all[1] = all[1], all[0]
	}
	says := make([]string, len(all))
	for i, t := range all {
		says[i] = Say(t, p.now)
	}
	return Result{Ambiguous: all, Echo: "which one? " + strings.Join(says, "  or  ")}, nil
}

type date struct {
	year  int
	month time.Month
	day   int
}

func dateOf(t time.Time) date { y, m, d := t.Date(); return date{y, m, d} }

func (d date) valid() bool {
	t := time.Date(d.year, d.month, d.day, 12, 0, 0, 0, time.UTC)
	return d.year >= 1970 && d.year < 2200 && dateOf(t) == d
}

// dates returns the days that were meant: more than one when day and month can
// be swapped.
func (p *parser) dates() []date {
	if len(p.days) > 0 {
		return p.days
	}
	today := dateOf(p.now.In(p.loc))
	if p.hour < 0 {
		return nil
	}
	if ts, err := p.on(today); err == nil && len(ts) > 0 && ts[0].After(p.now) {
		return []date{dateOf(time.Date(today.year, today.month, today.day-1, 12, 0, 0, 0, time.UTC))}
	}
	return []date{today}
}

// on returns the instants at which the clock showed the parsed time on that
// day: two when the clock was set back over it, an error when it was skipped.
func (p *parser) on(d date) ([]time.Time, error) {
	hour := max(p.hour, 0)
	t := time.Date(d.year, d.month, d.day, hour, p.minute, p.second, p.nano, p.loc)
	if t.Hour() != hour || t.Minute() != p.minute {
		return nil, fmt.Errorf("%02d:%02d did not happen on %d %s %d in %s: the clock was set forward; add a zone such as Z", hour, p.minute, d.day, d.month, d.year, p.loc)
	}
	if p.hour < 0 {
		return []time.Time{t}, nil
	}
	for _, other := range []time.Time{t.Add(-time.Hour), t.Add(time.Hour), t.Add(-30 * time.Minute), t.Add(30 * time.Minute)} {
		if other.Hour() == hour && other.Minute() == p.minute && dateOf(other) == d {
			return []time.Time{t, other}, nil
		}
	}
	return []time.Time{t}, nil
}

func (p *parser) unknown(what string) error {
	return fmt.Errorf("%q is no time that can be read: type one such as %s", what, Examples)
}
