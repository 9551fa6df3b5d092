package probes

import (
	"context"
	"fmt"
	"strings"
	"time"

	inv "inquest/investigations"
	"inquest/sources"
)

// migrationTables are the tables in which migration tools keep what ran.
var migrationTables = []struct{ tool, table, order string }{
	{"Entity Framework", "__EFMigrationsHistory", `"MigrationId"`},
	{"Flyway", "flyway_schema_history", "installed_rank"},
	{"Liquibase", "databasechangelog", "orderexecuted"},
	{"Rails", "schema_migrations", "version"},
	{"Alembic", "alembic_version", "version_num"},
	{"Django", "django_migrations", "id"},
	{"Knex", "knex_migrations", "id"},
	{"Prisma", "_prisma_migrations", "started_at"},
	{"goose", "goose_db_version", "id"},
}

func codeMigrations() inv.Probe {
	return inv.Probe{
		ID: "code.migrations", Step: inv.StepCode, Phase: inv.PhaseRows, Title: "Migrations that ran",
		Asks:     "Which build's migrations ran on this database, and when?",
		Why:      "A migration near the moment is the first suspect for many rows at once, and tells which build was live.",
		Negative: "Builds without a migration; code that changed elsewhere.",
		Needs:    "SELECT on the migration tool's table",
		Timeout:  20 * time.Second,
		Sends:    findMigrationsSQL + ";\n\nthen reads the newest rows of the migration table that it finds",
		Collect:  collectMigrations,
		Read:     readMigrations,
	}
}

const findMigrationsSQL = `SELECT n.nspname AS schema, c.relname AS name, quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS full_name
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND c.relname = ANY ($1::text[]) AND n.nspname NOT IN ('pg_catalog', 'information_schema')`

func collectMigrations(ctx context.Context, c *inv.Collector) error {
	servers := inv.With[sources.Querier](c)
	if len(servers) == 0 {
		return noServer(c)
	}
	var names []string
	for _, m := range migrationTables {
		names = append(names, m.table)
	}
	find := sources.Query{SQL: findMigrationsSQL, Args: []string{"{" + strings.Join(names, ",") + "}"}, Note: "tables of migration tools"}
	for _, s := range servers {
		t, err := s.Ability.Query(ctx, find)
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			blindTo(c, s.Source.Name(), err)
			continue
		}
		if err := c.Keep(inv.EvidenceTable, s.Source.Name(), statement(find), "found", t); err != nil {
			return err
		}
		for i := range t.Rows {
			for _, m := range migrationTables {
				if t.Text(i, "name") != m.table {
					continue
				}
				q := sources.Query{SQL: fmt.Sprintf("SELECT * FROM %s ORDER BY %s DESC LIMIT 5", t.Text(i, "full_name"), m.order), Note: "newest migrations", Scans: true}
				rows, err := s.Ability.Query(ctx, q)
				if err != nil {
					blindTo(c, s.Source.Name()+": "+m.table, err)
					continue
				}
				if err := c.Keep(inv.EvidenceTable, s.Source.Name(), statement(q), "rows:"+m.tool, rows); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func readMigrations(in inv.Input) inv.Reading {
	if len(answers(in, "found")) == 0 {
		return noAnswer(in)
	}
	r := inv.Reading{Outcome: inv.NotApplicable, Summary: "no migration tool keeps a table here"}
	for _, m := range migrationTables {
		for _, a := range answers(in, "rows:"+m.tool) {
			if len(a.Rows) == 0 {
				continue
			}
			r.Outcome = inv.Found
			newest := rowText(a, 0)
			r.Summary = joinLine(strings.TrimPrefix(r.Summary, "no migration tool keeps a table here"), fmt.Sprintf("%s, newest: %s", m.tool, short(newest, 160)))
			r.Facts = append(r.Facts, propertyOn(a, m.table, "migration", newest, fmt.Sprintf("the newest migration of %s is %s", m.tool, short(newest, 160))))
		}
	}
	if r.Outcome == inv.NotApplicable && len(in.Blind) > 0 {
		return inv.BlindReading(in.Blind)
	}
	return r
}

func rowText(a answer, row int) string {
	var parts []string
	for _, name := range a.Columns {
		if v, ok := a.Cell(row, name); ok {
			parts = append(parts, v)
		}
	}
	return strings.Join(parts, " ")
}
