package probes_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"

	inv "inquest/investigations"
	"inquest/investigations/mechanisms"
	"inquest/sources/pgserver"
	"inquest/sources/pgserver/pgservertest"
)

// majorsOf are those of the versions that this machine has.
func majorsOf(t *testing.T, want ...int) []int {
	t.Helper()
	have := pgservertest.Majors()
	if len(have) == 0 {
		pgservertest.New(t, pgserver.Config{}) // skips, or fails in CI
	}
	out := slices.DeleteFunc(want, func(m int) bool { return !slices.Contains(have, m) })
	if len(out) == 0 {
		out = have[:1]
	}
	return out
}

// reconnect opens the session anew after the server was started again.
func (l *live) reconnect() { l.conn = l.connect() }

// burn uses up transaction ids until the next one is at least to.
func (l *live) burn(to uint64) {
	l.t.Helper()
	for range 2000 {
		var now uint64
		if err := l.conn.QueryRow(l.t.Context(), "SELECT pg_current_xact_id()::text::numeric::bigint").Scan(&now); err != nil {
			l.t.Fatal(err)
		}
		if now+1 >= to {
			return
		}
	}
	l.t.Fatalf("transaction id %d was not reached", to)
}

// TestHistoryAcrossTheWraparound: transaction ids of 32 bits begin anew in the midst of a row's life.
func TestHistoryAcrossTheWraparound(t *testing.T) {
	const wrap = uint64(1) << 32
	for _, major := range majorsOf(t, 13, 15, 18) {
		for _, epoch := range []uint64{0, 6} {
			t.Run(fmt.Sprintf("%d epoch %d", major, epoch), func(t *testing.T) {
				l := &live{t: t, server: pgservertest.New(t, pgserver.Config{Major: major, Settings: map[string]string{"autovacuum": "off", "track_commit_timestamp": "off", "max_prepared_transactions": "3"}})}
				l.reconnect()
				l.do("CREATE EXTENSION pageinspect; CREATE TABLE t (id uuid PRIMARY KEY, note text)")
				id := func(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-00000000000%d", n) }
				ins := func(n int) string { return fmt.Sprintf("INSERT INTO t VALUES ('%s', 'row %d')", id(n), n) }
				l.do(ins(1))
				for _, db := range []string{"postgres", "template1"} {
					c, err := pgx.Connect(t.Context(), l.server.DSN(db))
					if err != nil {
						t.Fatal(err)
					}
					if _, err := c.Exec(t.Context(), "VACUUM FREEZE"); err != nil {
						t.Fatal(err)
					}
					c.Close(t.Context())
				}
				next := epoch*wrap + wrap - 60
				pgservertest.Wind(t, l.server, next)
				l.reconnect()
				l.do("CHECKPOINT")
				for n := 2; n <= 5; n++ {
					l.do(ins(n))
				}
				l.do("BEGIN")
				l.do(ins(6))
				l.do("ROLLBACK")
				// 7 is inserted before the wraparound and deleted after it, in a subtransaction with a small number of a transaction with a great one.
				l.do(ins(7))
				other := l.connect()
				exec := func(sql string) {
					t.Helper()
					if _, err := other.Exec(t.Context(), sql, pgx.QueryExecModeSimpleProtocol); err != nil {
						t.Fatalf("%s: %v", sql, err)
					}
				}
				exec("BEGIN; INSERT INTO t VALUES ('" + id(9) + "', 'with 7')")
				l.burn((epoch+1)*wrap + 20)
				exec("SAVEPOINT s; DELETE FROM t WHERE id = '" + id(7) + "'; RELEASE s; COMMIT")
				l.do("UPDATE t SET note = 'changed' WHERE id = '" + id(2) + "'; DELETE FROM t WHERE id = '" + id(2) + "'")
				l.do("UPDATE t SET id = gen_random_uuid() WHERE id = '" + id(4) + "'")
				l.do("BEGIN; DELETE FROM t WHERE id = '" + id(5) + "'; ROLLBACK")
				exec("BEGIN; INSERT INTO t VALUES ('" + id(8) + "', 'open')")
				for n, want := range map[int]string{
					1: "present established", 2: "deleted established", 3: "present established", 4: "rekeyed established", 5: "present established",
					6: "never-committed established", 7: "deleted established", 8: "never-committed established", 9: "present established",
				} {
					a := l.examine("", inv.Record{ID: id(n)}, "database.server", "database.lineage", "database.versions", "database.row", "concurrency.open")
					fate := mechanisms.NewJudge(mechanisms.All())(inv.Deliberation{Record: inv.Record{ID: id(n)}, Facts: a.Facts, Outcomes: map[string]inv.Outcome{}}).Fate
					if got := fmt.Sprintf("%s %s", fate.Kind, fate.Standing); got != want {
						t.Errorf("row %d: %s, want %s: %s", n, got, want, fate.Summary)
					}
					for _, f := range a.Facts.Of(inv.XactFuture) {
						t.Errorf("row %d: %s", n, f.Says)
					}
				}
				// Without the WAL of it, what the pages and the commit log say is enough.
				for n, want := range map[int]inv.FactKind{1: inv.XactCommitted, 2: inv.XactCommitted, 6: inv.XactAborted, 7: inv.XactCommitted, 8: inv.XactUnfinished} {
					a := l.examine("", inv.Record{ID: id(n)}, "database.versions")
					for _, f := range append(a.Facts.Of(inv.TupleInserted), a.Facts.Of(inv.TupleDeleted)...) {
						if len(a.Facts.Of(want).With("xid", f.Attr("xid"))) == 0 {
							t.Errorf("row %d: %s, and no %s: %v", n, f.Says, want, a.Facts)
						}
					}
				}
			})
		}
	}
}

// TestLostCommitInLaterEpochs: a transaction that the server has never heard of is told as such, whatever its epoch, and a frozen row's old
// number is never taken for one.
func TestLostCommitInLaterEpochs(t *testing.T) {
	for _, major := range majorsOf(t, 13, 18) {
		for _, epoch := range []uint64{0, 1, 7} {
			t.Run(fmt.Sprintf("%d epoch %d", major, epoch), func(t *testing.T) {
				l := &live{t: t, server: pgservertest.New(t, pgserver.Config{Major: major, Settings: map[string]string{"autovacuum": "off"}})}
				l.reconnect()
				const base = 5_000_000
				next := epoch<<32 + base
				l.do("CREATE EXTENSION pageinspect; CREATE TABLE t (id uuid PRIMARY KEY, note text)")
				pgservertest.Wind(t, l.server, next+5000)
				l.reconnect()
				l.do("INSERT INTO t VALUES ('00000000-0000-4000-8000-000000000001', 'lost')")
				// The server goes back in time; the page is as it was.
				pgservertest.Wind(t, l.server, next)
				l.reconnect()
				a := l.examine("", inv.Record{ID: "00000000-0000-4000-8000-000000000001"}, "database.versions")
				ins := a.Facts.Of(inv.TupleInserted)
				if len(ins) != 1 || len(a.Facts.Of(inv.XactFuture).With("xid", ins[0].Attr("xid"))) != 1 || a.Facts.Any(inv.XactAborted, inv.XactCommitted) {
					t.Errorf("%v", a.Facts)
				}
			})
		}
	}
}
