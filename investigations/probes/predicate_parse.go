package probes

import (
	"fmt"
	"slices"
	"strings"

	"inquest/sources/catalog"
	"inquest/sources/heap"
)

// predicate is a condition that was found in somebody's code, written anew from
// words that are known to be harmless. Nothing of the found text gets into its SQL
// but the names of the table's own columns, quoted; its strings are parameters.
type predicate struct {
	sql     string   // over t, with $1… for args
	args    []string // values of the parameters
	columns []string // of t that it reads
	// moments are the numbers of the parameters that stand for the present moment.
	moments []int
	// zoned marks one whose value can depend on the session's time zone.
	zoned bool
}

// conditionReader reads a condition and refuses, with a reason, whatever it does
// not know.
type conditionReader struct {
	tokens []token
	at     int
	table  *catalog.Table
	names  []string // by which columns may be qualified: the table, its alias, new
	out    predicate
	depth  int
	nested bool // inside a sub-select that stands for the condition
}

// refusal is why a condition cannot be evaluated.
type refusal struct{ why string }

func (r refusal) Error() string { return r.why }

// readCondition reads a condition over the table's columns that begins at the first
// token. It returns what is left behind it. The error says why the condition is
// not evaluated.
func readCondition(tokens []token, table *catalog.Table, names ...string) (p predicate, rest []token, err error) {
	r := &conditionReader{tokens: tokens, table: table, names: names}
	defer func() {
		if v := recover(); v != nil {
			why, ok := v.(refusal)
			if !ok {
				panic(v)
			}
			err = why
		}
	}()
	r.out.sql = r.or()
	return r.out, r.tokens[r.at:], nil
}

func (r *conditionReader) refuse(format string, args ...any) {
	panic(refusal{fmt.Sprintf(format, args...)})
}

func (r *conditionReader) peek() token {
	if r.at < len(r.tokens) {
		return r.tokens[r.at]
	}
	return token{}
}

func (r *conditionReader) next() token {
	t := r.peek()
	r.at++
	return t
}

func (r *conditionReader) isWord(words ...string) bool {
	t := r.peek()
	return t.kind == tokenWord && slices.Contains(words, t.text)
}

func (r *conditionReader) word(words ...string) bool {
	if r.isWord(words...) {
		r.at++
		return true
	}
	return false
}

func (r *conditionReader) sign(texts ...string) bool {
	if t := r.peek(); t.kind == tokenSign && slices.Contains(texts, t.text) {
		r.at++
		return true
	}
	return false
}

func (r *conditionReader) want(sign string) {
	if !r.sign(sign) {
		r.refuse("%q is not understood", r.peek().text)
	}
}

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

func (r *conditionReader) sum() string {
	s := r.product()
	for {
		t := r.peek()
		if t.kind != tokenSign || t.text != "+" && t.text != "-" {
			return s
		}
		r.at++
		s = "(" + s + " " + t.text + " " + r.product() + ")"
	}
}

func (r *conditionReader) product() string {
	s := r.signed()
	for {
		t := r.peek()
		if t.kind != tokenSign || t.text != "*" && t.text != "/" && t.text != "%" {
			return s
		}
		r.at++
		s = "(" + s + " " + t.text + " " + r.signed() + ")"
	}
}

func (r *conditionReader) signed() string {
	if r.depth++; r.depth > deepest {
		r.refuse("it is nested too deep")
	}
	defer func() { r.depth-- }()
	if r.sign("-") {
		return "(- " + r.signed() + ")"
	}
	if r.sign("+") {
		return r.signed()
	}
	s := r.primary()
	for {
		switch {
		case r.sign("::"):
			s = "(" + s + ")::" + r.typeName()
		case r.isWord("at"):
			r.at++
			if !r.word("time") || !r.word("zone") {
				r.refuse("AT is not understood")
			}
			s = "(" + s + " AT TIME ZONE " + r.primary() + ")"
		default:
			return s
		}
	}
}

// moments are the words for the present moment; the value says what they are cast to.
var moments = map[string]string{
	"now": "", "current_timestamp": "", "transaction_timestamp": "", "statement_timestamp": "", "clock_timestamp": "",
	"current_date": "::date", "localtimestamp": "::timestamp",
}

