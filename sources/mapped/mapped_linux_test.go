package mapped

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// mappings counts the places where this process has a file mapped.
func mappings(t *testing.T, path string) int {
	t.Helper()
	b, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(string(b), path)
}

func TestAFileThatBecomesShorterEndsTheCallOnly(t *testing.T) {
	const size = 3*align + 100
	for _, left := range []int{0, 1, 4095, 4096, align, 2*align + 5, size - 1} {
		f, _ := made(t, size)
		v := maps(t, f).View()
		touched := 0
		err := v.Use(0, size, func(b []byte) {
			if err := os.Truncate(f.Name(), int64(left)); err != nil {
				t.Fatal(err)
			}
			touched = bytes.Count(b, []byte("never there")) // a fault in assembly where pages are gone
			for _, c := range b {
				touched += int(c)
			}
		})
		if !errors.Is(err, ErrRead) {
			t.Errorf("%d of %d bytes left: %v", left, size, err)
		}
		if n := mappings(t, f.Name()); n != 0 {
			t.Errorf("%d mappings left", n)
		}
		if err := v.Use(0, size, func(b []byte) {
			if len(b) != left {
				t.Errorf("%d bytes lent of %d", len(b), left)
			}
		}); (err == nil) != (left > 0) {
			t.Errorf("%d bytes left: %v", left, err)
		}
		v.Close()
	}
}

func TestAFileThatGrowsIsLentToItsNewEnd(t *testing.T) {
	f, want := made(t, 5000)
	v := maps(t, f).View()
	defer v.Close()
	for range 3 {
		if err := v.Use(0, 1<<20, func(b []byte) {
			if !bytes.Equal(b, want) {
				t.Errorf("%d bytes lent, %d wanted", len(b), len(want))
			}
		}); err != nil {
			t.Fatal(err)
		}
		more := bytes.Repeat([]byte{'+'}, 7000)
		g, err := os.OpenFile(f.Name(), os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := g.Write(more); err != nil {
			t.Fatal(err)
		}
		g.Close()
		want = append(want, more...)
	}
}

func TestOneStretchIsMappedAtATime(t *testing.T) {
	f, _ := made(t, 5*Stretch)
	v := maps(t, f).View()
	for off := int64(0); off < 5*Stretch; off += 100_000 {
		v.file.trial = trial{} // whatever it costs
		if err := v.Use(off, 100_000, func([]byte) {
			if n := mappings(t, f.Name()); n != 1 {
				t.Fatalf("%d mappings", n)
			}
			if len(v.data) > Stretch+3*align {
				t.Fatalf("%d bytes are mapped", len(v.data))
			}
		}); err != nil {
			t.Fatal(err)
		}
	}
	v.Close()
	if n := mappings(t, f.Name()); n != 0 {
		t.Errorf("%d mappings left", n)
	}
}

// TestFilesThatTellNoSize has files of the kernel: they have no pages to be mapped.
func TestFilesThatTellNoSize(t *testing.T) {
	for _, p := range []string{"/proc/self/maps", "/proc/cpuinfo", filepath.Join("/sys", "kernel", "mm")} {
		f, err := os.Open(p)
		if err != nil {
			continue
		}
		defer f.Close()
		v := New(f).View()
		if err := v.Use(0, 100, func([]byte) { t.Errorf("%s was lent", p) }); !errors.Is(err, ErrRead) {
			t.Error(p, err)
		}
		v.Close()
	}
}
