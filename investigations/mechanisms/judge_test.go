package mechanisms

import (
	"fmt"
	"testing"
	"time"

	inv "inquest/investigations"
)

const (
	home   = "db:shop"
	orders = "public.orders"
	random = "e7a4bff2-adc7-4847-a9d8-25734601b405"
)

var t0 = time.Date(2025, 11, 27, 14, 58, 0, 0, time.UTC)

// at is t0 and some seconds.
func sec(s float64) time.Time { return t0.Add(time.Duration(s * float64(time.Second))) }

var counter int

// f builds a fact of ground truth from "name=value" attributes.
func f(kind inv.FactKind, when time.Time, attrs ...string) inv.Fact {
	counter++
	x := inv.Fact{Kind: kind, Time: when, Attrs: map[string]string{"server": home}, Says: string(kind), Evidence: []string{fmt.Sprintf("E%d", counter)}}
	switch kind {
	case inv.IDIssued, inv.APIAnswer, inv.LogError, inv.LogStatement, inv.LogCovers, inv.SessionAtCommit, inv.JobRun, inv.RequestFailed, inv.SystemEvent, inv.BlockDamaged, inv.RemovalSaid:
		x.Ground = inv.GroundLog
		delete(x.Attrs, "server")
	}
	for i := 0; i+1 < len(attrs); i += 2 {
		x.Attrs[attrs[i]] = attrs[i+1]
	}
	return x
}

func candidateFact(table string, kv ...string) inv.Fact {
	return f(inv.TableProperty, time.Time{}, append([]string{"name", "candidate", "table", table, "value", "primary", "rls", "off", "partitioned", "false"}, kv...)...)
}

func inserted(xid, lsn, tid string, when float64) inv.Fact {
	return f(inv.TupleInserted, sec(when), "table", orders, "xid", xid, "lsn", lsn, "tid", tid, "from", "wal")
}

func deletedFact(xid, lsn, tid string, when float64) inv.Fact {
	return f(inv.TupleDeleted, sec(when), "table", orders, "xid", xid, "lsn", lsn, "tid", tid, "from", "wal")
}

func commits(xid string, when float64, kv ...string) inv.Fact {
	return f(inv.XactCommitted, sec(when), append([]string{"xid", xid, "from", "wal"}, kv...)...)
}

func aborts(xid string, when float64, kv ...string) inv.Fact {
	return f(inv.XactAborted, sec(when), append([]string{"xid", xid, "from", "wal", "record", "true"}, kv...)...)
}

func absent(table string) inv.Fact {
	return f(inv.RowAbsent, sec(100), "table", table, "via", "key")
}

func visible(table string) inv.Fact {
	return f(inv.RowVisible, sec(100), "table", table, "via", "key")
}

func covers(xid string) inv.Fact { return f(inv.LogCovers, sec(1), "of", xid, "level", "warning") }

func logError(xid, state string, kv ...string) inv.Fact {
	return f(inv.LogError, sec(1), append([]string{"of", xid, "sqlstate", state, "joins", "xid", "unique", "true"}, kv...)...)
}

func session(xid string, kv ...string) inv.Fact {
	return f(inv.SessionAtCommit, sec(0), append([]string{"of", xid, "complete", "true", "count", "1", "application-known", "true", "pid", "7"}, kv...)...)
}

func issued(when float64, kv ...string) inv.Fact {
	return f(inv.IDIssued, sec(when), append([]string{"source", "log:api", "status", "201"}, kv...)...)
}

// walAbsent is WAL read from an hour before t0 to sec(100) without the key.
func walAbsent(tables string) inv.Fact {
	x := f(inv.WALKeyAbsent, t0.Add(-time.Hour), "tables", tables)
	x.Until = sec(100)
	return x
}

func walCovered() inv.Fact {
	x := f(inv.WALCovered, t0.Add(-time.Hour), "last", "true")
	x.Until = sec(100)
	return x
}

func facts(list ...any) inv.Facts {
	var out inv.Facts
	for _, x := range list {
		switch x := x.(type) {
		case inv.Fact:
			out = append(out, x)
		case inv.Facts:
			out = append(out, x...)
		}
	}
	return out
}

// stored are the facts of a row that was inserted and committed.
func stored() inv.Facts {
	return facts(candidateFact(orders), inserted("700", "0/100", "(1,1)", 0), commits("700", 0.1), walCovered(), absent(orders))
}

// removed are those of a row that was deleted as well.
func removed() inv.Facts {
	return append(stored(), deletedFact("710", "0/200", "(1,1)", 10), commits("710", 10.1))
}

