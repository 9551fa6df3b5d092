package newcase

import (
	"fmt"
	"strings"

	"inquest/investigations"
	"inquest/ui/nav"
	"inquest/ui/parts"
	"inquest/ui/text"
	"inquest/ui/theme"
	"inquest/ui/typed"
)

// View draws the form above the answers of the sources.
func (s *Screen) View(f nav.Frame) []string {
	head, title := parts.Head{Record: "inquest", Title: "New investigation"}, "What is missing, and where to look"
	if s.path != "" {
		head, title = parts.Head{Record: s.base.Record, Title: "Sources"}, "Where to look"
	}
	rest := f.H - 1
	n := len(s.rows())
	form := min(n+5, max(rest*3/5, 8))
	in := f.Sized(f.W-2, form-2)
	p := parts.Pane{Title: title, Focused: true}
	if n > in.H-3 {
		p.Foot = fmt.Sprintf("%d of %d", s.at+1, n)
	}
	out := append([]string{head.Draw(f)}, p.Draw(f.Theme, f.W, form, s.form(in))...)
	below := f.Sized(f.W, rest-form)
	if below.H < 3 {
		return out
	}
	return append(out, s.answersPane(below)...)
}

func (s *Screen) form(f nav.Frame) []string {
	help := s.help(f)
	room := max(f.H-len(help)-1, 1)
	rows := s.rows()
	s.list.SetLen(len(rows))
	s.list.Select(s.at)
	lines := s.list.Draw(room, func(i int, selected bool) string {
		return s.row(f, rows[i], selected, i > 0 && rows[i-1].id == fieldPlace)
	})
	for len(lines) < room {
		lines = append(lines, text.Blank(f.W))
	}
	lines = append(lines, f.Theme.Border.Paint(text.Repeat("─", f.W)))
	return append(lines, help...)
}

// help is the problem of the form, or what the field is for; at most two lines.
func (s *Screen) help(f nav.Frame) []string {
	at := s.current()
	out := parts.Para(f, f.Theme.Dim, " ", s.helpText(at))
	if s.problem != "" {
		out = parts.Para(f, f.Theme.Bad, " ✗ ", s.problem)
	}
	if echo, st := s.echo(f, at); s.problem == "" && echo != "" && f.W < 70 {
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

// helpText says what a field is for; of a place, what its kind is.
func (s *Screen) helpText(f *field) string {
	switch {
	case f.id == fieldProfile && len(s.profiles) == 0:
		return "A named set of connections; none is configured. inquest/config.yaml in the configuration folder names them."
	case f.id != fieldPlace:
		return f.help
	}
	word, _, _ := strings.Cut(typed.Place(value(f)), " ")
	for _, p := range s.kinds {
		switch {
		case p.Word != word:
		case strings.HasPrefix(p.Means, p.Value):
			return p.Word + " " + p.Means
		default:
			return strings.TrimSpace(p.Word+" "+p.Value) + ": " + p.Means
		}
	}
	each := make([]string, 0, len(s.kinds))
	for _, p := range s.kinds {
		each = append(each, strings.TrimSpace(p.Word+" "+p.Value))
	}
	return "One a line, as on the command line: " + strings.Join(each, ", ") + "."
}

func (s *Screen) row(f nav.Frame, fd *field, selected, again bool) string {
	t := f.Theme
	label, name, marker, st := 18, fd.label, "  ", t.Dim
	empty := fd.empty
	if fd.id == fieldPlace {
		name, empty = "More places", "none: "+s.kindWords()
		if again {
			name, empty = "", "another one"
		}
	}
	if selected {
		marker, st = "▸ ", t.Key
	}
	l := parts.NewLine(f.W).Add(t.Key, marker).Cell(st, name, label).Add(t.Text, " ")
	echo, est := s.echo(f, fd)
	room := l.Left() - 1
	if echo != "" && f.W >= 70 {
		room -= min(text.Width(echo)+3, f.W/2)
	}
	switch {
	case selected && fd.id != fieldProfile:
		fd.input.AppendAs(l, t, max(room, 8), typed.Dotted(fd.input.Value()))
	case fd.input.Value() == "":
		l.Add(t.Dim, text.Fit("("+empty+")", room))
	default:
		v := text.Clean(typed.Masked(fd.input.Value()))
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

// echo says how a field was understood, or what a profile holds.
func (s *Screen) echo(f nav.Frame, fd *field) (string, theme.Style) {
	t := f.Theme
	switch {
	case value(fd) == "":
	case fd.id == fieldRecord:
		return s.echoRecord(f)
	case fd.id == fieldProfile:
		for _, p := range s.profiles {
			if p.Name == value(fd) {
				return text.Clean(p.Summary), t.Dim
			}
		}
	case fd.id == fieldPlace && s.notAPlace(fd) != "" && fd != s.typing:
		return "✗ not understood", t.Bad
	case fd.timed:
		r, err := s.instant(fd)
		switch {
		case err != nil:
			return "✗ no time yet", t.Bad
		case len(r.Ambiguous) > 0:
			return "⚠ which one? tab asks", t.Weak
		}
		return "= " + r.Echo, t.Good
	}
	return "", t.Dim
}

// echoRecord says what was left out of a pasted id, and when an id that carries
// a time was made.
func (s *Screen) echoRecord(f nav.Frame) (string, theme.Style) {
	id, cut := typed.RecordID(s.value(fieldRecord))
	if cut {
		return "= " + text.Clean(id) + ", without what stood around it", f.Theme.Good
	}
	if strings.Contains(id, "://") {
		return "⚠ an address: the id alone is asked for", f.Theme.Weak
	}
	if at, how, ok := investigations.TimeInID(id); ok {
		return "= " + how + ": " + at.In(f.Zone).Format("2 Jan 2006 15:04 MST"), f.Theme.Good
	}
	return "", f.Theme.Dim
}
