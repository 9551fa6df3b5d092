package newcase

import (
	"slices"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"inquest/sources"
	"inquest/ui/nav"
	"inquest/ui/parts"
	"inquest/ui/text"
	"inquest/ui/theme"
)

// answersPane draws what the sources say: all of it where there is room, else a
// line of each and as much of the rest as fits, of those that cannot be used
// first.
func (s *Screen) answersPane(f nav.Frame) []string {
	in := f.Sized(f.W-2, f.H-2)
	p := parts.Pane{Title: "What the sources say", Right: "read-only"}
	if len(s.inquiries) == 0 {
		none := parts.Para(in, f.Theme.Dim, " ", "Nothing to ask yet: name a database, logs or a folder with WAL above.")
		return p.Draw(f.Theme, f.W, f.H, none)
	}
	lines, more := s.fitted(in)
	if more {
		p.Foot = "… ctrl+o shows all of it"
	}
	return p.Draw(f.Theme, f.W, f.H, lines)
}

// fitted are the lines for a frame, and whether some were left out.
func (s *Screen) fitted(f nav.Frame) (lines []string, more bool) {
	var blocks [][]string
	var urgent []bool
	for _, q := range s.inquiries {
		for _, b := range s.blocks(f, q) {
			blocks = append(blocks, b)
			urgent = append(urgent, q.failed() != "")
		}
	}
	shown := make([]int, len(blocks))
	room := f.H
	give := func(i, upTo int) {
		n := max(min(upTo-shown[i], len(blocks[i])-shown[i], room), 0)
		shown[i] += n
		room -= n
	}
	for i := range blocks {
		give(i, 1)
	}
	for _, first := range []bool{true, false} {
		for i := range blocks {
			if urgent[i] == first {
				give(i, len(blocks[i]))
			}
		}
	}
	for i, b := range blocks {
		lines = append(lines, b[:shown[i]]...)
		more = more || shown[i] < len(b)
	}
	return lines, more
}

// blocks are the answers of one inquiry, each with its summary first.
func (s *Screen) blocks(f nav.Frame, q *inquiry) [][]string {
	t := f.Theme
	var out [][]string
	for _, st := range q.statuses {
		out = append(out, status(f, st))
	}
	switch {
	case q.held:
		out = append(out, parts.Para(f, t.Dim, " ◌ ", q.label+": tab asks it"))
	case q.slot.Busy():
		out = append(out, parts.Para(f, t.Accent, " "+theme.Spinner(f.Tick)+" ", "asking "+q.label))
	case q.err != nil:
		out = append(out, parts.Para(f, t.Bad, " ✗ not usable ", q.err.Error()))
	}
	return out
}

func status(f nav.Frame, st sources.Status) []string {
	t := f.Theme
	m := t.Source(st.State)
	l := parts.NewLine(f.W).Add(m.Style, " "+m.Glyph+" "+m.Word+" ").Clean(t.Strong, st.Source).Add(t.Text, "  ")
	say := text.Clean(st.Summary)
	var out []string
	switch room := l.Left() - 1; {
	case text.Width(say) <= room, room < 20:
		out = []string{l.Add(t.Text, say).String()}
	default:
		first := text.Wrap(say, room)[0]
		out = append(out, l.Add(t.Text, first).String())
		out = append(out, parts.Para(f, t.Text, "   ", strings.TrimSpace(strings.TrimPrefix(say, first)))...)
	}
	if problem(st) != "" {
		out = append(out, parts.Para(f, t.Bad, "   ", st.Problem)...)
	}
	can, cannot := abilities(st)
	if can != "" {
		out = append(out, parts.Para(f, t.Good, "   ✓ can answer: ", can)...)
	}
	if len(cannot) > 1 { // the reasons need more room than there may be
		out = append(out, parts.Para(f, t.Blind, "   ⊘ cannot answer: ", names(cannot))...)
	}
	for _, e := range st.Expires {
		when := "at an unknown moment"
		if !e.At.IsZero() {
			when = parts.Ago(e.At, f.Now)
		}
		out = append(out, parts.Para(f, t.Weak, "   ⚠ ", e.What+" can be gone "+when+": "+e.Why)...)
	}
	for _, a := range cannot {
		say := a.Name + ": " + a.Why
		if a.Opens != "" {
			say += " → " + a.Opens
		}
		out = append(out, parts.Para(f, t.Blind, "   ⊘ ", say)...)
	}
	return out
}

// problem is what stands in the way of a source, unless what it cannot answer
// says it already, one by one.
func problem(st sources.Status) string {
	if _, cannot := abilities(st); len(cannot) > 0 && st.State != sources.StateFailed {
		return ""
	}
	return st.Problem
}

// abilities are what a source can answer, and what it cannot.
func abilities(st sources.Status) (can string, cannot []sources.Ability) {
	var those []sources.Ability
	for _, a := range st.Abilities {
		if a.OK {
			those = append(those, a)
		} else {
			cannot = append(cannot, a)
		}
	}
	return names(those), cannot
}

func names(list []sources.Ability) string {
	out := make([]string, 0, len(list))
	for _, a := range list {
		out = append(out, a.Name)
	}
	return strings.Join(out, ", ")
}

// tell writes all that a source says below its first line.
func (s *Screen) tell(line func(...string), st sources.Status) {
	if why := problem(st); why != "" {
		line(why)
	}
	can, cannot := abilities(st)
	if can != "" {
		line("can answer:", can)
	}
	for _, e := range st.Expires {
		when := "at an unknown moment"
		if !e.At.IsZero() {
			when = parts.Ago(e.At, s.now()) + " (" + e.At.In(s.zone).Format("2 Jan 15:04 MST") + ")"
		}
		line("can be gone", when+":", e.What+",", e.Why)
	}
	for _, a := range cannot {
		line("cannot:", a.Name+",", a.Why)
		if a.Opens != "" {
			line("  to open it:", a.Opens)
		}
	}
}

// showAnswers shows all that the sources say, with nothing cut.
func (s *Screen) showAnswers() tea.Cmd {
	var b strings.Builder
	line := func(parts ...string) {
		b.WriteString(strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), " ") + "\n")
	}
	for _, q := range s.inquiries {
		if q.err != nil {
			line(q.label+":", q.err.Error())
		}
		if len(q.statuses) == 0 && q.err == nil {
			line(q.label + ": no answer yet")
		}
		for _, st := range q.statuses {
			line(st.Source+":", string(st.State)+",", st.Summary)
			s.tell(line, st)
		}
		line()
	}
	return nav.Say(nav.Dialog{Overlay: &parts.Viewer{Title: "What the sources say", Text: strings.TrimRight(b.String(), "\n"), What: "what the sources say"}})
}
