package mechanisms

import (
	"strings"
	"testing"
	"time"

	inv "inquest/investigations"
)

// TestTwins holds incidents that look like another one: each must not be taken for it.
func TestTwins(t *testing.T) { check(t, twinCases()) }

func twinCases() []verdict {
	lax := func(scope string) inv.Fact {
		return f(inv.Setting, time.Time{}, "name", "synchronous_commit", "value", "off", "scope", scope)
	}
	cutOff := facts(candidateFact(orders), inserted("700", "0/100", "(1,1)", 0), aborts("700", 0.5, "record", "false"), f(inv.CrashRecovery, sec(0.5), "from", "wal", "lsn", "0/200"), absent(orders))
	acked := func(more ...any) inv.Facts { return append(facts(cutOff, issued(0.1)), facts(more...)...) }
	database := f(inv.Setting, time.Time{}, "name", "server.database", "value", "shop")
	refusal := f(inv.LogError, sec(0.9), "op", "create", "joins", "id", "sqlstate", "23502", "table", orders)
	nowhere := facts(candidateFact(orders), absent(orders))
	two := facts(nodeSetting(home, "system_identifier", "1"), nodeSetting("db:replica", "system_identifier", "1"), nodeSetting("db:replica", "in_recovery", "t"))
	inserting := f(inv.LogStatement, sec(0.9), "op", "create", "joins", "id", "table", orders)
	swallows := prop("swallows", "trg")
	taking := func(kind, name, holds string) inv.Fact {
		return f(inv.PredicateChecked, time.Time{}, "table", orders, "kind", kind, "name", name, "job", name, "holds", holds, "of", "710", "from", "cron")
	}
	ran := f(inv.JobRun, sec(9), "of", "710", "job", "purge", "removed", "12")
	early := absent(orders)
	early.Time = sec(90)
	return []verdict{
		// The insert reached the disk, its commit did not.
		{name: "cut off by a crash, commits waited", facts: acked(), fate: "never-committed established", lead: "crash-in-flight system"},
		{name: "cut off by a crash, commits did not wait", facts: acked(lax("configuration file")), fate: "lost probable", lead: "async-commit-lost system"},
		{name: "the same, and nothing was handed out", facts: facts(cutOff, lax("configuration file")), fate: "never-committed probable"},
		{name: "the same, and the answer's clock is off by an hour", facts: facts(cutOff, lax("configuration file"), issued(3600)), fate: "undetermined undetermined"},
		{name: "commits did not wait for a role that nobody knows", facts: acked(lax("set for role worker")), fate: "undetermined undetermined"},
		{name: "commits did not wait for another role", role: "web", facts: acked(lax("set for role worker")), fate: "never-committed established", lead: "crash-in-flight system"},
		{name: "commits did not wait in another database", facts: acked(database, lax("set for  database logs")), fate: "never-committed established", lead: "crash-in-flight system"},
		{name: "commits did not wait for inquest's own role", facts: acked(lax("user")), fate: "never-committed established", lead: "crash-in-flight system"},
		{name: "rolled back, and then a crash while commits did not wait", facts: append(rolledBackFacts(covers("700")), issued(0.1), lax("configuration file"), f(inv.CrashRecovery, sec(2))), fate: "never-committed established", lead: "rolled-back application"},
		{name: "not waited for, a crash, and the write had failed", facts: facts(nowhere, issued(0), lax("configuration file"), f(inv.CrashRecovery, sec(1)), f(inv.RequestFailed, sec(0.2))), fate: "undetermined undetermined"},
		{name: "not waited for, a crash, and no insert among the statements", facts: facts(nowhere, issued(0), lax("configuration file"), f(inv.CrashRecovery, sec(1)), f(inv.LogCovers, sec(0), "of", "issue", "statements", "true", "inserts", "0")), fate: "undetermined undetermined"},
		{name: "not waited for, and the crash was the start of a restored copy", facts: facts(nowhere, issued(0), lax("configuration file"), f(inv.CrashRecovery, sec(1)), f(inv.SystemEvent, sec(1), "how", "restore")), fate: "undetermined undetermined"},

		// An insert that was refused, and one that was stored later.
		{name: "refused, and shown afterwards", facts: facts(nowhere, issued(1), refusal, f(inv.APIAnswer, sec(5), "op", "read", "status", "200")), fate: "undetermined undetermined"},
		{name: "refused, answered so, and tried again", facts: facts(nowhere, refusal, f(inv.APIAnswer, sec(0.95), "op", "create", "status", "500"), issued(3)), fate: "undetermined undetermined"},
		{name: "refused, and inserted later", facts: facts(nowhere, issued(5), refusal, f(inv.LogStatement, sec(4), "op", "create", "joins", "id", "table", orders)), fate: "undetermined undetermined"},
		{name: "never in WAL, and yet shown: it lives elsewhere", facts: facts(nowhere, walAbsent(orders), issued(1), f(inv.RequestFailed, sec(2)), f(inv.APIAnswer, sec(5), "op", "read", "status", "200")), fate: "undetermined undetermined"},

		// A deletion that WAL does not confirm.
		{name: "a delete was answered, and WAL of that moment has none", facts: facts(stored(), f(inv.APIAnswer, sec(9), "op", "delete", "status", "204")), fate: "undetermined undetermined"},
		{name: "a history of an earlier life", facts: facts(stored(), f(inv.RowInHistory, sec(100), "table", "public.orders_log", "operation", "delete", "written-by", "trigger")), fate: "deleted probable"},
		{name: "deleted by its history, and a later insert of the key was rolled back", facts: facts(rolledBackFacts(covers("700")), f(inv.RowInHistory, sec(100), "table", "public.orders_log", "operation", "delete", "written-by", "trigger")), fate: "deleted established"},

		// A retry under the same id.
		{name: "rolled back, handed out later, and WAL between was not read", facts: facts(rolledBackFacts(logError("700", "40P01")), hole(), issued(30)), fate: "never-committed probable", lead: "deadlock-victim concurrency"},
		{name: "rolled back, handed out later, and WAL between has nothing", facts: facts(rolledBackFacts(logError("700", "40P01")), walCovered(), issued(30)), fate: "never-committed established", lead: "deadlock-victim concurrency"},

		// Two nodes that were asked one after the other.
		{name: "the replica was asked before the row came", facts: facts(two, stored()[:3], visible(orders), onNode("db:replica", facts(early))), fate: "present established", lead: "still-present application"},
		{name: "an open transaction of another server has the same xid", facts: facts(candidateFact(orders), inserted("700", "0/100", "(1,1)", 0), f(inv.XactUnfinished, time.Time{}, "xid", "700", "from", "wal"), absent(orders), f(inv.XactOpen, sec(0), "xid", "700", "server", "db:other")), fate: "never-committed probable"},

		// A table that was emptied and filled again.
		{name: "emptied and loaded again, behind its sequence", id: "42", facts: facts(reloaded("multi-insert"), sequenceAt("30")), fate: "lost established", lead: "restored-backup undetermined"},
		{name: "emptied and loaded again, and the sequence is ahead", id: "42", facts: facts(reloaded("multi-insert"), sequenceAt("99")), fate: "lost probable"},
		{name: "emptied and filled by a statement: a copy put back, or a refresh", id: "42", facts: reloaded("insert"), fate: "lost probable"},

		// A number that was handed out twice.
		{name: "a number that stands again after a failover", id: "42", facts: facts(candidateFact(orders), issued(-600), f(inv.TimelineSwitch, sec(-300), "lsn", "0/80", "from", "wal"), inserted("700", "0/100", "(1,1)", 0), commits("700", 0.1), seenAs("700")), fate: "undetermined undetermined"},
		{name: "a number whose row was deleted before", id: "42", facts: facts(candidateFact(orders), issued(-600), deletedFact("690", "0/90", "(1,1)", -300), commits("690", -300), inserted("700", "0/100", "(1,1)", 0), commits("700", 0.1), seenAs("700")), fate: "undetermined undetermined"},
		{name: "a number whose row was deleted, and that another row has now", id: "42", facts: facts(removed()[:1], removed()[1:], anotherRow("720", "1/4"), commits("720", 20), seenAs("720")), fate: "present established", lead: "still-present application"},
		{name: "a row that was deleted and written again as it was", id: "42", facts: facts(removed(), anotherRow("720", "4/4"), commits("720", 20), seenAs("720")), fate: "present established", lead: "still-present application"},
		{name: "a row that a queue stored long after the answer", id: "42", facts: facts(candidateFact(orders), issued(-600), inserted("700", "0/100", "(1,1)", 0), commits("700", 0.1), seenAs("700")), fate: "present established", lead: "still-present application"},
		{name: "a random id cannot be handed out twice", facts: facts(candidateFact(orders), issued(-600), f(inv.TimelineSwitch, sec(-300), "lsn", "0/80", "from", "wal"), inserted("700", "0/100", "(1,1)", 0), commits("700", 0.1), seenAs("700")), fate: "present established", lead: "still-present application"},

		// WAL from the cluster's first record on.
		{name: "handed out seconds after initdb", facts: facts(nowhere, sinceInitdb(-3), issued(1)), fate: "never-written probable"},
		{name: "handed out before this cluster was made", facts: facts(nowhere, sinceInitdb(-3), issued(-600)), fate: "undetermined undetermined"},

		// A trigger that could have swallowed the insert, held against its values.
		{name: "a trigger whose condition does not hold", facts: facts(nowhere, walAbsent(orders), issued(1), inserting, swallows, taking("swallow", "trg", "false")), fate: "never-written probable"},
		{name: "a trigger whose condition is not understood", facts: facts(nowhere, walAbsent(orders), issued(1), inserting, swallows, taking("swallow", "trg", "unknown")), fate: "never-written established", lead: "write-swallowed database"},
		{name: "a trigger whose condition holds, and no statement was logged", facts: facts(nowhere, walAbsent(orders), issued(1), swallows, taking("swallow", "trg", "true")), fate: "never-written probable", lead: "write-swallowed database"},

		// A key that was changed, or a row that moved.
		{name: "the key was changed, and the row deleted under the new one", facts: facts(stored(), f(inv.TupleRekeyed, sec(10), "table", orders, "xid", "710", "lsn", "0/200", "old", "a", "new", "b"), commits("710", 10.1), deletedFact("715", "0/250", "(1,2)", 12), commits("715", 12)), fate: "deleted established"},
		{name: "moved to another partition by its key", facts: facts(stored(), f(inv.TupleRekeyed, sec(10), "table", orders, "xid", "710", "lsn", "0/200", "old", "id=5,region=eu", "new", "", "moved", "true"), commits("710", 10.1)), fate: "rekeyed probable", lead: "key-changed undetermined"},
		{name: "prepared: nothing else is possible", facts: facts(candidateFact(orders), inserted("700", "0/100", "(1,1)", 0), f(inv.XactPrepared, sec(0), "xid", "700", "gid", "g"), absent(orders)), fate: "never-committed established", lead: "prepared-orphan application"},
		{name: "a statement deletes it by key, and nothing else can be read", facts: facts(nowhere, f(inv.LogStatement, sec(5), "op", "delete", "joins", "id", "table", orders, "user", "alice")), fate: "deleted probable"},

		// A job whose rule was held against the row.
		{name: "a job that counts as many, and does not take this row", facts: append(removed(), ran, contentsFact("710", "deletes", "12", "counts", "12"), taking("delete", "purge", "false")), fate: "deleted established"},
		{name: "a job that counts as many, and takes it", facts: append(removed(), ran, contentsFact("710", "deletes", "12", "counts", "12"), taking("delete", "purge", "true")), fate: "deleted established", lead: "retention-delete retention"},
		{name: "a job of two rules, one of which takes it", facts: append(removed(), ran, contentsFact("710", "deletes", "12", "counts", "12"), taking("delete", "purge", "false"), taking("delete", "purge", "true")), fate: "deleted established", lead: "retention-delete retention"},
		{name: "another job's rule does not take it", facts: append(removed(), ran, contentsFact("710", "deletes", "12", "counts", "12"), taking("delete", "archive", "false")), fate: "deleted established", lead: "retention-delete retention"},

		// Who did it.
		{name: "a desktop client of a personal role, in a hurry", facts: append(removed(), session("710", "application", "DBeaver 24.2 - SQLEditor <Script-3.sql>", "user", "mkoval", "role-programs", "DBeaver 24.2 - Main,DBeaver 24.2 - SQLEditor <Script-3.sql>", "pace", "program", "joins", "statement")), fate: "deleted established", lead: "manual-delete accidental"},
		{name: "a desktop client of the service's role", facts: append(removed(), session("710", "application", "DBeaver 24.2 - Main", "user", "shop_app", "role-programs", "DBeaver 24.2 - Main,api", "pace", "program")), fate: "deleted established"},
		{name: "a statement of an earlier owner of the process id", role: "shop_app", facts: append(removed(), session("710", "application", "psql", "user", "jane", "role-programs", "psql", "pace", "human"), f(inv.LogStatement, sec(-7200), "op", "delete", "joins", "id", "pid", "7", "table", orders)), fate: "deleted established", lead: "manual-delete accidental"},
	}
}

