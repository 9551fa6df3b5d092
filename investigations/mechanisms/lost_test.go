package mechanisms

import (
	"testing"
	"time"

	inv "inquest/investigations"
)

// onBranch moves facts into a history that the server left behind.
func onBranch(list inv.Facts) inv.Facts {
	var out inv.Facts
	for _, x := range list {
		attrs := map[string]string{"branch": "timeline 1"}
		for k, v := range x.Attrs {
			attrs[k] = v
		}
		x.Attrs = attrs
		out = append(out, x)
	}
	return out
}

func TestLost(t *testing.T) { check(t, lostCases()) }

func lostCases() []verdict {
	discarded := append(facts(candidateFact(orders), absent(orders)), onBranch(facts(inserted("700", "0/100", "(1,1)", 0), commits("700", 0.1)))...)
	fork := f(inv.TimelineSwitch, sec(5), "lsn", "0/80", "from", "wal", "reason", "no recovery target specified", "timeline", "2")
	unlogged := facts(candidateFact(orders), absent(orders), issued(0), prop("persistence", "unlogged"))
	lax := f(inv.Setting, time.Time{}, "name", "synchronous_commit", "value", "off", "scope", "configuration file")
	acked := facts(candidateFact(orders), absent(orders), issued(0))
	crash := func(when float64) inv.Fact { return f(inv.CrashRecovery, sec(when), "from", "log") }
	last := func(when, last float64) inv.Fact {
		return f(inv.SystemEvent, sec(when), "how", "last-commit", "last-commit", sec(last).Format(time.RFC3339Nano))
	}
	damaged := append(stored(), prop("file", "base/5/16400"), f(inv.BlockDamaged, sec(20), "file", "base/5/16400", "block", "1"))
	return []verdict{
		{name: "left behind by a failover", facts: append(discarded, fork, f(inv.SystemEvent, sec(4), "how", "failover")), fate: "lost established", lead: "failover-lost database"},
		{name: "a promotion long before is another", facts: append(discarded, fork, f(inv.SystemEvent, sec(-9000), "how", "failover")), fate: "lost established"},
		{name: "left behind by a recovery to a time", facts: append(discarded, f(inv.TimelineSwitch, sec(5), "lsn", "0/80", "from", "wal", "how", "restore", "reason", "before 2025-11-27 14:57:59+00")), fate: "lost established", lead: "restored-backup accidental"},
		{name: "left behind by a start from an older copy: by whom is not told", facts: append(discarded, f(inv.TimelineSwitch, sec(5), "lsn", "0/80", "from", "wal", "how", "restore")), fate: "lost established", lead: "restored-backup undetermined"},
		{name: "left behind by a recovery that the log gives a point to stop at", facts: append(discarded, f(inv.TimelineSwitch, sec(5), "lsn", "0/80", "from", "wal"), f(inv.SystemEvent, sec(4), "how", "restore", "target", "true")), fate: "lost established", lead: "restored-backup accidental"},
		{name: "left behind, by which is not told", facts: append(discarded, fork), fate: "lost established"},
		{name: "rolled back before it was left behind", facts: append(facts(candidateFact(orders), absent(orders), fork), onBranch(facts(inserted("700", "0/100", "(1,1)", 0), aborts("700", 0.1)))...), fate: "undetermined undetermined"},
		{name: "deleted before it was left behind", facts: append(discarded, onBranch(facts(deletedFact("710", "0/110", "(1,1)", 1), commits("710", 1)))...), fate: "undetermined undetermined"},
		{name: "left behind, and written again", facts: append(append(discarded, fork), facts(inserted("700", "0/90", "(1,1)", 6), commits("700", 6), visible(orders))...), fate: "present established", lead: "still-present application"},
		{name: "unlogged, and a crash", facts: append(unlogged, crash(5)), fate: "lost established", lead: "unlogged-reset system"},
		{name: "unlogged, and a crash before", facts: append(unlogged, crash(-5)), fate: "undetermined undetermined"},
		{name: "unlogged, a crash, and a delete request", facts: append(unlogged, crash(5), f(inv.APIAnswer, sec(2), "op", "delete", "status", "204")), fate: "lost probable", lead: "unlogged-reset system"},
		{name: "not waited for, and a crash at once", facts: append(acked, lax, crash(1)), fate: "lost probable", lead: "async-commit-lost system"},
		{name: "not waited for, and a crash much later", facts: append(acked, lax, crash(60)), fate: "undetermined undetermined"},
		{name: "a later start, and no commit after it survived", facts: append(acked, lax, crash(60), last(61, -0.5)), fate: "lost probable", lead: "async-commit-lost system"},
		{name: "a later commit survived", facts: append(acked, lax, crash(1), last(2, 0.9)), fate: "undetermined undetermined"},
		{name: "waited for", facts: append(acked, f(inv.Setting, time.Time{}, "name", "synchronous_commit", "value", "on"), crash(1)), fate: "undetermined undetermined"},
		{name: "another role does not wait", facts: append(acked, f(inv.Setting, time.Time{}, "name", "synchronous_commit", "value", "off", "scope", "set for role batch"), crash(1)), fate: "undetermined undetermined"},
		{name: "an ABORT record was written: it was not the crash", facts: append(rolledBackFacts(issued(0), lax), crash(5)), fate: "never-committed established"},
		{name: "its page was damaged", facts: damaged, fate: "lost established", lead: "page-corruption system"},
		{name: "another page was damaged", facts: append(stored(), prop("file", "base/5/16400"), f(inv.BlockDamaged, sec(20), "file", "base/5/16400", "block", "77")), fate: "undetermined undetermined"},
		{name: "damage somewhere, and gone without a delete", facts: append(stored(), prop("checksum-failures", "2")), fate: "lost probable", lead: "page-corruption system"},
		{name: "its page was damaged, and the row had been deleted", facts: append(removed(), prop("file", "base/5/16400"), f(inv.BlockDamaged, sec(20), "file", "base/5/16400", "block", "1")), fate: "deleted established"},
	}
}

