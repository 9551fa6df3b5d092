package report

import "inquest/investigations"

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
	unordered := false
	var rows [][]string
	for _, m := range list {
		when := span(m.Time, m.Until)
		if m.Unordered {
			when, unordered = "≈ "+when, true
		}
		rows = append(rows, []string{when, text(m.Source), text(m.Summary), text(m.Evidence)})
	}
	sec.table([]string{"Time (UTC)", "Source", "What", "Evidence"}, rows)
	if unordered {
		sec.para("≈ marks a time whose zone or clock is not known well enough: its place among the others is not certain.")
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
