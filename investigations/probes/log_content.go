package probes

import (
	"slices"
	"strings"

	inv "inquest/investigations"
	"inquest/sources"
)

// boundValues are the values of a statement's parameters as the server logs them:
// "parameters: $1 = 'a', $2 = NULL" (16 and later with a capital). A value that was
// cut by log_parameter_max_length ends in "..." and is left out.
func boundValues(e sources.Event) map[string]*string {
	_, list, ok := strings.Cut(strings.ToLower(e.Field("detail")), "parameters: ")
	if !ok {
		return nil
	}
	list = e.Field("detail")[len(e.Field("detail"))-len(list):]
	out := map[string]*string{}
	tokens := lexSQL(list)
	for i := 0; i+2 < len(tokens); i++ {
		if tokens[i].kind != tokenParam || !tokens[i+1].is("=") {
			continue
		}
		switch v := tokens[i+2]; {
		case v.kind == tokenString && !strings.HasSuffix(v.text, "..."):
			out[tokens[i].text] = &v.text
		case v.isWord("null"):
			out[tokens[i].text] = nil
		}
	}
	return out
}

// insertedRow is a row that a logged INSERT gave to the server.
type insertedRow struct {
	table   string // as written, perhaps with a schema
	columns content
	// unknown names columns whose value is an expression, or was not logged.
	unknown []string
}

// insertedRows reads the rows of a logged INSERT with a list of columns. Values are
// constants, bound parameters, and casts of them; all else is unknown.
func insertedRows(e sources.Event) []insertedRow {
	tokens := lexSQL(statementText(e))
	r := &conditionReader{tokens: tokens}
	if !r.word("insert") || !r.word("into") {
		return nil
	}
	table, ok := r.tableName()
	if !ok || !r.sign("(") {
		return nil
	}
	var names []string
	for !r.sign(")") {
		t := r.next()
		if t.kind != tokenWord && t.kind != tokenName {
			return nil
		}
		names = append(names, t.text)
		r.sign(",")
	}
	if r.word("overriding") {
		r.at += 2 // SYSTEM VALUE
	}
	if !r.word("values") {
		return nil
	}
	bound := boundValues(e)
	var out []insertedRow
	for r.sign("(") {
		row := insertedRow{table: table, columns: content{}}
		for _, name := range names {
			value, known := r.constant(bound)
			if known {
				row.columns[name] = value
			} else {
				row.unknown = append(row.unknown, name)
			}
		}
		out = append(out, row)
		if !r.sign(",") {
			break
		}
	}
	return out
}

// constant reads one value of a list, up to its comma or the closing bracket.
func (r *conditionReader) constant(bound map[string]*string) (value *string, known bool) {
	var tokens []token
	for depth := 0; r.at < len(r.tokens); {
		t := r.next()
		if depth == 0 && (t.is(",") || t.is(")")) {
			break
		}
		switch {
		case t.is("("), t.is("["):
			depth++
		case t.is(")"), t.is("]"):
			depth--
		}
		tokens = append(tokens, t)
	}
	if len(tokens) > 1 && tokens[1].is("::") {
		tokens = tokens[:1] // the text of a cast constant is the value, as it was given
	}
	if len(tokens) != 1 {
		return nil, false
	}
	switch t := tokens[0]; {
	case t.kind == tokenString, t.kind == tokenNumber:
		return &t.text, true
	case t.isWord("true"), t.isWord("false"):
		short := t.text[:1]
		return &short, true
	case t.isWord("null"):
		return nil, true
	case t.kind == tokenParam:
		value, known = bound[t.text]
		return value, known
	}
	return nil, false
}

// loggedContents are the contents of the record as logged inserts gave them to the
// server, by table, the newest last.
func loggedContents(in inv.Input, events []logged) []inv.Recovered {
	var out []inv.Recovered
	for _, e := range events {
		for _, row := range insertedRows(e.Event) {
			table := meantTable(in, row.table)
			for _, f := range in.Facts.Of(inv.TableProperty).With("name", "candidate").With("table", table) {
				if !row.isOf(in.Record, strings.Split(f.Attr("columns"), ",")) {
					continue
				}
				rec := inv.Recovered{Table: table, Row: row.columns, Origin: "log", Evidence: []string{e.evidence}}
				for name := range strings.SplitSeq(f.Attr("fields"), ",") {
					if _, known := row.columns[name]; !known && name != "" {
						rec.Unknown = append(rec.Unknown, name)
					}
				}
				out = append(out, rec)
				break
			}
		}
	}
	return out
}

// isOf reports whether the row's key is the record's.
func (row insertedRow) isOf(rec inv.Record, key []string) bool {
	want := rec.Composite()
	for _, name := range key {
		v, ok := row.columns[name]
		if !ok || v == nil {
			return false
		}
		same := func(s string) bool {
			return strings.EqualFold(*v, s) || len(bare(s)) == 32 && strings.EqualFold(bare(*v), bare(s))
		}
		i := slices.IndexFunc(want, func(p inv.KeyPart) bool { return strings.EqualFold(p.Column, name) })
		if i >= 0 && !same(want[i].Value) || i < 0 && !same(rec.ID) {
			return false
		}
	}
	return len(key) > 0 && key[0] != ""
}
