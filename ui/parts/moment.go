package parts

import (
	"strings"
	"time"

	"inquest/investigations"
)

// WithoutID writes a record's id in a line as {id}: that the line names it is known,
// and what stands behind it, such as the answer to a request, is what matters. A short
// id is left alone: it is met by chance in other words.
func WithoutID(line, id string) string {
	const short = 8
	if len(id) < short {
		return line
	}
	return strings.ReplaceAll(line, id, "{id}")
}

// MomentTime writes a moment or a bracket: 14:58:03.370–.412. An event of which
// no time is known says so.
func MomentTime(m investigations.Moment, zone *time.Location) string {
	if m.Time.IsZero() {
		return "time unknown"
	}
	if m.ZoneUnknown {
		zone = time.UTC // as the log wrote it
	}
	from := m.Time.In(zone)
	if m.Until.IsZero() || m.Until.Equal(m.Time) {
		return from.Format("15:04:05.000")
	}
	to := m.Until.In(zone)
	if to.Sub(from) < time.Second && to.Second() == from.Second() {
		return from.Format("15:04:05.000") + "–" + to.Format(".000")
	}
	return from.Format("15:04:05") + "–" + to.Format("15:04:05")
}

// MomentDay writes the day and the second of a moment, where those of several days
// stand together.
func MomentDay(m investigations.Moment, zone *time.Location) string {
	if m.ZoneUnknown {
		zone = time.UTC
	}
	return m.Time.In(zone).Format("2 Jan 06 15:04:05")
}

// MomentTimeLong writes a moment in full, to the microsecond. A time of which no zone
// is known stays as its log wrote it.
func MomentTimeLong(m investigations.Moment, zone *time.Location) string {
	if m.Time.IsZero() {
		return "time unknown"
	}
	if m.ZoneUnknown {
		return m.Time.UTC().Format("2 Jan 2006 15:04:05.000000") + " (zone not known)"
	}
	s := m.Time.In(zone).Format("2 Jan 2006 15:04:05.000000")
	if !m.Until.IsZero() && m.Until.After(m.Time) {
		s += " to " + m.Until.In(zone).Format("15:04:05.000000") + " (between these two)"
	}
	return s + m.Time.In(zone).Format(" MST")
}

// Flags returns the signs before the evidence of a moment: marked, noted, and
// not to be ordered.
func Flags(notes []investigations.Note, m investigations.Moment) string {
	out := ""
	if len(notes) > 0 {
		if id := EventThing(m).ID; Marked(notes, id) || m.Evidence != "" && Marked(notes, m.Evidence) {
			out += "⚑ "
		}
	}
	switch {
	case m.Time.IsZero() || !m.Unordered:
	case m.ZoneUnknown:
		out += "⚠ zone? "
	case !m.Until.After(m.Time): // a bracket tells it by itself
		out += "⚠ clock? "
	}
	return out
}
