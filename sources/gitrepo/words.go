package gitrepo

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// table finds a table's name in code: as the table is called, as a class or a
// variable of one row or of many would be.
type table struct {
	name string
	find *regexp.Regexp // the name, wherever it stands
	ere  string         // the same for git, which is less exact
}

func newTable(name string) (table, bool) {
	bare := name[strings.LastIndex(name, ".")+1:]
	words := split(strings.Trim(bare, `"`))
	if len(words) == 0 {
		return table{}, false
	}
	last := len(words) - 1
	var ends []string
	for _, f := range forms(words[last]) {
		ends = append(ends, regexp.QuoteMeta(f))
	}
	head := ""
	for _, w := range words[:last] {
		head += regexp.QuoteMeta(w) + "[_ -]?"
	}
	pattern := head + "(" + strings.Join(ends, "|") + ")"
	return table{name: name, find: regexp.MustCompile("(?i)" + pattern), ere: pattern}, true
}

// split parts order_items and OrderItems into words in lower case.
func split(name string) []string {
	var out []string
	var word []rune
	flush := func() {
		if len(word) > 0 {
			out = append(out, strings.ToLower(string(word)))
			word = nil
		}
	}
	runes := []rune(name)
	for i, r := range runes {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			flush()
			continue
		case unicode.IsUpper(r) && i > 0 && (unicode.IsLower(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])):
			flush()
		}
		word = append(word, r)
	}
	flush()
	return out
}

// forms are a word in the singular and the plural, the longest first.
func forms(w string) []string {
	out := []string{w}
	switch {
	case strings.HasSuffix(w, "ies") && len(w) > 4:
		out = append(out, w[:len(w)-3]+"y")
	case strings.HasSuffix(w, "sses"), strings.HasSuffix(w, "xes"), strings.HasSuffix(w, "ches"):
		out = append(out, w[:len(w)-2])
	case strings.HasSuffix(w, "s") && !strings.HasSuffix(w, "ss") && len(w) > 3:
		out = append(out, w[:len(w)-1])
	case strings.HasSuffix(w, "y") && len(w) > 3:
		out = append(out, w[:len(w)-1]+"ies", w+"s")
	default:
		out = append(out, w+"s")
	}
	slices.SortFunc(out, func(a, b string) int { return len(b) - len(a) })
	return out
}

// named reports whether a line of code names the table as a word or as a part
// of a name, such as deleteOrderById for orders; "reorder" and ORDER BY are not.
func (t table) named(line string) bool {
	for _, m := range t.find.FindAllStringIndex(line, -1) {
		before, after := lastRune(line[:m[0]]), firstRune(line[m[1]:])
		first, last := firstRune(line[m[0]:]), lastRune(line[:m[1]])
		switch {
		case unicode.IsLetter(before) && unicode.IsLower(first), unicode.IsUpper(before) && unicode.IsUpper(first):
			continue // the end of another word
		case unicode.IsLower(after), unicode.IsUpper(last) && unicode.IsUpper(after):
			continue // the beginning of another word
		case orderBy.MatchString(line[m[0]:]):
			continue
		}
		return true
	}
	return false
}

var orderBy = regexp.MustCompile(`^(?i:order)(?:\s+(?i:by)\b|By(?:Descending)?\b|_by\b)`)

func firstRune(s string) rune {
	for _, r := range s {
		return r
	}
	return 0
}

func lastRune(s string) rune {
	var last rune
	for _, r := range s[max(0, len(s)-4):] {
		last = r
	}
	return last
}

// verbs are the words by which code removes rows, in SQL and in the libraries of
// many languages, with what they do; the first that fits counts.
var verbs = []struct {
	op   string
	find *regexp.Regexp
}{
	{"truncate", regexp.MustCompile(`(?i)truncat`)},
	{"detach", regexp.MustCompile(`(?i)detach[ _]?partition`)},
	{"drop", regexp.MustCompile(`(?i)\bdrop\b|drop[ _]?(table|partition|chunks)`)},
	{"mark", regexp.MustCompile(`(?i)(is_?)?deleted(_?(at|on|by))?"?\]?\s*(:=|=|:)\s*[^=\s]|\bset\s+.*deleted|soft_?delete|mark\w*deleted|deletion_?time"?\s*=`)},
	{"delete", regexp.MustCompile(`(?i)delete|destroy|purge|prune|expunge|wipe|erase`)},
	{"delete", regexp.MustCompile(`(?i)\bremove(range|all|where|by\w*)?\s*\(|\bmerge\s+into\b|remove_?(old|expired|all)|deleteexpired|expire_?(old|rows)`)},
}

// verbERE is a pattern for git that every verb above fits, and more.
const verbERE = `(delet|truncat|drop|detach|destroy|purg|prun|expung|wip|eras|remov|merge|expire)`

// opOf returns what a line of code does to rows, "" for nothing.
func opOf(line string) string {
	for _, v := range verbs {
		if v.find.MatchString(line) {
			return v.op
		}
	}
	return ""
}

// comment reports whether a line is only a comment.
func comment(line string) bool {
	line = strings.TrimSpace(line)
	for _, mark := range []string{"//", "#", "--", "/*", "* ", "<!--", "\"\"\"", "'''", ";"} {
		if strings.HasPrefix(line, mark) && !strings.HasPrefix(line, "#define") {
			return true
		}
	}
	return false
}

// finder finds lines that remove rows of one of some tables.
type finder []table

func newFinder(names []string) finder {
	var out finder
	for _, n := range names {
		if t, ok := newTable(n); ok {
			out = append(out, t)
		}
	}
	return out
}

// ere is the pattern for git: a verb before or after a name.
func (f finder) ere() string {
	names := make([]string, 0, len(f))
	for _, t := range f {
		names = append(names, t.ere)
	}
	name := "(" + strings.Join(names, "|") + ")"
	return verbERE + ".*" + name + "|" + name + ".*" + verbERE
}

// at is where in a line the first name stands.
func (f finder) at(line string) int {
	best := len(line)
	for _, t := range f {
		if m := t.find.FindStringIndex(line); m != nil {
			best = min(best, m[0])
		}
	}
	return best
}

// match returns which table a line removes rows of, and how.
func (f finder) match(line string) (name, op string) {
	if comment(line) {
		return "", ""
	}
	for _, t := range f {
		if t.named(line) {
			if op := opOf(line); op != "" {
				return t.name, op
			}
		}
	}
	return "", ""
}