// rolledBackFacts are those of a row whose transaction was rolled back.
func rolledBackFacts(more ...any) inv.Facts {
	return append(facts(candidateFact(orders), inserted("700", "0/100", "(1,1)", 0), aborts("700", 1), absent(orders)), facts(more...)...)
}

type verdict struct {
	name  string
	facts inv.Facts
	fate  string // "kind standing"
	lead  string // "mechanism cause", "" for none
	id    string
	table string
	role  string
}

func (c verdict) judge() inv.Judgement {
	id := c.id
	if id == "" {
		id = random
	}
	return NewJudge(All())(inv.Deliberation{
		Record: inv.Record{ID: id, Table: c.table}, Options: inv.Options{AppRole: c.role}, Facts: c.facts, Outcomes: map[string]inv.Outcome{},
	})
}

func check(t *testing.T, cases []verdict) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			j := c.judge()
			if got := fmt.Sprintf("%s %s", j.Fate.Kind, j.Fate.Standing); got != c.fate {
				t.Errorf("fate %s, want %s: %s", got, c.fate, j.Fate.Summary)
			}
			lead := ""
			if h, ok := j.Leading(); ok {
				lead = fmt.Sprintf("%s %s", h.Mechanism, h.Cause)
			}
			if lead != c.lead {
				t.Errorf("leads %q, want %q", lead, c.lead)
				for _, h := range j.Hypotheses {
					if h.Standing == inv.Leading || h.Standing == inv.Possible {
						t.Logf("%s %s: for %q against %q", h.Standing, h.Mechanism, h.For, h.Against)
					}
				}
			}
		})
	}
}

func TestCheck(t *testing.T) {
	if err := Check(All()); err != nil {
		t.Fatal(err)
	}
}

func TestAbortedInsert(t *testing.T) { check(t, abortedInsertCases()) }

func abortedInsertCases() []verdict {
	return []verdict{
		{name: "no log cover: the reason is not known", facts: rolledBackFacts(), fate: "never-committed established"},
		{name: "covered and silent: a plain rollback", facts: rolledBackFacts(covers("700")), fate: "never-committed established", lead: "rolled-back application"},
		{name: "constraint error", facts: rolledBackFacts(covers("700"), logError("700", "23503")), fate: "never-committed established", lead: "rolled-back application"},
		{name: "deadlock", facts: rolledBackFacts(covers("700"), logError("700", "40P01")), fate: "never-committed established", lead: "deadlock-victim concurrency"},
		{name: "serialization failure", facts: rolledBackFacts(covers("700"), logError("700", "40001")), fate: "never-committed established", lead: "serialization-failure concurrency"},
		{name: "terminated", facts: rolledBackFacts(covers("700"), logError("700", "57P01")), fate: "never-committed established", lead: "crash-in-flight system"},
		{name: "a deadlock of somebody else at that moment", facts: rolledBackFacts(covers("700"), logError("700", "40P01", "joins", "time", "unique", "false")), fate: "never-committed established"},
		{name: "a deadlock without cover of the moment still proves itself", facts: rolledBackFacts(logError("700", "40P01")), fate: "never-committed established", lead: "deadlock-victim concurrency"},
		{name: "no ABORT record, and recovery after it", facts: facts(candidateFact(orders), inserted("700", "0/100", "(1,1)", 0), aborts("700", 5, "record", "false"), f(inv.CrashRecovery, sec(5)), absent(orders)), fate: "never-committed established", lead: "crash-in-flight system"},
		{name: "an ABORT record, and an unrelated crash later", facts: rolledBackFacts(f(inv.CrashRecovery, sec(50))), fate: "never-committed established"},
		{name: "no end in WAL that was read", facts: facts(candidateFact(orders), inserted("700", "0/100", "(1,1)", 0), f(inv.XactUnfinished, time.Time{}, "xid", "700", "from", "wal"), absent(orders)), fate: "never-committed probable"},
		{name: "a subtransaction's end, logged under its parent", facts: facts(candidateFact(orders), inserted("701", "0/100", "(1,1)", 0), aborts("701", 1, "top", "700"), logError("700", "40P01"), absent(orders)), fate: "never-committed established", lead: "deadlock-victim concurrency"},
		{name: "open", facts: facts(candidateFact(orders), inserted("700", "0/100", "(1,1)", 0), f(inv.XactOpen, sec(0), "xid", "700"), absent(orders)), fate: "never-committed established", lead: "transaction-open application"},
		{name: "prepared", facts: facts(candidateFact(orders), inserted("700", "0/100", "(1,1)", 0), f(inv.XactPrepared, sec(0), "xid", "700", "gid", "g"), absent(orders)), fate: "never-committed established", lead: "prepared-orphan application"},
		{name: "only sighted on a page image: perhaps an update", facts: facts(candidateFact(orders), f(inv.TupleInserted, sec(0), "table", orders, "xid", "700", "from", "image", "tid", "(1,1)"), aborts("700", 1), absent(orders)), fate: "never-committed probable"},
		{name: "unique violation on this very key: a row had it", facts: rolledBackFacts(logError("700", "23505", "detail", "Key (id)=("+random+") already exists.")), fate: "undetermined undetermined"},
		{name: "unique violation on this id in another table", facts: rolledBackFacts(logError("700", "23505", "detail", "Key (order_id)=("+random+") already exists.", "statement-table", "public.outbox")), fate: "never-committed established", lead: "rolled-back application"},
		{name: "it was read before", facts: append(rolledBackFacts(), f(inv.APIAnswer, sec(-60), "op", "read", "status", "200")), fate: "never-committed probable"},
		{name: "a committed update shows that it existed", facts: append(rolledBackFacts(), f(inv.TupleUpdated, sec(3), "table", orders, "xid", "705", "lsn", "0/150", "tid", "(1,2)"), commits("705", 3)), fate: "undetermined undetermined"},
		{name: "the server handed a crashed xid out again", facts: facts(candidateFact(orders), inserted("700", "0/100", "(1,1)", 0), aborts("700", 5, "record", "false"), f(inv.XactCommitted, sec(60), "xid", "700", "from", "server"), f(inv.CrashRecovery, sec(5)), absent(orders)), fate: "never-committed established", lead: "crash-in-flight system"},
	}
}