// TestLogsAlone judges cases without a database.
func TestLogsAlone(t *testing.T) { check(t, logsAloneCases()) }

func logsAloneCases() []verdict {
	answer := func(when float64, op, status string, kv ...string) inv.Fact {
		return f(inv.APIAnswer, sec(when), append([]string{"op", op, "status", status, "source", "log:nginx"}, kv...)...)
	}
	said := f(inv.RemovalSaid, sec(300), "source", "log:app", "actor", "bob", "request", "abc777")
	removed := answer(300, "delete", "204", "request", "abc777")
	denied := answer(420, "read", "404")
	refused := f(inv.LogError, sec(2), "op", "create", "joins", "id", "sqlstate", "23502", "by", "application", "request", "7f3")
	accepted := issued(1, "request", "7f3")
	byJob := f(inv.RemovalSaid, sec(300), "source", "log:jobs", "job", "nightly-purge")
	return []verdict{
		{name: "handed out, removed, denied", facts: facts(issued(1), removed, said, denied), fate: "deleted probable", lead: "api-delete application"},
		{name: "shown before instead of told", facts: facts(issued(1), answer(60, "read", "200"), removed, denied), fate: "deleted probable", lead: "api-delete application"},
		{name: "removed, and neither shown before nor told", facts: facts(issued(1), removed, denied), fate: "deleted probable"},
		{name: "answered by the API and logged by the server", facts: facts(removed, f(inv.LogStatement, sec(299.9), "op", "delete", "joins", "id", "table", "bookings")), fate: "deleted probable"},
		{name: "never handed out", facts: facts(removed, denied), fate: "undetermined undetermined"},
		{name: "shown afterwards", facts: facts(issued(1), removed, said, denied, answer(500, "read", "200")), fate: "undetermined undetermined"},
		{name: "the removal was refused", facts: facts(issued(1), answer(300, "delete", "403"), denied), fate: "undetermined undetermined"},
		{name: "the removal cannot be ordered after the create", facts: facts(issued(1), f(inv.APIAnswer, time.Time{}, "op", "delete", "status", "204"), denied), fate: "undetermined undetermined"},
		{name: "a job says that it removed it", facts: facts(issued(1), byJob, denied), fate: "deleted probable", lead: "retention-delete retention"},
		{name: "a job says that it removed it, and it is shown", facts: facts(issued(1), byJob, answer(500, "read", "200")), fate: "undetermined undetermined"},
		{name: "refused, as the application passed on", facts: facts(accepted, refused), fate: "never-written probable", lead: "insert-refused application"},
		{name: "refused in another request", facts: facts(issued(1, "request", "111"), refused), fate: "undetermined undetermined"},
		{name: "refused, and a later request stored it", facts: facts(accepted, refused, issued(9, "request", "8a0")), fate: "undetermined undetermined"},
		{name: "refused, and shown later", facts: facts(accepted, refused, answer(9, "read", "200")), fate: "undetermined undetermined"},
	}
}

