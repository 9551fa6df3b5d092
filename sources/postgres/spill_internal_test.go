package postgres

import (
	"os"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"inquest/sources/pgserver"
	"inquest/sources/pgserver/pgservertest"
	"inquest/sources/wal"
)

// A trace walks the WAL several times; its bytes travel once all the same.
func TestNoByteOfWALTravelsTwice(t *testing.T) {
	tmp := t.TempDir()
	s := pgservertest.New(t, pgserver.Config{WALSegSizeMB: 1, Settings: map[string]string{"autovacuum": "off", "max_wal_size": "1GB"}})
	c, err := pgconn.Connect(t.Context(), s.SocketDSN(s.Superuser(), "postgres"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Exec(t.Context(), "create table w as select g, repeat('x', 200) from generate_series(1, 20000) g").ReadAll(); err != nil {
		t.Fatal(err)
	}
	_ = c.Close(t.Context())
	t.Setenv("TMPDIR", tmp)
	db, err := Open("db:test", s.DSN("postgres"), Options{Total: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	w, err := db.OpenWAL(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w.memory, w.ahead = 1<<20, 100_000 // little memory, odd pieces
	if _, err := w.List(t.Context()); err != nil {
		t.Fatal(err)
	}
	to := w.Flushed()
	read := func() (n int, last wal.LSN) {
		plan, err := wal.MakePlan(t.Context(), w, 0)
		if err != nil {
			t.Fatal(err)
		}
		r := wal.NewReader(w, plan, wal.ReaderOptions{CheckCRC: true, To: to})
		for r.Next(t.Context()) {
			n++
			last = r.Record().LSN
		}
		if r.Err() != nil {
			t.Fatal(r.Err(), r.Gaps())
		}
		return n, last
	}
	n, last := read()
	once := db.walBytes.Load()
	for range 3 {
		if n2, last2 := read(); n2 != n || last2 != last || n < 20000 {
			t.Errorf("%d records to %s, at first %d to %s", n2, last2, n, last)
		}
	}
	if again := db.walBytes.Load(); again != once || w.spill.size == 0 {
		t.Errorf("%d bytes travelled at first, %d in all; %d on disk", once, again, w.spill.size)
	}
	if left, err := os.ReadDir(tmp); err != nil || len(left) != 1 {
		t.Errorf("on disk: %v %v", left, err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(tmp); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}
