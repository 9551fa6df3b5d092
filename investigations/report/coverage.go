package report

import (
	"fmt"
	"slices"

	"inquest/sources"
)

func (p *page) coverage() {
	sec := p.begin("coverage", "What was read")
	if len(p.state.Sources) > 0 {
		sec.table([]string{"Source", "State", "What it is", "Problem"}, each2(p.state.Sources, func(st sources.Status) []string {
			return []string{text(st.Source), text(string(st.State)), text(st.Summary), text(st.Problem)}
		}))
	}
	if len(p.assessed.Coverage) == 0 {
		sec.para("No source vouches for any stretch of time: nothing here may be called absent.")
		return
	}
	sec.table([]string{"Source", "From", "To", "Read", "Gaps", "What would not show"}, unrepeated(each2(p.assessed.Coverage, coverageRow)))
}

// unrepeated leaves out rows that stand above already: several probes read the
// same stretch of the same source.
func unrepeated(rows [][]string) [][]string {
	var out [][]string
	for _, r := range rows {
		if !slices.ContainsFunc(out, func(o []string) bool { return slices.Equal(o, r) }) {
			out = append(out, r)
		}
	}
	return out
}

func coverageRow(c sources.Coverage) []string {
	from, to := moment(c.From), moment(c.To)
	if c.From.IsZero() && c.To.IsZero() {
		from, to = "carries no time", "carries no time"
	} else if c.ZoneUnknown {
		from, to = from+" (zone unknown)", to+" (zone unknown)"
	}
	gaps := orElse(joined(each(c.Gaps, gapText)), "none")
	return []string{text(c.Source), from, to, amount(c), gaps, joined(c.Limits)}
}

func gapText(g sources.Gap) string {
	return fmt.Sprintf("%s: %s", span(g.From, g.To), orElse(g.Reason, "reason unknown"))
}

func amount(c sources.Coverage) string {
	switch {
	case c.Lines > 0 && c.Unparsed > 0:
		return fmt.Sprintf("%s, %d not understood", plural(int(c.Lines), "line", "lines"), c.Unparsed)
	case c.Lines > 0:
		return plural(int(c.Lines), "line", "lines")
	case c.Bytes > 0:
		return plural(int(c.Bytes), "byte", "bytes")
	}
	return ""
}
