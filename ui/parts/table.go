package parts

import (
	"strings"

	"inquest/ui/text"
	"inquest/ui/theme"
)

// table lays the lines of a Markdown table out in columns: each as wide as its
// contents where all fit, else the widest are narrowed and their cells wrapped.
func table(t *theme.Theme, lines []string, w int) []string {
	var rows [][]string
	for _, line := range lines {
		if strings.Trim(line, "|-: ") != "" {
			rows = append(rows, cells(line))
		}
	}
	if len(rows) == 0 {
		return nil
	}
	widths := columnWidths(rows, w-2)
	var out []string
	for i, row := range rows {
		st := t.Text
		if i == 0 {
			st = t.Strong
		}
		out = append(out, tableRow(t, st, row, widths, w)...)
		if i == 0 {
			out = append(out, NewLine(w).Add(t.Text, " ").Add(t.Border, rule(widths)).String())
		}
	}
	return out
}

// cells splits a line of a table; a bar behind a backslash is text.
func cells(line string) []string {
	line = strings.Trim(strings.TrimSpace(strings.ReplaceAll(line, `\|`, "\x00")), "|")
	out := strings.Split(line, "|")
	for i := range out {
		out[i] = strings.TrimSpace(unmark.Replace(strings.ReplaceAll(out[i], "\x00", "│")))
	}
	return out
}

const betweenColumns = " │ "

func columnWidths(rows [][]string, room int) []int {
	var widths []int
	for _, row := range rows {
		for i, c := range row {
			if i == len(widths) {
				widths = append(widths, 1)
			}
			widths[i] = max(widths[i], text.Width(c))
		}
	}
	room -= (len(widths) - 1) * len([]rune(betweenColumns))
	for total(widths) > room {
		widest, next := 0, 0
		for i, n := range widths {
			if n > widths[widest] {
				widest = i
			}
		}
		for i, n := range widths {
			if i != widest {
				next = max(next, n)
			}
		}
		if widths[widest] <= 4 {
			break
		}
		to := max(widths[widest]-(total(widths)-room), min(next, widths[widest]-1), 4)
		widths[widest] = to
	}
	return widths
}

func total(widths []int) int {
	n := 0
	for _, w := range widths {
		n += w
	}
	return n
}

func tableRow(t *theme.Theme, st theme.Style, row []string, widths []int, w int) []string {
	wrapped, high := make([][]string, len(widths)), 1
	for i := range widths {
		if i < len(row) {
			wrapped[i] = text.Wrap(row[i], widths[i])
			high = max(high, len(wrapped[i]))
		}
	}
	out := make([]string, 0, high)
	for y := range high {
		l := NewLine(w).Add(t.Text, " ")
		for i, width := range widths {
			if i > 0 {
				l.Add(t.Border, betweenColumns)
			}
			s := ""
			if y < len(wrapped[i]) {
				s = wrapped[i][y]
			}
			l.Cell(st, s, width)
		}
		out = append(out, l.String())
	}
	return out
}

func rule(widths []int) string {
	pieces := make([]string, len(widths))
	for i, w := range widths {
		pieces[i] = text.Repeat("─", w)
	}
	return strings.Join(pieces, "─┼─")
}
