package probes

import (
	"fmt"
	"slices"
	"strings"

	"inquest/sources/catalog"
	"inquest/sources/heap"
)

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
