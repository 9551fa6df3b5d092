package logformat

import (
	"time"

	"inquest/sources"
)

// Format is a way of writing log records.
type Format struct {
	Name    string // stable, for --format and reports: "postgres-stderr"
	Title   string // for people
	Samples []Sample
	// New learns from lines of one file and returns its parser, or nil when the
	// lines cannot be of this format.
	New func(lines []string) *Parser
}

// Sample is an example record with what must be read off it.
type Sample struct {
	Text string
	// Time is the RFC 3339 time expected; empty means no time. A time without Z
	// or offset means that the sample does not tell its zone.
	Time    string
	Level   sources.Level
	Message string
	Want    map[string]string // some of the fields, and @op, @method, @path, @status, @actor, @request
}

// Parser reads the records of one file in one format. Its functions are pure:
// several goroutines may call them.
type Parser struct {
	Format *Format
	// Detail is what was worked out, such as the log_line_prefix; may be empty.
	Detail string
	// Begins reports whether a line starts a record.
	Begins func(line []byte) bool
	// Joins reports whether line goes on with the record that head began; nil
	// means every line that does not begin one.
	Joins func(head, line []byte) bool
	// Parse fills e from a whole record and reports whether it is of this format.
	Parse func(rec []byte, c *Context, e *sources.Event) bool
	// TimeAt returns where the time of a record stands in its first line.
	TimeAt func(line []byte) (from, to int, ok bool)
	// Anchor is a text that stands right before the time in every line, for a
	// quick search; empty means that the time stands at a fixed offset.
	Anchor string
	// Fielded means that a needle may be restricted to a field.
	Fielded bool
	// Alone means that lines which do not begin a record and are not indented
	// are records of their own rather than a continuation (JSON lines).
	Alone bool
	// Limits are said of every file read with this parser.
	Limits []string
}

// Continues reports whether line belongs to the record whose first line is head.
func (p *Parser) Continues(head, line []byte) bool {
	return p.continues(head, line, p.Joins == nil && p.Begins(line))
}

// continues is Continues for a line of which it is known whether it begins a record.
func (p *Parser) continues(head, line []byte, begins bool) bool {
	if p.Joins != nil {
		return p.Joins(head, line)
	}
	return !begins && (!p.Alone || indented(line))
}

// indented reports whether a line looks like the continuation of another, as
// stack traces do.
func indented(line []byte) bool {
	if len(line) == 0 {
		return true
	}
	switch line[0] {
	case ' ', '\t', '}', ']', ')':
		return true
	}
	return hasPrefix(line, "Caused by:") || hasPrefix(line, "at ") || hasPrefix(line, "--- End of") ||
		hasPrefix(line, "Traceback (most recent") || hasPrefix(line, "goroutine ")
}

func hasPrefix(b []byte, s string) bool { return len(b) >= len(s) && string(b[:len(s)]) == s }

// Context is what a file knows beyond one record.
type Context struct {
	// Location is the zone of times that are written without one; nil: unknown.
	Location *time.Location
	// Near is a time close to the record (the file's last change), for times
	// that are written without a year. Zero: the year is unknown, and 0 is used.
	Near time.Time
	// DayFirst and MonthFirst say how 03/04/2025 is to be read; both false means
	// that no line settled it.
	DayFirst, MonthFirst bool
	// InnerTime says of an envelope's file that the records inside tell their time
	// better than the envelopes: finer, or with a zone.
	InnerTime bool
}

// setTime puts a stamp into an event, applying the context's zone.
func (c *Context) setTime(e *sources.Event, s Stamp) {
	e.Time, e.ZoneUnknown = c.Resolve(s)
	e.NoTime = false
}

// Resolve turns a stamp into a time in UTC; the second result is true when
// its zone is unknown and it was read as if it were UTC.
func (c *Context) Resolve(s Stamp) (time.Time, bool) {
	t := s.Time
	if s.NoYear {
		t = c.withYear(t)
	}
	if s.Zoned {
		return t.UTC(), false
	}
	if c == nil || c.Location == nil {
		return t, true
	}
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), c.Location).UTC(), false
}

// withYear gives a time without a year the latest year that does not put it
// more than a day after Near.
func (c *Context) withYear(t time.Time) time.Time {
	if c == nil || c.Near.IsZero() {
		return t
	}
	y := c.Near.Year()
	at := func(y int) time.Time {
		return time.Date(y, t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), t.Location())
	}
	got := at(y)
	if at(y + 1).Before(c.Near.Add(36 * time.Hour)) {
		got = at(y + 1)
	} else if got.After(c.Near.Add(36 * time.Hour)) {
		got = at(y - 1)
	}
	return got
}
