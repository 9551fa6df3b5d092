// Package home lists the saved investigations. It is on screen before any
// connection is tried.
package home

import (
	"context"
	"fmt"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"inquest/investigations"
	"inquest/ui/backend"
	"inquest/ui/keys"
	"inquest/ui/nav"
	"inquest/ui/parts"
	"inquest/ui/task"
	"inquest/ui/text"
	"inquest/ui/theme"
)

// Screen is Home.
type Screen struct {
	ctx    context.Context
	b      backend.Backend
	folder string // where cases are saved, for people

	cases  []backend.CaseSummary
	loaded bool
	err    error
	load   task.Slot
	list   parts.List
	filter parts.Filter
	Runs   func(path string) bool // whether probes run in a case; nil: in none
	want   string                 // path to select once it is listed
	hits   parts.Hits
}

// New returns Home. folder names the data folder for people.
func New(ctx context.Context, b backend.Backend, folder string) *Screen {
	return &Screen{ctx: ctx, b: b, folder: folder}
}

// Name is the scope of Home in the key map.
func (s *Screen) Name() string { return "home" }

// Init reads the list of cases.
func (s *Screen) Init() tea.Cmd { return s.Reload() }

// Reload reads the list again, as after a case was left.
func (s *Screen) Reload() tea.Cmd {
	b := s.b
	return s.load.Start(s.ctx, func(ctx context.Context) (any, error) { return b.List(ctx) })
}

// Cases returns the cases as they were last read.
func (s *Screen) Cases() []backend.CaseSummary { return s.cases }

// Update takes the list when it has been read.
func (s *Screen) Update(msg tea.Msg) tea.Cmd {
	d, ok := msg.(task.Done)
	if !ok || !s.load.Take(d) {
		return nil
	}
	s.loaded, s.err = true, d.Err
	if list, ok := d.Value.([]backend.CaseSummary); ok && d.Err == nil {
		keep := s.want
		if c, ok := s.selected(); ok && keep == "" {
			keep = c.Path
		}
		s.cases = list
		s.apply()
		s.choose(keep)
	}
	return nil
}

func (s *Screen) choose(path string) {
	for i := range s.list.Len() {
		if s.cases[s.filter.At(i)].Path == path {
			s.list.Select(i)
			s.want = ""
		}
	}
}

func (s *Screen) apply() {
	s.filter.Apply(parts.Texts{N: len(s.cases), At: func(i int) string {
		c := s.cases[i]
		return fmt.Sprintf("%s %s %s %s %s", c.Record, c.Table, theme.FateWords(c.Fate), c.Standing, c.Leading)
	}})
	s.list.SetLen(s.filter.Len(len(s.cases)))
}

func (s *Screen) selected() (backend.CaseSummary, bool) {
	i := s.filter.At(s.list.Cursor())
	if i < 0 || i >= len(s.cases) || s.list.Len() == 0 {
		return backend.CaseSummary{}, false
	}
	return s.cases[i], true
}

// Actions is what Home can do.
func (s *Screen) Actions() keys.Table {
	return append(keys.Table{
		{ID: "new", Keys: []string{"n"}, Title: "Start a new investigation", Short: "new", Run: func() tea.Cmd { return nav.Say(nav.New{}) }},
		{ID: "open", Keys: []string{"enter", "right", "l"}, Title: "Open the selected investigation", Short: "open", Disabled: s.nothing, Run: s.open},
		{ID: "report", Keys: []string{"e"}, Title: "Write the report of the selected investigation", Short: "report", Disabled: s.nothing, Run: s.report},
		{ID: "drills", Keys: []string{"t"}, Title: "Practice on a drill: an incident made for real on a throwaway server", Short: "practice on a drill", Run: func() tea.Cmd { return nav.Say(nav.Drills{}) }},
		{ID: "filter", Keys: []string{"/"}, Title: "Filter the list", Short: "filter", Disabled: s.nothing, Run: func() tea.Cmd { s.filter.Open(); return nil }},
		{ID: "copy", Keys: []string{"y"}, Title: "Copy the record id", Disabled: s.nothing, Run: s.copyID},
		{ID: "reload", Keys: []string{"ctrl+r"}, Title: "Read the list again", Run: s.Reload},
	}, parts.Moves(func() parts.Mover { return &s.list })...)
}

