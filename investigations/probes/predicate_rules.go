package probes

import (
	"fmt"
	"slices"
	"strings"

	"inquest/sources/catalog"
)

// removalRule is a DELETE of the record's table as it stands in somebody's code.
type removalRule struct {
	text string // as written, shortened
	// all is true for a DELETE without a condition.
	all  bool
	cond predicate
	why  string // why the condition cannot be evaluated, "" when it can
	// open is what cannot be evaluated beside a condition that holds.
	open string
}

// removalRules finds the DELETE statements of a table in code: a statement, a
// script, the body of a function.
func removalRules(code string, table *catalog.Table) []removalRule {
	tokens := lexSQL(code)
	var out []removalRule
	for i := range tokens {
		if i+1 < len(tokens) && tokens[i].isWord("delete") && tokens[i+1].isWord("from") {
			if rule, ok := readDelete(code, tokens[i:], table); ok {
				out = append(out, rule)
			}
		}
	}
	return out
}

// isWord reports whether the token is this word.
func (t token) isWord(word string) bool { return t.kind == tokenWord && t.text == word }

func readDelete(code string, tokens []token, table *catalog.Table) (removalRule, bool) {
	r := &conditionReader{tokens: tokens, at: 2, table: table}
	r.word("only")
	name, ok := r.tableName()
	if !ok || !isTable(name, table.Schema, table.Name) {
		return removalRule{}, false
	}
	r.sign("*")
	names := []string{table.Name}
	r.word("as")
	if t := r.peek(); t.kind == tokenName || t.kind == tokenWord && !slices.Contains([]string{"where", "using", "returning", "end", "loop"}, t.text) {
		names = append(names, t.text)
		r.at++
	}
	rule := removalRule{}
	rest := tokens[r.at:]
	switch {
	case r.isWord("using"):
		rule.why = "it joins another table"
	case r.isWord("where"):
		var err error
		rule.cond, rest, err = readCondition(tokens[r.at+1:], table, names...)
		switch {
		case err != nil:
			rule.why = err.Error()
		case !endsStatement(rest):
			rule.why = "\"" + rest[0].text + "\" is not understood"
		}
	case endsStatement(rest):
		rule.all = true
	default:
		rule.why = "\"" + rest[0].text + "\" is not understood"
	}
	rule.text = textOf(code, tokens)
	return rule, true
}

// endsStatement reports whether a statement ends here.
func endsStatement(rest []token) bool {
	return len(rest) == 0 || rest[0].is(";") || rest[0].is(")") || rest[0].isWord("returning")
}

// textOf is the statement that begins with the tokens, as it was written.
func textOf(code string, tokens []token) string {
	end := len(code)
	for _, t := range tokens {
		if t.is(";") {
			end = t.from
			break
		}
	}
	return short(code[tokens[0].from:end], 300)
}

// calledBy returns the functions that a command calls, such as SELECT purge() or
// CALL app.purge(30).
func calledBy(command string) []string {
	tokens := lexSQL(command)
	var out []string
	for i, t := range tokens {
		if i > 0 && t.is("(") && (tokens[i-1].kind == tokenWord || tokens[i-1].kind == tokenName) {
			name := tokens[i-1].text
			if i > 2 && tokens[i-2].is(".") {
				name = tokens[i-3].text + "." + name
			}
			out = append(out, name)
		}
	}
	return out
}

// callsFunction reports whether a command calls the function of this signature,
// such as public.purge(integer); a name without a schema fits any.
func callsFunction(command, signature string) bool {
	full, _, _ := strings.Cut(signature, "(")
	full = plainName(full)
	bareName := full[strings.LastIndexByte(full, '.')+1:]
	return slices.ContainsFunc(calledBy(command), func(name string) bool {
		if strings.Contains(name, ".") && strings.Contains(full, ".") {
			return strings.EqualFold(name, full)
		}
		return strings.EqualFold(name[strings.LastIndexByte(name, '.')+1:], bareName)
	})
}

// both is the condition that both hold, either that one does.
func both(a, b predicate) predicate   { return joined(a, b, "AND") }
func either(a, b predicate) predicate { return joined(a, b, "OR") }

// joined renumbers the parameters of the second condition behind those of the
// first.
func joined(a, b predicate, op string) predicate {
	out := predicate{args: slices.Clone(a.args), columns: slices.Clone(a.columns), zoned: a.zoned || b.zoned}
	sql := b.sql
	for n := len(b.args); n > 0; n-- { // from the last, so that $1 is not met in $10
		to := len(a.args) + n
		sql = strings.ReplaceAll(sql, fmt.Sprintf("$%d", n), fmt.Sprintf("$\x00%d", to))
	}
	out.sql = "(" + a.sql + " " + op + " " + strings.ReplaceAll(sql, "\x00", "") + ")"
	out.args = append(out.args, b.args...)
	for _, c := range b.columns {
		if !slices.Contains(out.columns, c) {
			out.columns = append(out.columns, c)
		}
	}
	out.moments = slices.Clone(a.moments)
	for _, n := range b.moments {
		out.moments = append(out.moments, len(a.args)+n)
	}
	return out
}