func TestLives(t *testing.T) { check(t, livesCases()) }

func livesCases() []verdict {
	again := func(end inv.Fact) inv.Facts {
		return append(removed(), inserted("720", "0/300", "(2,1)", 20), end)
	}
	return []verdict{
		{name: "deleted, nobody known", facts: removed(), fate: "deleted established"},
		{name: "deleted, inserted again and rolled back", facts: again(aborts("720", 21)), fate: "deleted established"},
		{name: "deleted, inserted again and visible", facts: append(again(commits("720", 21)), visible(orders)), fate: "present established", lead: "still-present application"},
		{name: "deleted, inserted again, and gone without a trace", facts: again(commits("720", 21)), fate: "undetermined undetermined"},
		{name: "an aborted delete is no delete", facts: append(stored(), deletedFact("710", "0/200", "(1,1)", 10), aborts("710", 11)), fate: "undetermined undetermined"},
		{name: "an aborted delete of a row that is there", facts: append(stored(), deletedFact("710", "0/200", "(1,1)", 10), aborts("710", 11), visible(orders)), fate: "present established", lead: "still-present application"},
		{name: "a delete whose end is not known", facts: append(stored(), deletedFact("710", "0/200", "(1,1)", 10)), fate: "undetermined undetermined"},
		{name: "inserted and deleted in one transaction", facts: facts(candidateFact(orders), inserted("700", "0/100", "(1,1)", 0), deletedFact("700", "0/120", "(1,1)", 0), commits("700", 1), absent(orders)), fate: "deleted established"},
		{name: "inserted and deleted in one that was rolled back", facts: facts(candidateFact(orders), inserted("700", "0/100", "(1,1)", 0), deletedFact("700", "0/120", "(1,1)", 0), aborts("700", 1), absent(orders)), fate: "never-committed established"},
		{name: "WAL begins after the insert", facts: facts(candidateFact(orders), deletedFact("710", "0/200", "(1,1)", 10), commits("710", 10.1), walCovered(), absent(orders)), fate: "deleted established"},
		{name: "delete and versions from the heap alone", facts: facts(candidateFact(orders), f(inv.TupleInserted, time.Time{}, "table", orders, "xid", "700", "tid", "(1,1)", "from", "heap"), f(inv.TupleDeleted, time.Time{}, "table", orders, "xid", "710", "tid", "(1,1)", "from", "heap"), f(inv.XactCommitted, sec(0), "xid", "700", "from", "server"), f(inv.XactCommitted, sec(9), "xid", "710", "from", "server"), absent(orders)), fate: "deleted established"},
		{name: "a dead version of an earlier life, and a later one that nothing ended", facts: facts(candidateFact(orders), f(inv.TupleInserted, time.Time{}, "table", orders, "xid", "700", "tid", "(1,1)", "from", "heap"), f(inv.TupleDeleted, time.Time{}, "table", orders, "xid", "710", "tid", "(1,1)", "from", "heap"), inserted("720", "0/300", "(2,1)", 20), commits("700", 0), commits("710", 9), commits("720", 20), absent(orders)), fate: "undetermined undetermined"},
		{name: "committed, gone, WAL has a hole", facts: facts(candidateFact(orders), inserted("700", "0/100", "(1,1)", 0), commits("700", 0.1), absent(orders)), fate: "undetermined undetermined"},
		{name: "a crash does not take a committed row", facts: append(stored(), f(inv.CrashRecovery, sec(20))), fate: "undetermined undetermined"},
		{name: "neither does a failover behind it", facts: append(stored(), f(inv.TimelineSwitch, sec(20), "lsn", "0/900", "from", "wal")), fate: "undetermined undetermined"},
		{name: "blind: nothing but absence", facts: facts(candidateFact(orders), absent(orders)), fate: "undetermined undetermined"},
	}
}

