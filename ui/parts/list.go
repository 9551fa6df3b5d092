package parts

import (
	tea "github.com/charmbracelet/bubbletea"

	"inquest/ui/keys"
)

// List is a cursor over rows that are drawn only while they are on screen: its
// cost does not grow with the number of rows.
type List struct {
	n, cursor, top, height int
}

// SetLen says how many rows there are; the cursor stays on a row.
func (l *List) SetLen(n int) {
	l.n = max(n, 0)
	l.Select(l.cursor)
}

// Len returns the number of rows.
func (l *List) Len() int { return l.n }

// Cursor returns the selected row; with no rows it is 0.
func (l *List) Cursor() int { return l.cursor }

// Top returns the first row on screen.
func (l *List) Top() int { return l.top }

// Select moves the cursor to a row, or to the nearest there is.
func (l *List) Select(i int) { l.cursor = max(0, min(i, l.n-1)) }

// Move moves the cursor by d rows.
func (l *List) Move(d int) { l.Select(l.cursor + d) }

// Page moves the cursor by d screens.
func (l *List) Page(d int) { l.Move(d * max(l.height-1, 1)) }

// Window returns the rows to draw for h lines, so that the cursor is among them.
func (l *List) Window(h int) (from, to int) {
	l.height = max(h, 0)
	if l.cursor < l.top {
		l.top = l.cursor
	}
	if l.cursor >= l.top+l.height {
		l.top = l.cursor - l.height + 1
	}
	l.top = max(0, min(l.top, l.n-l.height))
	return l.top, min(l.top+l.height, l.n)
}

// Draw returns the rows that are on screen.
func (l *List) Draw(h int, row func(i int, selected bool) string) []string {
	from, to := l.Window(h)
	out := make([]string, 0, max(to-from, 0))
	for i := from; i < to; i++ {
		out = append(out, row(i, i == l.cursor))
	}
	return out
}

// Mover is anything with a cursor.
type Mover interface {
	Move(d int)
	Page(d int)
	Select(i int)
	Len() int
}

// Moves returns the actions that move the cursor of the list that at returns.
func Moves(at func() Mover) keys.Table {
	do := func(f func(Mover)) func() tea.Cmd {
		return func() tea.Cmd { f(at()); return nil }
	}
	return keys.Table{
		{ID: "up", Keys: []string{"up", "k"}, Title: "Move up", Group: "Move", Run: do(func(m Mover) { m.Move(-1) })},
		{ID: "down", Keys: []string{"down", "j"}, Title: "Move down", Group: "Move", Run: do(func(m Mover) { m.Move(1) })},
		{ID: "page-up", Keys: []string{"pgup", "ctrl+b"}, Title: "Move a page up", Group: "Move", Run: do(func(m Mover) { m.Page(-1) })},
		{ID: "page-down", Keys: []string{"pgdown", "ctrl+f", "space"}, Title: "Move a page down", Group: "Move", Run: do(func(m Mover) { m.Page(1) })},
		{ID: "first", Keys: []string{"home", "g"}, Title: "Go to the first", Group: "Move", Run: do(func(m Mover) { m.Select(0) })},
		{ID: "last", Keys: []string{"end", "G"}, Title: "Go to the last", Group: "Move", Run: do(func(m Mover) { m.Select(m.Len() - 1) })},
	}
}

// Blocks is a list whose items take several lines each: for some dozens of
// items. Its cursor is on items, its window on lines.
type Blocks struct {
	List
	top    int
	hidden int
}

// Hidden returns how many lines the last Draw had no room for.
func (b *Blocks) Hidden() int { return b.hidden }

// Draw returns at most h lines of the items, with the selected one in view.
// item returns the lines of one item.
func (b *Blocks) Draw(h int, item func(i int, selected bool) []string) []string {
	b.height = max(h, 0)
	var all []string
	from, to := 0, 0
	for i := range b.n {
		lines := item(i, i == b.cursor)
		if i == b.cursor {
			from, to = len(all), len(all)+len(lines)
		}
		all = append(all, lines...)
	}
	if to > b.top+h {
		b.top = to - h
	}
	if from < b.top {
		b.top = from
	}
	if b.cursor == 0 {
		b.top = 0
	}
	b.top = max(0, min(b.top, len(all)-h))
	b.hidden = max(len(all)-h, 0)
	return all[b.top:min(b.top+h, len(all))]
}

// Page moves by some items: blocks have no fixed height.
func (b *Blocks) Page(d int) { b.Move(d * 4) }
