package parts

import (
	"strings"

	"inquest/ui/nav"
	"inquest/ui/text"
	"inquest/ui/theme"
)

// Reader scrolls through lines that have no cursor. It is a Mover.
type Reader struct{ n, top, height int }

// SetLen says how many lines there are.
func (r *Reader) SetLen(n int) { r.n = max(n, 0); r.Select(r.top) }

// Len returns the number of lines.
func (r *Reader) Len() int { return r.n }

// Select scrolls so that line i is the first on screen, as far as that goes.
func (r *Reader) Select(i int) { r.top = max(0, min(i, r.n-r.height)) }

// Move scrolls by d lines.
func (r *Reader) Move(d int) { r.Select(r.top + d) }

// Page scrolls by d screens.
func (r *Reader) Page(d int) { r.Move(d * max(r.height-1, 1)) }

// Top returns the first line on screen.
func (r *Reader) Top() int { return r.top }

// Window returns the lines to draw for a height of h.
func (r *Reader) Window(h int) (from, to int) {
	r.height = max(h, 0)
	r.Select(r.top)
	return r.top, min(r.top+r.height, r.n)
}

// Draw returns the part of lines that is on screen.
func (r *Reader) Draw(h int, lines []string) []string {
	r.SetLen(len(lines))
	from, to := r.Window(h)
	return lines[from:to]
}

// Para returns a text as lines of the frame's width behind a lead, cleaned and
// wrapped.
func Para(f nav.Frame, st theme.Style, lead, s string) []string {
	s = text.Clean(s)
	indent := text.Width(lead)
	var out []string
	for i, part := range text.Wrap(s, max(f.W-indent-1, 8)) {
		if i > 0 {
			lead = text.Blank(indent)
		}
		out = append(out, NewLine(f.W).Add(st, lead+part).String())
	}
	return out
}

// Head is the header line of a detail screen. The server with its role and
// read-only state always stands in it; the count gives way first, then the end
// of the record's id.
type Head struct{ Record, Title, Count, Server string }

// Draw returns the line.
func (h Head) Draw(f nav.Frame) string {
	t := f.Theme
	const least = 14 // cells of the record's id
	server := text.Fit(text.Clean(h.Server), max(f.W/2, f.W-text.Width(h.Title)-7-least))
	right := server
	record := text.Clean(h.Record)
	room := f.W - text.Width(h.Title) - 7
	if h.Count != "" && text.Width(record)+text.Width(h.Count)+text.Width(server)+3 <= room {
		right = strings.TrimSuffix(h.Count+" · "+server, " · ")
	} else if server == "" {
		right = text.Fit(h.Count, max(room-text.Width(record), 0))
	}
	record = text.Fit(record, max(room-text.Width(right), 8))
	l := NewLine(f.W).Add(t.Text, " ").Add(t.Strong, record).Add(t.Dim, " ▸ ").Add(t.Title, h.Title)
	return l.Right(t.Accent, right+" ").String()
}

// FilterLine returns the line in which a filter is typed, nil when there is none.
func FilterLine(f nav.Frame, flt *Filter) []string {
	if !flt.Active() {
		return nil
	}
	l := NewLine(f.W).Add(f.Theme.Key, " / ")
	if flt.Typing() {
		flt.Input().Append(l, f.Theme, f.W-4)
	} else {
		l.Clean(f.Theme.Text, flt.Text()).Add(f.Theme.Dim, "  esc clears")
	}
	return []string{l.String()}
}
