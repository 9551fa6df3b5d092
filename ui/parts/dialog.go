package parts

import (
	tea "github.com/charmbracelet/bubbletea"

	"inquest/ui/nav"
	"inquest/ui/text"
	"inquest/ui/theme"
)

// box draws a dialog of at most w×h around lines made for its inner width.
func box(f nav.Frame, title, foot string, w int, lines []string) []string {
	p := Pane{Title: title, Foot: f.Theme.Spell(foot), Focused: true}
	return p.Draw(f.Theme, w, min(len(lines)+2, f.H), lines)
}

// dialogWidth is the width of a dialog that would like to have want cells.
func dialogWidth(f nav.Frame, want int) int { return max(min(want, f.W-4), min(f.W, 20)) }

// Confirm asks before something that cannot be taken back by undo.
type Confirm struct {
	Title, Text string
	Yes, No     string // what the answers do, such as "leave" and "stay"
	Do          func() tea.Cmd
	yes         bool
}

// Update takes a key. Enter takes the answer that is shown as chosen, which is
// No at first.
func (c *Confirm) Update(k tea.KeyMsg) (bool, tea.Cmd) {
	switch k.String() {
	case "esc", "n", "q":
		return true, nil
	case "y":
		return true, c.Do()
	case "left", "right", "tab", "shift+tab", "h", "l":
		c.yes = !c.yes
	case "enter":
		if c.yes {
			return true, c.Do()
		}
		return true, nil
	}
	return false, nil
}

// View draws the question.
func (c *Confirm) View(f nav.Frame) []string {
	w := dialogWidth(f, 64)
	in := w - 4
	var lines []string
	for _, s := range text.Wrap(text.Clean(c.Text), in) {
		lines = append(lines, NewLine(w-2).Add(f.Theme.Text, " "+s).String())
	}
	no, yes := &f.Theme.Selected, &f.Theme.Text
	if c.yes {
		no, yes = yes, no
	}
	lines = append(lines, text.Blank(w-2), NewLine(w-2).Add(f.Theme.Text, " ").
		Add(*no, "[ n "+c.No+" ]").Add(f.Theme.Text, "  ").Add(*yes, "[ y "+c.Yes+" ]").String())
	return box(f, c.Title, "", w, lines)
}

// Prompt asks for one line of text.
type Prompt struct {
	Title, Label string
	Input        Input
	// Check echoes what was understood, or says why not; nil accepts all.
	Check func(s string) (echo string, err error)
	Do    func(s string) tea.Cmd
}

// Update takes a key.
func (p *Prompt) Update(k tea.KeyMsg) (bool, tea.Cmd) {
	switch k.String() {
	case "esc":
		return true, nil
	case "enter":
		if p.Check != nil {
			if _, err := p.Check(p.Input.Value()); err != nil {
				return false, nil
			}
		}
		return true, p.Do(p.Input.Value())
	}
	p.Input.Type(k)
	return false, nil
}

// View draws the question with what was understood so far.
func (p *Prompt) View(f nav.Frame) []string {
	w := dialogWidth(f, 76)
	var lines []string
	for _, s := range text.Wrap(text.Clean(p.Label), w-4) {
		lines = append(lines, NewLine(w-2).Add(f.Theme.Dim, " "+s).String())
	}
	l := NewLine(w-2).Add(f.Theme.Key, " ▸ ")
	lines = append(lines, p.Input.Append(l, f.Theme, w-6).String())
	if p.Check != nil && p.Input.Value() != "" {
		echo, err := p.Check(p.Input.Value())
		st := f.Theme.Good
		if err != nil {
			echo, st = err.Error(), f.Theme.Bad
		}
		for _, s := range text.Wrap(text.Clean(echo), w-4) {
			lines = append(lines, NewLine(w-2).Add(st, " "+s).String())
		}
	}
	return box(f, p.Title, "⏎ take · esc leave", w, lines)
}

// Choice is one answer of a Choose dialog.
type Choice struct {
	Key, Word, Means string
	Mark             func(*theme.Theme) theme.Mark // nil: none
}

