package probes

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	inv "inquest/investigations"
	"inquest/sources"
	"inquest/sources/catalog"
)

// mirrorsSQL lists the tables that have every column of another: archives and
// history tables made LIKE it, staging tables, backups made by CREATE TABLE AS.
const mirrorsSQL = `SELECT n.nspname AS schema, c.relname AS name
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm') AND NOT c.relispartition AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp_)'
  AND NOT (n.nspname = $2 AND c.relname = $3)
  AND (SELECT count(*) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attname = ANY ($1::text[])) = cardinality($1::text[])
ORDER BY c.relname <> $3, position(rtrim($3, 's') IN c.relname) = 0, 1, 2 LIMIT 9`

// mostMirrors bounds the tables of the same columns that are asked.
const mostMirrors = 8

// fewestMirrored is how many columns tables must share to be taken for copies of
// each other's rows: many tables are an id and a name.
const fewestMirrored = 3

// askCopies asks the tables that have all of a table's columns for a row with its
// key, except those that are asked as tables of the record themselves. It returns
// the names of those that it asked.
func askCopies(ctx context.Context, c *inv.Collector, s inv.Able[sources.Querier], t catalog.Table, own []catalog.Table) (asked []string, err error) {
	m, ok := ownKey(t)
	lister, can := s.Source.(catalogue)
	columns := liveColumns(t)
	if !ok || !can || len(columns) < fewestMirrored {
		return nil, nil
	}
	mirrors, err := s.Ability.Query(ctx, sources.Query{SQL: mirrorsSQL, Args: []string{textArray(columns), t.Schema, t.Name}, Note: "tables with the same columns"})
	if err != nil {
		blindTo(c, s.Source.Name()+": tables with the same columns as "+t.DisplayName(), err)
		return nil, ctx.Err()
	}
	for i := range mirrors.Rows {
		if i == mostMirrors {
			c.Blind(s.Source.Name()+": more than "+itoa(mostMirrors)+" tables have the columns of "+t.DisplayName(), "")
			break
		}
		name := catalog.Table{Schema: mirrors.Text(i, "schema"), Name: mirrors.Text(i, "name")}
		if slices.ContainsFunc(own, func(o catalog.Table) bool { return o.DisplayName() == name.DisplayName() }) {
			continue
		}
		key := keyOf(c.Record)
		key.Table = name.FullName()
		described, err := lister.Candidates(ctx, key, 1)
		if err != nil {
			blindTo(c, s.Source.Name()+": "+name.DisplayName(), err)
			continue
		}
		if err := askCopy(ctx, c, s, t, m, described); err != nil {
			return asked, err
		}
		asked = append(asked, name.DisplayName())
	}
	return asked, nil
}

// askCopy asks one table of the same columns by the columns that are the key of the
// original. A row there is a copy when the table is named as one that keeps copies of
// the original's rows; else only when all of its content is the row's or, where that is
// not known, when the transaction that took the row wrote it: a number is the key of many.
func askCopy(ctx context.Context, c *inv.Collector, s inv.Able[sources.Querier], t catalog.Table, m catalog.Match, described []catalog.Table) error {
	server := s.Source.Name()
	for _, d := range described {
		i := slices.IndexFunc(d.Matches, func(o catalog.Match) bool { return slices.Equal(o.Columns, m.Columns) })
		if i < 0 {
			continue
		}
		q := keyQuery(d, d.Matches[i])
		q.Scans, q.Settings, q.Note = true, nil, "copies of the row in a table with the same columns"
		found, err := s.Ability.Query(ctx, q)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			blindTo(c, server+": "+d.DisplayName(), err)
			continue
		}
		if !keepsCopies(d, t) {
			row, _ := knownContent(c, server, t)
			gone, a := goneAt(c, t, server).xid, answer{Table: *found}
			kept := found.Rows[:0]
			for n := range found.Rows {
				if sameContent(a, n, row) || row == nil && gone != "" && a.Text(n, colXmin) == gone {
					kept = append(kept, found.Rows[n])
				}
			}
			found.Rows = kept
		}
		tag := "copy[" + strings.Join(append([]string{t.DisplayName()}, liveColumns(t)...), unitSeparator) + "]:" + d.DisplayName()
		if err := c.Keep(inv.EvidenceTable, server, statement(q), tag, found); err != nil {
			return err
		}
	}
	return nil
}

