package casefile

import (
	"strings"

	"inquest/investigations"
	"inquest/ui/nav"
	"inquest/ui/parts"
	"inquest/ui/text"
)

func (s *Screen) timelineBody(f nav.Frame) []string {
	t := f.Theme
	head := parts.FilterLine(f, &s.events.Filter)
	if s.events.Busy() {
		head = append(head, parts.NewLine(f.W).Add(t.Dim, " searching…").String())
	}
	if s.events.Len() == 0 {
		say := "Nothing has been put on the timeline yet. R runs the checklist."
		switch {
		case s.events.Narrowed():
			say = "Nothing matches the filter."
		case len(s.live.Snap.State.Runs) > 0:
			say = "No event with a time was found. c shows what was read, and what was not."
		}
		return append(head, parts.Para(f, t.Dim, " ", say)...)
	}
	source := 3
	for _, name := range s.live.Snap.Events.Sources() {
		source = max(source, text.Width(text.SourceName(name)))
	}
	source = min(source, max(f.W/6, 8))
	return append(head, s.events.List().Draw(f.H-len(head), func(k int, selected bool) string {
		m, _ := s.events.At(k)
		return s.momentLine(f, m, selected, source)
	})...)
}

func (s *Screen) momentLine(f nav.Frame, m investigations.Moment, selected bool, source int) string {
	t := f.Theme
	whole, marker := s.cursor(t, paneTimeline, selected)
	l := parts.Row(f.W, whole).Add(t.Key, marker).Cell(t.Accent, s.stamp(f, m), 18).Add(t.Text, " ").Cell(t.Dim, text.Source(m.Source, source), source).Add(t.Text, " ")
	tail := parts.Flags(s.notes(), m) + m.Evidence
	return l.Add(t.Text, text.Fit(text.Clean(s.withoutID(m.Summary)), l.Left()-text.Width(tail)-2)).Right(t.Dim, tail+" ").String()
}

// stamp is the time of an event, with its day where the events are of several.
func (s *Screen) stamp(f nav.Frame, m investigations.Moment) string {
	const day = "2006-01-02"
	first, last, ok := s.stretch()
	if ok && !m.Time.IsZero() && first.In(f.Zone).Format(day) != last.In(f.Zone).Format(day) {
		return parts.MomentDay(m, f.Zone)
	}
	return parts.MomentTime(m, f.Zone)
}

func (s *Screen) causesBody(f nav.Frame) []string {
	all := s.live.Snap.Assessment.Hypotheses
	if len(all) == 0 {
		say := "Nothing has been weighed yet. R runs the checklist."
		if len(s.live.Snap.State.Runs) > 0 {
			say = "No cause could be weighed by what was found."
		}
		return parts.Para(f, f.Theme.Dim, " ", say)
	}
	head := parts.FilterLine(f, &s.filters[paneCauses])
	return append(head, s.causes.Draw(f.H-len(head), func(k int, selected bool) string {
		return s.causeLine(f, all[s.filters[paneCauses].At(k)], selected)
	})...)
}

func (s *Screen) causeLine(f nav.Frame, h investigations.Hypothesis, selected bool) string {
	t := f.Theme
	whole, marker := s.cursor(t, paneCauses, selected)
	m := t.Standing(h.Standing)
	if s.marked("mechanism:" + h.Mechanism) {
		marker = marker[:len(marker)-1] + "⚑"
	}
	signs := strings.Repeat("+", min(len(h.Supports), 4))
	if n := len(h.Contradicts); n > 0 {
		signs += " " + strings.Repeat("−", min(n, 4))
	}
	if f.W >= 40 {
		signs = m.Word + " " + text.Pad(signs, 6)
	}
	l := parts.Row(f.W, whole).Add(t.Key, marker).Add(m.Style, m.Glyph+" ")
	return l.Add(t.Text, text.Fit(words(h.Mechanism), l.Left()-text.Width(signs)-2)).Right(m.Style, signs+" ").String()
}
