// Package asked holds what a person typed against what is there, before the long
// work starts: a table or a role that does not exist, and what may have been meant.
package asked

import (
	"cmp"
	"slices"
	"strings"

	"github.com/sahilm/fuzzy"
)

// Near returns the names that may have been meant by a word that is none of them,
// the likeliest first, n at most. One letter may be wrong, missing, too many or
// changed with its neighbour; letters may have been left out; of a dotted name the
// last part counts.
func Near(word string, names []string, n int) []string {
	word = plain(word)
	if word == "" {
		return nil
	}
	best := map[string]int{}
	lower := make([]string, len(names))
	for i, name := range names {
		lower[i] = plain(name)
	}
	try := func(pattern string, wrong int) {
		for _, m := range fuzzy.Find(pattern, lower) {
			name, over := names[m.Index], len(lower[m.Index])-len(pattern)
			if over > max(2, len(word)/2) && !strings.HasPrefix(lower[m.Index], pattern) && !strings.HasSuffix(lower[m.Index], pattern) {
				continue // the letters of a short word are met in any long one
			}
			if d := len(lower[m.Index]) - len(word); wrong > 0 && d*d > max(1, len(word)*len(word)/9) {
				continue // with a letter wrong the length must be about right
			}
			score := over + 3*wrong
			if old, ok := best[name]; !ok || score < old {
				best[name] = score
			}
		}
	}
	try(word, 0)
	if len(word) > 2 {
		for i := range len(word) {
			try(word[:i]+word[i+1:], 1)
		}
	}
	for i, name := range lower { // more was typed than there is: a plural, a prefix
		if len(name) > 3 && strings.Contains(word, name) {
			if _, ok := best[names[i]]; !ok {
				best[names[i]] = 4 + len(word) - len(name)
			}
		}
	}
	out := make([]string, 0, len(best))
	for name := range best {
		out = append(out, name)
	}
	slices.SortFunc(out, func(a, b string) int { return cmp.Or(cmp.Compare(best[a], best[b]), cmp.Compare(a, b)) })
	return out[:min(n, len(out))]
}

// plain is a name as it is compared: its last part, without quotes, in small
// letters.
func plain(name string) string {
	name = strings.ToLower(strings.ReplaceAll(name, `"`, ""))
	return name[strings.LastIndexByte(name, '.')+1:]
}

// Or lists names for a sentence: "a", "a or b", "a, b or c".
func Or(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}
