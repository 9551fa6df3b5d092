package report

import (
	"fmt"
	"time"

	"inquest/investigations"
)

// clocks says how far the clocks of the sources differ; without a measurement
// there is no section.
func (p *page) clocks() {
	if len(p.assessed.Clocks)+len(p.assessed.Bounds) == 0 {
		return
	}
	sec := p.begin("clocks", "Clocks")
	p.measured(sec)
	p.bounded(sec)
}

func (p *page) measured(sec *section) {
	if len(p.assessed.Clocks) == 0 {
		return
	}
	sec.para("Measured from events that two sources saw. No time in this report was corrected by it; what is closer together than the error has no known order.")
	sec.table([]string{"Clock of", "Compared with", "Is", "Error", "Measured from", "Evidence"}, each2(p.assessed.Clocks, func(c investigations.Clock) []string {
		return []string{text(c.Source), text(c.Against), ahead(c), "± " + length(c.Error), text(c.From), refs(c.Evidence)}
	}))
}

// bounded says what the order of events alone limits.
func (p *page) bounded(sec *section) {
	if len(p.assessed.Bounds) == 0 {
		return
	}
	sec.para("From the order of events alone: what causes a thing comes before it. No time was corrected by it either.")
	sec.table([]string{"Clock of", "Compared with", "Is ahead by", "Because", "Evidence"}, each2(p.assessed.Bounds, func(b investigations.ClockBound) []string {
		return []string{text(b.Source), text(b.Against), limits(b), text(b.From), refs(b.Evidence)}
	}))
}

func limits(b investigations.ClockBound) string {
	switch {
	case b.Contradicts:
		return "no one offset"
	case b.Low != nil && b.High != nil:
		return between(*b.Low) + " to " + between(*b.High)
	case b.Low != nil:
		return between(*b.Low) + " or more"
	case b.High != nil:
		return between(*b.High) + " or less"
	}
	return "not told"
}

func between(d time.Duration) string {
	if d < 0 {
		return "-" + length(-d)
	}
	return length(d)
}

func ahead(c investigations.Clock) string {
	switch {
	case c.Unsteady:
		return "not one offset"
	case !c.Differs():
		return "the same within the error"
	case c.Offset > 0:
		return length(c.Offset) + " ahead"
	default:
		return length(-c.Offset) + " behind"
	}
}

// length prints a duration as coarsely as its size deserves.
func length(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", max(d.Round(time.Millisecond).Milliseconds(), 1))
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	default:
		return d.Round(time.Second).String()
	}
}
