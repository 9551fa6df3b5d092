package text

import (
	"strings"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// Width returns how many cells s takes. It equals ansi.StringWidth and is
// faster for the characters that screens are made of.
func Width(s string) int {
	w := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c <= '~' {
			w++
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if !single(r) {
			return ansi.StringWidth(s)
		}
		w++
		i += n
	}
	return w
}

// single reports runes of one cell that join with nothing.
func single(r rune) bool {
	return r >= 0xa1 && r < 0x300 && r != 0xad || r >= 0x2500 && r < 0x25fd || r == '…' || r == '–' || r == '—' || r == '·' || r == '⊘' || r == '→' || r == '⏎'
}

// Fit returns s cut to w cells, with an ellipsis where something was cut.
func Fit(s string, w int) string {
	if w <= 0 {
		return ""
	}
	if len(s) <= w || Width(s) <= w {
		return s
	}
	if ascii(s) {
		return s[:w-1] + "…"
	}
	return ansi.Truncate(s, w, "…")
}

// FitLeft cuts the beginning instead of the end: for paths.
func FitLeft(s string, w int) string {
	over := Width(s) - w
	if over <= 0 {
		return s
	}
	if w <= 0 {
		return ""
	}
	for cut := over + 1; ; cut++ { // once more when a wide character is in the way
		if rest := ansi.TruncateLeft(s, cut, ""); Width(rest) < w {
			return "…" + rest
		}
	}
}

// Pad returns s cut or filled to exactly w cells.
func Pad(s string, w int) string {
	s = Fit(s, w)
	return s + Blank(w-Width(s))
}

// PadLeft fills at the left.
func PadLeft(s string, w int) string {
	s = Fit(s, w)
	return Blank(w-Width(s)) + s
}

// Wrap breaks clean text into lines of at most w cells, at blanks where there
// are some. Fewer than two cells are taken as two. It reads s once.
func Wrap(s string, w int) []string {
	w = max(w, 2)
	if len(s) <= w || Width(s) <= w {
		return []string{s}
	}
	var out []string
	for s != "" {
		n := breakAt(s, w)
		out = append(out, s[:n])
		s = s[n:]
		if len(s) > 0 && s[0] == ' ' {
			s = s[1:]
			if s == "" {
				break
			}
		}
	}
	return out
}

// breakAt returns how many bytes of s go on a line of w cells.
func breakAt(s string, w int) int {
	used, blank := 0, 0
	for i := 0; i < len(s); {
		n, cells := 1, 1
		if c := s[i]; c < ' ' || c > '~' || i+1 < len(s) && s[i+1] >= utf8.RuneSelf {
			cluster, width := ansi.FirstGraphemeCluster(s[i:], ansi.GraphemeWidth)
			n, cells = max(len(cluster), 1), width
		}
		if s[i] == ' ' {
			blank = i
		}
		if used+cells > w {
			if blank > 0 {
				return blank
			}
			return max(i, 1)
		}
		used += cells
		i += n
	}
	return len(s)
}

// Blank returns n blanks; a negative n is none.
func Blank(n int) string {
	if n <= 0 {
		return ""
	}
	if n <= len(blanks) {
		return blanks[:n]
	}
	return strings.Repeat(" ", n)
}

var blanks = strings.Repeat(" ", 512)

// Repeat is strings.Repeat that takes a negative count as none.
func Repeat(s string, n int) string { return strings.Repeat(s, max(n, 0)) }

func ascii(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// ShellQuote writes s as one word of a POSIX shell.
func ShellQuote(s string) string {
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=@%+,") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
