package probes_test

import (
	"fmt"
	"testing"

	inv "inquest/investigations"
	"inquest/investigations/mechanisms"
	"inquest/sources/pgserver"
	"inquest/sources/pgserver/pgservertest"
)

// TestKeyWhoseTypeWasChanged: rows that were written and removed before the key's column got another type are read with the type of then.
func TestKeyWhoseTypeWasChanged(t *testing.T) {
	for _, major := range majorsOf(t, 13, 15, 18) {
		for _, c := range []struct{ name, ddl, alter, key, literal string }{
			{"int to bigint", "CREATE TABLE t (pad text NOT NULL DEFAULT 'p', id int PRIMARY KEY, note text)", "ALTER TABLE t ALTER id TYPE bigint", "4711", "4711"},
			{"text to uuid", "CREATE TABLE t (id varchar(36) PRIMARY KEY, note text, pad text)", "ALTER TABLE t ALTER id TYPE uuid USING id::uuid", "00000000-0000-4000-8000-000000004711", "'00000000-0000-4000-8000-000000004711'"},
			{"twice", "CREATE TABLE t (n smallint, id int PRIMARY KEY, note text)", "ALTER TABLE t ALTER n TYPE numeric; ALTER TABLE t ADD COLUMN late int; ALTER TABLE t ALTER id TYPE bigint", "4711", "4711"},
			{"an enum before", "CREATE TYPE kind AS ENUM ('a', 'b'); CREATE TABLE t (k kind, id int PRIMARY KEY, note text)", "ALTER TABLE t ALTER k TYPE text; DROP TYPE kind; ALTER TABLE t ALTER id TYPE bigint", "4711", "4711"},
		} {
			t.Run(fmt.Sprintf("%d %s", major, c.name), func(t *testing.T) {
				l := &live{t: t, server: pgservertest.New(t, pgserver.Config{Major: major, Settings: map[string]string{"autovacuum": "off"}})}
				l.reconnect()
				l.do("CREATE ROLE kit LOGIN PASSWORD 'p'; GRANT pg_monitor TO kit; GRANT EXECUTE ON FUNCTION pg_read_binary_file(text, bigint, bigint, boolean) TO kit")
				l.do(c.ddl + "; GRANT SELECT ON t TO kit; CHECKPOINT")
				l.do("INSERT INTO t (id, note) VALUES (" + c.literal + ", 'to be read')")
				l.do("UPDATE t SET note = 'was read' WHERE id = " + c.literal)
				l.do("DELETE FROM t WHERE id = " + c.literal)
				l.do(c.alter)
				rec := inv.Record{ID: c.key}
				a := l.examine("kit", rec, "database.server", "database.lineage", "database.row")
				fate := mechanisms.NewJudge(mechanisms.All())(inv.Deliberation{Record: rec, Facts: a.Facts, Outcomes: map[string]inv.Outcome{}}).Fate
				if fate.Kind != inv.FateDeleted || fate.Standing != inv.Established {
					t.Errorf("%s %s: %s", fate.Kind, fate.Standing, fate.Summary)
				}
				if a.Recovered == nil || a.Recovered.Row["note"] == nil || *a.Recovered.Row["note"] != "was read" {
					t.Errorf("recovered %+v", a.Recovered)
				}
			})
		}
	}
}