func (s *Screen) nothing() string {
	if _, ok := s.selected(); !ok {
		return "no investigation is selected: press n to start one"
	}
	return ""
}

func (s *Screen) open() tea.Cmd {
	c, _ := s.selected()
	return nav.Say(nav.Open{Path: c.Path})
}

func (s *Screen) report() tea.Cmd {
	c, _ := s.selected()
	return nav.Say(nav.Export{Path: c.Path})
}

func (s *Screen) copyID() tea.Cmd {
	c, _ := s.selected()
	return nav.Say(nav.Copy{Text: c.Record, What: "the record id"})
}

// Typing reports whether the filter takes the keys.
func (s *Screen) Typing() bool { return s.filter.Typing() }

// Type hands a key to the filter.
func (s *Screen) Type(k tea.KeyMsg) tea.Cmd {
	s.filter.Type(k)
	s.apply()
	return nil
}

// Back clears the filter.
func (s *Screen) Back() bool {
	was := s.filter.Clear()
	s.apply()
	return was
}

// Click selects a case; a second click opens it.
func (s *Screen) Click(x, y int) tea.Cmd { return s.hits.Click(x, y) }

// Items lists the cases for the palette.
func (s *Screen) Items() []nav.Item {
	out := make([]nav.Item, 0, len(s.cases))
	for _, c := range s.cases {
		out = append(out, nav.Item{
			Title: "Open " + c.Record, Detail: c.Table + " " + theme.FateWords(c.Fate),
			Run: func() tea.Cmd { return nav.Say(nav.Open{Path: c.Path}) },
		})
	}
	return out
}

// Place is the selected case.
func (s *Screen) Place() string { c, _ := s.selected(); return c.Path }

// Restore selects a case, now or when the list comes.
func (s *Screen) Restore(path string) { s.want = path; s.choose(path) }

// View draws the title and the list.
func (s *Screen) View(f nav.Frame) []string {
	t := f.Theme
	s.hits.Reset()
	count := fmt.Sprintf("%d investigations", len(s.cases))
	if len(s.cases) == 1 {
		count = "1 investigation"
	}
	if !s.loaded {
		count = "reading…"
	}
	right := count
	if s.folder != "" && f.W > 60 {
		right += " · " + text.FitLeft(text.Clean(s.folder), f.W-40)
	}
	head := parts.NewLine(f.W).Add(t.Strong, " inquest")
	if f.W >= 100 {
		head.Add(t.Dim, "  what happened to this record?")
	}
	pane := parts.Pane{Title: "Investigations", Focused: true, Right: s.filterText()}
	return append([]string{head.Right(t.Dim, right+" ").String()}, pane.Draw(t, f.W, f.H-1, s.body(f.Sized(f.W-2, f.H-3)))...)
}

func (s *Screen) filterText() string {
	if !s.filter.Active() {
		return "/ to filter"
	}
	return fmt.Sprintf("%d of %d", s.list.Len(), len(s.cases))
}

func (s *Screen) body(f nav.Frame) []string {
	head := parts.FilterLine(f, &s.filter)
	switch {
	case s.err != nil:
		return s.say(f, f.Theme.Bad, "The list of cases could not be read.", s.err.Error(), "Press ctrl+r to read it again, or n to start a new investigation.")
	case !s.loaded:
		return s.say(f, f.Theme.Dim, "Reading the saved investigations…")
	case len(s.cases) == 0:
		return s.say(f, f.Theme.Text, "No investigation yet.", "Press n and type the id of the record that is missing.",
			"Press t to practise first, on an incident that is made for real on a throwaway server.", "Press ? at any time to see what can be done.")
	case s.list.Len() == 0:
		return append(head, s.say(f, f.Theme.Text, "Nothing matches the filter.", "Press esc to see all.")...)
	}
	s.hits.AddList(1, 2+len(head), f.W, f.H-len(head), &s.list, s.open)
	w := s.columns(f.Theme, f.W)
	return append(head, s.list.Draw(f.H-len(head), func(i int, selected bool) string {
		return s.row(f, s.cases[s.filter.At(i)], selected, w)
	})...)
}

