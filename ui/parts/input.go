package parts

import (
	"strings"
	"unicode"

	tea "github.com/charmbracelet/bubbletea"

	"inquest/ui/text"
	"inquest/ui/theme"
)

// maxInput is the most runes that an input takes: a pasted log file is refused.
const maxInput = 4096

// Input is one line of text being typed. Its cursor does not blink: nothing
// wakes up while nobody types.
type Input struct {
	runes []rune
	at    int
}

// NewInput returns an input that holds s.
func NewInput(s string) Input {
	in := Input{runes: []rune(s)}
	in.at = len(in.runes)
	return in
}

// Value returns the text.
func (in *Input) Value() string { return string(in.runes) }

// Set replaces the text.
func (in *Input) Set(s string) { *in = NewInput(s) }

// Type takes a key and reports whether the text changed.
func (in *Input) Type(k tea.KeyMsg) bool {
	before := len(in.runes)
	switch k.String() {
	case "left", "ctrl+b":
		in.at = max(in.at-1, 0)
		return false
	case "right", "ctrl+f":
		in.at = min(in.at+1, len(in.runes))
		return false
	case "home", "ctrl+a":
		in.at = 0
		return false
	case "end", "ctrl+e":
		in.at = len(in.runes)
		return false
	case "alt+left", "alt+b", "ctrl+left":
		in.at = in.wordLeft()
		return false
	case "alt+right", "alt+f", "ctrl+right":
		in.at = in.wordRight()
		return false
	case "backspace", "ctrl+h":
		in.cut(in.at-1, in.at)
	case "delete", "ctrl+d":
		in.cut(in.at, in.at+1)
	case "ctrl+u":
		in.cut(0, in.at)
	case "ctrl+k":
		in.cut(in.at, len(in.runes))
	case "ctrl+w", "alt+backspace":
		in.cut(in.wordLeft(), in.at)
	default:
		if (k.Type != tea.KeyRunes && k.Type != tea.KeySpace) || k.Alt {
			return false
		}
		return in.insert(k.Runes)
	}
	return len(in.runes) != before
}

// insert takes pasted text too: line breaks and other control characters become
// blanks, and blanks at the ends of a paste go.
func (in *Input) insert(rs []rune) bool {
	s := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, string(rs))
	if len(rs) > 1 {
		s = strings.TrimSpace(s)
	}
	add := []rune(s)
	if len(add) == 0 || len(in.runes)+len(add) > maxInput {
		return false
	}
	in.runes = append(in.runes[:in.at:in.at], append(add, in.runes[in.at:]...)...)
	in.at += len(add)
	return true
}

func (in *Input) cut(from, to int) {
	from, to = max(from, 0), min(to, len(in.runes))
	if from >= to {
		return
	}
	in.runes = append(in.runes[:from:from], in.runes[to:]...)
	in.at = from
}

func (in *Input) wordLeft() int {
	i := in.at
	for i > 0 && in.runes[i-1] == ' ' {
		i--
	}
	for i > 0 && in.runes[i-1] != ' ' {
		i--
	}
	return i
}

func (in *Input) wordRight() int {
	i := in.at
	for i < len(in.runes) && in.runes[i] == ' ' {
		i++
	}
	for i < len(in.runes) && in.runes[i] != ' ' {
		i++
	}
	return i
}

// Append draws the text into the rest of a line of at most w cells, with the
// cursor shown as a reversed cell, and keeps the cursor in view.
func (in *Input) Append(l *Line, t *theme.Theme, w int) *Line {
	return in.AppendAs(l, t, w, in.Value())
}

// AppendAs is Append with other runes shown in place of the text's own, such as
// dots for a password. There must be as many.
func (in *Input) AppendAs(l *Line, t *theme.Theme, w int, as string) *Line {
	shown := []rune(as)
	if len(shown) != len(in.runes) {
		shown = in.runes
	}
	w = min(w, l.Left())
	if w < 2 {
		return l
	}
	start := in.at
	for room := w - 1; start > 0; start-- {
		room -= text.Width(text.Clean(string(shown[start-1])))
		if room < 0 {
			break
		}
	}
	l.Add(t.Input, text.Clean(string(shown[start:in.at])))
	under, rest := " ", ""
	if in.at < len(shown) {
		under, rest = text.Clean(string(shown[in.at])), text.Clean(string(shown[in.at+1:]))
	}
	l.Add(t.Selected, under)
	return l.Add(t.Input, text.Fit(rest, max(w-text.Width(text.Clean(string(shown[start:in.at])))-text.Width(under), 0)))
}
