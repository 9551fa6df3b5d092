// Package parts holds the pieces that screens are built of. All of them draw
// lines of an exact width from text that has been cleaned.
package parts

import (
	"strings"

	"inquest/ui/text"
	"inquest/ui/theme"
)

// Line builds one line of exactly w cells out of painted pieces. What does not
// fit is cut, and an ellipsis says so.
type Line struct {
	b       strings.Builder
	w, used int
	full    bool
	whole   *theme.Style
}

// NewLine starts a line of w cells.
func NewLine(w int) *Line {
	l := &Line{w: max(w, 0)}
	l.b.Grow(w + 48)
	return l
}

// Row starts a line of w cells that is painted in one style from end to end,
// whatever its pieces say; nil leaves the pieces as they are.
func Row(w int, whole *theme.Style) *Line {
	l := NewLine(w)
	l.whole = whole
	return l
}

// Add appends a piece. s must be clean.
func (l *Line) Add(st theme.Style, s string) *Line {
	if l.full || s == "" {
		return l
	}
	n := text.Width(s)
	if l.used+n > l.w {
		s = l.cut(s)
		n = text.Width(s)
		l.full = true
	}
	l.used += n
	if l.whole != nil {
		l.b.WriteString(s)
		return l
	}
	st.Append(&l.b, s)
	return l
}

// cut shortens s to the room that is left; with no room at all the line has
// ended one piece too early for an ellipsis, so the last piece is left alone.
func (l *Line) cut(s string) string { return text.Fit(s, l.w-l.used) }

// Clean appends a piece that others wrote.
func (l *Line) Clean(st theme.Style, s string) *Line { return l.Add(st, text.Clean(s)) }

// Cell appends a piece cut or filled to w cells.
func (l *Line) Cell(st theme.Style, s string, w int) *Line { return l.Add(st, text.Pad(s, w)) }

// To fills with blanks up to column col.
func (l *Line) To(col int) *Line { return l.Add(theme.Style{}, text.Blank(min(col, l.w)-l.used)) }

// Used returns how many cells are taken.
func (l *Line) Used() int { return l.used }

// Left returns how many cells are free.
func (l *Line) Left() int { return l.w - l.used }

// Right appends a piece at the right edge, when there is room for it and one
// blank; else nothing.
func (l *Line) Right(st theme.Style, s string) *Line {
	n := text.Width(s)
	if l.full || l.Left() < n+1 {
		return l
	}
	return l.To(l.w-n).Add(st, s)
}

// String returns the line, filled to its width.
func (l *Line) String() string {
	if l.used < l.w {
		l.b.WriteString(text.Blank(l.w - l.used))
		l.used = l.w
	}
	if l.whole != nil {
		return l.whole.Paint(l.b.String())
	}
	return l.b.String()
}

// Plain returns one line of w cells in one style.
func Plain(st theme.Style, s string, w int) string { return NewLine(w).Clean(st, s).String() }