// functions that may be called: built in, without effects, and stable.
var harmless = []string{"coalesce", "nullif", "lower", "upper", "length", "char_length", "abs", "date_trunc", "date_part", "btrim", "ltrim", "rtrim", "greatest", "least", "round", "floor", "ceil", "make_interval"}

func (r *conditionReader) primary() string {
	t := r.next()
	switch t.kind {
	case tokenNumber:
		if strings.Count(t.text, ".") > 1 || strings.Trim(t.text, ".") == "" {
			r.refuse("%q is no number", t.text)
		}
		return t.text
	case tokenString:
		if w := strings.ToLower(strings.TrimSpace(t.text)); slices.Contains([]string{"now", "today", "tomorrow", "yesterday"}, w) {
			r.refuse("%q means another moment each time", t.text)
		}
		return r.param(t.text)
	case tokenName:
		return r.column(t)
	case tokenWord:
		return r.named(t)
	case tokenSign:
		if t.text == "(" {
			if r.isWord("select", "with", "values") {
				r.refuse("it holds a sub-select")
			}
			s := r.or()
			r.want(")")
			return s
		}
	case tokenParam:
		r.refuse("it depends on the parameter %s", t.text)
	case tokenEnd:
		r.refuse("it ends in the middle")
	}
	r.refuse("%q is not understood", t.text)
	return ""
}

func (r *conditionReader) param(value string) string {
	r.out.zoned = r.out.zoned || datelike(value)
	r.out.args = append(r.out.args, value)
	return fmt.Sprintf("$%d", len(r.out.args))
}

// datelike reports whether a text may be read as a time in the session's zone.
func datelike(s string) bool {
	s = strings.ToLower(strings.TrimSpace(s))
	digit := s != "" && s[0] >= '0' && s[0] <= '9'
	return digit && strings.ContainsAny(s, "-:/")
}

func (r *conditionReader) named(t token) string {
	switch t.text {
	case "null", "true", "false":
		return strings.ToUpper(t.text)
	case "interval", "date", "timestamp", "timestamptz":
		if v := r.peek(); v.kind == tokenString {
			zoned := r.out.zoned
			s := r.primary() + "::" + t.text
			r.out.zoned = zoned || t.text != "interval"
			return s
		}
	case "cast":
		r.want("(")
		s := r.or()
		if !r.word("as") {
			r.refuse("CAST without AS")
		}
		s = "(" + s + ")::" + r.typeName()
		r.want(")")
		return s
	case "extract":
		return r.extract()
	case "exists", "select", "case", "row", "array":
		r.refuse("%s is not understood", strings.ToUpper(t.text))
	}
	if cast, ok := moments[t.text]; ok {
		return r.moment(t.text, cast)
	}
	if p := r.peek(); p.is("(") {
		return r.call(t.text)
	}
	return r.column(t)
}

func (r *conditionReader) moment(word, cast string) string {
	brackets := word == "now" || strings.HasSuffix(word, "_timestamp") && word != "current_timestamp"
	if r.sign("(") {
		if v := r.peek(); !brackets && v.kind == tokenNumber {
			r.at++ // current_timestamp(3)
		}
		r.want(")")
	} else if brackets {
		return r.column(token{kind: tokenWord, text: word})
	}
	if len(r.out.moments) == 0 {
		r.out.args = append(r.out.args, "")
		r.out.moments = []int{len(r.out.args)}
	}
	r.out.zoned = r.out.zoned || cast != ""
	return fmt.Sprintf("($%d::timestamptz)%s", r.out.moments[0], cast)
}

func (r *conditionReader) extract() string {
	r.want("(")
	field := r.next()
	known := []string{"year", "month", "day", "hour", "minute", "second", "epoch", "dow", "isodow", "doy", "week", "quarter"}
	if field.kind != tokenWord && field.kind != tokenString || !slices.Contains(known, strings.ToLower(field.text)) || !r.word("from") {
		r.refuse("EXTRACT of %q", field.text)
	}
	s := "EXTRACT(" + strings.ToLower(field.text) + " FROM " + r.or() + ")"
	r.want(")")
	r.out.zoned = true
	return s
}

