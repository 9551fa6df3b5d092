package wal_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"inquest/sources/pgserver"
	"inquest/sources/pgserver/pgservertest"
	"inquest/sources/wal"
)

var dumpLine = regexp.MustCompile(`^rmgr: (\S+)\s+len \(rec/tot\):\s+(\d+)/\s*(\d+), tx:\s+(\d+), lsn: (\S+), prev (\S+), desc:`)

// waldump runs the server's own tool, or skips the test where it is not installed.
func waldump(t testing.TB, s *pgserver.Server, args ...string) *bufio.Scanner {
	t.Helper()
	bin := filepath.Join(s.Installation().Bin, "pg_waldump")
	if _, err := os.Stat(bin); err != nil {
		t.Skipf("\n*** SKIPPED, NOT PASSED: %s has no pg_waldump to compare with ***", s.Installation().Bin)
	}
	cmd := exec.Command(bin, args...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Wait() }) // it ends with status 1 at the end of WAL
	sc := bufio.NewScanner(out)
	sc.Buffer(nil, 1<<20)
	return sc
}

// load is some of everything: long records over many pages, images, switches.
const load = `create table big (id bigserial primary key, s text, j jsonb)
insert into big(s,j) select repeat(md5(g::text),g%200), jsonb_build_object('a',g) from generate_series(1,3000) g
update big set s=s||'x' where id%3=0
delete from big where id%7=0
select pg_logical_emit_message(false,'p',repeat('z',100000))
checkpoint
update big set s=s||'y' where id%5=0
select pg_switch_wal()
vacuum full big
create index on big using gin(j)
vacuum big
truncate big
insert into big(s) select 'q' from generate_series(1,1000)
create table marker()`

func TestEveryRecordAsPgWaldumpSeesIt(t *testing.T) {
	for _, compression := range []string{"off", "pglz", "lz4", "zstd"} {
		for _, mb := range []int{1, 16} {
			t.Run(fmt.Sprintf("%s/%d MB", compression, mb), func(t *testing.T) {
				t.Parallel()
				d := start(t, pgserver.Config{Major: 15, WALSegSizeMB: mb, Settings: map[string]string{"wal_compression": compression, "wal_level": "logical", "wal_keep_size": "2GB"}})
				first := d.text("select pg_walfile_name(pg_current_wal_lsn())")
				d.exec(load)
				if err := d.s.Stop(t.Context()); err != nil {
					t.Fatal(err)
				}
				compareWithWaldump(t, d.s, first)
			})
		}
	}
}

func compareWithWaldump(t *testing.T, s *pgserver.Server, first string) {
	t.Helper()
	src, err := wal.OpenDir(s.WALDir())
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	plan, err := wal.MakePlan(t.Context(), src, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, from, ok := wal.ParseSegmentName(first, plan.Size)
	if !ok {
		t.Fatalf("segment %q", first)
	}
	r := wal.NewReader(src, plan, wal.ReaderOptions{From: from, CheckCRC: true})
	sc := waldump(t, s, "-p", s.WALDir(), "-s", from.String())
	n, images := 0, 0
	var lastSegment string
	for sc.Scan() {
		m := dumpLine.FindStringSubmatch(sc.Text())
		if m == nil {
			continue
		}
		if !r.Next(t.Context()) {
			t.Fatalf("record %d: reader ended (%s, %v), pg_waldump has %s", n, r.End(), r.Err(), sc.Text())
		}
		rec := r.Record()
		if err := rec.Decode(); err != nil {
			t.Fatalf("%s: %v", rec.LSN, err)
		}
		want, _ := wal.ParseLSN(m[5])
		prev, _ := wal.ParseLSN(m[6])
		tot, _ := strconv.Atoi(m[3])
		xid, _ := strconv.ParseUint(m[4], 10, 32)
		if rec.LSN != want || rec.Prev() != prev || len(rec.Raw) != tot || uint64(rec.XID) != xid || wal.RMGRName(rec.RMGR) != m[1] {
			t.Fatalf("record %d: %s %s len %d xid %d, pg_waldump: %s", n, wal.RMGRName(rec.RMGR), rec.LSN, len(rec.Raw), rec.XID, sc.Text())
		}
		for i := range rec.Blocks {
			if rec.Blocks[i].HasImage {
				images++
				if _, err := rec.Blocks[i].Image.Restore(); err != nil {
					t.Errorf("%s block %d: %v", rec.LSN, i, err)
				}
			}
		}
		n++
		lastSegment = m[5]
	}
	if n < 1000 || r.BadCRC != 0 || len(r.Gaps()) != 0 {
		t.Errorf("%d records, last %s, %d bad CRCs, gaps %v", n, lastSegment, r.BadCRC, r.Gaps())
	}
	if r.Next(t.Context()) {
		t.Errorf("the reader found a record at %s that pg_waldump does not", r.Record().LSN)
	}
	t.Logf("%d records, %d images", n, images)
}

func TestServersOfEveryVersion(t *testing.T) {
	t.Parallel()
	majors := pgservertest.Majors()
	if len(majors) == 0 {
		majors = []int{15} // starting it says what is missing
	}
	for _, major := range majors {
		t.Run(fmt.Sprint(major), func(t *testing.T) {
			t.Parallel()
			d := start(t, pgserver.Config{Major: major})
			for _, c := range cases {
				t.Run(c.name, func(t *testing.T) {
					d.t = t
					d.story(c.ddl, c.sql, c.want)
				})
			}
		})
	}
}
