package text

import (
	"strings"
	"unicode/utf8"
)

// glyphs gives the ASCII stand-in of each character that screens draw with.
var glyphs = map[rune]byte{
	'●': '*', '○': 'o', '◇': '~', '⊘': '/', '◌': '.', '–': '-', '—': '-', '⚠': '!', '⚑': '&', '✓': '+', '✗': 'x', '·': '.', '−': '-',
	'▸': '>', '▾': 'v', '→': '>', '←': '<', '↑': '^', '↓': 'v', '⏎': '/', '…': '~', '▏': '|', '•': '*', '×': 'x', '±': '+',
	'╭': '+', '╮': '+', '╰': '+', '╯': '+', '─': '-', '│': '|', '├': '+', '┼': '+', '┤': '+', '╶': '-', '╴': '-', '┃': '|', '━': '=',
	'░': ':', '▁': '_', '▂': '.', '▃': '-', '▄': '-', '▅': '=', '▆': '+', '▇': '#', '█': '#',
	'◐': '|', '◓': '/', '◑': '-', '◒': '\\', '“': '"', '”': '"', '’': '\'', '⟨': '<', '⟩': '>', '≤': '<', '≥': '>',
}

// ASCII replaces everything that an ASCII terminal cannot show by characters of
// the same width; escape sequences pass through.
func ASCII(s string) string {
	if ascii(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); {
		if s[i] < utf8.RuneSelf {
			b.WriteByte(s[i])
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if g, ok := glyphs[r]; ok {
			b.WriteByte(g)
		} else {
			b.WriteString(strings.Repeat("?", Width(s[i:i+n])))
		}
		i += n
	}
	return b.String()
}
