package postgres_test

import (
	"slices"
	"strings"
	"testing"

	"inquest/sources/pgserver"
	"inquest/sources/pgserver/pgservertest"
	"inquest/sources/postgres"
	"inquest/sources/wal"
)

// countRecords walks a source from its first segment to the end.
func countRecords(t *testing.T, src wal.Source, to wal.LSN) (n int, last wal.LSN) {
	t.Helper()
	plan, err := wal.MakePlan(t.Context(), src, 0)
	if err != nil {
		t.Fatal(err)
	}
	r := wal.NewReader(src, plan, wal.ReaderOptions{To: to, CheckCRC: true})
	for r.Next(t.Context()) {
		n++
		last = r.Record().LSN
	}
	if err := r.Err(); err != nil {
		t.Fatal(err)
	}
	if g := r.Gaps(); len(g) > 0 {
		t.Errorf("gaps %v", g)
	}
	return n, last
}

func TestWALOverSQLIsTheWALOnDisk(t *testing.T) {
	s := pgservertest.New(t, pgserver.Config{WALSegSizeMB: 1, Settings: map[string]string{"autovacuum": "off", "max_wal_size": "1GB"}})
	sql(t, s, rolesSQL)
	sql(t, s, "create table w (id uuid primary key, pad text); insert into w select gen_random_uuid(), repeat('y', 300) from generate_series(1, 20000)")
	sql(t, s, "insert into w values ('e7a4bff2-adc7-4847-a9d8-25734601b405', 'it')")
	sql(t, s, "insert into w select gen_random_uuid(), repeat('y', 300) from generate_series(1, 4000)")
	for _, role := range []string{"kit", ""} {
		t.Run("as "+role, func(t *testing.T) {
			db := open(t, s, role, postgres.Options{})
			src, err := db.OpenWAL(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			segs, err := src.List(t.Context())
			if err != nil || len(segs) < 8 {
				t.Fatalf("%d segments: %v", len(segs), err)
			}
			to := src.Flushed()
			dir, err := wal.OpenDir(s.WALDir())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = dir.Close() }()
			wantN, wantLast := countRecords(t, dir, to)
			n, last := countRecords(t, src, to)
			if n != wantN || last != wantLast || n < 20000 {
				t.Errorf("%d records to %s over SQL, %d to %s on disk", n, last, wantN, wantLast)
			}
			if h, err := src.Histories(t.Context()); err != nil || len(h) != 0 {
				t.Errorf("histories %v %v", h, err)
			}
		})
	}
	t.Run("as plain", func(t *testing.T) {
		_, err := open(t, s, "plain", postgres.Options{}).OpenWAL(t.Context())
		if !isBlind(err) || !strings.Contains(err.Error(), `GRANT pg_monitor TO "plain"`) || !strings.Contains(err.Error(), "GRANT EXECUTE ON FUNCTION pg_read_binary_file") {
			t.Error(err)
		}
	})
	t.Run("above the budget", func(t *testing.T) {
		src, err := open(t, s, "kit", postgres.Options{Budget: postgres.Budget{WALBytes: 1 << 20}}).OpenWAL(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		segs, err := src.List(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, seg := range segs {
			if _, err = src.ReadAt(t.Context(), seg, 0, 1<<20); err != nil {
				break
			}
		}
		if !isBlind(err) {
			t.Error(err)
		}
	})
}

func BenchmarkWALOverSQL(b *testing.B) {
	s := pgservertest.New(b, pgserver.Config{Settings: map[string]string{"autovacuum": "off", "max_wal_size": "4GB"}})
	db, err := postgres.Open("db:bench", s.DSN("postgres"), postgres.Options{Budget: postgres.Budget{WALBytes: -1}, Total: -1})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	fill(b, s, "create table w (id uuid primary key, pad text); insert into w select gen_random_uuid(), repeat('y', 300) from generate_series(1, 400000)")
	src, err := db.OpenWAL(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	segs, err := src.List(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	size := int64(0)
	for _, g := range segs {
		size += g.Avail
	}
	b.Run("fetch", func(b *testing.B) {
		b.SetBytes(size)
		for b.Loop() {
			for _, g := range segs {
				for off := int64(0); off < g.Avail; off += 1 << 20 {
					if _, err := src.ReadAt(b.Context(), g, off, 1<<20); err != nil {
						b.Fatal(err)
					}
				}
			}
		}
	})
	b.Run("skim", func(b *testing.B) {
		src.SkimAlways()
		var parts []wal.Stretch
		for _, g := range segs {
			parts = append(parts, wal.Stretch{Segment: g, To: g.Avail / wal.PageSize * wal.PageSize})
		}
		patterns := []wal.Pattern{{Bytes: []byte("sixteen bytes ok")}, {Bytes: []byte("twelve bytes")}, {Bytes: []byte("\xff.\x00\x00\x00\x00\x05\x00"), Any: 0x3e}, {Bytes: []byte("\x05\x00\x00\x00\xeb\x04\x00\x00")}}
		b.SetBytes(size)
		for b.Loop() {
			if got, err := src.Skim(b.Context(), slices.Clone(parts), patterns, true); err != nil || len(got) == 0 {
				b.Fatal(err)
			}
		}
	})
}
