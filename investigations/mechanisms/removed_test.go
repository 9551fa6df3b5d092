package mechanisms

import (
	"strings"
	"testing"
	"time"

	inv "inquest/investigations"
)

func contentsFact(xid string, kv ...string) inv.Fact {
	return f(inv.XactContents, sec(10.1), append([]string{"xid", xid, "complete", "true", "inserts", "0", "deletes", "1", "deleted", orders}, kv...)...)
}

func prop(name, value string, kv ...string) inv.Fact {
	return f(inv.TableProperty, time.Time{}, append([]string{"table", orders, "name", name, "value", value}, kv...)...)
}

func TestWhoDeleted(t *testing.T) { check(t, whoDeletedCases()) }

// whoDeletedCases covers the twins among deletes: one committed delete, and what
// tells its actor.
func whoDeletedCases() []verdict {
	with := func(more ...any) inv.Facts { return append(removed(), facts(more...)...) }
	psql := func(kv ...string) inv.Fact {
		return session("710", append([]string{"application", "psql", "user", "jane", "role-programs", "psql"}, kv...)...)
	}
	request := func(when float64) inv.Fact {
		return f(inv.APIAnswer, sec(when), "op", "delete", "status", "204", "method", "DELETE")
	}
	run := func(kv ...string) inv.Fact {
		return f(inv.JobRun, sec(9), append([]string{"of", "710", "job", "purge"}, kv...)...)
	}
	cascade := prop("cascade", "fk", "parent", "public.customers")
	child := contentsFact("710", "deleted", "public.customers,"+orders)
	trigger := prop("trigger-deletes", "trg", "on", "public.rooms", "update", "true")
	return []verdict{
		{name: "a person at a prompt", facts: with(psql("pace", "human")), fate: "deleted established", lead: "manual-delete accidental"},
		{name: "pauses under a role of her own", facts: with(psql("pace", "pauses")), fate: "deleted established", lead: "manual-delete accidental"},
		{name: "pauses under a role that programs use", facts: with(psql("pace", "pauses", "role-programs", "psql,orders-api")), fate: "deleted established"},
		{name: "psql at a program's pace", facts: with(psql("pace", "program")), fate: "deleted established"},
		{name: "a person among others", facts: with(psql("pace", "human", "count", "2"), session("710", "application", "api", "count", "2")), fate: "deleted established"},
		{name: "the only one that is known, and others may be missing", facts: with(psql("pace", "human", "complete", "false")), fate: "deleted established"},
		{name: "cron's psql", facts: with(session("710", "application", "psql", "user", "cron", "pace", "human")), fate: "deleted established", lead: "retention-delete retention"},
		{name: "a job's session", facts: with(session("710", "application", "purge-stale-carts", "user", "batch", "pace", "program")), fate: "deleted established", lead: "retention-delete retention"},
		{name: "a job that counts as many", facts: with(run("removed", "12"), contentsFact("710", "deletes", "12", "counts", "12")), fate: "deleted established", lead: "retention-delete retention"},
		{name: "a job that counts others", facts: with(run("removed", "40"), contentsFact("710", "deletes", "12", "counts", "12")), fate: "deleted established"},
		{name: "a job ran, and a person did it", facts: with(run("removed", "1"), contentsFact("710", "counts", "1"), psql("pace", "human")), fate: "deleted established", lead: "manual-delete accidental"},
		{name: "a schedule in WAL", facts: with(peer("690", -3589.9), peer("680", -7189.9), peer("670", -10789.9)), fate: "deleted established", lead: "retention-delete retention"},
		{name: "deletes without a schedule", facts: with(peer("690", -3589.9), peer("680", -4189.9), peer("670", -10789.9)), fate: "deleted established"},
		{name: "a migration", facts: with(contentsFact("710", "inserted", "public.schema_migrations", "inserts", "1")), fate: "deleted established", lead: "script-delete accidental"},
		{name: "a delete request in flight", facts: with(request(10.2)), fate: "deleted established", lead: "api-delete application"},
		{name: "a delete request long after", facts: with(request(600)), fate: "deleted established"},
		{name: "a delete request in flight, and a person did it", facts: with(request(10.2), psql("pace", "human")), fate: "deleted established", lead: "manual-delete accidental"},
		{name: "the application's session, with its statement", role: "shop_app", facts: with(session("710", "application", "api", "user", "shop_app", "joins", "statement", "statement", "DELETE FROM orders WHERE id = '"+random+"'")), fate: "deleted established", lead: "api-delete application"},
		{name: "the application's session, with a statement that takes many", role: "shop_app", facts: with(session("710", "application", "api", "user", "shop_app", "joins", "statement", "statement", "DELETE FROM orders WHERE n < 1500")), fate: "deleted established"},
		{name: "the program that stored it, with a prepared statement that takes many", facts: with(session("700", "application", "api", "user", "shop_app"), session("710", "application", "api", "user", "shop_app", "joins", "statement", "statement", "DELETE FROM orders WHERE customer_id = $1")), fate: "deleted established", lead: "api-delete application"},
		{name: "another program, with a prepared statement that takes many", role: "shop_app", facts: with(session("700", "application", "api", "user", "shop_app"), session("710", "application", "tool", "user", "shop_app", "joins", "statement", "statement", "DELETE FROM orders WHERE customer_id = $1")), fate: "deleted established"},
		{name: "the application's session, merely connected", role: "shop_app", facts: with(session("710", "application", "api", "user", "shop_app")), fate: "deleted established"},
		{name: "the parent first, by nobody knows whom", facts: with(cascade, child), fate: "deleted established", lead: "cascade-delete undetermined"},
		{name: "the parent first, by sessions of the application", role: "shop_app", facts: with(cascade, child, session("710", "application", "api", "user", "shop_app", "count", "2"), session("710", "application", "api", "user", "shop_app", "count", "2")), fate: "deleted established", lead: "cascade-delete application"},
		{name: "the parent first, by the application or a person", role: "shop_app", facts: with(cascade, child, session("710", "application", "api", "user", "shop_app", "count", "2"), psql("pace", "human", "count", "2")), fate: "deleted established", lead: "cascade-delete undetermined"},
		{name: "the parent first, and one statement is the only one seen", facts: with(cascade, child, psql("joins", "statement", "complete", "false")), fate: "deleted established", lead: "cascade-delete accidental"},
		{name: "the parent first, by a person", facts: with(cascade, child, psql("pace", "human")), fate: "deleted established", lead: "cascade-delete accidental"},
		{name: "the child first", facts: with(cascade, contentsFact("710", "deleted", orders+",public.customers")), fate: "deleted established"},
		{name: "a trigger", facts: with(trigger, contentsFact("710", "updated", "public.rooms")), fate: "deleted established", lead: "trigger-delete database"},
		{name: "a trigger for another event", facts: with(trigger, contentsFact("710", "inserted", "public.rooms", "inserts", "1")), fate: "deleted established"},
		{name: "cascade and trigger both could: a tie", facts: with(cascade, prop("trigger-deletes", "trg", "on", "public.customers", "delete", "true"), child), fate: "deleted established"},
		{name: "the deleter is older than the inserter", facts: append(stored(), deletedFact("690", "0/200", "(1,1)", 10), commits("690", 10.1)), fate: "deleted established", lead: "race-delete concurrency"},
		{name: "a subtransaction's number is no age", facts: append(facts(candidateFact(orders), inserted("712", "0/100", "(1,1)", 0), commits("712", 0.1, "top", "690"), walCovered(), absent(orders)), deletedFact("700", "0/200", "(1,1)", 10), commits("700", 10.1)), fate: "deleted established"},
		{name: "a job that had begun before the row came", facts: with(run("started", sec(-5).Format(time.RFC3339Nano))), fate: "deleted established", lead: "race-delete concurrency"},
		{name: "a statement of the same whole second is not older than the row", facts: with(session("710", "application", "api", "user", "web", "joins", "statement", "started", sec(1).Format(time.RFC3339Nano))), fate: "deleted established"},
		{name: "a job's line on another clock, hardly before the row", facts: with(run("from", "log", "started", sec(0.05).Format(time.RFC3339Nano))), fate: "deleted established"},
		{name: "applied from another server", facts: append(stored(), deletedFact("710", "0/200", "(1,1)", 10), commits("710", 10.1, "origin", "1"), psql("pace", "human")), fate: "deleted established"},
	}
}

