// Package text makes text that others wrote safe to show: every control and
// direction character becomes visible, and widths are those of the terminal.
package text

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean returns s as one line that cannot drive the terminal: control
// characters, escape sequences, bidirectional overrides, invisible format
// characters and invalid bytes are written out. A line break becomes ⏎ and a
// tab four blanks.
func Clean(s string) string {
	if harmless(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 16)
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			fmt.Fprintf(&b, `\x%02x`, s[i])
		} else {
			cleanRune(&b, r)
		}
		i += n
	}
	return b.String()
}

// Lines splits s at line breaks and cleans every line.
func Lines(s string) []string {
	parts := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
	for i, p := range parts {
		parts[i] = Clean(p)
	}
	return parts
}

func harmless(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c > '~' {
			return harmlessRunes(s[i:])
		}
	}
	return true
}

func harmlessRunes(s string) bool {
	for i, r := range s {
		if r == utf8.RuneError {
			if _, n := utf8.DecodeRuneInString(s[i:]); n == 1 {
				return false
			}
		}
		if !plain(r) {
			return false
		}
	}
	return true
}

func plain(r rune) bool {
	switch {
	case r < ' ', r >= 0x7f && r < 0xa0:
		return false
	case r < 0x300:
		return r != 0xad
	case r >= 0x2500 && r < 0x2600:
		return true
	case r == 0xfe0e, r == 0xfe0f: // variation selectors: terminals disagree on their width
		return false
	}
	return !unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Cs, unicode.Co) && !spacer(r)
}

// spacer reports characters that show as nothing but take part in shaping.
func spacer(r rune) bool {
	return r == 0x115f || r == 0x1160 || r == 0x3164 || r == 0xffa0 || (r >= 0x1f1e6 && r <= 0x1f1ff)
}

func cleanRune(b *strings.Builder, r rune) {
	switch {
	case plain(r):
		b.WriteRune(r)
	case r == '\n':
		b.WriteString("⏎")
	case r == '\t':
		b.WriteString("    ")
	case r == '\r':
		b.WriteString(`\r`)
	case r == 0xfe0e, r == 0xfe0f:
	case r < 0x100:
		fmt.Fprintf(b, `\x%02x`, r)
	default:
		fmt.Fprintf(b, "<U+%04X>", r)
	}
}
