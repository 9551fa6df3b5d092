package postgres_test

import (
	"testing"

	"inquest/sources/pgserver"
	"inquest/sources/pgserver/pgservertest"
	"inquest/sources/postgres"
	"inquest/sources/wal"
)

// The whole way of a role that may only read files: catalogue, pages, WAL.
func TestLineageOverSQLAsTheKit(t *testing.T) {
	s := pgservertest.New(t, pgserver.Config{Settings: map[string]string{"autovacuum": "off"}})
	sql(t, s, rolesSQL)
	sql(t, s, "create table tro (id uuid primary key, ref text); grant select on tro to kit; insert into tro select gen_random_uuid(), g::text from generate_series(1, 2000) g")
	const id = "e7a4bff2-adc7-4847-a9d8-25734601b405"
	sql(t, s, "begin; insert into tro values ('"+id+"', 'TTRO-2025-118'); rollback")
	sql(t, s, "insert into tro values ('"+id1+"', 'deleted')")
	sql(t, s, "delete from tro where id = '"+id1+"'")
	db := open(t, s, "kit", postgres.Options{})
	for key, want := range map[string]struct {
		op    wal.Op
		state wal.XactState
	}{
		id:  {wal.OpInsert, wal.Aborted},
		id1: {wal.OpDelete, wal.Committed},
	} {
		info, m := table(t, db, "tro", postgres.Key{ID: key})
		src, err := db.OpenWAL(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		l, err := wal.Trace(t.Context(), src, []wal.Target{info.WALTarget(m)}, wal.Options{})
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, e := range l.Events {
			x := l.Xacts[e.XID]
			found = found || e.Op == want.op && x != nil && x.State == want.state && !x.Time.IsZero()
		}
		if !found {
			t.Errorf("%s: %+v", key, l.Events)
		}
	}
}
