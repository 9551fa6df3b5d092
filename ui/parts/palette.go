package parts

import (
	tea "github.com/charmbracelet/bubbletea"

	"inquest/ui/keys"
	"inquest/ui/nav"
	"inquest/ui/text"
	"inquest/ui/theme"
)

// Palette finds an action or a thing by typing some of its letters.
type Palette struct {
	items []nav.Item
	input Input
	rows  []int
	list  List
}

// NewPalette returns a palette over the items.
func NewPalette(items []nav.Item) *Palette {
	p := &Palette{items: items}
	p.match()
	return p
}

// ActionItems turns actions into items of the palette.
func ActionItems(tables ...keys.Table) []nav.Item {
	var out []nav.Item
	for _, t := range tables {
		for _, a := range t {
			if a.Group == "Move" {
				continue
			}
			out = append(out, nav.Item{Title: a.Title, Detail: a.Labels(), Disabled: a.Why(), Run: a.Run})
		}
	}
	return out
}

func (p *Palette) match() {
	p.rows = Match(p.input.Value(), Texts{N: len(p.items), At: func(i int) string { return p.items[i].Title + " " + p.items[i].Detail }})
	n := len(p.rows)
	if p.rows == nil && p.input.Value() == "" {
		n = len(p.items)
	}
	p.list = List{}
	p.list.SetLen(n)
}

func (p *Palette) at(i int) nav.Item {
	if p.rows != nil {
		i = p.rows[i]
	}
	return p.items[i]
}

// Update takes a key.
func (p *Palette) Update(k tea.KeyMsg) (bool, tea.Cmd) {
	switch k.String() {
	case "esc":
		return true, nil
	case "up", "ctrl+p":
		p.list.Move(-1)
	case "down", "ctrl+n":
		p.list.Move(1)
	case "pgup":
		p.list.Page(-1)
	case "pgdown":
		p.list.Page(1)
	case "enter":
		if p.list.Len() == 0 {
			return false, nil
		}
		it := p.at(p.list.Cursor())
		if it.Disabled != "" {
			return true, nav.Tell(it.Title + ": " + it.Disabled)
		}
		return true, it.Run()
	default:
		if p.input.Type(k) {
			p.match()
		}
	}
	return false, nil
}

// View draws the input and the best matches.
func (p *Palette) View(f nav.Frame) []string {
	w := dialogWidth(f, 90)
	t := f.Theme
	l := NewLine(w-2).Add(t.Key, " ▸ ")
	lines := []string{p.input.Append(l, t, w-6).String()}
	h := max(min(f.H-6, 16), 1)
	rows := p.list.Draw(h, func(i int, selected bool) string { return p.row(t, p.at(i), selected, w-2) })
	if len(rows) == 0 {
		rows = []string{NewLine(w-2).Add(t.Dim, "   nothing matches: delete some letters").String()}
	}
	lines = append(lines, rows...)
	for len(lines) < min(h, 8) {
		lines = append(lines, text.Blank(w-2))
	}
	return box(f, "Do or find", "⏎ run · esc close", w, lines)
}

func (p *Palette) row(t *theme.Theme, it nav.Item, selected bool, w int) string {
	whole, marker := (*theme.Style)(nil), "   "
	if selected {
		whole, marker = &t.Selected, " ▸ "
	}
	st, detail := t.Text, it.Detail
	if it.Disabled != "" {
		st, detail = t.Dim, it.Disabled
	}
	l := Row(w, whole).Add(t.Key, marker)
	title := text.Clean(it.Title)
	l.Add(st, text.Fit(title, max(w-16, w*2/3))).Add(t.Text, "  ")
	detail = text.Fit(text.Clean(detail), l.Left()-2)
	return l.Right(t.Dim, detail+" ").String()
}
