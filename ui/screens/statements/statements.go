// Package statements lists every statement that was sent to a server, so that
// anyone can see that nothing was changed.
package statements

import (
	"fmt"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"inquest/investigations"
	"inquest/sources"
	"inquest/ui/keys"
	"inquest/ui/live"
	"inquest/ui/nav"
	"inquest/ui/parts"
	"inquest/ui/text"
	"inquest/ui/theme"
)

// Screen lists the statements.
type Screen struct {
	live   *live.Case
	list   parts.List
	filter parts.Filter
}

// New returns the screen.
func New(c *live.Case) *Screen { s := &Screen{live: c}; s.sync(); return s }

// Name is the scope of the screen in the key map.
func (s *Screen) Name() string { return "statements" }

// Init has nothing to fetch.
func (s *Screen) Init() tea.Cmd { return nil }

// Update follows the live case.
func (s *Screen) Update(tea.Msg) tea.Cmd { s.sync(); return nil }

func (s *Screen) all() []sources.Statement { return s.live.Snap.State.Statements }

func (s *Screen) sync() {
	all := s.all()
	s.filter.Apply(parts.Texts{N: len(all), At: func(i int) string { return all[i].Source + " " + all[i].Note + " " + all[i].SQL }})
	s.list.SetLen(s.filter.Len(len(all)))
}

func (s *Screen) selected() (sources.Statement, bool) {
	i := s.filter.At(s.list.Cursor())
	if i < 0 || i >= len(s.all()) || s.list.Len() == 0 {
		return sources.Statement{}, false
	}
	return s.all()[i], true
}

// Actions is what the screen can do.
func (s *Screen) Actions() keys.Table {
	none := func() string {
		if _, ok := s.selected(); !ok {
			return "no statement has been sent"
		}
		return ""
	}
	t := keys.Table{
		{ID: "open", Keys: []string{"enter", "s"}, Title: "Show the statement in full", Short: "show in full", Disabled: none, Run: s.open},
		{ID: "copy", Keys: []string{"y"}, Title: "Copy the statement", Short: "copy", Disabled: none, Run: func() tea.Cmd {
			st, _ := s.selected()
			return nav.Say(nav.Copy{Text: st.SQL, What: "the statement"})
		}},
		{ID: "filter", Keys: []string{"/"}, Title: "Filter the statements", Short: "filter", Disabled: none, Run: func() tea.Cmd { s.filter.Open(); return nil }},
	}
	t = append(t, parts.Notable(s.live.Session, s.notes, s.thing)...)
	return append(t, parts.Moves(func() parts.Mover { return &s.list })...)
}

func (s *Screen) notes() []investigations.Note { return s.live.Snap.State.Notes }

func (s *Screen) thing() parts.Thing {
	if _, ok := s.selected(); !ok {
		return parts.Thing{}
	}
	return s.numbered(s.filter.At(s.list.Cursor()))
}

// numbered names a statement by its place among all, which never changes.
func (s *Screen) numbered(i int) parts.Thing {
	st := s.all()[i]
	return parts.Thing{ID: fmt.Sprintf("statement:%d %s %s", i+1, st.Time.UTC().Format(time.RFC3339Nano), st.Source), Title: fmt.Sprintf("statement %d", i+1)}
}

func (s *Screen) open() tea.Cmd {
	st, _ := s.selected()
	body := fmt.Sprintf("%s\n\n%s · %s · took %s", st.SQL, st.Source, st.Time.UTC().Format("2006-01-02 15:04:05.000 MST"), parts.Span(st.Took))
	if st.Note != "" {
		body += "\n" + st.Note
	}
	if st.Error != "" {
		body += "\nerror: " + st.Error
	}
	for _, n := range parts.NotesOn(s.notes(), s.thing().ID) {
		body += "\nnote: " + n
	}
	return nav.Say(nav.Dialog{Overlay: &parts.Viewer{Title: "Statement", Text: body, Copy: st.SQL, What: "the statement"}})
}

// Typing reports whether the filter takes the keys.
func (s *Screen) Typing() bool { return s.filter.Typing() }

// Type hands a key to the filter.
func (s *Screen) Type(k tea.KeyMsg) tea.Cmd { s.filter.Type(k); s.sync(); return nil }

// Back clears the filter.
func (s *Screen) Back() bool { was := s.filter.Clear(); s.sync(); return was }

// NextAt says what the list is for.
func (s *Screen) NextAt(time.Time) string {
	return "each ran in a read-only transaction; the report lists them too"
}

// View draws the list.
func (s *Screen) View(f nav.Frame) []string {
	head := parts.Head{Record: s.live.Snap.State.Record.ID, Title: "Statements", Count: fmt.Sprintf("%d sent", len(s.all())), Server: s.live.Server()}.Draw(f)
	in := f.Sized(f.W-2, f.H-3)
	lines := parts.FilterLine(in, &s.filter)
	if s.list.Len() == 0 {
		lines = append(lines, parts.Para(in, f.Theme.Dim, " ", "No statement to show. Nothing is sent before a probe runs.")...)
	}
	lines = append(lines, s.list.Draw(in.H-len(lines), func(i int, selected bool) string {
		return s.row(in, s.filter.At(i), selected)
	})...)
	return append([]string{head}, parts.Pane{Title: "In the order in which they were sent", Focused: true}.Draw(f.Theme, f.W, f.H-1, lines)...)
}

func (s *Screen) row(f nav.Frame, i int, selected bool) string {
	t, st := f.Theme, s.all()[i]
	var whole *theme.Style
	marker := "  "
	if selected {
		whole, marker = &t.Selected, "▸ "
	}
	l := parts.Row(f.W, whole).Add(t.Key, marker).Cell(t.Dim, st.Time.In(f.Zone).Format("15:04:05.000"), 13).Cell(t.Accent, text.Clean(st.Source), min(12, f.W/6)).Add(t.Text, " ")
	tail := parts.Span(st.Took)
	if st.Error != "" {
		tail = "✗ error " + tail
	}
	sql := strings.Join(strings.Fields(st.SQL), " ")
	if st.Note != "" {
		sql = st.Note + ": " + sql
	}
	if len(s.notes()) > 0 && parts.Marked(s.notes(), s.numbered(i).ID) {
		tail = "⚑ " + tail
	}
	return l.Add(t.Text, text.Fit(text.Clean(sql), l.Left()-text.Width(tail)-2)).Right(t.Dim, tail+" ").String()
}
