package casefile

import (
	"fmt"
	"strings"

	"inquest/investigations"
	"inquest/ui/nav"
	"inquest/ui/parts"
	"inquest/ui/text"
	"inquest/ui/theme"
)

// cursor returns the style of a whole row and its marker: the selected row of
// the pane in focus is reversed, elsewhere it keeps its marker.
func (s *Screen) cursor(t *theme.Theme, p pane, selected bool) (*theme.Style, string) {
	switch {
	case !selected:
		return nil, "  "
	case p == s.focus:
		return &t.Selected, "▸ "
	default:
		return nil, "▸ "
	}
}

func (s *Screen) checklist(f nav.Frame) []string {
	steps := s.live.Snap.Assessment.Steps
	out := parts.FilterLine(f, &s.filters[paneChecklist])
	out = append(out, s.steps.Draw(f.H-len(out), func(k int, selected bool) string {
		i := s.filters[paneChecklist].At(k)
		return s.stepLine(f, i, steps[i], selected)
	})...)
	if st, ok := s.step(); ok && f.H-len(steps) > 2 && s.focus == paneChecklist {
		out = append(out, text.Blank(f.W))
		out = append(out, parts.Para(f, f.Theme.Text, " ", st.Step.Asks)...)
		out = append(out, parts.Para(f, f.Theme.Dim, " ", st.Step.Why)...)
	}
	return out
}

func (s *Screen) stepLine(f nav.Frame, i int, st investigations.StepResult, selected bool) string {
	t := f.Theme
	whole, marker := s.cursor(t, paneChecklist, selected)
	m := t.Verdict(st.Verdict)
	glyph := m.Glyph
	if s.stepRuns(st) {
		glyph, m.Word = theme.Spinner(f.Tick), "running"
		if n := s.hitsOf(st); n > 0 {
			m.Word = hitsText(n)
		}
	}
	l := parts.Row(f.W, whole).Add(t.Key, marker).Add(m.Style, glyph).Add(t.Text, fmt.Sprintf(" %2d ", i+1))
	word := m.Word
	if s.yours(st) {
		word = "your verdict"
	}
	if st.Signed {
		word += " (you)"
	}
	tail := fmt.Sprint(len(evidenceOf(st)))
	if len(evidenceOf(st)) == 0 {
		tail = "–"
	}
	if s.marked("step:" + string(st.Step.ID)) {
		tail = "⚑ " + tail
	}
	room := l.Left() - 2 - text.Width(tail)
	title := text.Fit(st.Step.Title, room)
	l.Add(t.Text, title)
	if room-text.Width(title) > text.Width(word)+3 {
		l.To(f.W-text.Width(tail)-text.Width(word)-3).Add(m.Style, word)
	}
	return l.Right(t.Dim, tail+" ").String()
}

func (s *Screen) stepRuns(st investigations.StepResult) bool {
	for _, p := range st.Probes {
		if _, ok := s.live.Running[p.Probe.ID]; ok {
			return true
		}
	}
	return false
}

func evidenceOf(st investigations.StepResult) []string {
	var out []string
	for _, p := range st.Probes {
		out = append(out, p.Evidence...)
	}
	return out
}

func (s *Screen) stepBody(f nav.Frame) []string {
	st, ok := s.step()
	if !ok {
		return parts.Para(f, f.Theme.Dim, " ", "No step matches the filter of the checklist: esc there shows all.")
	}
	var head []string
	if f.W < 58 {
		head = parts.Para(f, f.Theme.Text, " ", st.Step.Asks)
	}
	if len(st.Probes) == 0 {
		head = append(head, parts.Para(f, f.Theme.Dim, " ", "No probe looks into this step; only you can answer it.")...)
	}
	if len(head) > f.H/2 {
		head = head[:f.H/2]
	}
	head = append(head, parts.FilterLine(f, &s.filters[paneStep])...)
	rows := s.stepRows()
	s.rows.SetLen(len(rows))
	return append(head, s.rows.Draw(f.H-len(head), func(i int, selected bool) []string {
		first := i > 0 && rows[i].kind != rowProbe && rows[i-1].kind == rowProbe || i == 0 && rows[i].kind != rowProbe
		return s.stepRow(f, st, rows[i], selected, first)
	})...)
}

func (s *Screen) stepRow(f nav.Frame, st investigations.StepResult, r row, selected, afterProbes bool) []string {
	var out []string
	if afterProbes {
		out = append(out, text.Blank(f.W))
		out = append(out, parts.Para(f, f.Theme.Dim, " ", "What this does not exclude: "+st.Step.Negative)...)
		out = append(out, text.Blank(f.W))
	}
	switch r.kind {
	case rowProbe:
		return s.probeRow(f, r.probe, selected)
	case rowQuestion:
		return append(out, s.questionRow(f, r.question, selected)...)
	default:
		return append(out, s.verdictRow(f, st, selected)...)
	}
}

