package parts

import (
	"strings"

	"inquest/ui/text"
	"inquest/ui/theme"
)

// Pane is a box with a title in its upper border.
type Pane struct {
	Title   string // clean
	Right   string // at the right end of the upper border; clean
	Foot    string // at the right end of the lower border; clean
	Focused bool
}

// Draw returns the pane as h lines of w cells around lines, which must be w-2
// cells wide. Missing lines are blank, further ones are left out.
func (p Pane) Draw(t *theme.Theme, w, h int, lines []string) []string {
	if w < 4 || h < 2 {
		return blankLines(w, h)
	}
	border := t.Border
	if p.Focused {
		border = t.Focus
	}
	out := make([]string, 0, h)
	out = append(out, p.top(t, border, w))
	side := border.Paint("│")
	blank := text.Blank(w - 2)
	for i := range h - 2 {
		body := blank
		if i < len(lines) {
			body = lines[i]
		}
		out = append(out, side+body+side)
	}
	return append(out, p.bottom(border, w))
}

func (p Pane) top(t *theme.Theme, border theme.Style, w int) string {
	title := t.Title
	if p.Focused {
		title = t.Focus
	}
	name := text.Fit(p.Title, w-6)
	room := w - 5 - text.Width(name)
	right := ""
	if p.Right != "" && room > 6 {
		right = text.Fit(p.Right, room-3)
	}
	l := NewLine(w).Add(border, "╭ ").Add(title, name).Add(border, " ")
	if right != "" {
		l.Add(border, text.Repeat("─", l.Left()-text.Width(right)-4)+" ").Add(t.Dim, right).Add(border, " ─╮")
	} else {
		l.Add(border, text.Repeat("─", l.Left()-1)+"╮")
	}
	return l.String()
}

func (p Pane) bottom(border theme.Style, w int) string {
	foot := text.Fit(p.Foot, w-6)
	if foot == "" {
		return border.Paint("╰" + text.Repeat("─", w-2) + "╯")
	}
	return border.Paint("╰" + text.Repeat("─", w-5-text.Width(foot)) + " " + foot + " ─╯")
}

// Folded returns a pane that has no room as one line: its title and a summary.
func (p Pane) Folded(t *theme.Theme, w int, summary string) string {
	l := NewLine(w).Add(t.Border, "╶ ").Add(t.Title, p.Title).Add(t.Border, " · ").Add(t.Dim, summary)
	if l.Left() > 3 {
		l.Add(t.Border, " "+text.Repeat("─", l.Left()-1))
	}
	return l.String()
}

func blankLines(w, h int) []string {
	out := make([]string, max(h, 0))
	for i := range out {
		out[i] = text.Blank(w)
	}
	return out
}

// Beside joins columns of lines, each of its own exact width.
func Beside(cols ...[]string) []string {
	if len(cols) == 0 {
		return nil
	}
	out := make([]string, len(cols[0]))
	row := make([]string, 0, len(cols))
	for i := range out {
		row = row[:0]
		for _, c := range cols {
			if i < len(c) {
				row = append(row, c[i])
			}
		}
		out[i] = strings.Join(row, "")
	}
	return out
}
