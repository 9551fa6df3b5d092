package report

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// visible shows what would not show: control, format and bidi characters,
// separators that break lines, and bytes that are no UTF-8. Line feeds and tabs
// stay when lines is true and become visible escapes otherwise.
func visible(s string, lines bool) string {
	var b strings.Builder
	for i, c := range s {
		switch {
		case c == utf8.RuneError && !strings.HasPrefix(s[i:], string(utf8.RuneError)):
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case lines && (c == '\n' || c == '\t'):
			b.WriteRune(c)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\t', unicode.Is(unicode.Zs, c):
			b.WriteByte(' ')
		case unicode.IsGraphic(c):
			b.WriteRune(c)
		case c < 0x100:
			fmt.Fprintf(&b, `\x%02x`, c)
		case c < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, c)
		default:
			fmt.Fprintf(&b, `\U%08x`, c)
		}
	}
	return b.String()
}

// text escapes s for use inside a paragraph, list item, heading or table cell:
// what is rendered are the characters of s and nothing else.
func text(s string) string {
	s = strings.TrimSpace(visible(s, false))
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '<':
			b.WriteString("&lt;")
		case c == '>':
			b.WriteString("&gt;")
		case c == '&':
			b.WriteString("&amp;")
		case strings.IndexByte("\\`*[]|~@$^{}", c) >= 0,
			c == '_' && !(inWord(s, i-1) && inWord(s, i+1)),
			c == ':' && startsURL(s, i),
			c == '.' && strings.HasSuffix(strings.ToLower(s[:i]), "www"),
			c == '!' && i+1 < len(s) && s[i+1] == '[',
			opensBlock(s, i):
			b.WriteByte('\\')
			b.WriteByte(c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// startsURL is true for a colon that a renderer could take for one of a link.
func startsURL(s string, i int) bool {
	rest := s[i+1:]
	word := strings.ToLower(s[:i])
	return strings.HasPrefix(rest, "//") || strings.HasSuffix(word, "mailto") || strings.HasSuffix(word, "xmpp") || strings.HasSuffix(word, "javascript")
}

// opensBlock is true for a character that at the start of a line begins a
// heading, list, rule, definition or table.
func opensBlock(s string, i int) bool {
	if i > 0 {
		return (s[i] == '.' || s[i] == ')') && strings.Trim(s[:i], "0123456789") == ""
	}
	switch s[0] {
	case '#', '=', ':':
		return true
	case '-', '+':
		return len(s) == 1 || s[1] == ' ' || strings.Trim(s, "-+ :") == ""
	}
	return false
}

func inWord(s string, i int) bool {
	if i < 0 || i >= len(s) {
		return false
	}
	c := s[i]
	return c >= 0x80 || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// fence puts s into a fenced block that nothing in s can end.
func fence(language, s string) string {
	s = strings.TrimRight(visible(strings.ReplaceAll(s, "\r\n", "\n"), true), "\n")
	longest, run := 0, 0
	for _, c := range s {
		if c != '`' {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	ticks := strings.Repeat("`", max(3, longest+1))
	return ticks + language + "\n" + s + "\n" + ticks + "\n"
}

// orDash returns a dash for an empty text, so that a table cell is never blank.
func orDash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}
