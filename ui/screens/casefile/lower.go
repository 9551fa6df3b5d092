package casefile

import (
	"strings"
	"time"

	"inquest/investigations"
	"inquest/ui/nav"
	"inquest/ui/parts"
	"inquest/ui/text"
)

func (s *Screen) timelineBody(f nav.Frame) []string {
	t := f.Theme
	head := parts.FilterLine(f, &s.filter)
	if s.moments.Len() == 0 {
		say := "Nothing has been put on the timeline yet. R runs the checklist."
		switch {
		case s.filter.Active():
			say = "Nothing matches the filter."
		case len(s.live.Snap.State.Runs) > 0:
			say = "No event with a time was found. c shows what was read, and what was not."
		}
		return append(head, parts.Para(f, t.Dim, " ", say)...)
	}
	all := s.live.Snap.Assessment.Timeline
	return append(head, s.moments.Draw(f.H-len(head), func(i int, selected bool) string {
		return s.momentLine(f, all[s.filter.At(i)], selected)
	})...)
}

func (s *Screen) momentLine(f nav.Frame, m investigations.Moment, selected bool) string {
	t := f.Theme
	whole, marker := s.cursor(t, paneTimeline, selected)
	l := parts.Row(f.W, whole).Add(t.Key, marker).Cell(t.Accent, momentTime(m, f.Zone), 18).Add(t.Text, " ").Cell(t.Dim, text.Clean(m.Source), min(12, f.W/6)).Add(t.Text, " ")
	mark := ""
	if s.marked(m.Evidence) {
		mark = "⚑ "
	}
	if m.Unordered {
		mark += "⚠ zone? "
	}
	tail := mark + m.Evidence
	return l.Add(t.Text, text.Fit(text.Clean(m.Summary), l.Left()-text.Width(tail)-2)).Right(t.Dim, tail+" ").String()
}

// momentTime writes a moment or a bracket: 14:58:03.370–.412.
func momentTime(m investigations.Moment, zone *time.Location) string {
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

func (s *Screen) causesBody(f nav.Frame) []string {
	all := s.live.Snap.Assessment.Hypotheses
	if len(all) == 0 {
		say := "Nothing has been weighed yet. R runs the checklist."
		if len(s.live.Snap.State.Runs) > 0 {
			say = "No cause could be weighed by what was found."
		}
		return parts.Para(f, f.Theme.Dim, " ", say)
	}
	s.causes.SetLen(len(all))
	return s.causes.Draw(f.H, func(i int, selected bool) string { return s.causeLine(f, all[i], selected) })
}

func (s *Screen) causeLine(f nav.Frame, h investigations.Hypothesis, selected bool) string {
	t := f.Theme
	whole, marker := s.cursor(t, paneCauses, selected)
	m := t.Standing(h.Standing)
	signs := strings.Repeat("+", min(len(h.Supports), 4))
	if n := len(h.Contradicts); n > 0 {
		signs += " " + strings.Repeat("−", min(n, 4))
	}
	if f.W >= 44 {
		signs = m.Word + " " + text.Pad(signs, 6)
	}
	l := parts.Row(f.W, whole).Add(t.Key, marker).Add(m.Style, m.Glyph+" ")
	return l.Add(t.Text, text.Fit(words(h.Mechanism), l.Left()-text.Width(signs)-2)).Right(m.Style, signs+" ").String()
}
