package mechanisms

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	inv "inquest/investigations"
)

func scriptDelete() Mechanism {
	return Mechanism{
		ID: "script-delete", Fate: inv.FateDeleted, Title: "deleted by a script",
		About: "A one-off script, a migration or a data job of no schedule deleted the row, usually among many.",
		Cause: Always(inv.CauseAccidental),
		Rules: []Rule{
			deleted(Needs),
			proof(Rule{
				Says: "the same transaction wrote to a migration tool's table",
				Find: migrates,
			}),
			proof(actorIs(Supports, "exactly one session can have done it, and it is a script's", func(_ View, f inv.Fact) bool { return isScript(f) })),
			{
				Role: Supports, Says: "the same transaction removed many rows",
				Find: func(v View) inv.Facts {
					return contents(v).Where(func(f inv.Fact) bool { return ownDeletes(v, f) >= 10 })
				},
			},
			actorIs(Contradicts, "the one session that can have done it was a person's", person),
			actorIs(Contradicts, "the one session that can have done it was a job's", job),
			actorNot("every session that can have done it is known, and none is a script's", func(_ View, f inv.Fact) bool { return isScript(f) || isInteractive(f) }),
			repeated(Contradicts),
			replicated(Contradicts),
			removedByTable(Contradicts),
		},
		Says: func(v View) string {
			if list := contents(v); len(list) > 0 {
				f := list[0]
				rows := f.Attr("deletes") + " rows"
				if f.Number("deletes") == 1 {
					rows = "one row"
				}
				s := fmt.Sprintf("xid %s, committed%s, deleted %s in one transaction", f.Attr("xid"), at(f.Time), rows)
				if m := migrates(v); len(m) > 0 {
					return s + ", and wrote to a migration tool's table: it was a migration."
				}
				if a := soleActor(v); len(a) > 0 {
					return s + "; one session could have done it: " + sessionName(a[0]) + "."
				}
				return s + "."
			}
			return "A script would have deleted the row."
		},
		Settles: []string{"the server log's connection and statement lines around the commit", "shell history and job logs of the hosts that may connect"},
	}
}

// ownDeletes are the rows that a transaction deleted by its own statements, as far
// as is known: not those of tables to which its deletes may have cascaded.
func ownDeletes(v View, f inv.Fact) int64 {
	first, _, several := strings.Cut(f.Attr("deleted"), ",")
	if n := rowsIn(f.Attr("deleted-rows"), first); several && n > 0 {
		return n
	}
	return f.Number("deletes")
}

// rowsIn reads a count out of a list such as "public.orders=5,public.lines=9".
func rowsIn(list, table string) int64 {
	for part := range strings.SplitSeq(list, ",") {
		if name, n, ok := strings.Cut(part, "="); ok && name == table {
			rows, _ := strconv.ParseInt(n, 10, 64)
			return rows
		}
	}
	return 0
}

// migrationNames are the tables in which migration tools keep what ran.
var migrationNames = []string{"__efmigrationshistory", "flyway_schema_history", "databasechangelog", "schema_migrations", "alembic_version", "django_migrations", "knex_migrations", "_prisma_migrations", "goose_db_version"}

// migrates is the deleting transaction when it also wrote to a migration table.
func migrates(v View) inv.Facts {
	return contents(v).Where(func(f inv.Fact) bool {
		return slices.ContainsFunc(append(tablesIn(f, "inserted"), tablesIn(f, "updated")...), func(t string) bool {
			_, bare, _ := strings.Cut(strings.ToLower(t), ".")
			return slices.Contains(migrationNames, bare)
		})
	})
}
