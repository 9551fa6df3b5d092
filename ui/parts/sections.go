package parts

import (
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"
	"github.com/sahilm/fuzzy"

	"inquest/ui/nav"
	"inquest/ui/text"
)

// Section is a part of a text: a heading, which may be empty, above passages. A
// passage is some painted lines that a filter shows or hides together.
type Section struct {
	Heading  string
	Passages [][]string
}

// Compose returns the sections one below the other with a blank line between.
// A pattern leaves the passages that hold all its words; when there is none,
// those that match it loosely.
func Compose(f nav.Frame, sections []Section, pattern string) []string {
	keep := func(string) bool { return true }
	if strings.TrimSpace(pattern) != "" {
		keep = finder(sections, pattern)
	}
	var out []string
	for _, s := range sections {
		kept := slices.DeleteFunc(slices.Clone(s.Passages), func(p []string) bool { return !keep(words(p)) })
		if len(kept) == 0 {
			continue
		}
		if len(out) > 0 {
			out = append(out, text.Blank(f.W))
		}
		if s.Heading != "" {
			out = append(out, NewLine(f.W).Add(f.Theme.Text, " ").Add(f.Theme.Heading, s.Heading).String())
		}
		for _, p := range kept {
			out = append(out, p...)
		}
	}
	if len(out) == 0 && pattern != "" {
		return Para(f, f.Theme.Dim, " ", "Nothing matches the filter: esc clears it.")
	}
	return out
}

// words is the text of a passage without styles and line breaks.
func words(lines []string) string {
	return strings.Join(strings.Fields(ansi.Strip(strings.Join(lines, " "))), " ")
}

// finder returns which passages a pattern means.
func finder(sections []Section, pattern string) func(string) bool {
	want := strings.Fields(strings.ToLower(pattern))
	holds := func(s string) bool {
		s = strings.ToLower(s)
		return !slices.ContainsFunc(want, func(w string) bool { return !strings.Contains(s, w) })
	}
	var all []string
	for _, s := range sections {
		for _, p := range s.Passages {
			all = append(all, words(p))
		}
	}
	if slices.ContainsFunc(all, holds) {
		return holds
	}
	near := map[string]bool{}
	for _, m := range fuzzy.FindNoSort(pattern, all) {
		near[m.Str] = true
	}
	return func(s string) bool { return near[s] }
}
