package probes

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	inv "inquest/investigations"
	"inquest/sources"
	"inquest/sources/catalog"
)

// twinsAtMost is how many rows may share a key before it is no natural key.
const twinsAtMost = 3

func databaseHints() inv.Probe {
	return inv.Probe{
		ID: "database.hints", Step: inv.StepDatabase, Phase: inv.PhaseRows, Title: "Rows with the natural key",
		Asks:     "Does another row of these tables carry the record's natural key under another id?",
		Why:      "A retry that was stored, a duplicate and a row that was removed and stored again are found by their natural key, not by their id.",
		Negative: "Rows whose key stands in a column of another name, or inside JSON (name it as --hint column.path.to.it=…); rows that were removed too.",
		Needs:    "a natural key (--hint reference=…), and SELECT on the table",
		Timeout:  2 * time.Minute,
		Collect:  collectHintRows,
		Read:     readHintRows,
	}
}

func collectHintRows(ctx context.Context, c *inv.Collector) error {
	if len(c.Record.Hints) == 0 {
		return nil
	}
	servers := inv.With[sources.Querier](c)
	if len(servers) == 0 {
		return noServer(c)
	}
	for _, s := range servers {
		asked := 0
		for _, t := range ownTables(c, s.Source.Name()) {
			q, by, ok := hintQuery(t, c.Record.Hints)
			if !ok {
				continue
			}
			asked++
			if _, err := askOne(ctx, c, s, rowAsk{"hint[" + by + "]", t, q}); err != nil {
				return err
			}
		}
		if asked == 0 {
			c.Blind(s.Source.Name()+": no table that can hold the id has a column named like "+strings.Join(slices.Sorted(maps.Keys(c.Record.Hints)), ", "),
				"name the column as it is in the table, or a path in a JSON column as --hint column.path.to.it=…")
		}
	}
	return nil
}

// Names of the columns that hintQuery adds; they cannot clash with the table's.
const colKey = "inquest.pk"

// hintQuery asks for the rows whose columns hold all the hints that the table
// has columns for; by names them. The cost is guarded by the source: without an
// index it is a scan.
func hintQuery(t catalog.Table, hints map[string]string) (q sources.Query, by string, ok bool) {
	var parts []catalog.KeyPart
	var conds, columns, args []string
	for _, name := range slices.Sorted(maps.Keys(hints)) {
		if col, path, found := jsonHint(t, name); found {
			args = append(args, hints[name])
			conds = append(conds, fmt.Sprintf("t.%s #>> %s = $%d", catalog.QuoteIdent(col), pathLiteral(path), len(args)))
			columns = append(columns, col+"."+strings.Join(path, "."))
			continue
		}
		if col := columnNamed(t, name); col != "" {
			parts = append(parts, catalog.KeyPart{Column: col, Value: hints[name]})
		}
	}
	for _, p := range parts {
		m := t.Match(catalog.Key{ID: p.Value, Parts: []catalog.KeyPart{p}})
		if len(m) == 0 {
			continue // the column cannot hold the value
		}
		where, value := t.KeyCondition(m[0])
		args = append(args, value...)
		conds = append(conds, strings.Replace(where, "$1", fmt.Sprintf("$%d", len(args)), 1))
		columns = append(columns, p.Column)
	}
	if len(conds) == 0 {
		return q, "", false
	}
	slices.Sort(columns)
	return sources.Query{
		SQL: fmt.Sprintf("SELECT %s AS \"%s\", t.ctid::text AS \"%s\", t.xmin::text AS \"%s\", t.* FROM %s t WHERE %s LIMIT 20",
			keyText(t), colKey, colTID, colXmin, t.FullName(), strings.Join(conds, " and ")),
		Args: args, Scans: true, Note: "rows with the natural key",
	}, strings.Join(columns, ", "), true
}

// columnNamed is the column that a natural key is named for, whatever its case
// and underscores; the primary key's own columns are none.
func columnNamed(t catalog.Table, hint string) string {
	plain := func(s string) string {
		return strings.ToLower(strings.NewReplacer("_", "", "-", "", " ", "").Replace(s))
	}
	for _, c := range t.Columns {
		if !c.Dropped && !slices.Contains(t.PrimaryKey, c.AttNum) && plain(c.Name) == plain(hint) {
			return c.Name
		}
	}
	return ""
}

// jsonHint reads a natural key such as Data.source.reference: a JSON column and
// a path in it. A JSON column is only searched when it is asked for like this.
func jsonHint(t catalog.Table, hint string) (column string, path []string, ok bool) {
	parts := strings.Split(hint, ".")
	if len(parts) < 2 {
		return "", nil, false
	}
	c := t.ColumnLike(parts[0])
	if c == nil || c.TypeName != "jsonb" && c.TypeName != "json" {
		return "", nil, false
	}
	return c.Name, parts[1:], true
}

// pathLiteral is a text[] literal.
func pathLiteral(path []string) string {
	quoted := make([]string, 0, len(path))
	for _, p := range path {
		quoted = append(quoted, "'"+strings.ReplaceAll(p, "'", "''")+"'")
	}
	return "ARRAY[" + strings.Join(quoted, ", ") + "]::text[]"
}

