package probes

import (
	"context"
	"fmt"

	inv "inquest/investigations"
	"inquest/sources"
)

// partmanSQL reads what pg_partman (4 and 5) is to do with old partitions. The
// schema of the extension is put in.
const partmanSQL = `SELECT parent_table, retention, retention_keep_table, coalesce(retention_schema, '') AS retention_schema
FROM %s.part_config WHERE retention IS NOT NULL ORDER BY 1 LIMIT 200`

// collectPartman asks pg_partman for its retention where it is installed.
func collectPartman(ctx context.Context, c *inv.Collector) error {
	for _, s := range inv.With[sources.Querier](c) {
		t, err := s.Ability.Query(ctx, sources.Query{SQL: schedulersSQL, Note: "where pg_partman is"})
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			continue // it was asked before, and the reason is recorded
		}
		for i := range t.Rows {
			if t.Text(i, "extname") != "pg_partman" {
				continue
			}
			q := sources.Query{SQL: fmt.Sprintf(partmanSQL, t.Text(i, "schema")), Note: "what pg_partman does with old partitions"}
			found, err := s.Ability.Query(ctx, q)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				blindTo(c, s.Source.Name()+": pg_partman", err)
				continue
			}
			if err := c.Keep(inv.EvidenceTable, s.Source.Name(), statement(q), "partman", found); err != nil {
				return err
			}
		}
	}
	return nil
}

// partmanFacts state what becomes of partitions that are older than the retention
// of their table: moved to another schema, kept as tables of their own, or dropped.
func partmanFacts(in inv.Input) []inv.Fact {
	var out []inv.Fact
	for _, a := range answers(in, "partman") {
		for i := range a.Rows {
			table, schema, after := a.Text(i, "parent_table"), a.Text(i, "retention_schema"), a.Text(i, "retention")
			does, how := "drop", "drops them"
			switch {
			case schema != "":
				does, how = "move", "moves their tables to the schema "+schema
			case a.Text(i, "retention_keep_table") != "f":
				does, how = "detach", "keeps their tables"
			}
			f := propertyOn(a, table, "partition-retention", does, fmt.Sprintf("pg_partman takes partitions of %s off after %s and %s", table, after, how))
			f.Attrs["schema"], f.Attrs["after"] = schema, after
			out = append(out, f)
		}
	}
	return out
}
