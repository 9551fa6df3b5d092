// Package matrix weighs evidence against causes, as Heuer's analysis of
// competing hypotheses does: one row for each item, one column for each cause.
package matrix

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"inquest/investigations"
	"inquest/ui/keys"
	"inquest/ui/live"
	"inquest/ui/nav"
	"inquest/ui/parts"
	"inquest/ui/text"
	"inquest/ui/theme"
)

// Screen shows the matrix.
type Screen struct {
	live *live.Case

	items  []string // evidence ids that speak for or against anything
	rows   parts.List
	filter parts.Filter
	column int
	left   int // first column on screen
	seen   int
}

// New returns the screen with a mechanism selected, when it is weighed.
func New(c *live.Case, mechanism string) *Screen {
	s := &Screen{live: c, seen: -1}
	s.sync()
	if i := slices.IndexFunc(s.causes(), func(h investigations.Hypothesis) bool { return h.Mechanism == mechanism }); i >= 0 {
		s.column = i
	}
	return s
}

// Name is the scope of the screen in the key map.
func (s *Screen) Name() string { return "matrix" }

// Init has nothing to fetch.
func (s *Screen) Init() tea.Cmd { return nil }

// Update follows the live case.
func (s *Screen) Update(tea.Msg) tea.Cmd { s.sync(); return nil }

func (s *Screen) causes() []investigations.Hypothesis { return s.live.Snap.Assessment.Hypotheses }

func (s *Screen) sync() {
	if s.seen == s.live.Snap.Version {
		return
	}
	s.seen, s.items = s.live.Snap.Version, nil
	used := map[string]bool{}
	for _, h := range s.causes() {
		for _, id := range slices.Concat(h.Supports, h.Contradicts) {
			used[id] = true
		}
	}
	for _, e := range s.live.Snap.State.Evidence {
		if used[e.ID] {
			s.items = append(s.items, e.ID)
		}
	}
	slices.SortStableFunc(s.items, func(a, b string) int { return cmp.Compare(s.tells(b), s.tells(a)) })
	s.apply()
	s.column = max(0, min(s.column, len(s.causes())-1))
}

// tells says how well an item tells causes apart: what speaks of the likeliest
// one comes first; then one that speaks for some and against others tells most,
// and one that says the same of all tells nothing.
func (s *Screen) tells(id string) int {
	plus, minus := 0, 0
	first := 0
	if h := s.causes()[0]; slices.Contains(h.Supports, id) || slices.Contains(h.Contradicts, id) {
		first = len(s.causes()) * len(s.causes())
	}
	for _, h := range s.causes() {
		switch {
		case slices.Contains(h.Contradicts, id):
			minus++
		case slices.Contains(h.Supports, id):
			plus++
		}
	}
	silent := len(s.causes()) - plus - minus
	return first + plus*minus + (plus+minus)*silent
}

// apply matches the evidence anew.
func (s *Screen) apply() {
	s.filter.Apply(parts.Texts{N: len(s.items), At: func(i int) string {
		e, _ := s.live.Snap.State.EvidenceByID(s.items[i])
		return e.ID + " " + e.Source + " " + e.Tag + " " + e.Query
	}})
	s.rows.SetLen(s.filter.Len(len(s.items)))
}

// item returns the evidence under the cursor, "" when there is none.
func (s *Screen) item() string {
	if i := s.filter.At(s.rows.Cursor()); i >= 0 && i < len(s.items) && s.rows.Len() > 0 {
		return s.items[i]
	}
	return ""
}

// Typing reports whether the filter takes the keys.
func (s *Screen) Typing() bool { return s.filter.Typing() }

// Type hands a key to the filter.
func (s *Screen) Type(k tea.KeyMsg) tea.Cmd { s.filter.Type(k); s.apply(); return nil }

// Back clears the filter.
func (s *Screen) Back() bool { was := s.filter.Clear(); s.apply(); return was }

func (s *Screen) thing() parts.Thing {
	if h, ok := s.cause(); ok {
		return parts.Thing{ID: "mechanism:" + h.Mechanism, Title: words(h.Mechanism)}
	}
	return parts.Thing{}
}

