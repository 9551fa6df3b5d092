package wal_test

import (
	"testing"

	"inquest/sources/heap"
	"inquest/sources/pgserver"
	"inquest/sources/wal"
)

// TestKnownAddressSpeaksOfItsLastRow: an address that holds the key at the end was used before by an update of another row that was rolled
// back, whose own fate is not the key's.
func TestKnownAddressSpeaksOfItsLastRow(t *testing.T) {
	t.Parallel()
	d := start(t, pgserver.Config{Major: 15, Settings: map[string]string{"full_page_writes": "off"}})
	d.exec("create table t (id uuid primary key, n int, note text)")
	d.exec(subst("insert into t select md5(g::text)::uuid, g, repeat('x',100) from generate_series(1,20) g\ninsert into t values ('OTHER',1,'other'),('ID',2,'mine to be')"))
	tg := d.target("t", "id="+id1)
	d.exec("checkpoint")
	from, err := wal.ParseLSN(d.text("select redo_lsn::text from pg_control_checkpoint()"))
	if err != nil {
		t.Fatal(err)
	}
	// The update that is rolled back leaves a heap-only version at (0,23); vacuum frees it and the key's update takes it.
	d.exec(subst("begin\nupdate t set note='gone' where id='OTHER'\nrollback\nvacuum t\nupdate t set note='mine' where id='ID'"))
	slot := tid(t, d, subst("select ctid::text from t where id='ID'"))
	if slot.String() != "(0,23)" {
		t.Fatalf("the row went to %s, the address under test is (0,23)", slot)
	}
	d.exec(subst("update t set note='other again' where id='OTHER'\ndelete from t where id='OTHER'"))
	opt := wal.Options{From: from, Known: []wal.KnownTID{{TID: slot}}}
	if got := story(d.trace(opt, tg)); got != "hot-update:committed" {
		t.Errorf("story %s", got)
	}
	d.exec(subst("delete from t where id='ID'"))
	if got := story(d.trace(opt, tg)); got != "hot-update:committed delete:committed" {
		t.Errorf("story %s", got)
	}
}

func tid(t *testing.T, d *db, sql string) heap.TID {
	t.Helper()
	out, err := heap.ParseTID(d.text(sql))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestEntryOnAnImageIsNobodys: the image of an index page shows entries that other transactions added before the WAL begins.
func TestEntryOnAnImageIsNobodys(t *testing.T) {
	for _, level := range []string{"replica", "logical"} {
		d := start(t, pgserver.Config{Major: 15, Settings: map[string]string{"wal_level": level, "autovacuum": "off"}})
		d.exec("create table t (id uuid primary key, pad text)")
		d.exec(subst("begin\ninsert into t values ('ID', repeat('x', 1000))\nrollback\ninsert into t select md5(g::text)::uuid, repeat('x', 1000) from generate_series(1, 100) g"))
		tg := d.target("t", "id="+id1)
		d.exec("checkpoint\ninsert into t values (gen_random_uuid(), 'another')")
		l := d.since(wal.Options{}, tg)
		if len(l.Events) != 1 || l.Events[0].Op != wal.OpIndexLeaf || l.Events[0].XID != 0 {
			t.Errorf("%s: %s", level, raw(l))
		}
		for id, x := range l.Xacts {
			if x.TouchesIt {
				t.Errorf("%s: transaction %d is said to have acted on the key", level, id)
			}
		}
	}
}