func (s *Screen) say(f nav.Frame, first theme.Style, lines ...string) []string {
	out := []string{text.Blank(f.W)}
	for i, line := range lines {
		st := f.Theme.Text
		if i == 0 {
			st = first
		}
		for _, part := range text.Wrap(text.Clean(line), f.W-4) {
			out = append(out, parts.NewLine(f.W).Add(st, "  "+part).String())
		}
		if i == 0 {
			out = append(out, text.Blank(f.W))
		}
	}
	return out
}

// columns are the widths of the columns of the list; a zero column is left out.
type columns struct{ id, table, fate, lead int }

// columns gives every column what its contents need, as far as there is room:
// the cause gives way first, then the table, then the end of the id.
func (s *Screen) columns(t *theme.Theme, w int) columns {
	c := columns{id: 12, fate: 16}
	for _, x := range s.cases {
		m := s.mark(t, x)
		c.id = max(c.id, text.Width(text.Clean(x.Record)))
		c.table = max(c.table, text.Width(text.Clean(x.Table)))
		fate := text.Width(m.Word) + 2
		if x.Broken != "" {
			fate = min(fate, 32) // a long reason has a screen of its own
		}
		c.fate = max(c.fate, fate)
		c.lead = max(c.lead, text.Width(text.Clean(x.Leading)))
	}
	c.fate = min(c.fate, max(w*2/5, 16))
	const rest = 3 + 4 + 6 + 12 // marker, blanks, steps, age
	room := w - rest - c.fate
	if w < 100 {
		return columns{id: w - 3 - c.fate - 1 - 8, fate: c.fate}
	}
	c.id = min(c.id, room)
	c.table = min(c.table, room-c.id)
	c.lead = min(c.lead, room-c.id-c.table)
	if c.table < 5 {
		c.table = 0
	}
	if c.lead < 8 {
		c.lead = 0
	}
	return c
}

func (s *Screen) row(f nav.Frame, c backend.CaseSummary, selected bool, w columns) string {
	t := f.Theme
	var whole *theme.Style
	marker := "   "
	if selected {
		whole, marker = &t.Selected, " ▸ "
	}
	wide := f.W >= 100
	l := parts.Row(f.W, whole).Add(t.Key, marker).Cell(t.Text, text.Clean(c.Record), w.id).Add(t.Text, " ")
	if w.table > 0 {
		l.Cell(t.Dim, text.Clean(c.Table), w.table).Add(t.Text, " ")
	}
	m := s.mark(t, c)
	if s.Runs != nil && s.Runs(c.Path) {
		m = theme.Mark{Glyph: theme.Spinner(f.Tick), Word: "running", Style: t.Accent}
	}
	l.Cell(m.Style, m.Glyph+" "+m.Word, w.fate).Add(t.Text, " ")
	if w.lead > 0 {
		l.Cell(t.Text, text.Clean(c.Leading), w.lead).Add(t.Text, " ")
	}
	age := parts.Span(f.Now.Sub(c.Updated))
	if wide {
		age = text.PadLeft(fmt.Sprintf("%d/%d", c.Done, c.Steps), 5) + text.PadLeft(parts.Ago(c.Updated, f.Now), 11)
	}
	return l.Right(t.Dim, age+" ").String()
}

func (s *Screen) mark(t *theme.Theme, c backend.CaseSummary) theme.Mark {
	switch {
	case c.Broken != "":
		return theme.Mark{Glyph: "✗", Word: "broken: " + text.Clean(c.Broken), Style: t.Bad}
	case c.Locked:
		m := t.Fate(investigations.Fate{Kind: c.Fate, Standing: c.Standing})
		m.Word += " · in use"
		return m
	}
	m := t.Fate(investigations.Fate{Kind: c.Fate, Standing: c.Standing})
	if c.Recording != "" {
		m.Word += " · practice"
	}
	return m
}

// NextAt says what to do.
func (s *Screen) NextAt(time.Time) string {
	switch {
	case !s.loaded || s.err != nil:
		return ""
	case len(s.cases) == 0:
		return "press n and type the id that is missing"
	}
	if c, ok := s.selected(); ok && c.Broken != "" {
		return "broken: open it to see what is left, or run inquest verify on it"
	}
	return "press ⏎ to go on with the selected case, n for a new one"
}
