package report

import (
	"fmt"
	"time"

	"inquest/investigations"
)

// clocks says how far the clocks of the sources differ; without a measurement
// there is no section.
func (p *page) clocks() {
	if len(p.assessed.Clocks) == 0 {
		return
	}
	sec := p.begin("clocks", "Clocks")
	sec.para("Measured from events that two sources saw. No time in this report was corrected by it; what is closer together than the error has no known order.")
	sec.table([]string{"Clock of", "Compared with", "Is", "Error", "Measured from", "Evidence"}, each2(p.assessed.Clocks, func(c investigations.Clock) []string {
		return []string{text(c.Source), text(c.Against), ahead(c), "± " + length(c.Error), text(c.From), refs(c.Evidence)}
	}))
}

func ahead(c investigations.Clock) string {
	switch {
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
