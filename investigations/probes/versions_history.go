package probes

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	inv "inquest/investigations"
	"inquest/sources"
	"inquest/sources/catalog"
)

// mostReferences is how many tables that may refer to the record are asked.
const mostReferences = 12

func versionsHistory() inv.Probe {
	return inv.Probe{
		ID: "versions.history", Step: inv.StepVersions, Phase: inv.PhaseRows, Title: "History and references",
		Asks:     "Does a history, audit or archive table hold a version of the record, and do other tables still refer to it?",
		Why:      "A history row or a dangling reference proves that the record existed, and may hold its content.",
		Negative: "Tables without an index on the id that are too large to read; copies kept outside this database.",
		Needs:    "SELECT on those tables",
		Timeout:  time.Minute,
		Sends:    "for each column that can refer to the id:\nSELECT ctid, xmin, * FROM table WHERE column = $1",
		Collect:  collectHistory,
		Read:     readHistory,
	}
}

func collectHistory(ctx context.Context, c *inv.Collector) error {
	servers := inv.With[sources.Querier](c)
	if len(servers) == 0 {
		return noServer(c)
	}
	if err := ask(ctx, c, "writers", sources.Query{SQL: writersSQL, Note: "triggers that write other tables"}); err != nil {
		return err
	}
	for _, s := range servers {
		own, seen, copies := ownTables(c, s.Source.Name()), seenIn(c.Facts), []string(nil)
		for _, t := range closeTables(c, s.Source.Name()) {
			if err := askDocuments(ctx, c, s, t); err != nil {
				return err
			}
			if len(own) > mostMirrors && rank(seen, &t) == 0 {
				continue // one of many tables, of which nothing is known
			}
			asked, err := askCopies(ctx, c, s, t, own)
			if err != nil {
				return err
			}
			copies = append(copies, asked...)
		}
		if err := askReferences(ctx, c, s, copies); err != nil {
			return err
		}
	}
	return nil
}

