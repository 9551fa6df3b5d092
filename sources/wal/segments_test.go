package wal_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"inquest/sources/pgserver"
	"inquest/sources/wal"
)

// spread makes a server with 1 MB segments whose key was inserted in one, updated in a later and deleted in a still later one.
func spread(t *testing.T) (string, wal.Target) {
	t.Helper()
	d := start(t, pgserver.Config{Major: 15, WALSegSizeMB: 1, Settings: map[string]string{"wal_keep_size": "1GB", "max_wal_size": "2GB"}})
	first := d.text("select pg_walfile_name(pg_current_wal_lsn())") // initdb with small segments leaves older ones with holes
	d.exec("create table t (id uuid primary key, n int, note text)\ncreate table noise (s text)")
	d.exec("select pg_switch_wal()\n" + subst("insert into t values ('ID',1,'a')"))
	noise := "\ninsert into noise select repeat(md5(g::text),50) from generate_series(1,1500) g\n"
	d.exec(noise + subst("update t set n=2 where id='ID'") + noise + subst("delete from t where id='ID'") + noise)
	tg := d.target("t", "id="+id1)
	if err := d.s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	entries, err := os.ReadDir(d.s.WALDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if len(e.Name()) != 24 || e.Name() < first {
			continue
		}
		b, err := os.ReadFile(filepath.Join(d.s.WALDir(), e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, e.Name()), b)
	}
	for _, s := range segments(t, dir) {
		if !s.Recycled {
			continue
		}
		if err := os.Remove(filepath.Join(dir, s.Name)); err != nil {
			t.Fatal(err)
		}
	}
	return dir, tg
}

func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// segments returns the names of the segments that hold WAL, in order.
func segments(t *testing.T, dir string) []wal.Segment {
	t.Helper()
	src, err := wal.OpenDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	p, err := wal.MakePlan(t.Context(), src, 0)
	if err != nil {
		t.Fatal(err)
	}
	return p.Segments
}

// holding returns the index of the segment that holds the n-th event.
func holding(segs []wal.Segment, at wal.LSN) int {
	for i, s := range segs {
		if at >= s.Start && at < s.End() {
			return i
		}
	}
	return -1
}

const spreadStory = "insert:committed hot-update:committed delete:committed"

func TestFoldersOfSegments(t *testing.T) {
	t.Parallel()
	dir, tg := spread(t)
	whole := traceDir(t, dir, wal.Options{}, tg)
	if got := story(whole); got != spreadStory || len(whole.Gaps) != 0 || len(whole.Covered) != 1 {
		t.Fatalf("whole: %s, gaps %v, covered %v", got, whole.Gaps, whole.Covered)
	}
	segs := segments(t, dir)
	middle := holding(segs, whole.Events[1].LSN)
	if middle <= holding(segs, whole.Events[0].LSN) || middle >= holding(segs, whole.Events[2].LSN) {
		t.Fatalf("the events must lie in three segments")
	}

	t.Run("packed", func(t *testing.T) {
		to := t.TempDir()
		for i, s := range segs {
			b, err := os.ReadFile(filepath.Join(dir, s.Name))
			if err != nil {
				t.Fatal(err)
			}
			ext := []string{".gz", ".zst", ".lz4", ".partial", ""}[i%5]
			write(t, filepath.Join(to, s.Name+ext), pack(t, ext, b))
			write(t, filepath.Join(to, s.Name+".backup"), []byte("START WAL LOCATION"))
		}
		write(t, filepath.Join(to, segs[0].Name+".gz"), pack(t, ".gz", mustRead(t, filepath.Join(dir, segs[0].Name)))) // a duplicate or itself
		if got := story(traceDir(t, to, wal.Options{}, tg)); got != spreadStory {
			t.Errorf("story %s", got)
		}
	})
	t.Run("missing", func(t *testing.T) {
		to := copyDir(t, dir, segs[middle].Name)
		l := traceDir(t, to, wal.Options{}, tg)
		if len(l.Gaps) != 1 || l.Gaps[0].To != segs[middle].End() || l.Gaps[0].From > segs[middle].Start || len(l.Covered) != 2 {
			t.Errorf("gaps %+v covered %+v", l.Gaps, l.Covered)
		}
		// The update in the gap was HOT and moved the row, so its delete cannot be told; what must not happen is a claim.
		if got := story(l); got != "insert:committed" && got != "insert:committed delete:committed" {
			t.Errorf("story %s", got)
		}
	})
	t.Run("recycled", func(t *testing.T) {
		to := copyDir(t, dir, segs[middle].Name)
		write(t, filepath.Join(to, "0000000100000009000000FF"), mustRead(t, filepath.Join(dir, segs[middle].Name)))
		if l := traceDir(t, to, wal.Options{}, tg); story(l) != spreadStory || len(l.Gaps) != 0 {
			t.Errorf("a recycled segment fills the hole: %s %v", story(l), l.Gaps)
		}
		write(t, filepath.Join(to, segs[middle].Name), mustRead(t, filepath.Join(dir, segs[middle].Name)))
		if l := traceDir(t, to, wal.Options{}, tg); story(l) != spreadStory || l.Segments != len(segs) {
			t.Errorf("a recycled copy beside the real one: %s", story(l))
		}
	})
	t.Run("damaged", func(t *testing.T) {
		to := copyDir(t, dir, "")
		b := mustRead(t, filepath.Join(to, segs[middle].Name))
		b[int(whole.Events[1].LSN-segs[middle].Start)+30] ^= 0x55
		write(t, filepath.Join(to, segs[middle].Name), b)
		l := traceDir(t, to, wal.Options{}, tg)
		if l.BadCRC != 1 || len(l.Gaps) != 1 || l.Gaps[0].From != whole.Events[1].LSN {
			t.Errorf("bad CRCs %d, gaps %v", l.BadCRC, l.Gaps)
		}
	})
	t.Run("torn", func(t *testing.T) {
		to := copyDir(t, dir, "")
		write(t, filepath.Join(to, segs[middle].Name), mustRead(t, filepath.Join(to, segs[middle].Name))[:100000])
		if l := traceDir(t, to, wal.Options{}, tg); len(l.Gaps) != 1 {
			t.Errorf("gaps %v", l.Gaps)
		}
	})
	t.Run("any bytes", func(t *testing.T) {
		rnd := rand.New(rand.NewPCG(1, 2))
		for range 30 {
			to := copyDir(t, dir, "")
			for _, s := range segs {
				b := mustRead(t, filepath.Join(to, s.Name))
				for range 200 {
					b[rnd.IntN(len(b))] ^= byte(1 + rnd.IntN(255))
				}
				write(t, filepath.Join(to, s.Name), b)
			}
			traceDir(t, to, wal.Options{SkipCRC: true}, tg)
		}
	})
	t.Run("byte limit", func(t *testing.T) {
		l := traceDir(t, dir, wal.Options{MaxBytes: 1 << 20}, tg)
		if len(l.Gaps) == 0 || !strings.Contains(l.Gaps[len(l.Gaps)-1].Reason, "limit") {
			t.Errorf("gaps %v", l.Gaps)
		}
	})
}

