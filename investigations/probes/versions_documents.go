package probes

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	inv "inquest/investigations"
	"inquest/sources"
	"inquest/sources/catalog"
)

// Many history tables keep the whole row in one JSON column, where no column of the
// key's type points at it: a trigger writes row_to_json(OLD) and the operation.

// documentColumnsSQL lists JSON columns of tables that look like history, or that
// are named.
const documentColumnsSQL = `SELECT n.nspname AS schema, c.relname AS name, a.attname AS column
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped AND a.atttypid IN ('json'::regtype, 'jsonb'::regtype)
  AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND (n.nspname || '.' || c.relname = ANY ($1::text[]) OR c.relname ~* '(^|_)(hist(ory)?|audit(s|ed)?|log(s|ged)?|archive[ds]?|versions?|changes|journal|revisions?|deleted)(_|$)')
ORDER BY 1, 2, a.attnum LIMIT 40`

// mostDocuments bounds the JSON columns that are searched.
const mostDocuments = 8

// askDocuments searches JSON columns of history tables for rows of a table by its
// key.
func askDocuments(ctx context.Context, c *inv.Collector, s inv.Able[sources.Querier], t catalog.Table) error {
	m, ok := ownKey(t)
	if !ok || t.History != "" {
		return nil
	}
	writers, err := s.Ability.Query(ctx, sources.Query{SQL: writersSQL, Note: "triggers that write other tables"})
	if err != nil {
		return ctx.Err() // the reason is recorded with the writers
	}
	columns, err := s.Ability.Query(ctx, sources.Query{SQL: documentColumnsSQL, Args: []string{textArray(written(writers, t))}, Note: "JSON columns that may hold versions"})
	if err != nil {
		blindTo(c, s.Source.Name()+": JSON columns of history tables", err)
		return ctx.Err()
	}
	for i := range columns.Rows {
		if i == mostDocuments {
			c.Blind(s.Source.Name()+": more than "+itoa(mostDocuments)+" JSON columns may hold versions", "")
			break
		}
		table := catalog.Table{Schema: columns.Text(i, "schema"), Name: columns.Text(i, "name")}
		q := documentQuery(table, columns.Text(i, "column"), m)
		if _, err := askOne(ctx, c, s, rowAsk{"document[" + columns.Text(i, "column") + "|" + t.DisplayName() + "]", table, q}); err != nil {
			return err
		}
	}
	return nil
}

// written are the tables that triggers on a table insert into, with and without
// their schema.
func written(writers *sources.Table, t catalog.Table) []string {
	var out []string
	for i := range writers.Rows {
		if writers.Text(i, "on_table") != t.DisplayName() {
			continue
		}
		for _, m := range insertion.FindAllStringSubmatch(writers.Text(i, "code"), -1) {
			name := strings.Join(nameParts(m[1]), ".")
			if !strings.Contains(name, ".") {
				name = t.Schema + "." + name
			}
			out = append(out, name, strings.ToLower(name))
		}
	}
	return out
}

func documentQuery(t catalog.Table, column string, m catalog.Match) sources.Query {
	var where, args []string
	for i, name := range m.Columns {
		args = append(args, name, m.Parts[i].Text)
		where = append(where, fmt.Sprintf("lower(t.%s ->> $%d) = lower($%d)", catalog.QuoteIdent(column), len(args)-1, len(args)))
	}
	return sources.Query{
		SQL:  fmt.Sprintf("SELECT t.ctid::text AS \"%s\", t.xmin::text AS \"%s\", t.* FROM %s t WHERE %s LIMIT 20", colTID, colXmin, t.FullName(), strings.Join(where, " AND ")),
		Args: args, Scans: true, Note: "versions of the record in a JSON column",
	}
}

// readDocuments states the versions that were found so, and the contents in them.
func readDocuments(in inv.Input, r *inv.Reading) (looked int) {
	for _, e := range in.Evidence {
		how, table, _ := strings.Cut(e.Tag, ":")
		inside, ok := strings.CutPrefix(how, "document[")
		a := answer{evidence: e.ID, source: e.Source, at: e.CollectedAt}
		if e.Kind != inv.EvidenceTable || !ok || e.Decode(&a.Table) != nil {
			continue
		}
		looked++
		column, of, _ := strings.Cut(strings.TrimSuffix(inside, "]"), "|")
		by := map[bool]string{true: "trigger"}[writtenByTrigger(answers(in, "writers"), table, of, a.source)]
		for i := range a.Rows {
			op := operationOf(a, i)
			f := inv.Fact{
				Kind: inv.RowInHistory, Ground: inv.GroundTruth, Evidence: []string{a.evidence}, Time: writtenAt(a, i),
				Attrs: map[string]string{"table": table, "operation": op, "server": a.source, "of": of, "written-by": by, "column": column},
			}
			f.Says = strings.TrimSpace(fmt.Sprintf("%s has a row that holds the record in %s %s", table, column, op))
			if !f.Time.IsZero() {
				f.Says += ", written " + clock(f.Time)
			}
			r.Facts = append(r.Facts, f)
			if row := document(a.Text(i, column)); row != nil {
				r.Recovered = slices.Insert(r.Recovered, 0, inv.Recovered{Table: of, Row: row, Origin: "history", Evidence: []string{a.evidence}})
			}
		}
		if n := len(a.Rows); n > 0 {
			r.Outcome = inv.Found
			r.Summary = joinLine(r.Summary, fmt.Sprintf("%s in %s", plural(n, "version"), table))
		}
	}
	return looked
}

// document reads a JSON object as a row: values as PostgreSQL prints them, as far as
// JSON keeps them.
func document(text string) map[string]*string {
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	var fields map[string]any
	if dec.Decode(&fields) != nil {
		return nil
	}
	out := map[string]*string{}
	for name, v := range fields {
		s := ""
		switch v := v.(type) {
		case nil:
			out[name] = nil
			continue
		case string:
			s = v
		case bool:
			s = map[bool]string{true: "t", false: "f"}[v]
		case json.Number:
			s = v.String()
		default:
			b, err := json.Marshal(v)
			if err != nil {
				continue
			}
			s = string(b)
		}
		out[name] = &s
	}
	return out
}

// writtenAt is the first time in a row, which is when a history row was written.
func writtenAt(a answer, row int) time.Time {
	for _, name := range a.Columns {
		v, ok := a.Cell(row, name)
		if !ok || !looksLikeTime(v) {
			continue
		}
		if t, err := time.Parse("2006-01-02 15:04:05.999999999-07", v); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}
