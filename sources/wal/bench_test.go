package wal_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"inquest/sources/heap"
	"inquest/sources/pgserver"
	"inquest/sources/pgserver/pgservertest"
	"inquest/sources/wal"
)

// busy makes WAL of many small transactions beside a table of uuids, one of which is the key.
func busy(b *testing.B) (*pgserver.Server, wal.Target) {
	b.Helper()
	s := pgservertest.New(b, pgserver.Config{Major: 15, Settings: map[string]string{
		"autovacuum": "off", "synchronous_commit": "off", "fsync": "off", "max_wal_size": "20GB", "wal_keep_size": "20GB", "shared_buffers": "256MB", "checkpoint_timeout": "1h",
	}})
	c, err := pgx.Connect(b.Context(), s.DSN("postgres"))
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close(b.Context())
	for _, sql := range []string{
		"create table acc (id int primary key, bal int, filler char(84) default '')", "create table hist (a int, d int, t timestamptz)", "create table t (id uuid primary key, note text)",
		"insert into acc select g, 0 from generate_series(1,100000) g", "insert into t values ('" + id1 + "','x')",
		"do $$ begin for i in 1..400000 loop update acc set bal=bal+1 where id=1+(i::bigint*7919)%100000; insert into hist values (i,1,now()); if i%40=0 then insert into t values (gen_random_uuid(),'n'); end if; commit; end loop; end $$",
		"update t set note='y' where id='" + id1 + "'", "delete from t where id='" + id1 + "'", "create table marker()",
	} {
		if _, err := c.Exec(b.Context(), sql, pgx.QueryExecModeSimpleProtocol); err != nil {
			b.Fatal(err)
		}
	}
	id, _ := heap.NewColumn("id", 1, 2950)
	note, _ := heap.NewColumn("note", 2, 25)
	tg := wal.Target{Table: "t", Columns: []heap.Column{id, note}, Key: []heap.KeyPart{{AttNum: 1, Text: id1}}}
	ix := wal.IndexTarget{KeyAttNums: []int16{1}}
	err = c.QueryRow(b.Context(), "select 1663, (select oid from pg_database where datname='postgres'), pg_relation_filenode('t'), 't'::regclass::oid, pg_relation_filenode('t_pkey')").
		Scan(&tg.Rel.Spc, &tg.Rel.DB, &tg.Rel.Rel, &tg.OID, &ix.Rel.Rel)
	if err != nil {
		b.Fatal(err)
	}
	ix.Rel.Spc, ix.Rel.DB = tg.Rel.Spc, tg.Rel.DB
	tg.Indexes = []wal.IndexTarget{ix}
	if err := s.Stop(b.Context()); err != nil {
		b.Fatal(err)
	}
	return s, tg
}

// BenchmarkAgainstWaldump measures rows 10 and 11 of performance.md; peer and candidate run in turn in one process.
func BenchmarkAgainstWaldump(b *testing.B) {
	s, tg := busy(b)
	bin := filepath.Join(s.Installation().Bin, "pg_waldump")
	if _, err := os.Stat(bin); err != nil {
		b.Skipf("\n*** SKIPPED, NOT PASSED: no pg_waldump to compare with in %s ***", s.Installation().Bin)
	}
	src, err := wal.OpenDir(s.WALDir())
	if err != nil {
		b.Fatal(err)
	}
	defer src.Close()
	plan, err := wal.MakePlan(b.Context(), src, 0)
	if err != nil {
		b.Fatal(err)
	}
	from := plan.Segments[0].Start.String()
	peer := func(args ...string) time.Duration {
		t := time.Now()
		_ = exec.Command(bin, append([]string{"-p", s.WALDir(), "-s", from}, args...)...).Run() // status 1 at the end of WAL
		return time.Since(t)
	}
	rel := fmt.Sprintf("%d/%d/%d", tg.Rel.Spc, tg.Rel.DB, tg.Rel.Rel)
	walk := func(crc bool) func() int64 {
		return func() int64 {
			r := wal.NewReader(src, plan, wal.ReaderOptions{CheckCRC: crc})
			for r.Next(b.Context()) {
			}
			return r.Bytes
		}
	}
	trace := func(skip bool) func() int64 {
		return func() int64 {
			l, err := wal.Trace(b.Context(), src, []wal.Target{tg}, wal.Options{SkipCRC: skip})
			if err != nil {
				b.Fatal(err)
			}
			if got := l.Events; len(got) < 3 || got[0].Op != wal.OpInsert || got[len(got)-1].Op != wal.OpDelete {
				b.Fatal(story(l))
			}
			return l.Bytes
		}
	}
	for _, m := range []struct {
		name string
		run  func() int64
		args []string
	}{
		{"walk without crc", walk(false), []string{"-q"}},
		{"row 11: walk with crc", walk(true), []string{"-q"}},
		{"row 10: trace without crc", trace(true), []string{"-R", rel}},
		{"trace with crc", trace(false), []string{"-R", rel}},
	} {
		b.Run(m.name, func(b *testing.B) {
			var n int64
			var theirs time.Duration
			for b.Loop() {
				n = m.run()
				b.StopTimer()
				theirs += peer(m.args...)
				b.StartTimer()
			}
			b.SetBytes(n)
			b.ReportMetric(float64(b.Elapsed())/float64(theirs), "of-waldump")
			b.ReportMetric(theirs.Seconds()*1000/float64(b.N), "waldump-ms/op")
		})
	}
}
