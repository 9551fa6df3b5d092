package probes_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	inv "inquest/investigations"
	"inquest/investigations/mechanisms"
	"inquest/sources"
	"inquest/sources/pgserver"
	"inquest/sources/pgserver/pgservertest"
	"inquest/sources/postgres"
)

// TestStandbyThatStillHasTheRow: WAL that a standby has received and not replayed tells what became of a row that still stands there, and
// the row can be copied from there.
func TestStandbyThatStillHasTheRow(t *testing.T) {
	for _, major := range majorsOf(t, 13, 18) {
		t.Run(fmt.Sprint(major), func(t *testing.T) {
			l := &live{t: t, server: pgservertest.New(t, pgserver.Config{Major: major, Settings: map[string]string{"wal_level": "replica", "autovacuum": "off"}})}
			l.reconnect()
			id := func(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-00000000000%d", n) }
			l.do("CREATE TABLE t (id uuid PRIMARY KEY, note text)")
			for n := 1; n <= 4; n++ {
				l.do(fmt.Sprintf("INSERT INTO t VALUES ('%s', 'row %d')", id(n), n))
			}
			second, err := l.server.Standby(t.Context(), pgserver.Config{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := second.Close(); err != nil {
					t.Error(err)
				}
			})
			s := &live{t: t, server: second}
			s.reconnect()
			until := func(what string) {
				t.Helper()
				var lsn string
				if err := l.conn.QueryRow(t.Context(), "SELECT pg_current_wal_flush_lsn()::text").Scan(&lsn); err != nil {
					t.Fatal(err)
				}
				for {
					var ok bool
					if err := s.conn.QueryRow(t.Context(), "SELECT "+what+" >= $1::text::pg_lsn", lsn).Scan(&ok); err != nil {
						t.Fatal(err)
					}
					if ok {
						return
					}
					time.Sleep(20 * time.Millisecond)
				}
			}
			until("coalesce(pg_last_wal_replay_lsn(), '0/0')")
			s.do("SELECT pg_wal_replay_pause()")
			l.do("DELETE FROM t WHERE id = '" + id(1) + "'")
			l.do("UPDATE t SET id = gen_random_uuid() WHERE id = '" + id(2) + "'")
			l.do("BEGIN; DELETE FROM t WHERE id = '" + id(3) + "'; ROLLBACK")
			l.do("TRUNCATE t; CREATE TABLE other (a int)")
			until("coalesce(pg_last_wal_receive_lsn(), '0/0')")
			open := func(name string, srv *pgserver.Server) sources.Source {
				db, err := postgres.Open("db:"+name, srv.DSN("postgres"), postgres.Options{})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { db.Close() })
				return db
			}
			for n, want := range map[int]string{1: "was deleted from", 2: "changed its key", 3: "the table was truncated", 4: "the table was truncated"} {
				for name, list := range map[string][]sources.Source{"the standby alone": {open("second", second)}, "both": {open("first", l.server), open("second", second)}} {
					rec := inv.Record{ID: id(n)}
					_, a := examine(t, rec, sources.Window{}, list, "database.server", "database.tables", "database.lineage", "database.row")
					fate := mechanisms.NewJudge(mechanisms.All())(inv.Deliberation{Record: rec, Facts: a.Facts, Outcomes: map[string]inv.Outcome{}}).Fate
					if fate.Kind != inv.FateDeleted || !strings.Contains(fate.Summary, want) || !strings.Contains(fate.Summary, "still stands on db:second") {
						t.Errorf("row %d, asked %s: %s %s: %s", n, name, fate.Kind, fate.Standing, fate.Summary)
					}
				}
			}
		})
	}
}