func TestUnwritten(t *testing.T) { check(t, unwrittenCases()) }

func unwrittenCases() []verdict {
	base := func(more ...any) inv.Facts {
		return append(facts(candidateFact(orders), absent(orders), walAbsent(orders), issued(1)), facts(more...)...)
	}
	statement := func(kv ...string) inv.Fact {
		return f(inv.LogStatement, sec(0.9), append([]string{"op", "create", "joins", "id", "table", orders}, kv...)...)
	}
	return []verdict{
		{name: "handed out and never written: why is open", facts: base(), fate: "never-written probable"},
		{name: "the application failed after the answer", facts: base(f(inv.RequestFailed, sec(2))), fate: "never-written probable", lead: "response-before-write application"},
		{name: "a failure before it was handed out is another's", facts: base(f(inv.RequestFailed, sec(0))), fate: "never-written probable"},
		{name: "statements were logged and no insert is among them", facts: base(f(inv.LogCovers, sec(1), "of", "issue", "statements", "true", "inserts", "0")), fate: "never-written probable", lead: "response-before-write application"},
		{name: "statements were logged, some insert is among them", facts: base(f(inv.LogCovers, sec(1), "of", "issue", "statements", "true", "inserts", "3")), fate: "never-written probable"},
		{name: "refused", facts: base(f(inv.LogError, sec(0.9), "op", "create", "joins", "id", "sqlstate", "23502", "table", orders)), fate: "never-written established", lead: "insert-refused application"},
		{name: "refused for another table", facts: base(f(inv.LogError, sec(0.9), "op", "create", "joins", "id", "sqlstate", "23502", "table", "public.audit")), fate: "never-written probable"},
		{name: "refused, without WAL", facts: facts(candidateFact(orders), absent(orders), issued(1), f(inv.LogError, sec(0.9), "op", "create", "joins", "id", "sqlstate", "23502", "table", orders)), fate: "never-written probable", lead: "insert-refused application"},
		{name: "swallowed by a trigger", facts: base(statement(), f(inv.TableProperty, time.Time{}, "name", "swallows", "table", orders, "value", "trg")), fate: "never-written established", lead: "write-swallowed database"},
		{name: "a trigger that could have, and no statement", facts: base(f(inv.TableProperty, time.Time{}, "name", "swallows", "table", orders, "value", "trg")), fate: "never-written probable"},
		{name: "swallowed by ON CONFLICT DO NOTHING", facts: base(statement("on-conflict", "nothing")), fate: "never-written established", lead: "write-swallowed application"},
		{name: "a crash since then takes WAL", facts: base(f(inv.CrashRecovery, sec(5))), fate: "undetermined undetermined"},
		{name: "a crash before does not", facts: base(f(inv.CrashRecovery, sec(-600))), fate: "never-written probable"},
		{name: "a crash at an unknown time may", facts: base(f(inv.CrashRecovery, time.Time{})), fate: "undetermined undetermined"},
		{name: "an unlogged table leaves no WAL", facts: base(f(inv.TableProperty, time.Time{}, "name", "persistence", "table", orders, "value", "unlogged")), fate: "undetermined undetermined"},
		{name: "issued at a time of unknown zone", facts: facts(candidateFact(orders), absent(orders), walAbsent(orders), f(inv.IDIssued, time.Time{})), fate: "undetermined undetermined"},
		{name: "WAL begins after it was handed out", facts: facts(candidateFact(orders), absent(orders), walAbsent(orders), issued(-7200)), fate: "undetermined undetermined"},
		{name: "never handed out", facts: facts(candidateFact(orders), absent(orders), walAbsent(orders)), fate: "undetermined undetermined"},
		{name: "its table was dropped since", facts: base(f(inv.LogStatement, sec(30), "op", "drop", "table", orders)), fate: "deleted probable"},
		{name: "the server is another's view: filtered by policies", facts: facts(candidateFact(orders), walAbsent(orders), issued(1)), fate: "undetermined undetermined"},
	}
}