func (s *Screen) probeRow(f nav.Frame, p investigations.ProbeResult, selected bool) []string {
	t := f.Theme
	whole, marker := s.cursor(t, paneStep, selected)
	m := t.Outcome(p.Reading.Outcome, p.Ran)
	says := p.Reading.Summary
	u, running := s.live.Running[p.Probe.ID]
	switch {
	case running:
		m.Glyph, says = theme.Spinner(f.Tick), progressText(u)
		m.Style = t.Accent
	case !p.Ran:
		says = "not yet run"
		if s.apart() != "" {
			says += " · needs " + p.Probe.Needs
		}
	}
	tail := strings.Join(p.Evidence, " ")
	if len(p.Evidence) > 2 {
		tail = fmt.Sprintf("%s +%d", p.Evidence[0], len(p.Evidence)-1)
	}
	if s.marked("probe:" + p.Probe.ID) {
		tail = "⚑ " + tail
	}
	name := s.nameWidth(f.W)
	l := parts.Row(f.W, whole).Add(t.Key, marker).Add(m.Style, m.Glyph+" ").Cell(t.Strong, text.Clean(p.Probe.Title), name).Add(t.Text, " ")
	if p.Ran && !running {
		l.Add(m.Style, m.Word).Add(t.Dim, " · ")
		says = strings.TrimPrefix(strings.TrimPrefix(says, m.Word+": "), m.Word+" ")
	}
	full := text.Clean(says)
	room := l.Left() - text.Width(tail) - 2
	l.Add(t.Text, text.Fit(full, room)).Right(t.Dim, tail+" ")
	out := []string{l.String()}
	if p.Reading.Outcome == investigations.BlindOutcome && p.Reading.Opens != "" && !running {
		out = append(out, parts.Para(f, t.Blind, "      → ", "to open it: "+p.Reading.Opens)...)
	}
	if running {
		out = append(out, s.hitLines(f, u.Hits)...)
	}
	if selected && s.focus == paneStep {
		out = append(out, s.probeMore(f, p, text.Width(full) > room, full)...)
	}
	return out
}

// nameWidth is the width of the column of probes: what the longest name of the
// step needs, and no more than two fifths of the line.
func (s *Screen) nameWidth(w int) int {
	need := 12
	st, _ := s.step()
	for _, p := range st.Probes {
		need = max(need, text.Width(text.Clean(p.Probe.Title)))
	}
	return min(need, max(w*2/5, 12))
}

// probeMore is what the selected probe says beyond its line.
func (s *Screen) probeMore(f nav.Frame, p investigations.ProbeResult, cut bool, says string) []string {
	t := f.Theme
	var out []string
	if cut {
		out = append(out, parts.Para(f, t.Text, "      ", says)...)
	}
	if !p.Ran {
		out = append(out, parts.Para(f, t.Dim, "      ", p.Probe.Asks+" "+p.Probe.Why)...)
		out = append(out, parts.Para(f, t.Dim, "      ", "It needs "+p.Probe.Needs+".")...)
	} else if p.Reading.Outcome != investigations.Found {
		out = append(out, parts.Para(f, t.Dim, "      ", "does not exclude: "+p.Probe.Negative)...)
	}
	for _, n := range s.notesOn("probe:" + p.Probe.ID) {
		out = append(out, parts.Para(f, t.Accent, "      note: ", n)...)
	}
	return out
}

func progressText(u investigations.Update) string {
	if u.State == investigations.RunEnded {
		return "reading what it brought"
	}
	s := ""
	if u.Total > 0 {
		s = parts.Bar(u.Done, u.Total, 10) + " "
	}
	s += parts.Rate(u.Done, u.Total, u.Elapsed)
	if u.Note != "" {
		s += " " + u.Note
	}
	if s == "" {
		s = "running"
	}
	return s + " · x cancels"
}

func (s *Screen) questionRow(f nav.Frame, q investigations.Question, selected bool) []string {
	t := f.Theme
	whole, marker := s.cursor(t, paneStep, selected)
	a, answered := s.live.Snap.State.Answers[q.ID]
	word, st := "answer ▸", t.Key
	if answered {
		word, st = a.Answer, t.Good
	}
	l := parts.Row(f.W, whole).Add(t.Key, marker).Add(t.Strong, "? ")
	room := l.Left() - text.Width(word) - 2
	l.Add(t.Text, text.Fit(q.Ask, room)).Right(st, word+" ")
	out := []string{l.String()}
	if selected && s.focus == paneStep {
		if text.Width(q.Ask) > room {
			out = append(out, parts.Para(f, t.Text, "      ", q.Ask)...)
		}
		out = append(out, parts.Para(f, t.Dim, "      ", q.Why)...)
	}
	if a.Note != "" {
		out = append(out, parts.Para(f, t.Accent, "      note: ", a.Note)...)
	}
	return out
}

func (s *Screen) verdictRow(f nav.Frame, st investigations.StepResult, selected bool) []string {
	t := f.Theme
	whole, marker := s.cursor(t, paneStep, selected)
	m := t.Verdict(st.Verdict)
	l := parts.Row(f.W, whole).Add(t.Key, marker).Add(t.Strong, "Verdict ").Add(m.Style, m.Glyph+" "+m.Word)
	if st.Signed {
		l.Add(t.Dim, " · yours")
	} else {
		l.Add(t.Dim, " · from the probes")
	}
	out := []string{l.Right(t.Key, "v to change ").String()}
	if st.Note != "" {
		out = append(out, parts.Para(f, t.Accent, "    note: ", st.Note)...)
	}
	for _, n := range s.notesOn("step:" + string(st.Step.ID)) {
		out = append(out, parts.Para(f, t.Accent, "    note: ", n)...)
	}
	return out
}