// sameContent reports whether a row of an answer has every value of a row whose
// content is known.
func sameContent(a answer, n int, row content) bool {
	for name, want := range row {
		got, notNull := a.Cell(n, name)
		if notNull != (want != nil) || notNull && got != *want {
			return false
		}
	}
	return len(row) > 0
}

// keepsCopies reports whether a table is named for another whose rows it keeps:
// the same name in another schema, or the name with words such as archive, old, 2024
// beside it.
func keepsCopies(d, of catalog.Table) bool {
	if strings.EqualFold(d.Name, of.Name) {
		return d.Schema != of.Schema
	}
	name, base := strings.ToLower(d.Name), strings.ToLower(of.Name)
	if strings.Replace(name, "historical", "", 1) == base { // django-simple-history: app_historicalorder
		return true
	}
	for _, form := range []string{base, stem(base)} {
		if before, after, ok := strings.Cut(name, form); ok && form != "" && copyWords.MatchString(before+"_"+strings.TrimPrefix(after, "s")) {
			return true
		}
	}
	return false
}

var copyWords = regexp.MustCompile(`^[_-]*(?:(?:archived?|arch|hist(?:ory)?|historical|old|prev(?:ious)?|bak|backup|copy|copies|saved?|snapshot|deleted|removed|trash|log|aud(?:it)?|versions?|\d+|v\d+)[_-]*)+$`)

// unitSeparator stands between names in a tag; no name holds it.
const unitSeparator = "\x1f"

func liveColumns(t catalog.Table) []string {
	var out []string
	for _, c := range t.Columns {
		if !c.Dropped {
			out = append(out, c.Name)
		}
	}
	return out
}

// readCopies states the copies that were found, and the content in them.
func readCopies(in inv.Input, r *inv.Reading) (looked int) {
	for _, e := range in.Evidence {
		inside, ok := strings.CutPrefix(e.Tag, "copy[")
		a := answer{evidence: e.ID, source: e.Source, at: e.CollectedAt}
		if e.Kind != inv.EvidenceTable || !ok || e.Decode(&a.Table) != nil {
			continue
		}
		looked++
		head := inside[:max(strings.LastIndex(inside, "]:"), 0)]
		table := strings.TrimPrefix(inside[len(head):], "]:")
		columns := strings.Split(head, unitSeparator)
		of, columns := columns[0], columns[1:]
		by := map[bool]string{true: "trigger"}[writtenByTrigger(answers(in, "writers"), table, of, a.source)]
		for i := range a.Rows {
			op := operationOf(a, i, columns...)
			r.Facts = append(r.Facts, inv.Fact{
				Kind: inv.RowInHistory, Ground: inv.GroundTruth, Evidence: []string{a.evidence},
				Attrs: map[string]string{"table": table, "operation": op, "server": a.source, "of": of, "written-by": by, "copy": "true", "xmin": a.Text(i, colXmin)},
				Says:  fmt.Sprintf("%s, which has the columns of %s, has a row with the key%s", table, of, map[bool]string{true: " and the operation " + op}[op != ""]),
			})
			r.Recovered = append(r.Recovered, inv.Recovered{Table: of, Row: rowOf(a, i, columns), Origin: "history", Evidence: []string{a.evidence}})
		}
		if n := len(a.Rows); n > 0 {
			r.Outcome = inv.Found
			r.Summary = joinLine(r.Summary, fmt.Sprintf("%s with the key in %s, which has the same columns", plural(n, "row"), table))
		}
	}
	return looked
}

func rowOf(a answer, row int, columns []string) map[string]*string {
	out := map[string]*string{}
	for _, name := range columns {
		if v, ok := a.Cell(row, name); ok {
			out[name] = &v
		} else {
			out[name] = nil
		}
	}
	return out
}