// askReferences asks the columns that can refer to the record, in tables other than
// those that were asked as copies.
func askReferences(ctx context.Context, c *inv.Collector, s inv.Able[sources.Querier], copies []string) error {
	asked := 0
	for _, t := range referring(ctx, c, s.Source) {
		if slices.Contains(copies, t.DisplayName()) {
			continue
		}
		for _, ref := range references(c, t) {
			if asked++; asked > mostReferences {
				c.Blind("more than "+itoa(mostReferences)+" columns could refer to the id", "")
				return nil
			}
			q := keyQuery(t, ref.match)
			q.Scans, q.Note = true, "rows that refer to the record"
			if _, err := askOne(ctx, c, s, rowAsk{"reference[" + ref.of + "]", t, q}); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

// referring are the tables in which columns that refer to the record are looked
// for: those that were described, and where a person named the record's table, which
// is then the only one, those of the whole database.
func referring(ctx context.Context, c *inv.Collector, s sources.Source) []catalog.Table {
	var out []catalog.Table
	for _, found := range tablesOf(c.Runs["database.tables"].Evidence) {
		if found.Server == s.Name() {
			out = append(out, found.Tables...)
		}
	}
	lister, can := s.(catalogue)
	if c.Record.Table == "" || !can || len(out) == 0 {
		return out
	}
	key := keyOf(c.Record)
	key.Table = ""
	all, err := lister.Candidates(ctx, key, mostTables)
	if err != nil {
		blindTo(c, s.Name()+": tables that may refer to the record", err)
		return out
	}
	for _, t := range all {
		if !slices.ContainsFunc(out, func(o catalog.Table) bool { return o.OID == t.OID }) {
			out = append(out, t)
		}
	}
	return out
}

// reference is a column of one table that can refer to a record of another.
type reference struct {
	match catalog.Match
	of    string // the other table, "" when the column does not say
}

// references returns the columns by which a table can refer to the record
// without being its own table. A number refers to a record only from a column
// that is named for its table.
func references(c *inv.Collector, t catalog.Table) []reference {
	in := inv.Input{Record: c.Record, Facts: c.Facts}
	n, tables := newNaming(in), tablesMeant(in)
	var out []reference
	key, _ := ownKey(t)
	for _, m := range t.Matches {
		if m.Primary || m.Unique || len(m.Columns) != 1 || slices.Equal(m.Columns, key.Columns) {
			continue
		}
		base, isID := n.idField(m.Columns[0])
		i := slices.IndexFunc(tables, func(name string) bool { return base != "" && stem(name) == base })
		switch {
		case i >= 0:
			out = append(out, reference{m, tables[i]})
		case n.random && isID && base != "", t.History != "" && n.random:
			out = append(out, reference{m, ""})
		}
	}
	return out
}

// writersSQL lists triggers whose code inserts, for those that write history.
const writersSQL = `SELECT t.tgname AS name, n.nspname || '.' || c.relname AS on_table, left(p.prosrc, 6000) AS code
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_proc p ON p.oid = t.tgfoid
WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' AND p.prosrc ~* '\minsert\s+into\M' ORDER BY 2, 1 LIMIT 200`

// writtenByTrigger reports whether a trigger on a table writes the history table.
func writtenByTrigger(list []answer, history, of, server string) bool {
	schema, table, _ := strings.Cut(history, ".")
	for _, a := range list {
		for i := range a.Rows {
			for _, m := range insertion.FindAllStringSubmatch(a.Text(i, "code"), -1) {
				if a.source == server && (of == "" || a.Text(i, "on_table") == of) && isTable(m[1], schema, table) {
					return true
				}
			}
		}
	}
	return false
}

func readHistory(in inv.Input) inv.Reading {
	looked := 0
	r := inv.Reading{Outcome: inv.Absent}
	for _, e := range in.Evidence {
		how, table, _ := strings.Cut(e.Tag, ":")
		a := answer{evidence: e.ID, source: e.Source, at: e.CollectedAt}
		if e.Kind != inv.EvidenceTable || !strings.HasPrefix(how, "reference") || e.Decode(&a.Table) != nil {
			continue
		}
		of := strings.TrimSuffix(strings.TrimPrefix(how, "reference["), "]")
		by := map[bool]string{true: "trigger"}[writtenByTrigger(answers(in, "writers"), table, of, a.source)]
		looked++
		for i := range a.Rows {
			op, of := operationOf(a, i), orElse(of, tableSaid(a, i, tablesMeant(in)))
			says := table + " has a row that names the id"
			if op != "" {
				says += ", with the operation " + op
			}
			r.Facts = append(r.Facts, inv.Fact{
				Kind: inv.RowInHistory, Ground: inv.GroundTruth, Evidence: []string{a.evidence},
				Attrs: map[string]string{"table": table, "operation": op, "server": a.source, "of": of, "written-by": by},
				Says:  says,
			})
		}
		if n := len(a.Rows); n > 0 {
			r.Outcome = inv.Found
			r.Summary = joinLine(r.Summary, fmt.Sprintf("%s in %s", plural(n, "row"), table))
		}
	}
	looked += readDocuments(in, &r) + readCopies(in, &r)
	switch {
	case looked > 0 && r.Outcome == inv.Absent:
		r.Summary = "no row of " + plural(looked, "other table") + " names the id"
	case looked == 0 && len(in.Blind) > 0:
		return inv.BlindReading(in.Blind)
	case looked == 0:
		return inv.Reading{Outcome: inv.NotApplicable, Summary: "no other table has a column that could name the id"}
	}
	return r
}

// tableSaid is the table that an audit row of many tables says it is about, such as
// orders in table_name or Order in item_type, when it is one of those meant.
func tableSaid(a answer, row int, tables []string) string {
	for _, name := range a.Columns {
		n := strings.ToLower(name)
		if !strings.HasSuffix(n, "_type") && !strings.Contains(n, "table") && !strings.Contains(n, "entity") && !strings.Contains(n, "model") {
			continue
		}
		value := a.Text(row, name)
		for _, t := range tables {
			if value != "" && (strings.EqualFold(value, t) || stem(value) == stem(t)) {
				return t
			}
		}
	}
	return ""
}

// operationOf reads the operation of an audit row, such as DELETE, from a column
// that is named for it and is none of the record's own. Some tools have their own words: paper_trail's destroy, the
// signs of django-simple-history, the numbers of Hibernate Envers.
func operationOf(a answer, row int, own ...string) string {
	for _, name := range a.Columns {
		if slices.Contains(own, name) {
			continue
		}
		v := strings.ToUpper(strings.TrimSpace(a.Text(row, name)))
		switch strings.ToLower(name) {
		case "operation", "op", "action", "tg_op", "event", "event_type", "change_type", "audit_action", "type", "history_type", "verb":
			switch {
			case v == "D" || v == "-" || strings.HasPrefix(v, "DELETE") || strings.HasPrefix(v, "DESTROY"):
				return "delete"
			case v == "I" || v == "+" || strings.HasPrefix(v, "INSERT") || strings.HasPrefix(v, "CREATE"):
				return "insert"
			case v == "U" || v == "~" || strings.HasPrefix(v, "UPDATE"):
				return "update"
			}
		case "revtype":
			if op := map[string]string{"0": "insert", "1": "update", "2": "delete"}[v]; op != "" {
				return op
			}
		}
	}
	return ""
}
