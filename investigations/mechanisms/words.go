package mechanisms

import (
	"fmt"
	"time"

	inv "inquest/investigations"
)

// clock prints a moment for people, in UTC with milliseconds.
func clock(t time.Time) string {
	if t.IsZero() {
		return "at an unknown time"
	}
	return t.UTC().Format("2006-01-02 15:04:05.000 UTC")
}

// at prints " at T", or nothing when T is unknown.
func at(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return " at " + clock(t)
}

// sessionName names a session by what it told the server about itself.
func sessionName(f inv.Fact) string {
	s := "a session of " + orUnknown(f.Attr("user"), "an unknown role")
	if app := f.Attr("application"); app != "" {
		s += fmt.Sprintf(" in %s", app)
	}
	if c := f.Attr("client"); c != "" {
		s += " from " + c
	}
	if pid := f.Attr("pid"); pid != "" {
		s += ", pid " + pid
	}
	return s
}

func orUnknown(s, unknown string) string {
	if s == "" {
		return unknown
	}
	return s
}

// latest is the latest moment of what a log line tells: its times are cut to a
// step, and a line of 12:00:04 may be of 12:00:04.9.
func latest(f inv.Fact) time.Time {
	if f.Until.After(f.Time) {
		return f.Until
	}
	return f.Time
}
