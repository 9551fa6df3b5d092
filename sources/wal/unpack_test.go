package wal

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

func packedBytes(t *testing.T, ext string, b []byte) []byte {
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

// folders writes WAL into one folder plain and into another packed.
func folders(t *testing.T, m *made) (plain, archive string) {
	t.Helper()
	plain, archive = t.TempDir(), t.TempDir()
	s := m.shelf()
	for i, g := range s.list {
		ext := []string{".gz", ".zst", ".lz4", ".gz", ""}[i%5]
		for path, b := range map[string][]byte{filepath.Join(plain, g.Name): s.files[g], filepath.Join(archive, g.Name+ext): packedBytes(t, ext, s.files[g])} {
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	return plain, archive
}

func openDir(t *testing.T, path string) *Dir {
	t.Helper()
	d, err := OpenDir(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

// TestPackedSegmentsTellTheSame reads WAL of segments that are kept all at once, and of such of which only one fits.
func TestPackedSegmentsTellTheSame(t *testing.T) {
	t.Parallel()
	m := newMade(1, 1<<20)
	for int64(len(m.b)) < 6*m.size+m.size/3 {
		m.step()
	}
	plain, archive := folders(t, m)
	want := walkOver(t, openDir(t, plain), ReaderOptions{CheckCRC: true}, nil)
	for _, limit := range []int64{1, 2 << 20, unpackedBytes} {
		d := openDir(t, archive)
		d.packed.limit = limit
		if got := walkOver(t, d, ReaderOptions{CheckCRC: true}, nil); got != want || strings.Contains(want, " 0 records") {
			t.Errorf("%d bytes are kept:\n got %s\nwant %s", limit, got, want)
		}
	}
}

// TestPackedSegmentsAreReadByMany asks for pieces of several segments in any order at the same time.
func TestPackedSegmentsAreReadByMany(t *testing.T) {
	t.Parallel()
	m := newMade(4, 1<<20)
	for len(m.b) < 6<<20 {
		m.step()
	}
	_, archive := folders(t, m)
	d := openDir(t, archive)
	list, err := d.List(t.Context())
	if err != nil || len(list) < 6 {
		t.Fatal(len(list), err)
	}
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			b := make([]byte, 100<<10)
			for j := range 40 {
				g := list[(i*7+j)%len(list)]
				off := int64((i*13+j*29)%10) * (100 << 10)
				n, ok, err := d.ReadInto(t.Context(), g, off, b)
				at := int64(g.Start-m.start) + off
				want := m.b[min(at, int64(len(m.b))):min(at+int64(n), int64(len(m.b)))]
				if !ok || err != nil || n != len(b) || !bytes.Equal(b[:len(want)], want) {
					t.Errorf("%s at %d: %d bytes, %v %v", g.Name, off, n, ok, err)
					return
				}
			}
		})
	}
	group.Wait()
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	for _, g := range list {
		if _, ext := stripPacking(g.Name); ext != "" {
			continue
		}
		if _, _, err := d.ReadInto(t.Context(), g, 0, make([]byte, 10)); err == nil {
			t.Error("a file was opened again after Close")
		}
		return
	}
	t.Error("all segments are packed")
}

// TestDamagedArchive reads what could be unpacked before the damage. Of a file whose first page cannot be, List tells.
func TestDamagedArchive(t *testing.T) {
	t.Parallel()
	m := newMade(4, 1<<20)
	for len(m.b) < 3<<20 {
		m.step()
	}
	_, archive := folders(t, m)
	second := filepath.Join(archive, SegmentName(1, m.start+1<<20, 1<<20)+".zst")
	st, err := os.Stat(second)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		size    int64
		from    LSN // the gap begins after it
		reason  string
		skipped int
	}{{st.Size() / 2, m.start + 1<<20, "no valid record here", 0}, {3, m.start, "segments missing", 1}} {
		if err := os.Truncate(second, c.size); err != nil {
			t.Fatal(err)
		}
		d := openDir(t, archive)
		plan, err := MakePlan(t.Context(), d, 0)
		if err != nil {
			t.Fatal(err)
		}
		r := NewReader(d, plan, ReaderOptions{CheckCRC: true})
		for r.Next(t.Context()) {
			continue
		}
		g := r.Gaps()
		if r.Err() != nil || len(g) != 1 || g[0].From <= c.from || g[0].To != m.start+2<<20 || !strings.HasPrefix(g[0].Reason, c.reason) || len(d.Skipped) != c.skipped {
			t.Errorf("%d bytes of the archive: gaps %+v, skipped %v, %v", c.size, g, d.Skipped, r.Err())
		}
	}
}
