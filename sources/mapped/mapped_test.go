package mapped

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// made returns a file of n bytes, each of which tells its place, and its content.
func made(t *testing.T, n int) (*os.File, []byte) {
	t.Helper()
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + i>>8)
	}
	p := filepath.Join(scratch(t), "file")
	if err := os.WriteFile(p, b, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f, b
}

// scratch is a folder on a file system that tells what is in the page cache: that of
// the scratch folder, or, where this is a memory's, that of /var/tmp.
func scratch(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if lends(t, dir) {
		return dir
	}
	other, err := os.MkdirTemp("/var/tmp", "inquest-mapped-")
	if err != nil {
		return dir
	}
	t.Cleanup(func() { os.RemoveAll(other) })
	return other
}

// lends reports whether a file of the folder can be mapped.
func lends(t *testing.T, dir string) bool {
	t.Helper()
	p := filepath.Join(dir, "probe")
	if err := os.WriteFile(p, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(p)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	v := New(f).View()
	defer v.Close()
	return v.Use(0, 1, func([]byte) {}) == nil
}

// maps skips what cannot be tried where files are not mapped, and says so: then
// every View lends nothing, which the other tests hold. CI does not skip it.
func maps(t *testing.T, f *os.File) *File {
	t.Helper()
	m := New(f)
	v := m.View()
	defer v.Close()
	switch err := v.Use(0, 1, func([]byte) {}); {
	case err == nil:
		return m
	case able && os.Getenv("INQUEST_REQUIRE_SERVER") != "":
		t.Fatal("no file system here tells what is in the page cache, so that nothing is mapped:", err)
	}
	t.Skip("*** SKIPPED, NOT PASSED: files are not mapped here: this system does not, or neither the scratch folder nor /var/tmp tells what is in the page cache")
	return nil
}

func TestLendsWhatTheFileHolds(t *testing.T) {
	for _, size := range []int{1, 4095, 4096, 4097, align - 1, align + 1, 5*align + 77, Stretch + 3*align + 5} {
		f, want := made(t, size)
		v := maps(t, f).View()
		for _, off := range []int{0, 1, 4095, 4096, align - 1, align, size / 2, size - 1} {
			for _, n := range []int{1, 100, 4096, align, size, 2 * size} {
				if off >= size {
					continue
				}
				called := 0
				err := v.Use(int64(off), n, func(b []byte) {
					called++
					if w := want[off:min(off+n, size)]; !bytes.Equal(b, w) || cap(b) != len(b) {
						t.Errorf("%d bytes: at %d %d: %d bytes lent, %d wanted", size, off, n, len(b), len(w))
					}
				})
				if err != nil || called != 1 {
					t.Fatalf("%d bytes: at %d %d: %v, called %d times", size, off, n, err, called)
				}
			}
		}
		v.Close()
	}
}

func TestWhatCannotBeLentIsToBeRead(t *testing.T) {
	f, _ := made(t, 100)
	v := New(f).View()
	never := func([]byte) { t.Error("called") }
	for _, at := range []struct {
		off int64
		n   int
	}{{100, 1}, {1 << 40, 5}, {-1, 5}, {0, 0}, {0, -3}} {
		if err := v.Use(at.off, at.n, never); !errors.Is(err, ErrRead) {
			t.Errorf("%+v: %v", at, err)
		}
	}
	v.Close()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	for _, m := range []*File{New(r), New(strings.NewReader("text")), nil} {
		if m != nil {
			t.Errorf("%v is no regular file", m)
		}
		v := m.View()
		if err := v.Use(0, 1, never); !errors.Is(err, ErrRead) {
			t.Error(err)
		}
		v.Close()
	}
	f.Close()
	v = (&File{f: f}).View()
	if err := v.Use(0, 1, never); !errors.Is(err, ErrRead) {
		t.Error("of a closed file:", err)
	}
}

// TestAPanicIsNotSwallowed tells the caller's own panics from those of a fault.
func TestAPanicIsNotSwallowed(t *testing.T) {
	f, _ := made(t, 100)
	v := maps(t, f).View()
	defer v.Close()
	var index []int
	if err := v.Use(0, 10, func(b []byte) { index[len(b)]++ }); !errors.Is(err, ErrRead) {
		t.Error("a run-time error:", err)
	}
	defer func() {
		if p := recover(); p != "mine" {
			t.Error(p)
		}
	}()
	_ = v.Use(0, 10, func([]byte) { panic("mine") })
}

func TestWhatIsDearToMapIsNotMappedForAWhile(t *testing.T) {
	var c trial
	const trials = trialBytes >> 20
	for i := range 5 * trials {
		c.note(1<<20, mostFaults+int64(i)/(4*trials)) // the last of them are too many
	}
	for range trials {
		c.note(1<<20, mostFaults)
	}
	for range 2 * trials {
		if c.dear(1) {
			t.Error("it was given up after one trial")
		}
		c.note(1<<20, 2*mostFaults)
	}
	paused := int64(0)
	for c.dear(4 << 20) {
		paused += 4 << 20
	}
	if paused != trialPause {
		t.Errorf("a pause of %d bytes", paused)
	}
}
