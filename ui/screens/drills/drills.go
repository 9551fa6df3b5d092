// Package drills lists the practice incidents.
package drills

import (
	"fmt"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"inquest/ui/backend"
	"inquest/ui/keys"
	"inquest/ui/nav"
	"inquest/ui/parts"
	"inquest/ui/text"
	"inquest/ui/theme"
)

// Building says how far a drill under construction is. The root sends it.
type Building struct {
	ID       string // empty: nothing is being built
	Progress backend.Progress
	Err      error
}

// Screen lists the drills.
type Screen struct {
	drills   []backend.Drill
	list     parts.List
	filter   parts.Filter
	building Building
}

// New returns the screen.
func New(b backend.Backend) *Screen {
	s := &Screen{drills: b.Drills()}
	s.apply()
	return s
}

func (s *Screen) apply() {
	s.filter.Apply(parts.Texts{N: len(s.drills), At: func(i int) string {
		return s.drills[i].ID + " " + s.drills[i].Title + " " + s.drills[i].Story
	}})
	s.list.SetLen(s.filter.Len(len(s.drills)))
}

func (s *Screen) selected() (backend.Drill, bool) {
	i := s.filter.At(s.list.Cursor())
	if i < 0 || i >= len(s.drills) || s.list.Len() == 0 {
		return backend.Drill{}, false
	}
	return s.drills[i], true
}

// Typing reports whether the filter takes the keys.
func (s *Screen) Typing() bool { return s.filter.Typing() }

// Type hands a key to the filter.
func (s *Screen) Type(k tea.KeyMsg) tea.Cmd { s.filter.Type(k); s.apply(); return nil }

// Back clears the filter.
func (s *Screen) Back() bool { was := s.filter.Clear(); s.apply(); return was }

// Name is the scope of the screen in the key map.
func (s *Screen) Name() string { return "drills" }

// Init has nothing to fetch.
func (s *Screen) Init() tea.Cmd { return nil }

// Update follows the drill that is being built.
func (s *Screen) Update(msg tea.Msg) tea.Cmd {
	if b, ok := msg.(Building); ok {
		s.building = b
	}
	return nil
}

// Actions is what the screen can do.
func (s *Screen) Actions() keys.Table {
	return append(keys.Table{
		{ID: "start", Keys: []string{"enter"}, Title: "Build the drill and investigate it", Short: "start", Disabled: s.cannot, Run: func() tea.Cmd {
			d, _ := s.selected()
			return nav.Say(nav.StartDrill{ID: d.ID})
		}},
		{ID: "filter", Keys: []string{"/"}, Title: "Filter the drills", Short: "filter", Run: func() tea.Cmd { s.filter.Open(); return nil }},
	}, parts.Moves(func() parts.Mover { return &s.list })...)
}

func (s *Screen) cannot() string {
	switch {
	case len(s.drills) == 0:
		return "there is no drill in this program"
	case s.building.ID != "":
		return "a drill is being built: ctrl+c cancels it"
	}
	d, ok := s.selected()
	if !ok {
		return "no drill is selected"
	}
	return d.Unavailable
}

// NextAt says what happens here.
func (s *Screen) NextAt(time.Time) string {
	if s.building.ID != "" {
		return "the incident is being made for real: its case opens by itself"
	}
	return "⏎ builds a throwaway server, makes it happen, and opens the case"
}

// View draws the drills with the story of the selected one.
func (s *Screen) View(f nav.Frame) []string {
	head := parts.Head{Record: "inquest", Title: "Practice on a drill"}.Draw(f)
	in := f.Sized(f.W-2, f.H-3)
	if len(s.drills) == 0 {
		return append([]string{head}, parts.Pane{Title: "Drills", Focused: true}.Draw(f.Theme, f.W, f.H-1, parts.Para(in, f.Theme.Dim, " ", "There is no drill in this program."))...)
	}
	story := s.story(in.Sized(f.W-2, 0))
	below := min(max(len(story), 4), in.H/2)
	lines := parts.FilterLine(in, &s.filter)
	lines = append(lines, s.list.Draw(max(f.H-5-below-len(lines), 1), func(k int, selected bool) string { return s.row(in, s.drills[s.filter.At(k)], selected) })...)
	if s.list.Len() == 0 {
		lines = append(lines, parts.Para(in, f.Theme.Dim, " ", "No drill matches: esc shows all.")...)
	}
	p := parts.Pane{Title: "Drills", Right: "/ to filter", Foot: fmt.Sprintf("%d of %d", min(s.list.Cursor()+1, s.list.Len()), s.list.Len()), Focused: true}
	out := append([]string{head}, p.Draw(f.Theme, f.W, f.H-1-below-2, lines)...)
	return append(out, parts.Pane{Title: "What you are told"}.Draw(f.Theme, f.W, below+2, story)...)
}

func (s *Screen) row(f nav.Frame, d backend.Drill, selected bool) string {
	t := f.Theme
	var whole *theme.Style
	marker := "  "
	if selected {
		whole, marker = &t.Selected, "▸ "
	}
	l := parts.Row(f.W, whole).Add(t.Key, marker).Cell(t.Strong, text.Clean(d.ID), 24).Add(t.Text, " ")
	tail := ""
	switch {
	case d.Unavailable != "":
		tail = "⊘ not here"
	case d.Recorded:
		tail = "recording"
	}
	return l.Add(t.Text, text.Fit(text.Clean(d.Title), l.Left()-text.Width(tail)-2)).Right(t.Dim, tail+" ").String()
}

func (s *Screen) story(f nav.Frame) []string {
	t := f.Theme
	d, ok := s.selected()
	if !ok {
		return nil
	}
	var out []string
	if b := s.building; b.ID != "" {
		bar := ""
		if b.Progress.Total > 0 {
			bar = parts.Bar(int64(b.Progress.Done), int64(b.Progress.Total), 20) + " "
		}
		out = append(out, parts.Para(f, t.Accent, " "+theme.Spinner(f.Tick)+" "+bar, b.Progress.What)...)
	} else if b.Err != nil {
		out = append(out, parts.Para(f, t.Bad, " ✗ ", "The drill could not be built: "+b.Err.Error())...)
	}
	if d.Unavailable != "" {
		out = append(out, parts.Para(f, t.Blind, " ⊘ ", d.Unavailable)...)
	}
	if d.Recorded {
		out = append(out, parts.Para(f, t.Weak, " ⚠ ", "No server can be built here: this opens as a recording, judged anew.")...)
	}
	return append(out, parts.Para(f, t.Text, " ", d.Story)...)
}

// Busy reports whether a drill is being built.
func (s *Screen) Busy() bool { return s.building.ID != "" }