func mustRead(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func copyDir(t *testing.T, dir, without string) string {
	t.Helper()
	to := t.TempDir()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != without {
			write(t, filepath.Join(to, e.Name()), mustRead(t, filepath.Join(dir, e.Name())))
		}
	}
	return to
}

func pack(t *testing.T, ext string, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	var w io.WriteCloser
	switch ext {
	case ".gz":
		w = gzip.NewWriter(&out)
	case ".zst":
		z, err := zstd.NewWriter(&out)
		if err != nil {
			t.Fatal(err)
		}
		w = z
	case ".lz4":
		w = lz4.NewWriter(&out)
	default:
		return b
	}
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestFailoverDiscardsABranch(t *testing.T) {
	t.Parallel()
	d := start(t, pgserver.Config{Major: 15, WALSegSizeMB: 1, Settings: map[string]string{"wal_level": "replica", "max_wal_senders": "5", "wal_keep_size": "200MB"}})
	d.exec("create table t (id uuid primary key, n int)")
	d.exec(subst("insert into t values ('OTHER',1)"))
	standby, err := d.s.Standby(t.Context(), pgserver.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := standby.Close(); err != nil {
			t.Error(err)
		}
	})
	lost, kept := d.target("t", "id="+id1), d.target("t", "id="+id2)
	if err := standby.Promote(t.Context()); err != nil {
		t.Fatal(err)
	}
	// Acknowledged by the old primary after the new one had left.
	d.exec(subst("insert into t values ('ID',1)"))
	n := connect(t, standby)
	n.exec(subst("delete from t where id='OTHER'\ncreate table x()"))
	for _, s := range []*pgserver.Server{d.s, standby} {
		if err := s.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	// An archive that both wrote to.
	dir := copyDir(t, onlyFiles(t, standby.WALDir()), "")
	for _, s := range segments(t, onlyFiles(t, d.s.WALDir())) {
		write(t, filepath.Join(dir, s.Name), mustRead(t, filepath.Join(d.s.WALDir(), s.Name)))
	}
	l := traceDir(t, dir, wal.Options{}, lost)
	if len(l.Events) != 0 || len(l.Branches) != 1 || story(l.Branches[0].Lineage) != "insert:committed" || len(l.Switches) != 1 {
		t.Errorf("main %q, branches %+v, switches %+v", story(l), l.Branches, l.Switches)
	}
	if l = traceDir(t, dir, wal.Options{}, kept); !strings.HasSuffix(story(l), "delete:committed") {
		t.Errorf("kept: %s", story(l))
	}
}

// onlyFiles returns a copy of a WAL folder without its subfolders.
func onlyFiles(t *testing.T, dir string) string {
	t.Helper()
	to := t.TempDir()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !e.IsDir() {
			write(t, filepath.Join(to, e.Name()), mustRead(t, filepath.Join(dir, e.Name())))
		}
	}
	return to
}

func TestTimesBracketEvents(t *testing.T) {
	t.Parallel()
	d := start(t, pgserver.Config{Major: 15})
	d.exec("create table t (id uuid primary key, n int)")
	before := time.Now()
	d.exec(subst("insert into t values ('ID',1)"))
	l := d.trace(wal.Options{}, d.target("t", "id="+id1))
	e := l.Events[0]
	if e.After.After(before.Add(time.Second)) || e.Before.Before(before.Add(-time.Second)) || e.Before.Before(e.After) {
		t.Errorf("event between %v and %v, made at %v", e.After, e.Before, before)
	}
	if c := l.Covered; len(c) != 1 || c[0].FromTime.IsZero() || c[0].ToTime.Before(e.Before) || l.LastCommit.IsZero() {
		t.Errorf("covered %+v, last commit %v", c, l.LastCommit)
	}
}
