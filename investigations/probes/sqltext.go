package probes

import (
	"regexp"
	"strings"
)

// removal finds statements that remove rows or tables, with the name of what
// they remove.
var removal = regexp.MustCompile(`(?is)\b(?:delete\s+from|truncate(?:\s+table)?|drop\s+table(?:\s+if\s+exists)?|merge\s+into)\s+(?:only\s+)?((?:"[^"]+"|[\w$]+)(?:\s*\.\s*(?:"[^"]+"|[\w$]+))?)`)

// removesFrom reports whether code holds a statement that removes rows of the
// table; a name without a schema fits any schema. Code that builds statements is
// not understood.
func removesFrom(code, schema, table string) bool {
	for _, m := range removal.FindAllStringSubmatch(code, -1) {
		if isTable(m[1], schema, table) {
			return true
		}
	}
	return false
}

// isTable reports whether a name in SQL can mean the table.
func isTable(name, schema, table string) bool {
	parts := nameParts(name)
	switch len(parts) {
	case 1:
		return strings.EqualFold(parts[0], table)
	case 2:
		return strings.EqualFold(parts[0], schema) && strings.EqualFold(parts[1], table)
	}
	return false
}

func nameParts(name string) []string {
	var out []string
	for p := range strings.SplitSeq(name, ".") {
		out = append(out, strings.Trim(strings.TrimSpace(p), `"`))
	}
	return out
}

// target finds the table that a statement writes to or removes, and how.
var target = regexp.MustCompile(`(?is)^\s*(?:/\*.*?\*/\s*)?(?:with\b.*?\)\s*)?(insert\s+into|copy|update(?:\s+only)?|delete\s+from(?:\s+only)?|truncate(?:\s+table)?(?:\s+only)?|drop\s+table(?:\s+if\s+exists)?|merge\s+into|alter\s+table(?:\s+if\s+exists)?(?:\s+only)?)\s+((?:"[^"]+"|[\w$]+)(?:\s*\.\s*(?:"[^"]+"|[\w$]+))?)(.*)$`)

// statementOf is what a statement does, and to which table.
type statementOf struct {
	op    string // create, update, delete, truncate, drop, detach
	table string // as written
	rest  string
}

// parseStatement reads the first words of a statement. ok is false for one that
// writes nothing by itself.
func parseStatement(sql string) (statementOf, bool) {
	m := target.FindStringSubmatch(sql)
	if m == nil {
		return statementOf{}, false
	}
	word, _, _ := strings.Cut(strings.ToLower(strings.Join(strings.Fields(m[1]), " ")), " ")
	s := statementOf{table: m[2], rest: m[3]}
	switch word {
	case "insert":
		s.op = "create"
	case "copy":
		if !copyIn.MatchString(m[3]) {
			return s, false
		}
		s.op = "create"
	case "update", "merge":
		s.op = "update"
	case "delete", "truncate", "drop":
		s.op = word
	case "alter":
		d := detach.FindStringSubmatch(m[3])
		if d == nil {
			return s, false
		}
		s.op, s.rest = "detach", d[1]
	}
	return s, true
}

var (
	copyIn    = regexp.MustCompile(`(?i)\bfrom\s+(stdin|'|program)`)
	detach    = regexp.MustCompile(`(?is)^\s*detach\s+partition\s+((?:"[^"]+"|[\w$]+)(?:\s*\.\s*(?:"[^"]+"|[\w$]+))?)`)
	doNothing = regexp.MustCompile(`(?is)\bon\s+conflict\b.*\bdo\s+nothing\b`)
)

// insertion finds the tables that code inserts into.
var insertion = regexp.MustCompile(`(?is)\binsert\s+into\s+((?:"[^"]+"|[\w$]+)(?:\s*\.\s*(?:"[^"]+"|[\w$]+))?)`)

// executes finds code that builds its statements, which cannot be read.
var executes = regexp.MustCompile(`(?i)\bexecute\b\s+(?:format\b|'|\w)`)
