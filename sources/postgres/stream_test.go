package postgres_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"inquest/sources"
	"inquest/sources/pgserver"
	"inquest/sources/pgserver/pgservertest"
	"inquest/sources/postgres"
	"inquest/sources/wal"
)

const streamerSQL = "create role streamer login replication password 'pw'"

func openStream(t *testing.T, db *postgres.Server) *postgres.StreamSource {
	t.Helper()
	src, err := db.WAL(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w, ok := src.(*postgres.StreamSource)
	if !ok {
		t.Fatalf("the way chosen is %T", src)
	}
	t.Cleanup(func() { _ = w.Close() })
	return w
}

func TestStreamedWALIsTheWALOnDisk(t *testing.T) {
	pgservertest.Each(t, pgserver.Config{WALSegSizeMB: 1, Settings: map[string]string{"autovacuum": "off", "max_wal_size": "20MB"}}, func(t *testing.T, s *pgserver.Server) {
		tmp := t.TempDir()
		t.Setenv("TMPDIR", tmp)
		sql(t, s, streamerSQL)
		sql(t, s, "create table w (id uuid primary key, pad text); insert into w select gen_random_uuid(), repeat('y', 300) from generate_series(1, 60000)")
		sql(t, s, "checkpoint")
		// Four segments and more: a checkpoint keeps no older ones than it needs.
		sql(t, s, "insert into w select gen_random_uuid(), repeat('y', 300) from generate_series(1, 10000)")
		db := open(t, s, "streamer", postgres.Options{})
		w := openStream(t, db)
		segs, err := w.List(t.Context())
		if err != nil || len(segs) < 3 {
			t.Fatalf("%v %v", segs, err)
		}
		if oldest := answer(t, s, "select min(name) from pg_ls_waldir() where length(name) = 24"); segs[0].Name != oldest || strings.HasSuffix(oldest, "00000001") {
			t.Errorf("from segment %s, the server has them from %s", segs[0].Name, oldest)
		}
		dir, err := wal.OpenDir(s.WALDir())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = dir.Close() }()
		last := segs[len(segs)-1]
		to := last.Start + wal.LSN(last.Avail)
		wantN, wantLast := countFrom(t, dir, segs[0].Start, to) // recycled files hold older ones
		for range 2 {
			n, end := countRecords(t, w, to)
			if n != wantN || end != wantLast || n < 1000 {
				t.Errorf("%d records to %s by stream, %d to %s on disk", n, end, wantN, wantLast)
			}
		}
		if got := answer(t, s, "select count(*) from pg_replication_slots"); got != "0" {
			t.Error("a slot was made")
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		none(t, s, "select count(*) from pg_stat_replication")
		if left, err := filepath.Glob(filepath.Join(tmp, "inquest-*")); err != nil || len(left) > 0 {
			t.Errorf("left behind: %v %v", left, err)
		}
	})
}

// none waits until a count is 0.
func none(t *testing.T, s *pgserver.Server, query string) {
	t.Helper()
	for range 100 {
		if answer(t, s, query) == "0" {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("%s: not 0", query)
}

// While WAL is being streamed the server sees an asynchronous receiver that has flushed nothing.
func TestAStreamIsNeverASynchronousStandby(t *testing.T) {
	s := pgservertest.New(t, pgserver.Config{Settings: map[string]string{"autovacuum": "off", "max_wal_size": "2GB"}})
	sql(t, s, streamerSQL)
	sql(t, s, "create table w (id uuid primary key, pad text); insert into w select gen_random_uuid(), repeat('y', 300) from generate_series(1, 300000)")
	for names, refused := range map[string]bool{
		"": false, "*": true, "a, b": false, "ANY 2 (a, \"*\")": true, "FIRST 1 (Inquest_x)": true, "\"in\"\"quest\", b": false, "2 (a,b,*)": true, "inquest": true,
	} {
		if err := s.Reload(map[string]string{"synchronous_standby_names": names}); err != nil {
			t.Fatal(err)
		}
		db := open(t, s, "streamer", postgres.Options{})
		src, err := db.WAL(t.Context())
		if refused != isBlind(err) || refused && !strings.Contains(err.Error(), "synchronous_standby_names") {
			t.Errorf("%q: %v", names, err)
		}
		if c, ok := src.(io.Closer); ok {
			_ = c.Close()
		}
		_ = db.Close()
	}
	if err := s.Reload(map[string]string{"synchronous_standby_names": ""}); err != nil {
		t.Fatal(err)
	}
	none(t, s, "select count(*) from pg_stat_replication")
	w := openStream(t, open(t, s, "streamer", postgres.Options{}))
	segs, err := w.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan string, 1)
	go func() {
		seen := ""
		for range 2000 {
			if row := tryAnswer(s, "select application_name || ' ' || sync_state || ' ' || coalesce(flush_lsn::text, 'none') || ' ' || coalesce(replay_lsn::text, 'none') from pg_stat_replication"); strings.HasPrefix(row, "inquest_") {
				seen = row
				break
			}
		}
		done <- seen
	}()
	for _, g := range segs {
		if _, err := w.ReadAt(t.Context(), g, 0, 8192); err != nil {
			t.Fatal(err)
		}
	}
	if row := <-done; !strings.HasSuffix(row, " async none none") {
		t.Errorf("the server saw %q", row)
	}
	// A server that stops does not wait for it either.
	start := time.Now()
	if err := s.Stop(t.Context()); err != nil || time.Since(start) > 10*time.Second {
		t.Errorf("stopped after %s: %v", time.Since(start), err)
	}
}

func tryAnswer(s *pgserver.Server, query string) string {
	db, err := postgres.Open("db:watch", s.SocketDSN(s.Superuser(), "postgres"), postgres.Options{})
	if err != nil {
		return ""
	}
	defer func() { _ = db.Close() }()
	tab, err := db.Query(context.Background(), sourcesQuery(query))
	if err != nil || len(tab.Rows) == 0 || tab.Rows[0][0] == nil {
		return ""
	}
	return *tab.Rows[0][0]
}

func TestStreamFollowsTheTimelines(t *testing.T) {
	s := pgservertest.New(t, pgserver.Config{WALSegSizeMB: 1, Settings: map[string]string{"autovacuum": "off", "wal_keep_size": "100MB"}})
	sql(t, s, streamerSQL)
	sql(t, s, "create table w (id uuid primary key, pad text); insert into w select gen_random_uuid(), repeat('y', 300) from generate_series(1, 6000)")
	sb, err := s.Standby(t.Context(), pgserver.Config{Settings: map[string]string{"wal_keep_size": "100MB"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sb.Close() })
	sql(t, s, "insert into w select gen_random_uuid(), repeat('y', 300) from generate_series(1, 6000)")
	at := answer(t, s, "select pg_current_wal_lsn()")
	for range 200 {
		if answer(t, sb, "select pg_last_wal_replay_lsn() >= '"+at+"'") == "t" {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Run("from a standby", func(t *testing.T) {
		w := openStream(t, open(t, sb, "streamer", postgres.Options{}))
		if n, _ := countRecords(t, w, 0); n < 6000 {
			t.Errorf("%d records", n)
		}
	})
	if err := sb.Promote(t.Context()); err != nil {
		t.Fatal(err)
	}
	sql(t, sb, "insert into w select gen_random_uuid(), repeat('y', 300) from generate_series(1, 6000)")
	w := openStream(t, open(t, sb, "streamer", postgres.Options{}))
	plan, err := wal.MakePlan(t.Context(), w, 0)
	if err != nil || plan.TLI != 2 || len(plan.Switches) != 1 {
		t.Fatalf("%+v %v", plan, err)
	}
	dir, err := wal.OpenDir(sb.WALDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = dir.Close() }()
	last := plan.Segments[len(plan.Segments)-1]
	to := last.Start + wal.LSN(last.Avail)
	n, end := countRecords(t, w, to)
	if wantN, wantEnd := countFrom(t, dir, plan.Segments[0].Start, to); n != wantN || end != wantEnd || n < 12000 {
		t.Errorf("%d records to %s by stream, %d to %s on disk", n, end, wantN, wantEnd)
	}
}

func TestStreamBounds(t *testing.T) {
	s := pgservertest.New(t, pgserver.Config{WALSegSizeMB: 1, HBA: []string{"local replication all reject", "host replication all all reject"}, Settings: map[string]string{"autovacuum": "off", "max_wal_size": "1GB"}})
	sql(t, s, streamerSQL)
	sql(t, s, "create role plain login password 'pw'; create table w (id uuid primary key, pad text); insert into w select gen_random_uuid(), repeat('y', 300) from generate_series(1, 40000)")
	t.Run("without a line for replication in pg_hba.conf", func(t *testing.T) {
		if n, _ := countRecords(t, openStream(t, open(t, s, "streamer", postgres.Options{})), 0); n < 40000 {
			t.Errorf("%d records", n)
		}
	})
	t.Run("budget", func(t *testing.T) {
		w := openStream(t, open(t, s, "streamer", postgres.Options{Budget: postgres.Budget{WALBytes: 5 << 20}}))
		segs, err := w.List(t.Context())
		if err != nil || len(segs) > 6 || len(segs) < 4 {
			t.Errorf("%d segments %v", len(segs), err)
		}
		if n, _ := countRecords(t, w, 0); n < 1000 {
			t.Errorf("%d records", n)
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		w := openStream(t, open(t, s, "streamer", postgres.Options{}))
		segs, err := w.List(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := w.ReadAt(ctx, segs[0], 0, 8192); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		// The next read connects again.
		if b, err := w.ReadAt(t.Context(), segs[0], 0, 8192); err != nil || len(b) != 8192 {
			t.Error(len(b), err)
		}
	})
	t.Run("the server's closing ends it", func(t *testing.T) {
		tmp := t.TempDir()
		t.Setenv("TMPDIR", tmp)
		db := open(t, s, "streamer", postgres.Options{})
		openStream(t, db)
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
			t.Error(left, err)
		}
		none(t, s, "select count(*) from pg_stat_replication")
	})
	t.Run("a role that may not", func(t *testing.T) {
		_, err := open(t, s, "plain", postgres.Options{}).WAL(t.Context())
		if !isBlind(err) || !strings.Contains(err.Error(), `ALTER ROLE "plain" REPLICATION`) || !strings.Contains(err.Error(), "pg_read_binary_file") {
			t.Error(err)
		}
	})
	t.Run("no connection left", func(t *testing.T) {
		if err := s.Restart(t.Context(), map[string]string{"max_wal_senders": "0"}); err != nil {
			t.Fatal(err)
		}
		_, err := open(t, s, "streamer", postgres.Options{}).WAL(t.Context())
		if !isBlind(err) {
			t.Error(err)
		}
		t.Log(err)
	})
}

func BenchmarkStream(b *testing.B) {
	s := pgservertest.New(b, pgserver.Config{Settings: map[string]string{"autovacuum": "off", "max_wal_size": "4GB"}})
	fill(b, s, "create table w (id uuid primary key, pad text); insert into w select gen_random_uuid(), repeat('y', 300) from generate_series(1, 400000)")
	for b.Loop() {
		db, err := postgres.Open("db:bench", s.DSN("postgres"), postgres.Options{Budget: postgres.Budget{WALBytes: -1}})
		if err != nil {
			b.Fatal(err)
		}
		w, err := db.OpenStream(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		segs, err := w.List(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(len(segs)) * segs[0].Size)
		for _, g := range segs {
			for off := int64(0); off < g.Size; off += 1 << 20 {
				if _, err := w.ReadAt(b.Context(), g, off, 1<<20); err != nil {
					b.Fatal(err)
				}
			}
		}
		_ = db.Close()
	}
}

func sourcesQuery(text string) sources.Query { return sources.Query{SQL: text} }

// countFrom counts the records that start in a range.
func countFrom(t *testing.T, src wal.Source, from, to wal.LSN) (n int, last wal.LSN) {
	t.Helper()
	plan, err := wal.MakePlan(t.Context(), src, 0)
	if err != nil {
		t.Fatal(err)
	}
	r := wal.NewReader(src, plan, wal.ReaderOptions{From: from, To: to, CheckCRC: true})
	for r.Next(t.Context()) {
		n++
		last = r.Record().LSN
	}
	if r.Err() != nil {
		t.Fatal(r.Err())
	}
	return n, last
}

type sourcesStatement = sources.Statement
