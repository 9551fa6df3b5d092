package main

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// style is how a cell is painted. Colours are indexes of the 256, or rgb with
// the bit isRGB, or -1 for the terminal's own.
type style struct {
	fg, bg                         int
	bold, faint, reverse, underlin bool
}

const isRGB = 1 << 24

var plain = style{fg: -1, bg: -1}

type cell struct {
	r rune
	style
}

// parse turns lines with SGR sequences into a grid of w×h cells. It knows only
// what tmux writes: one cell for each character, which holds for these screens.
func parse(screen string, w, h int) [][]cell {
	grid := make([][]cell, h)
	st := plain
	for y, line := range strings.SplitN(screen, "\n", h+1) {
		if y == h {
			break
		}
		row := make([]cell, 0, w)
		for len(line) > 0 {
			if seq, rest, ok := sgr(line); ok {
				st, line = apply(st, seq), rest
				continue
			}
			r, n := utf8.DecodeRuneInString(line)
			line = line[n:]
			if len(row) < w {
				row = append(row, cell{r, st})
			}
		}
		for len(row) < w {
			row = append(row, cell{' ', plain})
		}
		grid[y] = row
	}
	for y := range grid {
		if grid[y] == nil {
			grid[y] = make([]cell, w)
			for x := range grid[y] {
				grid[y][x] = cell{' ', plain}
			}
		}
	}
	return grid
}

// sgr splits an SGR sequence off the beginning of s; other sequences, such as
// the shift of character sets, are dropped as an empty one.
func sgr(s string) (params, rest string, ok bool) {
	switch {
	case s[0] == 0x0e || s[0] == 0x0f:
		return "none", s[1:], true
	case len(s) < 2 || s[0] != 0x1b:
		return "", s, false
	case s[1] != '[':
		return "none", s[2:], true
	}
	end := strings.IndexFunc(s[2:], func(r rune) bool { return r >= '@' && r <= '~' })
	if end < 0 {
		return "none", "", true
	}
	params, rest = s[2:2+end], s[3+end:]
	if s[2+end] != 'm' {
		params = "none"
	}
	return params, rest, true
}

func apply(st style, params string) style {
	if params == "none" {
		return st
	}
	p := numbers(params)
	for i := 0; i < len(p); i++ {
		switch n := p[i]; {
		case n == 0:
			st = plain
		case n == 1:
			st.bold = true
		case n == 2:
			st.faint = true
		case n == 4:
			st.underlin = true
		case n == 7:
			st.reverse = true
		case n == 22:
			st.bold, st.faint = false, false
		case n == 24:
			st.underlin = false
		case n == 27:
			st.reverse = false
		case n >= 30 && n <= 37:
			st.fg = n - 30
		case n >= 90 && n <= 97:
			st.fg = n - 90 + 8
		case n >= 40 && n <= 47:
			st.bg = n - 40
		case n >= 100 && n <= 107:
			st.bg = n - 100 + 8
		case n == 39:
			st.fg = -1
		case n == 49:
			st.bg = -1
		case n == 38 || n == 48:
			color, used := extended(p[i+1:])
			if n == 38 {
				st.fg = color
			} else {
				st.bg = color
			}
			i += used
		}
	}
	return st
}

// extended reads 5;n or 2;r;g;b.
func extended(p []int) (color, used int) {
	switch {
	case len(p) >= 2 && p[0] == 5:
		return p[1], 2
	case len(p) >= 4 && p[0] == 2:
		return isRGB | p[1]<<16 | p[2]<<8 | p[3], 4
	}
	return -1, len(p)
}

func numbers(s string) []int {
	var out []int
	for _, f := range strings.FieldsFunc(s+" ", func(r rune) bool { return r == ';' || r == ':' || r == ' ' }) {
		n, err := strconv.Atoi(f)
		if err == nil {
			out = append(out, n)
		}
	}
	if len(out) == 0 {
		out = []int{0}
	}
	return out
}