// TestWordsWithoutDatabase: nothing is said of a server that nobody asked.
func TestWordsWithoutDatabase(t *testing.T) {
	j := verdict{facts: facts(issued(1))}.judge()
	if !strings.Contains(j.Fate.Summary, "no database") {
		t.Errorf("%s", j.Fate.Summary)
	}
	for _, h := range j.Hypotheses {
		if strings.Contains(h.Summary, "this server") {
			t.Errorf("%s: %s", h.Mechanism, h.Summary)
		}
	}
}

// reloaded is a row that was stored, and a transaction that emptied its table and wrote 600 rows to it.
func reloaded(how string) inv.Facts {
	return facts(stored(), issued(0.2), f(inv.TableTruncated, sec(10), "table", orders, "xid", "710", "lsn", "0/200", "from", "wal"), commits("710", 10.1),
		contentsFact("710", "inserted", orders, "inserted-rows", orders+"=600", "deletes", "0", "deleted", "", "order", how+" "+orders+"×600"))
}

func sequenceAt(last string) inv.Fact { return prop("sequence", last, "increment", "1") }

// seenAs is the row that stands under the id now, written by xid.
func seenAs(xid string) inv.Fact {
	return f(inv.RowVisible, sec(100), "table", orders, "via", "key", "xmin", xid)
}