// Actions is what the screen can do.
func (s *Screen) Actions() keys.Table {
	none := func() string {
		if s.item() == "" {
			return "no evidence has been weighed yet"
		}
		return ""
	}
	t := keys.Table{
		{ID: "open", Keys: []string{"enter"}, Title: "Open the selected evidence", Short: "evidence", Group: "Look", Disabled: none, Run: s.open},
		{ID: "right", Keys: []string{"right", "l", "tab"}, Title: "Select the next cause", Short: "next cause", Group: "Move", Run: s.turn(1)},
		{ID: "left", Keys: []string{"left", "h", "shift+tab"}, Title: "Select the cause before", Short: "cause before", Group: "Move", Run: s.turn(-1)},
		{ID: "why", Keys: []string{"s"}, Title: "Show all that speaks for and against the cause", Short: "for and against", Group: "Look", Run: s.why},
		{ID: "copy", Keys: []string{"y"}, Title: "Copy what speaks for and against the cause", Short: "copy", Group: "Copy", Run: s.copyIt},
		{ID: "filter", Keys: []string{"/"}, Title: "Filter the evidence", Short: "filter", Group: "Look", Run: func() tea.Cmd { s.filter.Open(); return nil }},
	}
	t = append(t, parts.Notable(s.live.Session, func() []investigations.Note { return s.live.Snap.State.Notes }, s.thing)...)
	return append(t, parts.Moves(func() parts.Mover { return &s.rows })...)
}

func (s *Screen) turn(d int) func() tea.Cmd {
	return func() tea.Cmd {
		s.column = max(0, min(s.column+d, len(s.causes())-1))
		return nil
	}
}

func (s *Screen) open() tea.Cmd {
	return nav.Say(nav.Show{Page: nav.PageEvidence, Item: s.item()})
}

func (s *Screen) cause() (investigations.Hypothesis, bool) {
	if s.column < len(s.causes()) {
		return s.causes()[s.column], true
	}
	return investigations.Hypothesis{}, false
}

func (s *Screen) why() tea.Cmd {
	h, ok := s.cause()
	if !ok {
		return nil
	}
	return nav.Say(nav.Dialog{Overlay: &parts.Viewer{Title: words(h.Mechanism), Text: s.prose(h), What: "for and against"}})
}

func (s *Screen) copyIt() tea.Cmd {
	h, ok := s.cause()
	if !ok {
		return nil
	}
	return nav.Say(nav.Copy{Text: s.prose(h), What: "what speaks for and against " + words(h.Mechanism)})
}

func (s *Screen) prose(h investigations.Hypothesis) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s · %s · cause: %s · fate: %s\n%s\n", words(h.Mechanism), h.Standing, h.Cause, theme.FateWords(h.Fate), h.Summary)
	for _, part := range []struct {
		name  string
		lines []string
	}{{"For", h.For}, {"Against", h.Against}, {"Not tested", h.Untested}, {"What would settle it", h.Settles}} {
		if len(part.lines) > 0 {
			fmt.Fprintf(&b, "\n%s\n", part.name)
			for _, line := range part.lines {
				fmt.Fprintf(&b, "- %s\n", line)
			}
		}
	}
	return b.String()
}

// NextAt says what can be done here.
func (s *Screen) NextAt(time.Time) string {
	if len(s.causes()) == 0 {
		return "press esc and run the checklist with R"
	}
	return "← → choose a cause, s says why, ⏎ opens the evidence"
}

func words(slug string) string { return strings.ReplaceAll(slug, "-", " ") }

// View draws the causes with their columns, the matrix, and the selected cause.
func (s *Screen) View(f nav.Frame) []string {
	out := []string{parts.Head{Record: s.live.Snap.State.Record.ID, Title: "Causes", Server: s.live.Server()}.Draw(f)}
	if len(s.causes()) == 0 {
		in := f.Sized(f.W-2, f.H-3)
		return append(out, parts.Pane{Title: "Causes", Focused: true}.Draw(f.Theme, f.W, f.H-1, parts.Para(in, f.Theme.Dim, " ", "No cause has been weighed yet: run the checklist first."))...)
	}
	legend := s.legend(f.Sized(f.W, max(min(len(s.causes()), f.H/3), 1)))
	out = append(out, legend...)
	detail := s.detail(f.Sized(f.W-2, max(f.H/4, 2)))
	rest := f.H - len(out) - len(detail) - 2
	pane := parts.Pane{Title: "Evidence", Right: "+ for  − against  · says nothing", Focused: true}
	if s.rows.Len() > rest-3 {
		pane.Foot = fmt.Sprintf("%d of %d", s.rows.Cursor()+1, s.rows.Len())
	}
	out = append(out, pane.Draw(f.Theme, f.W, rest, s.grid(f.Sized(f.W-2, rest-2)))...)
	h, _ := s.cause()
	return append(out, parts.Pane{Title: fmt.Sprintf("%d %s", s.column+1, words(h.Mechanism))}.Draw(f.Theme, f.W, len(detail)+2, detail)...)
}

