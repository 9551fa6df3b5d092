package parts

import tea "github.com/charmbracelet/bubbletea"

// Hits remembers where the last View drew what the mouse can select.
type Hits struct{ areas []area }

type area struct {
	x, y, w, h int
	do         func(row int) tea.Cmd
}

// Reset forgets the last View.
func (h *Hits) Reset() { h.areas = h.areas[:0] }

// Add says what a click into w×hgt cells at x, y does; row counts from its top.
func (h *Hits) Add(x, y, w, hgt int, do func(row int) tea.Cmd) {
	h.areas = append(h.areas, area{x, y, w, hgt, do})
}

// Click does what stands at a cell, or nothing.
func (h *Hits) Click(x, y int) tea.Cmd {
	for i := len(h.areas) - 1; i >= 0; i-- {
		if a := h.areas[i]; x >= a.x && x < a.x+a.w && y >= a.y && y < a.y+a.h {
			return a.do(y - a.y)
		}
	}
	return nil
}

// AddList makes the rows of a list selectable, where its first visible row is
// at x, y. A click on the selected row opens it, when open is not nil.
func (h *Hits) AddList(x, y, w, hgt int, l *List, open func() tea.Cmd) {
	h.Add(x, y, w, hgt, func(row int) tea.Cmd {
		to := l.top + row
		if to >= l.n {
			return nil
		}
		if to == l.cursor && open != nil {
			return open()
		}
		l.Select(to)
		return nil
	})
}
