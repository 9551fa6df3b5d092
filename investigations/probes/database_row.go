package probes

import (
	"context"
	"fmt"
	"time"

	inv "inquest/investigations"
	"inquest/sources"
	"inquest/sources/catalog"
)

func databaseRow() inv.Probe {
	return inv.Probe{
		ID: "database.row", Step: inv.StepDatabase, Phase: inv.PhaseRows, Title: "Row now",
		Asks:     "Is the row there now: by its key, without the index, as the application's role, or under a slightly different id?",
		Why:      "A row that is present, hidden by a flag or a policy, or spelt differently was never lost.",
		Negative: "Other databases and servers; tables that the role may not SELECT.",
		Needs:    "SELECT on the table; BYPASSRLS or ownership where it has row-level security",
		Timeout:  2 * time.Minute,
		Sends:    "for each table that can hold the id, in a read-only transaction:\nSELECT ctid, xmin, * FROM table WHERE key = $1   -- by the index\nSELECT ctid, xmin, * FROM table WHERE key = $1   -- by the heap, where the budget allows\nand, with --as, the same in the application's role",
		Collect:  collectRow,
		Read:     readRow,
	}
}

// rowAsk is one way of asking a table for the record.
type rowAsk struct {
	how   string // tag: key, heap, role, near
	table catalog.Table
	query sources.Query
}

func collectRow(ctx context.Context, c *inv.Collector) error {
	servers := inv.With[sources.Querier](c)
	if len(servers) == 0 {
		return noServer(c)
	}
	seen := map[string]map[string]bool{} // tables with the row, by system identifier
	var without []rowLess
	for _, s := range standbysFirst(c, servers) {
		tables := closeTables(c, s.Source.Name())
		if len(tables) == 0 {
			c.Blind(s.Source.Name()+": no table with a key that the id fits is known", "name the table with --table")
		}
		hit, err := askFar(ctx, c, s, tables)
		if err != nil {
			return err
		}
		tables = append(tables, hit...)
		cluster := serverSays(c.Facts, s.Source.Name(), "system_identifier")
		if seen[cluster] == nil {
			seen[cluster] = map[string]bool{}
		}
		for _, t := range tables {
			found, err := askTable(ctx, c, s, t)
			if err != nil {
				return err
			}
			switch {
			case found:
				seen[cluster][t.DisplayName()] = true
			case serverSays(c.Facts, s.Source.Name(), "in_recovery") == "t":
				without = append(without, rowLess{s, t, cluster})
			}
		}
	}
	// A standby that was asked before the primary showed the row is asked once more:
	// the row may have come in between.
	for _, w := range without {
		if m, ok := ownKey(w.table); ok && seen[w.cluster][w.table.DisplayName()] {
			if _, err := askOne(ctx, c, w.server, rowAsk{"later", w.table, keyQuery(w.table, m)}); err != nil {
				return err
			}
		}
	}
	return nil
}

// rowLess is a standby's table that did not show the row.
type rowLess struct {
	server  inv.Able[sources.Querier]
	table   catalog.Table
	cluster string
}

// askTable asks by key first; only a table that does not show the row is then
// searched without its index and for similar ids. It reports whether the key found
// the row.
func askTable(ctx context.Context, c *inv.Collector, s inv.Able[sources.Querier], t catalog.Table) (bool, error) {
	m, _ := ownKey(t)
	if err := askRekeyed(ctx, c, s, t, m); err != nil {
		return false, err
	}
	byKey, err := askOne(ctx, c, s, rowAsk{"key", t, keyQuery(t, m)})
	if err != nil || byKey == nil {
		return false, err
	}
	if len(byKey.Rows) > 0 {
		if c.Options.AppRole == "" {
			return true, nil
		}
		q := keyQuery(t, m)
		q.As, q.Settings, q.Note = c.Options.AppRole, c.Options.AppSettings, "the row as the application's role sees it"
		_, err = askOne(ctx, c, s, rowAsk{"role", t, q})
		return true, err
	}
	if m.Lead { // else it was asked without an index
		if err := askHeap(ctx, c, s, t, m); err != nil {
			return false, err
		}
	}
	if err := askTwins(ctx, c, s, t, m); err != nil {
		return false, err
	}
	for _, q := range nearQueries(t, m) {
		if _, err := askOne(ctx, c, s, rowAsk{"near", t, q}); err != nil {
			return false, err
		}
	}
	return false, nil
}

// askHeap asks without the index. A row that is found so is asked for by its key
// once more: it may have been committed in between.
func askHeap(ctx context.Context, c *inv.Collector, s inv.Able[sources.Querier], t catalog.Table, m catalog.Match) error {
	q := keyQuery(t, m)
	q.Scans, q.Note = true, "the row with index scans off"
	q.Settings = map[string]string{"enable_indexscan": "off", "enable_indexonlyscan": "off", "enable_bitmapscan": "off"}
	found, err := askOne(ctx, c, s, rowAsk{"heap", t, q})
	if err != nil || found == nil || len(found.Rows) == 0 {
		return err
	}
	_, err = askOne(ctx, c, s, rowAsk{"again", t, keyQuery(t, m)})
	return err
}

// askOne keeps the answer under a tag that names the way and the table. A nil
// table without an error means that the server could not answer.
func askOne(ctx context.Context, c *inv.Collector, s inv.Able[sources.Querier], a rowAsk) (*sources.Table, error) {
	t, err := s.Ability.Query(ctx, a.query)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		blindTo(c, s.Source.Name()+": "+a.table.DisplayName(), err)
		return nil, nil
	}
	return t, c.Keep(inv.EvidenceTable, s.Source.Name(), statement(a.query), a.how+":"+a.table.DisplayName(), t)
}

func keyQuery(t catalog.Table, m catalog.Match) sources.Query {
	where, args := t.KeyCondition(m)
	return sources.Query{
		SQL:  fmt.Sprintf("SELECT t.ctid::text AS \"%s\", t.xmin::text AS \"%s\", t.* FROM %s t WHERE %s LIMIT 20", colTID, colXmin, t.FullName(), where),
		Args: args, Note: "the row by its key", Scans: !m.Lead, Settings: map[string]string{"enable_seqscan": "off"},
	}
}