// legend lists the causes that fit, the selected one among them.
func (s *Screen) legend(f nav.Frame) []string {
	t := f.Theme
	l := parts.List{}
	l.SetLen(len(s.causes()))
	l.Select(s.column)
	return l.Draw(f.H, func(i int, selected bool) string {
		h := s.causes()[i]
		m := t.Standing(h.Standing)
		marker, st := "  ", t.Text
		if selected {
			marker, st = "▸ ", t.Strong
		}
		return parts.NewLine(f.W).Add(t.Key, marker).Add(t.Key, fmt.Sprintf("%2d ", i+1)).Add(m.Style, m.Glyph+" "+text.Pad(m.Word, 9)+" ").
			Cell(st, words(h.Mechanism), 24).Add(t.Text, " ").Clean(t.Dim, h.Summary).String()
	})
}

func (s *Screen) grid(f nav.Frame) []string {
	const cell = 4
	t := f.Theme
	label := max(min(f.W-cell*len(s.causes()), f.W*2/3), f.W/3)
	fit := max((f.W-label)/cell, 1)
	if s.column < s.left {
		s.left = s.column
	}
	if s.column >= s.left+fit {
		s.left = s.column - fit + 1
	}
	s.left = max(0, min(s.left, len(s.causes())-fit))
	last := min(s.left+fit, len(s.causes()))
	head := parts.NewLine(f.W).To(label)
	for i := s.left; i < last; i++ {
		st := t.Dim
		if i == s.column {
			st = t.Key
		}
		head.Add(st, text.PadLeft(fmt.Sprint(i+1), cell-1)).Add(t.Text, " ")
	}
	out := append(parts.FilterLine(f, &s.filter), head.String())
	return append(out, s.rows.Draw(f.H-len(out), func(k int, selected bool) string {
		return s.line(f, s.items[s.filter.At(k)], selected, label, cell, last)
	})...)
}

func (s *Screen) line(f nav.Frame, id string, selected bool, label, cell, last int) string {
	t := f.Theme
	var whole *theme.Style
	marker := "  "
	if selected {
		whole, marker = &t.Selected, "▸ "
	}
	e, _ := s.live.Snap.State.EvidenceByID(id)
	about := strings.TrimSpace(e.Query)
	if e.Tag != "" {
		about = e.Tag + "  " + about
	}
	l := parts.Row(f.W, whole).Add(t.Key, marker).Cell(t.Strong, id, 5).Cell(t.Text, text.Clean(e.Source+"  "+about), label-8).To(label)
	for i := s.left; i < last; i++ {
		h := s.causes()[i]
		sign, st := "·", t.Dim
		switch {
		case slices.Contains(h.Contradicts, id):
			sign, st = "−", t.Bad
		case slices.Contains(h.Supports, id):
			sign, st = "+", t.Good
		}
		if i == s.column {
			sign = "[" + sign + "]"
		} else {
			sign = " " + sign + " "
		}
		l.Add(st, text.Pad(sign, cell))
	}
	return l.String()
}

func (s *Screen) detail(f nav.Frame) []string {
	h, ok := s.cause()
	if !ok {
		return nil
	}
	t := f.Theme
	out := parts.Para(f, t.Text, " ", h.Summary)
	for _, v := range h.For {
		out = append(out, parts.Para(f, t.Good, " + ", v)...)
	}
	for _, v := range h.Against {
		out = append(out, parts.Para(f, t.Bad, " − ", v)...)
	}
	for _, v := range h.Settles {
		out = append(out, parts.Para(f, t.Dim, " ? would settle it: ", v)...)
	}
	if len(out) > f.H {
		out = append(out[:f.H-1], parts.NewLine(f.W).Add(t.Key, " … s shows all").String())
	}
	return out
}