func onNode(server string, list inv.Facts) inv.Facts {
	out := elsewhere(orders, list)
	for i := range out {
		out[i].Attrs["server"] = server
	}
	return out
}

func nodeSetting(server, name, value string) inv.Fact {
	return f(inv.Setting, time.Time{}, "server", server, "name", "server."+name, "value", value)
}

func TestNodesAndHiding(t *testing.T) { check(t, nodesAndHidingCases()) }

func nodesAndHidingCases() []verdict {
	two := facts(nodeSetting(home, "system_identifier", "1"), nodeSetting("db:replica", "system_identifier", "1"), nodeSetting(home, "in_recovery", "f"), nodeSetting("db:replica", "in_recovery", "t"))
	other := facts(nodeSetting(home, "system_identifier", "1"), nodeSetting("db:replica", "system_identifier", "2"))
	there := facts(candidateFact(orders), visible(orders))
	flagged := f(inv.RowFlagged, sec(100), "table", orders, "column", "deleted_at", "value", "yes")
	old := facts(nodeSetting(home, "system_identifier", "1"), nodeSetting(home, "timeline", "2"), nodeSetting("db:old", "system_identifier", "1"), nodeSetting("db:old", "timeline", "1"))
	fork := f(inv.TimelineSwitch, sec(5), "lsn", "0/80", "from", "wal")
	namesake := facts(candidateFact("training.orders"), visible("training.orders"), f(inv.TableProperty, time.Time{}, "name", "resolves-elsewhere", "table", "training.orders", "value", orders), candidateFact(orders), absent(orders))
	former := facts(candidateFact(orders, "partitioned", "true"), absent(orders), candidateFact("public.orders_old"), visible("public.orders_old"), f(inv.TableProperty, time.Time{}, "name", "lookalike", "table", "public.orders_old", "value", orders))
	return []verdict{
		{name: "the replica does not have it", facts: append(append(two, there...), onNode("db:replica", facts(absent(orders)))...), fate: "hidden established", lead: "stale-replica database"},
		{name: "both have it", facts: append(append(two, there...), onNode("db:replica", facts(visible(orders)))...), fate: "present established", lead: "still-present application"},
		{name: "another cluster has it, and it never was here", facts: append(append(other, candidateFact(orders), absent(orders), walAbsent(orders), issued(1)), onNode("db:replica", facts(visible(orders)))...), fate: "hidden established", lead: "wrong-place application"},
		{name: "another cluster has it since it was handed out", facts: append(append(other, candidateFact(orders), absent(orders), issued(1)), onNode("db:replica", facts(visible(orders), inserted("700", "0/100", "(1,1)", 0), commits("700", 0.1)))...), fate: "hidden established", lead: "wrong-place application"},
		{name: "another cluster has it: perhaps a copy", facts: append(append(other, candidateFact(orders), absent(orders), issued(1)), onNode("db:replica", facts(visible(orders)))...), fate: "undetermined undetermined"},
		{name: "another cluster got it in a bulk load", facts: append(append(other, candidateFact(orders), absent(orders), issued(1)), onNode("db:replica", facts(visible(orders), f(inv.TupleInserted, sec(0), "table", orders, "xid", "700", "lsn", "0/100", "tid", "(1,1)", "from", "wal", "op", "multi-insert"), commits("700", 0.1)))...), fate: "undetermined undetermined"},
		{name: "another cluster got it an hour later", facts: append(append(other, candidateFact(orders), absent(orders), issued(1)), onNode("db:replica", facts(visible(orders), inserted("700", "0/100", "(1,1)", 3600), commits("700", 3600)))...), fate: "undetermined undetermined"},
		{name: "another cluster has that number", id: "42", facts: append(append(other, candidateFact(orders), absent(orders), walAbsent(orders), issued(1)), onNode("db:replica", facts(visible(orders)))...), fate: "hidden probable", lead: "wrong-place application"},
		{name: "deleted here, and there in another cluster", facts: append(append(other, removed()...), onNode("db:replica", facts(visible(orders)))...), fate: "deleted established"},
		{name: "another cluster does not have it", facts: append(append(other, there...), onNode("db:replica", facts(absent(orders)))...), fate: "present established", lead: "still-present application"},
		{name: "what the replica deleted is not the primary's story", facts: append(append(two, append(stored(), visible(orders))...), onNode("db:replica", facts(visible(orders)))...), fate: "present established", lead: "still-present application"},
		{name: "the old primary has a commit beyond the fork", facts: append(append(old, candidateFact(orders), absent(orders), fork, f(inv.SystemEvent, sec(5), "how", "failover")), onNode("db:old", facts(inserted("700", "0/100", "(1,1)", 0), commits("700", 0.1)))...), fate: "lost established", lead: "failover-lost database"},
		{name: "the old primary has a commit before the fork", facts: append(append(old, candidateFact(orders), absent(orders), fork), onNode("db:old", facts(inserted("700", "0/10", "(1,1)", 0), commits("700", 0.1)))...), fate: "undetermined undetermined"},
		{name: "soft-deleted", facts: append(there, flagged), fate: "hidden established", lead: "soft-deleted undetermined"},
		{name: "soft-deleted on request", facts: facts(there, flagged, f(inv.APIAnswer, sec(9), "op", "delete", "status", "204")), fate: "hidden established", lead: "soft-deleted application"},
		{name: "soft-deleted by a person", facts: append(append(there, flagged), f(inv.TupleUpdated, sec(3), "table", orders, "xid", "705", "lsn", "0/150"), commits("705", 3), session("705", "application", "psql")), fate: "hidden established", lead: "soft-deleted accidental"},
		{name: "masked by a policy", role: "web", facts: facts(candidateFact(orders, "rls", "on"), visible(orders), f(inv.RowMasked, sec(100), "table", orders, "as", "web")), fate: "hidden established", lead: "row-security database"},
		{name: "policies, a denying answer, and nobody tried the role", facts: facts(candidateFact(orders, "rls", "on"), visible(orders), prop("row-security", "on"), f(inv.APIAnswer, sec(2), "op", "read", "status", "404")), fate: "hidden probable", lead: "row-security database"},
		{name: "policies and no denying answer", facts: facts(candidateFact(orders, "rls", "on"), visible(orders), prop("row-security", "on")), fate: "present established", lead: "still-present application"},
		{name: "the index misses it", facts: facts(candidateFact(orders), absent(orders), f(inv.IndexDisagrees, sec(100), "table", orders, "index", "pk")), fate: "hidden established", lead: "index-corruption database"},
		{name: "in a namesake in another schema, and never in the asked one", facts: facts(namesake, walAbsent(orders), issued(1)), fate: "hidden established", lead: "wrong-place application"},
		{name: "in a namesake in another schema, perhaps moved there", facts: facts(namesake, issued(1)), fate: "undetermined undetermined"},
		{name: "in a former partition, and the log has the DETACH", facts: facts(former, f(inv.LogStatement, sec(20), "op", "detach", "table", orders, "part", "orders_old")), fate: "hidden established", lead: "detached-partition retention"},
		{name: "in a former partition, where it was inserted", facts: facts(former, elsewhere("public.orders_old", facts(inserted("700", "0/100", "(1,1)", 0), commits("700", 0.1))), issued(1)), fate: "hidden established", lead: "detached-partition retention"},
		{name: "in a table that looks like a former partition, perhaps an archive", facts: facts(former, issued(1)), fate: "undetermined undetermined"},
		{name: "in another database, perhaps a clone", facts: facts(candidateFact(orders), absent(orders), issued(-7200), walAbsent(orders), f(inv.RowElsewhere, sec(100), "table", orders, "kind", "database", "database", "shop_test", "reason", "another database")), fate: "undetermined undetermined"},
		{name: "in another database", facts: facts(candidateFact(orders), absent(orders), walAbsent(orders), issued(1), f(inv.RowElsewhere, sec(100), "table", orders, "kind", "database", "database", "shop_test", "reason", "another database")), fate: "hidden established", lead: "wrong-place application"},
		{name: "written alike", facts: facts(candidateFact(orders), absent(orders), f(inv.RowNear, sec(100), "table", orders, "key", "AB", "difference", "normalised")), fate: "present established", lead: "id-mismatch application"},
		{name: "hyphens apart in a code", id: "AB-12", facts: facts(candidateFact(orders), absent(orders), f(inv.RowNear, sec(100), "table", orders, "key", "AB1-2", "difference", "punctuation", "random", "false")), fate: "undetermined undetermined"},
		{name: "one digit off a random id", facts: facts(candidateFact(orders), absent(orders), f(inv.RowNear, sec(100), "table", orders, "key", "x", "difference", "one-edit", "random", "true")), fate: "present established", lead: "id-mismatch application"},
		{name: "near ids on both sides", facts: facts(candidateFact(orders), absent(orders), f(inv.RowNear, sec(100), "table", orders, "key", "x", "difference", "one-edit", "random", "true"), f(inv.RowNear, sec(100), "table", orders, "key", "y", "difference", "one-edit", "random", "true")), fate: "undetermined undetermined"},
		{name: "a near id, while the asked one has a story", facts: append(removed(), f(inv.RowNear, sec(100), "table", orders, "key", "x", "difference", "one-edit", "random", "true")), fate: "deleted established"},
	}
}
