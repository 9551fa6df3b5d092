package mechanisms

import (
	"time"

	inv "inquest/investigations"
)

// otherClock is by how much the clocks of two hosts may differ that were not
// compared and that nobody has noticed to differ.
const otherClock = time.Second

// server is the clock that a step's times are on.
func (v View) server(s Step) string {
	for _, f := range s.Ends {
		if name := f.Attr("server"); name != "" {
			return name
		}
	}
	if name := s.Fact.Attr("server"); name != "" {
		return name
	}
	return homeServer(v.All)
}

// before reports that what a log tells was surely before the step took effect: by
// the limits that are known of the two clocks, else by more than such clocks
// differ. A clock that contradicts itself proves no order.
func (v View) before(source string, t time.Time, s Step) bool {
	server := v.server(s)
	if v.Timing.Contradicts(source) || v.Timing.Contradicts(server) || s.When().IsZero() {
		return false
	}
	if low, _ := v.Timing.Ahead(source, server); low != nil {
		return t.Add(-*low).Before(s.When())
	}
	return t.Add(otherClock).Before(s.When())
}

// onClockOf is when a line was written by the clock of the step's server, as far
// as the two were compared; else as the line says.
func (v View) onClockOf(s Step, f inv.Fact) (from, to time.Time) {
	low, high := v.Timing.Ahead(f.Attr("source"), v.server(s))
	if low == nil || high == nil {
		return f.Time, latest(f)
	}
	return f.Time.Add(-*high), latest(f).Add(-*low)
}