func peer(xid string, when float64) inv.Fact {
	return f(inv.XactPeer, sec(when), "table", orders, "xid", xid, "same", "true")
}

func TestTableRemovedOrRekeyed(t *testing.T) { check(t, tableRemovedOrRekeyedCases()) }

func tableRemovedOrRekeyedCases() []verdict {
	gone := func(kind inv.FactKind, kv ...string) inv.Facts {
		return append(stored(), f(kind, sec(10), append([]string{"table", orders, "xid", "710", "lsn", "0/200", "from", "wal"}, kv...)...), commits("710", 10.1))
	}
	part := append(facts(candidateFact(orders, "partitioned", "true"), f(inv.TupleInserted, sec(0), "table", orders, "xid", "700", "lsn", "0/100", "tid", "(1,1)", "from", "wal", "part", "p1"), commits("700", 0.1), absent(orders)),
		f(inv.TableDropped, sec(10), "table", orders, "xid", "710", "lsn", "0/200", "from", "wal", "part", "p1"), commits("710", 10.1))
	rekeyed := append(stored(), f(inv.TupleRekeyed, sec(10), "table", orders, "xid", "710", "lsn", "0/200", "old", "a", "new", "b"), commits("710", 10.1))
	return []verdict{
		{name: "truncated", facts: gone(inv.TableTruncated), fate: "deleted established", lead: "truncate accidental"},
		{name: "truncated before it was stored", facts: append(facts(candidateFact(orders), f(inv.TableTruncated, sec(-10), "table", orders, "xid", "690", "lsn", "0/50", "from", "wal"), commits("690", -9)), stored()...), fate: "undetermined undetermined"},
		{name: "truncated by a job", facts: append(gone(inv.TableTruncated), session("710", "application", "purge", "user", "cron")), fate: "deleted established", lead: "truncate retention"},
		{
			name: "truncated by hand, and by a job the night after", fate: "deleted established", lead: "truncate accidental",
			facts: append(gone(inv.TableTruncated), f(inv.TableTruncated, sec(20), "table", orders, "xid", "720", "lsn", "0/300", "from", "wal"), commits("720", 20), session("720", "application", "purge", "user", "cron"), session("710", "application", "psql", "user", "jane", "pace", "human", "role-programs", "psql", "joins", "statement")),
		},
		{name: "truncated, and the table dropped later", facts: append(gone(inv.TableTruncated), f(inv.TableDropped, sec(20), "table", orders, "xid", "720", "lsn", "0/300", "from", "wal"), commits("720", 20)), fate: "deleted established", lead: "truncate accidental"},
		{name: "seen on a page after it", facts: append(gone(inv.TableTruncated), f(inv.TupleInserted, sec(0), "table", orders, "xid", "700", "tid", "(1,1)", "from", "image", "seen", "0/400"), walCovered()), fate: "undetermined undetermined"},
		{name: "dropped", facts: gone(inv.TableDropped), fate: "deleted established", lead: "table-drop accidental"},
		{name: "its partition dropped", facts: part, fate: "deleted established", lead: "partition-drop retention"},
		{name: "rewritten: no loss", facts: gone(inv.TableRewritten), fate: "undetermined undetermined"},
		{name: "found in a dropped file by an id that says little", facts: gone(inv.TableDropped, "assumed", "true"), fate: "deleted probable", lead: "table-drop accidental"},
		{name: "key changed", facts: rekeyed, fate: "rekeyed probable", lead: "key-changed undetermined"},
		{name: "key changed, then used again", facts: append(rekeyed, inserted("720", "0/300", "(3,1)", 20), commits("720", 20)), fate: "undetermined undetermined"},
		{name: "replaced in one transaction", facts: append(removed(), f(inv.RowTwin, sec(100), "table", orders, "key", "b", "by", "guest", "xid", "710")), fate: "rekeyed established", lead: "replaced undetermined"},
		{name: "the same content, from another transaction", facts: append(removed(), f(inv.RowTwin, sec(100), "table", orders, "key", "b", "by", "guest", "xid", "650")), fate: "deleted established"},
		{name: "history written by a trigger", facts: facts(candidateFact(orders), absent(orders), f(inv.RowInHistory, sec(100), "table", "public.orders_log", "operation", "delete", "written-by", "trigger")), fate: "deleted established"},
		{name: "history written by anybody", facts: facts(candidateFact(orders), absent(orders), f(inv.RowInHistory, sec(100), "table", "public.orders_log", "operation", "delete")), fate: "deleted probable"},
		{name: "only a request to delete", facts: facts(candidateFact(orders), absent(orders), f(inv.APIAnswer, sec(9), "op", "delete", "status", "204")), fate: "deleted probable"},
		{name: "a refused request to delete", facts: facts(candidateFact(orders), absent(orders), f(inv.APIAnswer, sec(9), "op", "delete", "status", "403")), fate: "undetermined undetermined"},
	}
}

// TestDroppedTableThatMayHaveHeldIt: while such a table was dropped after the id was handed out, nothing is said to have never been written.
func TestDroppedTableThatMayHaveHeldIt(t *testing.T) {
	base := facts(candidateFact(orders), issued(0), walAbsent(orders), absent(orders))
	dropped := func(when float64) inv.Fact {
		return f(inv.TableDropped, sec(when), "table", "claims.claims", "xid", "750", "lsn", "0/900", "from", "wal", "unseen", "true")
	}
	check(t, []verdict{
		{name: "no drop", facts: base, fate: "never-written probable"},
		{name: "dropped later", facts: append(base, dropped(50), commits("750", 50)), fate: "undetermined undetermined"},
		{name: "dropped before", facts: append(base, dropped(-50), commits("750", -50)), fate: "never-written probable"},
	})
	if j := (verdict{facts: append(base, dropped(50), commits("750", 50))}).judge(); len(j.Fate.Settles) == 0 || !strings.Contains(j.Fate.Settles[0], "claims.claims") {
		t.Errorf("%v", j.Fate)
	}
}
