package probes

import (
	"context"
	"errors"
	"strings"
	"time"

	inv "inquest/investigations"
	"inquest/sources"
	"inquest/sources/catalog"
)

// mostTables is how many tables are described at most; a schema with more needs
// --table.
const mostTables = 500

func databaseTables() inv.Probe {
	return inv.Probe{
		ID: "database.tables", Step: inv.StepDatabase, Phase: inv.PhaseCatalogue, Title: "Tables that can hold the id",
		Asks:     "Which tables have a key that the id fits, and what in the catalogue could make a row of them vanish?",
		Why:      "Everything else looks in these tables; their triggers, rules, policies and cascades are suspects.",
		Negative: "Other databases of the cluster; a table that was dropped since.",
		Needs:    "a connection (--db); no privilege beyond connecting",
		Timeout:  30 * time.Second,
		Collect:  collectTables,
		Read:     readTables,
	}
}

func collectTables(ctx context.Context, c *inv.Collector) error {
	servers := inv.With[catalogue](c)
	if len(servers) == 0 {
		return noServer(c)
	}
	for _, s := range servers {
		tables, err := s.Ability.Candidates(ctx, keyOf(c.Record), mostTables+1)
		if err != nil {
			blindTo(c, s.Source.Name(), err)
			continue
		}
		if err := keepTables(c, s.Source.Name(), tables); err != nil {
			return err
		}
	}
	if len(inv.With[sources.Querier](c)) == 0 {
		return nil
	}
	return ask(ctx, c, "triggers", sources.Query{SQL: deletingTriggersSQL, Note: "triggers whose code removes rows"})
}

// deletingTriggersSQL lists triggers of any table whose function removes rows.
const deletingTriggersSQL = `SELECT t.tgname AS name, n.nspname || '.' || c.relname AS on_table, t.tgtype::int & 4 > 0 AS insert, t.tgtype::int & 16 > 0 AS update,
  t.tgtype::int & 8 > 0 AS delete, p.oid::regprocedure::text AS function, left(p.prosrc, 6000) AS code
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_proc p ON p.oid = t.tgfoid
WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' AND p.prosrc ~* '\m(delete\s+from|truncate|merge\s+into|execute)\M' ORDER BY 2, 1 LIMIT 200`

// keepTables keeps one item a table, so that one with a thousand columns does
// not push out the others, and as many as it takes of a table with many partitions.
func keepTables(c *inv.Collector, server string, tables []catalog.Table) error {
	query := "catalogue: tables with a column that fits " + c.Record.ID
	if err := c.Keep(evidenceTables, server, query, "", candidates{Server: server, Cut: len(tables) > mostTables}); err != nil {
		return err
	}
	for _, t := range tables[:min(len(tables), mostTables)] {
		if err := keepTable(c, server, query, candidates{Server: server, Tables: []catalog.Table{t}}); err != nil {
			return err
		}
	}
	return nil
}

// keepTable keeps one table, in halves where one item cannot hold all partitions.
func keepTable(c *inv.Collector, server, query string, one candidates) error {
	t := one.Tables[0]
	err := c.Keep(evidenceTables, server, query, t.DisplayName(), one)
	var tooLarge *sources.Blind
	if !errors.As(err, &tooLarge) {
		return err
	}
	half := len(t.Leaves) / 2
	if half == 0 {
		c.Blind(t.DisplayName()+": "+tooLarge.Why, "")
		return c.Keep(evidenceTables, server, query, "", candidates{Server: server, Cut: true})
	}
	first, second := t, t
	first.Leaves, second.Leaves = t.Leaves[:half], t.Leaves[half:]
	if err := keepTable(c, server, query, candidates{Server: server, Tables: []catalog.Table{first}, Continues: one.Continues}); err != nil {
		return err
	}
	return keepTable(c, server, query, candidates{Server: server, Tables: []catalog.Table{second}, Continues: true})
}

// tablesOf returns what the probe stored, by server.
func tablesOf(evidence []inv.Evidence) []candidates {
	var out []candidates
	for _, e := range evidence {
		if e.Kind != evidenceTables {
			continue
		}
		found := candidates{evidence: e.ID}
		if e.Decode(&found) != nil {
			continue
		}
		if found.Continues && len(out) > 0 && len(out[len(out)-1].Tables) == 1 {
			t := &out[len(out)-1].Tables[0]
			t.Leaves = append(t.Leaves, found.Tables[0].Leaves...)
			continue
		}
		out = append(out, found)
	}
	return out
}

func readTables(in inv.Input) inv.Reading {
	stored := tablesOf(in.Evidence)
	if len(stored) == 0 {
		return noAnswer(in)
	}
	r := inv.Reading{Outcome: inv.Absent, Summary: "no table has a key that the id fits"}
	var own []string
	for _, found := range stored {
		for _, t := range found.Tables {
			if m, ok := ownKey(t); ok {
				own = append(own, t.DisplayName())
				if t.LeavesLeft > 0 {
					r.Facts = append(r.Facts, property(found.evidence, t.DisplayName(), "cut", itoa(t.LeavesLeft), plural(t.LeavesLeft, "partition")+" of "+t.DisplayName()+" are not followed: name one with --table"))
				}
				r.Facts = append(r.Facts, tableFacts{t, m, found.evidence, found.Server}.all()...)
			}
		}
		if found.Cut {
			r.Summary = "more tables fit than are followed"
			r.Facts = append(r.Facts, property(found.evidence, "", "cut", "true", "more tables fit the id than are followed: name the table with --table"))
		}
	}
	sayKin(r.Facts, ownFacts(stored))
	r.Facts = append(r.Facts, besideFacts(in, stored)...)
	if len(own) > 0 {
		r.Outcome = inv.Found
		r.Summary = plural(len(own), "table") + " with a key that fits: " + short(strings.Join(own, ", "), 160)
	}
	return r
}