// anotherRow is an insert of the key after an earlier life of it, with so many columns as they were.
func anotherRow(xid, like string) inv.Fact {
	x := inserted(xid, "0/300", "(2,1)", 20)
	x.Attrs["like-before"] = like
	return x
}

// sinceInitdb is WAL without the key from the first record of a cluster that was made so many seconds before t0.
func sinceInitdb(made float64) inv.Fact {
	x := f(inv.WALKeyAbsent, sec(made+1), "tables", orders, "since", sec(made).Truncate(time.Second).Format(time.RFC3339))
	x.Until = sec(100)
	return x
}

// TestPossible holds what must stay on the list although nothing proves it.
func TestPossible(t *testing.T) {
	standby := facts(nodeSetting(home, "in_recovery", "t"), nodeSetting(home, "replay_paused", "t"), nodeSetting(home, "replay_lsn", "0/100"), nodeSetting(home, "receive_lsn", "0/900"), candidateFact(orders), absent(orders))
	for _, c := range []struct {
		mechanism string
		facts     inv.Facts
	}{
		{"unlogged-reset", facts(candidateFact(orders), absent(orders), prop("persistence", "unlogged"), f(inv.CrashRecovery, sec(5)))},
		{"transaction-open", facts(candidateFact(orders), absent(orders), f(inv.XactOpen, sec(99), "xid", "800", "writes", "public.lines,"+orders))},
		{"prepared-orphan", facts(candidateFact(orders), absent(orders), f(inv.XactPrepared, sec(99), "xid", "800", "writes", orders))},
		{"stale-replica", standby},
	} {
		found := false
		for _, h := range (verdict{facts: c.facts}).judge().Hypotheses {
			if h.Mechanism == c.mechanism {
				found = h.Standing == inv.Possible && len(h.For) > 0
				t.Logf("%s %s: %s", h.Mechanism, h.Standing, h.Summary)
			}
		}
		if !found {
			t.Errorf("%s is not possible with support", c.mechanism)
		}
	}
}

