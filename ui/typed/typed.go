// Package typed reads what a person types or pastes where a record and its
// sources are asked for, and hides the passwords in it.
package typed

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// quotes are the pairs that a copied id may stand in.
var quotes = []string{`""`, `''`, "``", "“”", "‘’", "«»"}

// RecordID is what was typed without what a copied id brings along: quotes
// around it and a comma or the like behind it. cut says that there was such.
func RecordID(typed string) (id string, cut bool) {
	id = strings.TrimSpace(typed)
	for {
		before := id
		id = strings.TrimSpace(strings.TrimRight(id, ",;"))
		for _, q := range quotes {
			first, n := utf8.DecodeRuneInString(q)
			if strings.HasPrefix(id, string(first)) && strings.HasSuffix(id, q[n:]) && len(id) > len(q) && !strings.ContainsAny(id[n:len(id)-(len(q)-n)], q) {
				id = id[n : len(id)-(len(q)-n)]
			}
		}
		if id == before {
			return id, id != strings.TrimSpace(typed)
		}
	}
}

// List parts things with ; between them.
func List(s string) []string { return parted(strings.Split(s, ";")) }

// nextDatabase is a ; that another connection follows. A password may hold one.
var nextDatabase = regexp.MustCompile(`\s;|;\s|;(?:[\w.-]+=)?(?:postgres(?:ql)?://|(?:host|hostaddr|port|dbname|user|service)\s*=)`)

// Databases parts connections with ; between them.
func Databases(s string) []string {
	var out []string
	for _, at := range databases(s) {
		out = append(out, s[at[0]:at[1]])
	}
	return parted(out)
}

// databases returns the stretches of the single connections, in bytes.
func databases(s string) [][2]int {
	var out [][2]int
	from := 0
	for _, at := range nextDatabase.FindAllStringIndex(s, -1) {
		to := at[0] + strings.IndexByte(s[at[0]:at[1]], ';')
		out = append(out, [2]int{from, to})
		from = to + 1
	}
	return append(out, [2]int{from, len(s)})
}

func parted(list []string) []string {
	var out []string
	for _, part := range list {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

// Place is a further place as the command line takes it, a word and its
// value, however it was copied: with dashes, with quotes, as the program's own
// command line.
func Place(typed string) string {
	typed = strings.TrimLeft(strings.TrimSpace(typed), "-")
	end := strings.IndexAny(typed, " =\t")
	if end < 0 {
		end = len(typed)
	}
	word, rest := typed[:end], ""
	if end < len(typed) {
		rest = strings.TrimSpace(typed[end+1:])
	}
	if n := len(rest); n > 1 && (rest[0] == '\'' || rest[0] == '"') && rest[n-1] == rest[0] && !strings.ContainsRune(rest[1:n-1], rune(rest[0])) {
		rest = strings.TrimSpace(rest[1 : n-1])
	}
	switch word {
	case "kubectl", "docker":
		if args, ok := strings.CutPrefix(rest, "logs "); ok {
			rest = strings.TrimSpace(args)
		}
	case "journalctl":
		word = "journal"
		for _, flag := range []string{"-u ", "--unit=", "--unit "} {
			rest = strings.TrimSpace(strings.TrimPrefix(rest, flag))
		}
	}
	return strings.TrimSpace(word + " " + rest)
}

// Lines joins the lines of a paste to one that List and Databases part again.
func Lines(pasted string) string {
	return strings.Join(parted(strings.FieldsFunc(pasted, func(r rune) bool { return r == '\n' || r == '\r' })), Between)
}

// Join writes several things in one line.
func Join(list []string) string { return strings.Join(list, Between) }

// Between stands between several things in one line.
const Between = " ; "

var (
	urlPassword  = regexp.MustCompile(`(?i)://[^:/@\s]*:(\S*)`)
	wordPassword = regexp.MustCompile(`(?i)password\s*=\s*('(?:[^'\\]|\\.)*'?|[^\s&]+)`)
	onlyPort     = regexp.MustCompile(`^\d*(?:[/?,].*)?$`)
)

// secrets are the stretches of a text that are passwords of connections, in
// bytes: in a URL up to the last @, or to the end while that has not been typed.
func secrets(s string) [][2]int {
	var out [][2]int
	for _, one := range databases(s) {
		dsn := s[one[0]:one[1]]
		for _, m := range urlPassword.FindAllStringSubmatchIndex(dsn, -1) {
			from, to := m[2], m[3]
			if at := strings.LastIndexByte(dsn[from:to], '@'); at >= 0 {
				to = from + at
			} else if onlyPort.MatchString(dsn[from:to]) {
				continue
			}
			out = append(out, [2]int{one[0] + from, one[0] + to})
		}
		for _, m := range wordPassword.FindAllStringSubmatchIndex(dsn, -1) {
			out = append(out, [2]int{one[0] + m[2], one[0] + m[3]})
		}
	}
	slices.SortFunc(out, func(a, b [2]int) int { return a[0] - b[0] })
	return out
}

const bullet = "•"

// Masked hides passwords, and how long they are.
func Masked(s string) string {
	return replace(s, func(string) string { return strings.Repeat(bullet, 4) })
}

// Dotted hides passwords rune by rune, for a field that is being edited.
func Dotted(s string) string {
	return replace(s, func(secret string) string { return strings.Repeat(bullet, utf8.RuneCountInString(secret)) })
}

func replace(s string, by func(secret string) string) string {
	var out strings.Builder
	from := 0
	for _, at := range secrets(s) {
		if at[0] < from || at[0] == at[1] {
			continue
		}
		out.WriteString(s[from:at[0]])
		out.WriteString(by(s[at[0]:at[1]]))
		from = at[1]
	}
	out.WriteString(s[from:])
	return out.String()
}
