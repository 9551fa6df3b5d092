package probes_test

import (
	"slices"
	"strings"
	"testing"

	inv "inquest/investigations"
)

// Tables that others inherit from, as partitioning by hand and Timescale's chunks do,
// hold the rows of those too: also what WAL tells of a row that is gone.
func TestRowsOfTablesThatInherit(t *testing.T) {
	const id, other = "5d0c1a7e-2f4b-4c19-8a77-1f2e3d4c5b6a", "6e0c1a7e-2f4b-4c19-8a77-1f2e3d4c5b6a"
	l := newLive(t, `CREATE TABLE events (id uuid PRIMARY KEY, at timestamptz, v int); CREATE SCHEMA internal;
CREATE TABLE internal.chunk_1 (PRIMARY KEY (id)) INHERITS (events); CREATE TABLE internal.chunk_1a (extra text, PRIMARY KEY (id)) INHERITS (internal.chunk_1);
CREATE TABLE events_2025_11 (PRIMARY KEY (id)) INHERITS (events)`)
	l.do("INSERT INTO internal.chunk_1a (id, at, v) VALUES ('" + id + "', now(), 1); INSERT INTO events_2025_11 VALUES ('" + other + "', now(), 2)")
	l.do("DELETE FROM events WHERE id = '" + id + "'; ALTER TABLE events_2025_11 NO INHERIT events")
	for _, table := range []string{"", "events"} {
		a := l.examine("", inv.Record{ID: id, Table: table}, "database.server", "database.versions", "database.lineage", "database.row")
		if gone := a.Facts.Of(inv.TupleDeleted).With("table", "internal.chunk_1a"); len(gone) == 0 {
			t.Errorf("table %q: the delete is not told: %+v", table, a.Facts.Of(inv.WALKeyAbsent))
		}
		var own []string
		for _, f := range a.Facts.Of(inv.TableProperty).With("name", "candidate") {
			own = append(own, f.Attr("table"))
		}
		if slices.ContainsFunc(own, func(s string) bool { return strings.HasPrefix(s, "internal.") }) {
			t.Errorf("table %q: a child is asked twice: %v", table, own)
		}
		if parts := a.Facts.Of(inv.TableProperty).With("name", "partition").With("value", "public.events"); len(parts) != 2 {
			t.Errorf("table %q: %+v", table, parts)
		}
	}
	a := l.examine("", inv.Record{ID: other}, "database.server", "database.row")
	if f := a.Facts.Of(inv.TableProperty).With("name", "lookalike"); len(f) != 1 || f[0].Attr("table") != "public.events_2025_11" || f[0].Attr("value") != "public.events" {
		t.Errorf("a part that was taken off: %+v", f)
	}
}

// An unlogged partition leaves no WAL of its rows: nothing may be called absent there.
func TestUnloggedPartitions(t *testing.T) {
	l := newLive(t, `CREATE TABLE m (id uuid, r int, PRIMARY KEY (id, r)) PARTITION BY LIST (r); CREATE TABLE m1 PARTITION OF m FOR VALUES IN (1); CREATE UNLOGGED TABLE m2 PARTITION OF m FOR VALUES IN (2);
CREATE TABLE n (id uuid, r int, PRIMARY KEY (id, r)) PARTITION BY LIST (r); CREATE UNLOGGED TABLE n2 PARTITION OF n FOR VALUES IN (2); CREATE TABLE o (id uuid PRIMARY KEY)`)
	a := l.examine("", inv.Record{ID: "5d0c1a7e-2f4b-4c19-8a77-1f2e3d4c5b6a"})
	for table, want := range map[string]string{"public.m": "partly-unlogged", "public.n": "unlogged", "public.o": "permanent"} {
		if f := a.Facts.Of(inv.TableProperty).With("name", "persistence").With("table", table); len(f) != 1 || f[0].Attr("value") != want {
			t.Errorf("%s: %+v", table, f)
		}
	}
}
