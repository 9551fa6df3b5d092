package newcase

import (
	"inquest/sources"
	"inquest/ui/nav"
	"inquest/ui/parts"
	"inquest/ui/text"
	"inquest/ui/theme"
)

// View draws the form above the answers of the sources.
func (s *Screen) View(f nav.Frame) []string {
	head := parts.Head{Record: "inquest", Title: "New investigation"}.Draw(f)
	rest := f.H - 1
	form := min(int(fields)+4, max(rest*3/5, 8))
	in := f.Sized(f.W-2, form-2)
	out := append([]string{head}, parts.Pane{Title: "What is missing, and where to look", Focused: true}.Draw(f.Theme, f.W, form, s.form(in))...)
	below := f.Sized(f.W, rest-form)
	if below.H < 3 {
		return out
	}
	return append(out, parts.Pane{Title: "What the sources say", Right: "read-only"}.Draw(f.Theme, f.W, below.H, s.answers(f.Sized(f.W-2, below.H-2)))...)
}

func (s *Screen) form(f nav.Frame) []string {
	help := s.help(f)
	room := max(f.H-len(help)-1, 1)
	l := parts.List{}
	l.SetLen(int(fields))
	l.Select(int(s.at))
	lines := l.Draw(room, func(i int, selected bool) string { return s.row(f, fieldID(i), selected) })
	for len(lines) < room {
		lines = append(lines, text.Blank(f.W))
	}
	lines = append(lines, f.Theme.Border.Paint(text.Repeat("─", f.W)))
	return append(lines, help...)
}

// help is the problem of the form, or what the field is for; at most two lines.
func (s *Screen) help(f nav.Frame) []string {
	out := parts.Para(f, f.Theme.Dim, " ", s.fields[s.at].help)
	if s.problem != "" {
		out = parts.Para(f, f.Theme.Bad, " ✗ ", s.problem)
	}
	if echo, st := s.echo(f, s.at); s.problem == "" && echo != "" && f.W < 70 {
		out = parts.Para(f, st, " ", echo)
	}
	if len(out) > 2 {
		out = append(out[:1], parts.NewLine(f.W).Add(f.Theme.Dim, " … f1 shows the keys, a wider screen all of this").String())
	}
	for len(out) < 2 {
		out = append(out, text.Blank(f.W))
	}
	return out
}

func (s *Screen) row(f nav.Frame, id fieldID, selected bool) string {
	t := f.Theme
	fd := &s.fields[id]
	label, marker, st := 18, "  ", t.Dim
	if selected {
		marker, st = "▸ ", t.Key
	}
	l := parts.NewLine(f.W).Add(t.Key, marker).Cell(st, fd.label, label).Add(t.Text, " ")
	echo, est := s.echo(f, id)
	room := l.Left() - 1
	if echo != "" && f.W >= 70 {
		room -= min(text.Width(echo)+3, f.W/2)
	}
	switch {
	case selected && id != fieldProfile:
		fd.input.Append(l, t, max(room, 8))
	case fd.input.Value() == "":
		l.Add(t.Dim, text.Fit("("+fd.empty+")", room))
	default:
		v := text.Clean(masked(fd.input.Value()))
		if selected {
			v = "← " + v + " →"
		}
		l.Add(t.Text, text.Fit(v, room))
	}
	if echo != "" && f.W >= 70 {
		return l.Right(est, text.Fit(echo, l.Left()-2)+" ").String()
	}
	return l.String()
}

// echo says how a time was understood, or what a profile holds.
func (s *Screen) echo(f nav.Frame, id fieldID) (string, theme.Style) {
	if id == fieldProfile {
		for _, p := range s.profiles {
			if p.Name == s.value(id) {
				return text.Clean(p.Summary), f.Theme.Dim
			}
		}
		return "", f.Theme.Dim
	}
	if !s.fields[id].timed || s.value(id) == "" {
		return "", f.Theme.Dim
	}
	r, err := s.instant(id)
	switch {
	case err != nil:
		return "✗ no time yet", f.Theme.Bad
	case len(r.Ambiguous) > 0:
		return "⚠ which one? tab asks", f.Theme.Weak
	}
	return "= " + r.Echo, f.Theme.Good
}

func (s *Screen) answers(f nav.Frame) []string {
	t := f.Theme
	var out []string
	for _, st := range s.statuses {
		out = append(out, s.status(f, st)...)
	}
	switch {
	case s.check.Busy():
		out = append(out, parts.Para(f, t.Accent, " "+theme.Spinner(f.Tick)+" ", "asking the sources…")...)
	case s.checkErr != nil:
		out = append(out, parts.Para(f, t.Bad, " ✗ ", s.checkErr.Error())...)
	case len(out) == 0:
		out = parts.Para(f, t.Dim, " ", "Nothing to ask yet: name a database, logs or a folder with WAL above.")
	}
	if len(out) > f.H && f.H > 0 {
		out = append(out[:f.H-1], parts.NewLine(f.W).Add(t.Dim, " … more is shown in the case under coverage (c)").String())
	}
	return out
}

func (s *Screen) status(f nav.Frame, st sources.Status) []string {
	t := f.Theme
	m := t.Source(st.State)
	l := parts.NewLine(f.W).Add(m.Style, " "+m.Glyph+" "+m.Word+" ").Clean(t.Strong, st.Source)
	out := []string{l.Add(t.Text, "  ").Clean(t.Text, st.Summary).String()}
	if st.Problem != "" {
		out = append(out, parts.Para(f, t.Bad, "   ", st.Problem)...)
	}
	for _, a := range st.Abilities {
		if a.OK {
			continue
		}
		say := a.Name + ": " + a.Why
		if a.Opens != "" {
			say += " → " + a.Opens
		}
		out = append(out, parts.Para(f, t.Blind, "   ⊘ ", say)...)
	}
	for _, e := range st.Expires {
		when := "at an unknown moment"
		if !e.At.IsZero() {
			when = parts.Ago(e.At, f.Now)
		}
		out = append(out, parts.Para(f, t.Weak, "   ⚠ ", e.What+" is gone "+when+": "+e.Why)...)
	}
	return out
}