func (r *conditionReader) call(name string) string {
	if !slices.Contains(harmless, name) {
		r.refuse("it calls %s()", name)
	}
	r.want("(")
	var list []string
	for !r.sign(")") {
		if len(list) > 0 {
			r.want(",")
		}
		arg := ""
		if t := r.peek(); name == "make_interval" && t.kind == tokenWord && r.at+1 < len(r.tokens) && r.tokens[r.at+1].is("=>") {
			if !slices.Contains([]string{"years", "months", "weeks", "days", "hours", "mins", "secs"}, t.text) {
				r.refuse("make_interval of %q", t.text)
			}
			r.at += 2
			arg = t.text + " => "
		}
		list = append(list, arg+r.or())
	}
	r.out.zoned = r.out.zoned || strings.HasPrefix(name, "date_")
	return name + "(" + strings.Join(list, ", ") + ")"
}

// column reads a column of the table, which may be qualified by a known name.
func (r *conditionReader) column(t token) string {
	if r.sign(".") {
		known := slices.ContainsFunc(r.names, func(n string) bool { return strings.EqualFold(n, t.text) })
		if !known {
			r.refuse("it depends on %s.%s", t.text, r.peek().text)
		}
		t = r.next()
		if r.sign(".") { // schema.table.column
			t = r.next()
		}
	}
	if t.kind != tokenWord && t.kind != tokenName {
		r.refuse("%q is not understood", t.text)
	}
	if t.text == "ctid" {
		if !slices.Contains([]string{"in", "="}, r.peek().text) {
			r.refuse("it depends on the row's address")
		}
		return ownRow
	}
	c := r.table.Column(t.text)
	if c == nil {
		r.refuse("it depends on %s, which is no column of %s", t.text, r.table.DisplayName())
	}
	if _, ok := plainType(c); !ok {
		r.refuse("the type of %s is not one of the plain ones", c.Name)
	}
	if !slices.Contains(r.out.columns, c.Name) {
		r.out.columns = append(r.out.columns, c.Name)
	}
	r.out.zoned = r.out.zoned || c.TypeName == "date" || strings.HasPrefix(c.TypeName, "timestamp without")
	return "t." + catalog.QuoteIdent(c.Name)
}

// plainTypes are the built-in types that values may be cast to, by every name that
// they go by.
var plainTypes = map[string]string{
	"bool": "boolean", "boolean": "boolean", "int2": "smallint", "smallint": "smallint", "int4": "integer", "int": "integer", "integer": "integer",
	"int8": "bigint", "bigint": "bigint", "numeric": "numeric", "decimal": "numeric", "real": "real", "float4": "real", "float8": "double precision",
	"double precision": "double precision", "text": "text", "varchar": "text", "character varying": "text", "bpchar": "text", "character": "text", "char": "text", "name": "text",
	"uuid": "uuid", "date": "date", "interval": "interval", "timestamptz": "timestamptz", "timestamp with time zone": "timestamptz",
	"timestamp": "timestamp", "timestamp without time zone": "timestamp", "inet": "inet",
}

// plainType is the type that a column's value is cast to, and false for one whose
// input could run code: a domain's checks, a type of an extension.
func plainType(c *heap.Column) (string, bool) {
	name, _, _ := strings.Cut(c.TypeName, "(")
	if head, tail, ok := strings.Cut(c.TypeName, ")"); ok && strings.Contains(head, "(") {
		name += tail // timestamp(3) with time zone
	}
	t, ok := plainTypes[strings.TrimSpace(name)]
	return t, ok
}

// typeName reads the name of a plain type behind a cast.
func (r *conditionReader) typeName() string {
	t := r.next()
	name := t.text
	if t.kind == tokenWord && name == "pg_catalog" && r.sign(".") {
		t = r.next()
		name = t.text
	}
	if t.kind != tokenWord {
		r.refuse("a cast to %q", t.text)
	}
	switch {
	case name == "double" && r.word("precision"), name == "character" && r.word("varying"):
		name += map[string]string{"double": " precision", "character": " varying"}[name]
	}
	if r.sign("(") { // a length or a precision
		for !r.sign(")") {
			if r.next().kind == tokenEnd {
				r.refuse("a cast that does not end")
			}
		}
	}
	if name == "timestamp" && (r.isWord("with") || r.isWord("without")) {
		zone := r.next().text
		if !r.word("time") || !r.word("zone") {
			r.refuse("a cast to timestamp %s", zone)
		}
		name += " " + zone + " time zone"
	}
	out, ok := plainTypes[name]
	if !ok {
		r.refuse("a cast to %s", name)
	}
	r.out.zoned = r.out.zoned || out == "date" || strings.HasPrefix(out, "timestamp")
	return out
}
