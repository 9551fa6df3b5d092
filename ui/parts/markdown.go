package parts

import (
	"strings"

	"inquest/ui/text"
	"inquest/ui/theme"
)

// Markdown lays a report out as lines of w cells: headings, lists, quotes,
// tables and code are told apart; everything is cleaned.
func Markdown(t *theme.Theme, src string, w int) []string {
	var out []string
	code := false
	lines := text.Lines(src)
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		trimmed := strings.TrimSpace(line)
		if !code && strings.HasPrefix(trimmed, "|") {
			to := i
			for to < len(lines) && strings.HasPrefix(strings.TrimSpace(lines[to]), "|") {
				to++
			}
			out = append(out, table(t, lines[i:to], w)...)
			i = to - 1
			continue
		}
		if strings.HasPrefix(trimmed, "```") {
			code = !code
			continue
		}
		st, hang := t.Text, 0
		switch {
		case code:
			st = t.Accent
		case strings.HasPrefix(line, "#"):
			line, st = strings.TrimLeft(line, "# "), t.Heading
		case strings.HasPrefix(trimmed, "- "), strings.HasPrefix(trimmed, "* "):
			hang = len(line) - len(trimmed) + 2
			line = text.Blank(hang-2) + "• " + trimmed[2:]
		case strings.HasPrefix(trimmed, "> "):
			st = t.Dim
		}
		if !code {
			line = unmark.Replace(line)
		}
		for i, s := range text.Wrap(line, max(w-2-hang, 10)) {
			if i > 0 {
				s = text.Blank(hang) + s
			}
			out = append(out, NewLine(w).Add(t.Text, " ").Add(st, s).String())
		}
	}
	return out
}

var unmark = strings.NewReplacer("**", "", "`", "", `\_`, "_", `\*`, "*", `\|`, "│", `\<`, "<", `\[`, "[", `\]`, "]", "&lt;", "<", "&gt;", ">", "&amp;", "&")