// TestTriedAgain: the same natural key stands under another id, and a create of that id was logged with it.
func TestTriedAgain(t *testing.T) {
	twin := f(inv.RowTwin, sec(100), "table", orders, "key", "0b9f6a1e-1111-4222-8333-444455556666", "by", "reference", "xid", "750", "from", "hint")
	create := func(id string) inv.Fact {
		return f(inv.HintNamed, sec(3), "hint", "reference", "op", "create", "status", "201", "id", id)
	}
	for _, c := range []struct {
		name  string
		facts inv.Facts
		want  bool
	}{
		{"a create of the twin", rolledBackFacts(covers("700"), twin, create("0B9F6A1E-1111-4222-8333-444455556666")), true},
		{"a create of a third", rolledBackFacts(covers("700"), twin, create("ffffffff-1111-4222-8333-444455556666")), false},
		{"only a row with the same key", rolledBackFacts(covers("700"), twin), false},
	} {
		j := verdict{facts: c.facts}.judge()
		h, ok := j.Leading()
		if !ok || h.Mechanism != "rolled-back" || strings.Contains(h.Summary, "stored under the id 0b9f6a1e") != c.want || strings.Contains(strings.Join(h.For, " "), "tried again") != c.want {
			t.Errorf("%s: %s, for %q", c.name, h.Summary, h.For)
		}
	}
}

// hole is WAL that was read up to just after the rollback, and not from there on.
func hole() inv.Fact {
	x := f(inv.WALCovered, t0.Add(-time.Hour), "last", "false")
	x.Until = sec(2)
	return x
}
