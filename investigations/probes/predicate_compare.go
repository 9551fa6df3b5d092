package probes

import (
	"slices"
	"strings"

	"inquest/sources/catalog"
)

const deepest = 40 // parentheses within parentheses

func (r *conditionReader) or() string {
	if r.depth++; r.depth > deepest {
		r.refuse("it is nested too deep")
	}
	defer func() { r.depth-- }()
	s := r.and()
	for r.word("or") {
		s = "(" + s + " OR " + r.and() + ")"
	}
	return s
}

func (r *conditionReader) and() string {
	s := r.not()
	for r.word("and") {
		s = "(" + s + " AND " + r.not() + ")"
	}
	return s
}

func (r *conditionReader) not() string {
	if r.word("not") {
		return "(NOT " + r.not() + ")"
	}
	return r.comparison()
}

var comparisons = []string{"=", "<>", "!=", "<", "<=", ">", ">="}

func (r *conditionReader) comparison() string {
	s := r.sum()
	for {
		negated := ""
		if t := r.peek(); t.kind == tokenSign && slices.Contains(comparisons, t.text) {
			r.at++
			if r.isWord("any", "some", "all") {
				s = r.quantified(s, t.text)
				continue
			}
			s = "(" + s + " " + t.text + " " + r.sum() + ")"
			continue
		}
		if r.isWord("not") && r.at+1 < len(r.tokens) && slices.Contains([]string{"in", "like", "ilike", "between"}, r.tokens[r.at+1].text) {
			r.at++
			negated = "NOT "
		}
		switch {
		case r.word("is"):
			s = r.is(s)
		case r.word("isnull"):
			s = "(" + s + " IS NULL)"
		case r.word("notnull"):
			s = "(" + s + " IS NOT NULL)"
		case r.isWord("in"):
			r.at++
			s = r.in(s, negated)
		case r.isWord("like", "ilike"):
			word := strings.ToUpper(r.next().text)
			s = "(" + s + " " + negated + word + " " + r.sum() + ")"
		case r.isWord("between"):
			r.at++
			low := r.sum()
			if !r.word("and") {
				r.refuse("BETWEEN without AND")
			}
			s = "(" + s + " " + negated + "BETWEEN " + low + " AND " + r.sum() + ")"
		default:
			return s
		}
	}
}

func (r *conditionReader) is(s string) string {
	not := ""
	if r.word("not") {
		not = "NOT "
	}
	switch {
	case r.isWord("null", "true", "false", "unknown"):
		return "(" + s + " IS " + not + strings.ToUpper(r.next().text) + ")"
	case r.word("distinct"):
		if !r.word("from") {
			r.refuse("IS DISTINCT without FROM")
		}
		return "(" + s + " IS " + not + "DISTINCT FROM " + r.sum() + ")"
	}
	r.refuse("IS %s is not understood", r.peek().text)
	return ""
}

// in reads a list of values, or a sub-select of the table's own key, which is the
// way in which deletes are done in batches: then its condition stands for all.
func (r *conditionReader) in(s, negated string) string {
	r.want("(")
	if r.isWord("select") {
		return r.ownSelect(s, negated)
	}
	list := []string{r.or()}
	for r.sign(",") {
		list = append(list, r.or())
	}
	r.want(")")
	return "(" + s + " " + negated + "IN (" + strings.Join(list, ", ") + "))"
}

// quantified reads = ANY (ARRAY[…]), as the server prints an IN list.
func (r *conditionReader) quantified(s, op string) string {
	word := strings.ToUpper(r.next().text)
	r.want("(")
	if r.isWord("select") {
		if op == "=" && word != "ALL" {
			return r.ownSelect(s, "")
		}
		r.refuse("it holds a sub-select")
	}
	if !r.word("array") {
		r.refuse("%s of something else than ARRAY[…]", word)
	}
	if op == "=" && word != "ALL" && r.sign("(") {
		if !r.isWord("select") {
			r.refuse("ARRAY( is not understood")
		}
		s = r.ownSelect(s, "")
		r.want(")")
		return s
	}
	r.want("[")
	list := []string{r.or()}
	for r.sign(",") {
		list = append(list, r.or())
	}
	r.want("]")
	cast := ""
	if r.sign("::") {
		cast = "::" + r.typeName()
		r.want("[")
		r.want("]")
		cast += "[]"
	}
	r.want(")")
	return "(" + s + " " + op + " " + word + " (ARRAY[" + strings.Join(list, ", ") + "]" + cast + "))"
}

// ownSelect reads SELECT key FROM the same table WHERE condition …) after key IN (.
func (r *conditionReader) ownSelect(s, negated string) string {
	r.at++
	if r.nested || negated != "" || s != ownRow && !r.isKey(s) {
		r.refuse("it holds a sub-select")
	}
	key := r.next()
	if r.sign(".") {
		key = r.next()
	}
	inner := ownRow
	if key.text != "ctid" {
		inner = r.column(key)
	}
	if inner != s || !r.word("from") {
		r.refuse("it holds a sub-select")
	}
	r.word("only")
	name, ok := r.tableName()
	if !ok || !isTable(name, r.table.Schema, r.table.Name) {
		r.refuse("it holds a sub-select of another table")
	}
	r.names = append(r.names, r.table.Name)
	r.word("as")
	if t := r.peek(); t.kind == tokenName || t.kind == tokenWord && t.text != "where" {
		r.names = append(r.names, t.text)
		r.at++
	}
	if !r.word("where") {
		r.refuse("it holds a sub-select without a condition")
	}
	r.nested = true
	s = r.or()
	r.nested = false
	for depth := 0; ; { // ORDER BY, LIMIT and FOR UPDATE only say which come first
		t := r.next()
		switch {
		case t.kind == tokenEnd:
			r.refuse("a sub-select that does not end")
		case t.kind == tokenWord && slices.Contains([]string{"select", "union", "except", "intersect", "group", "having", "join"}, t.text):
			r.refuse("it holds a sub-select")
		case t.is("("):
			depth++
		case t.is(")"):
			if depth == 0 {
				return s
			}
			depth--
		}
	}
}

// ownRow is what stands for the row's own address.
const ownRow = "t.ctid"

// isKey reports whether rendered SQL is the table's whole primary key.
func (r *conditionReader) isKey(s string) bool {
	if len(r.table.PrimaryKey) != 1 {
		return false
	}
	att := r.table.PrimaryKey[0]
	return att > 0 && int(att) <= len(r.table.Columns) && s == "t."+catalog.QuoteIdent(r.table.Columns[att-1].Name)
}

// tableName reads name or schema.name, as isTable wants it.
func (r *conditionReader) tableName() (string, bool) {
	quote := func(t token) (string, bool) {
		return `"` + t.text + `"`, t.kind == tokenWord || t.kind == tokenName
	}
	name, ok := quote(r.next())
	if ok && r.sign(".") {
		var second string
		second, ok = quote(r.next())
		name += "." + second
	}
	return name, ok
}