// Choose asks for one of a few answers and, beside it, a note.
type Choose struct {
	Title, Text string
	Choices     []Choice
	At          int
	Note        Input
	Do          func(choice int, note string) tea.Cmd
	NoNote      bool // ask for nothing beside the choice
	noting      bool
}

// Update takes a key: a choice's own key chooses and closes at once, tab goes
// to the note and back.
func (c *Choose) Update(k tea.KeyMsg) (bool, tea.Cmd) {
	key := k.String()
	switch {
	case key == "esc":
		return true, nil
	case key == "enter":
		return true, c.Do(c.At, c.Note.Value())
	case !c.NoNote && (key == "tab" || key == "shift+tab"):
		c.noting = !c.noting
	case c.noting:
		c.Note.Type(k)
	case key == "up", key == "k", key == "left":
		c.At = max(c.At-1, 0)
	case key == "down", key == "j", key == "right":
		c.At = min(c.At+1, len(c.Choices)-1)
	default:
		for i, ch := range c.Choices {
			if ch.Key == key {
				c.At = i
				return true, c.Do(i, c.Note.Value())
			}
		}
	}
	return false, nil
}

// View draws the choices and the note.
func (c *Choose) View(f nav.Frame) []string {
	w := dialogWidth(f, 76)
	t := f.Theme
	var lines []string
	for _, s := range text.Wrap(text.Clean(c.Text), w-4) {
		lines = append(lines, NewLine(w-2).Add(t.Text, " "+s).String())
	}
	lines = append(lines, text.Blank(w-2))
	for i, ch := range c.Choices {
		whole, marker := (*theme.Style)(nil), "   "
		if i == c.At {
			marker = " ▸ "
			if !c.noting {
				whole = &t.Selected
			}
		}
		l := Row(w-2, whole).Add(t.Key, marker+ch.Key+" ")
		if ch.Mark != nil {
			m := ch.Mark(t)
			l.Add(m.Style, m.Glyph+" ")
		}
		lines = append(lines, l.Cell(t.Strong, ch.Word, 13).Add(t.Dim, ch.Means).String())
	}
	if c.NoNote {
		return box(f, c.Title, "⏎ take · esc leave", w, lines)
	}
	l := NewLine(w-2).Add(t.Dim, " note ")
	if c.noting {
		c.Note.Append(l, t, w-10)
	} else {
		l.Clean(t.Text, c.Note.Value())
		if c.Note.Value() == "" {
			l.Add(t.Dim, "(tab to write one)")
		}
	}
	lines = append(lines, text.Blank(w-2), l.String())
	return box(f, c.Title, "⏎ take · tab note · esc leave", w, lines)
}

// Viewer shows a text in full: a statement, a long reason.
type Viewer struct {
	Title, Text string
	What        string // what y copies, in words
	Copy        string // the text that y copies; empty: all
	List
}

// Update takes a key.
func (v *Viewer) Update(k tea.KeyMsg) (bool, tea.Cmd) {
	switch k.String() {
	case "esc", "q", "enter":
		return true, nil
	case "y":
		out := v.Copy
		if out == "" {
			out = v.Text
		}
		return false, nav.Say(nav.Copy{Text: out, What: v.What})
	case "up", "k":
		v.top = max(v.top-1, 0)
	case "down", "j":
		v.top++
	case "pgup":
		v.top = max(v.top-v.height, 0)
	case "pgdown", " ":
		v.top += v.height
	}
	return false, nil
}

// View draws the part of the text that fits.
func (v *Viewer) View(f nav.Frame) []string {
	w := dialogWidth(f, 100)
	var all []string
	for _, line := range text.Lines(v.Text) {
		for _, s := range text.Wrap(line, w-4) {
			all = append(all, NewLine(w-2).Add(f.Theme.Text, " "+s).String())
		}
	}
	v.height = max(min(len(all), f.H-4), 1)
	v.top = max(0, min(v.top, len(all)-v.height))
	foot := "y copy · esc close"
	if len(all) > v.height {
		foot = "↑↓ scroll · " + foot
	}
	return box(f, v.Title, foot, w, all[v.top:min(v.top+v.height, len(all))])
}