// keyText is SQL that prints a row's primary key as an id is written: the value,
// or column=value for several columns.
func keyText(t catalog.Table) string {
	var cols []string
	for _, att := range t.PrimaryKey {
		if int(att) <= len(t.Columns) && att > 0 {
			cols = append(cols, t.Columns[att-1].Name)
		}
	}
	switch len(cols) {
	case 0:
		return "t.ctid::text"
	case 1:
		return "t." + catalog.QuoteIdent(cols[0]) + "::text"
	}
	var parts []string
	for _, c := range cols {
		parts = append(parts, "'"+strings.ReplaceAll(c, "'", "''")+"=' || t."+catalog.QuoteIdent(c)+"::text")
	}
	return strings.Join(parts, " || ',' || ")
}

func readHintRows(in inv.Input) inv.Reading {
	if len(in.Record.Hints) == 0 {
		return inv.Reading{Outcome: inv.NotApplicable, Summary: "no natural key was given (--hint NAME=VALUE)"}
	}
	r := inv.Reading{Outcome: inv.Absent}
	looked, hidden := 0, false
	var tables []string
	for _, e := range in.Evidence {
		how, table, _ := strings.Cut(e.Tag, ":")
		a := answer{evidence: e.ID, source: e.Source, at: e.CollectedAt}
		if e.Kind != inv.EvidenceTable || !strings.HasPrefix(how, "hint[") || e.Decode(&a.Table) != nil {
			continue
		}
		looked++
		hidden = hidden || a.Filtered
		by := strings.TrimSuffix(strings.TrimPrefix(how, "hint["), "]")
		tables = append(tables, table+" by "+by)
		facts, says := hintRowFacts(in, a, table, by)
		r.Facts = append(r.Facts, facts...)
		r.Summary = joinLine(r.Summary, says)
		if len(facts) > 0 {
			r.Outcome = inv.Found
		}
	}
	switch {
	case looked == 0:
		return inv.BlindReading(in.Blind)
	case r.Outcome == inv.Absent && hidden:
		r.Outcome, r.Summary, r.Opens = inv.BlindOutcome, "row-level security may have hidden rows from this role", "connect as the table's owner or a role with BYPASSRLS"
	case r.Outcome == inv.Absent && r.Summary == "":
		r.Summary = "no row carries it: " + short(strings.Join(tables, ", "), 200)
	}
	return r
}

// hintRowFacts are the rows of one answer under another id than the record's.
func hintRowFacts(in inv.Input, a answer, table, by string) ([]inv.Fact, string) {
	var out []inv.Fact
	own := 0
	for i := range a.Rows {
		key := a.Text(i, colKey)
		if isRecord(key, in.Record) {
			own++
			continue
		}
		f := inv.Fact{
			Kind: inv.RowTwin, Ground: inv.GroundTruth, Time: a.at, Evidence: []string{a.evidence},
			Attrs: map[string]string{"table": table, "server": a.source, "key": key, "by": by, "xid": a.Text(i, colXmin), "from": "hint"},
			Says:  fmt.Sprintf("a row of %s carries the same %s under the key %s", table, by, key),
		}
		if column, at := createdOf(a, i); at != "" {
			f.Attrs["created"] = at
			f.Says += fmt.Sprintf(" (%s %s)", column, at)
		}
		out = append(out, f)
	}
	switch {
	case len(out) > twinsAtMost:
		n := plural(len(out), "other row")
		if a.Truncated || len(a.Rows) == 20 {
			n = "many other rows"
		}
		return nil, fmt.Sprintf("%s of %s share %s: too many for a natural key", n, table, by)
	case len(out) > 0:
		says := make([]string, 0, len(out))
		for _, f := range out {
			says = append(says, f.Says)
		}
		return out, strings.Join(says, "; ")
	case own > 0:
		return nil, "only the record's own row carries it in " + table
	}
	return nil, ""
}

// isRecord reports whether a row's key is the record's id.
func isRecord(key string, rec inv.Record) bool {
	if strings.EqualFold(key, rec.ID) || len(bare(key)) == 32 && strings.EqualFold(bare(key), bare(rec.ID)) {
		return true
	}
	got := inv.Record{ID: key}.Composite()
	if len(got) == 0 {
		return false
	}
	want := rec.Composite()
	if len(want) == 0 { // one value of a composite key means every row that has it
		return slices.ContainsFunc(got, func(p inv.KeyPart) bool { return strings.EqualFold(p.Value, rec.ID) })
	}
	for _, w := range want {
		if !slices.ContainsFunc(got, func(p inv.KeyPart) bool {
			return strings.EqualFold(p.Column, w.Column) && strings.EqualFold(p.Value, w.Value)
		}) {
			return false
		}
	}
	return true
}

// createdOf is when a row says that it was created.
func createdOf(a answer, row int) (column, at string) {
	for _, name := range a.Columns {
		switch strings.ToLower(strings.ReplaceAll(name, "_", "")) {
		case "created", "createdat", "createdon", "createddate", "creationtime", "createdtime", "insertedat", "inserted", "datecreated", "creationdate":
			if v, ok := a.Cell(row, name); ok {
				return name, v
			}
		}
	}
	return "", ""
}
