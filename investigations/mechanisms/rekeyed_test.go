package mechanisms

import (
	"strings"
	"testing"

	inv "inquest/investigations"
)

// TestWhereARekeyedRowIs: a row that is gone from under its new key is not told as
// merely rekeyed, and one whose key is used again is not mixed up with the new one.
func TestWhereARekeyedRowIs(t *testing.T) {
	rekeyed := func(kv ...string) inv.Facts {
		return facts(stored(), f(inv.TupleRekeyed, sec(10), append([]string{"table", orders, "xid", "710", "lsn", "0/200", "old", "a", "new", "b"}, kv...)...), commits("710", 10.1))
	}
	under := func(kind inv.FactKind, xid, lsn string, when float64, kv ...string) inv.Fact {
		return f(kind, sec(when), append([]string{"table", orders, "xid", xid, "lsn", lsn, "from", "wal", "under", "b", "left", "0/200"}, kv...)...)
	}
	found := func(is string) inv.Fact { return f(inv.RowRekeyed, sec(100), "table", orders, "found", is) }
	psql := func(xid string) inv.Fact {
		return session(xid, "application", "psql", "user", "jane", "pace", "human", "role-programs", "psql", "joins", "statement")
	}
	deleted := facts(rekeyed("followed", "true"), under(inv.TupleDeleted, "720", "0/300", 20), commits("720", 20))
	check(t, []verdict{
		{name: "there", facts: facts(rekeyed(), found("true")), fate: "rekeyed established", lead: "key-changed undetermined"},
		{name: "followed to now", facts: rekeyed("followed", "true"), fate: "rekeyed established", lead: "key-changed undetermined"},
		{name: "not read", facts: rekeyed("lost", "the key that the row got is not known"), fate: "rekeyed probable", lead: "key-changed undetermined"},
		{name: "gone, and nobody saw how", facts: facts(rekeyed("followed", "true"), found("false")), fate: "undetermined undetermined"},
		{name: "deleted under its new key", facts: facts(deleted, found("false"), psql("720")), fate: "deleted established", lead: "manual-delete accidental"},
		{name: "deleted, and the key used by another row since", facts: facts(deleted, found("true")), fate: "deleted established"},
		{name: "deleted, and its first version seen on a page since", facts: facts(rekeyed("followed", "true", "tid", "(1,1)"), under(inv.TupleDeleted, "720", "0/300", 20, "tid", "(1,2)"), commits("720", 20), f(inv.TupleInserted, sec(25), "table", orders, "xid", "700", "tid", "(1,1)", "from", "image", "seen", "0/350"), found("false")), fate: "deleted established"},
		{name: "a delete that was rolled back", facts: facts(rekeyed("followed", "true"), under(inv.TupleDeleted, "720", "0/300", 20), aborts("720", 20), found("true")), fate: "rekeyed established", lead: "key-changed undetermined"},
		{name: "truncated afterwards", facts: facts(rekeyed("followed", "true"), f(inv.TableTruncated, sec(30), "table", orders, "xid", "730", "lsn", "0/400", "from", "wal"), commits("730", 30), found("false")), fate: "deleted established", lead: "truncate accidental"},
		{name: "truncated before", facts: facts(rekeyed("followed", "true"), f(inv.TableTruncated, sec(5), "table", orders, "xid", "705", "lsn", "0/180", "from", "wal"), commits("705", 5), found("true")), fate: "rekeyed established", lead: "key-changed undetermined"},
		{name: "truncated, and there again", facts: facts(rekeyed(), f(inv.TableTruncated, sec(30), "table", orders, "xid", "730", "lsn", "0/400", "from", "wal"), commits("730", 30), found("true")), fate: "rekeyed probable", lead: "key-changed undetermined"},
		{name: "the table dropped afterwards", facts: facts(rekeyed(), f(inv.TableDropped, sec(30), "table", orders, "xid", "730", "lsn", "0/400", "from", "wal"), commits("730", 30)), fate: "deleted established", lead: "table-drop accidental"},
		{
			name: "the asked key used again and deleted, while the first row was deleted under its own", fate: "deleted established",
			facts: facts(deleted, inserted("715", "0/280", "(3,1)", 15), commits("715", 15), deletedFact("718", "0/290", "(3,1)", 18), commits("718", 18)),
		},
		{
			name: "the asked key used again, while the first row was deleted under its own", fate: "present established", lead: "still-present application",
			facts: facts(candidateFact(orders), deleted.Where(func(f inv.Fact) bool { return f.Kind != inv.RowAbsent }), inserted("715", "0/280", "(3,1)", 15), commits("715", 15), visible(orders)),
		},
	})
	here := func(old string) inv.Facts {
		gave := inserted("710", "0/210", "(3,1)", 10)
		gave.Attrs["old"] = old
		return facts(candidateFact(orders), deleted.Where(func(f inv.Fact) bool { return f.Kind != inv.RowAbsent }), gave, visible(orders))
	}
	for old, want := range map[string]string{"z": "another one than had it first", "b": "under the id that was asked for."} {
		if j := (verdict{facts: here(old)}).judge(); j.Fate.Kind != inv.FatePresent || !strings.Contains(j.Fate.Summary, want) {
			t.Errorf("a row that had the key %s before: %s %s", old, j.Fate.Kind, j.Fate.Summary)
		}
	}
	j := verdict{facts: facts(rekeyed(), under(inv.TupleRekeyed, "715", "0/250", 15, "old", "b", "new", "c"), commits("715", 15), under(inv.TupleDeleted, "720", "0/300", 20, "under", "c"), commits("720", 20))}.judge()
	for _, part := range []string{"from a to b", "then xid 715", "changed it to c", "Under that key the row was deleted", "xid 720"} {
		if !strings.Contains(j.Fate.Summary, part) {
			t.Errorf("%q is not in %q", part, j.Fate.Summary)
		}
	}
}
