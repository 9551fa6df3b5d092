package report

import (
	"slices"
	"strings"

	"inquest/investigations"
)

// maxMoments bounds the table; the findings document has all of them.
const maxMoments = 500

func (p *page) timeline() {
	sec := p.begin("timeline", "Timeline")
	list := p.assessed.Timeline
	if len(list) == 0 {
		sec.para("Nothing that was read carries a time.")
		return
	}
	if len(list) > maxMoments {
		sec.para("The first %d of %d moments; the findings document (--json) has all.", maxMoments, len(list))
		list = list[:maxMoments]
	}
	var doubts []string
	var rows [][]string
	for _, m := range list {
		when := span(m.Time, m.Until)
		if m.ZoneUnknown && !m.Time.IsZero() {
			when += ", zone not known"
		}
		if why := m.Doubt(); why != "" {
			when = "≈ " + when
			if !slices.Contains(doubts, why) {
				doubts = append(doubts, why)
			}
		}
		rows = append(rows, []string{when, text(m.Source), text(m.Summary), text(m.Evidence)})
	}
	sec.table([]string{"Time (UTC)", "Source", "What", "Evidence"}, rows)
	if len(doubts) > 0 {
		sec.para("≈ marks a moment whose place among the others is not certain: %s.", strings.Join(doubts, "; or "))
	}
	if hasBracket(list) {
		sec.para("A span means that the moment is only known to lie between the two times.")
	}
}

func hasBracket(list []investigations.Moment) bool {
	for _, m := range list {
		if !m.Until.IsZero() && !m.Until.Equal(m.Time) {
			return true
		}
	}
	return false
}
