package scan

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
)

const (
	piece  = 64 << 10
	pieces = 50
)

// lettered writes a file in which no byte is zero and returns what it holds.
func lettered(t *testing.T) (path string, content []byte) {
	t.Helper()
	content = make([]byte, pieces*piece+123)
	for i := range content {
		content[i] = 'a' + byte(i*31+i>>10)%25
	}
	path = filepath.Join(t.TempDir(), "file.log")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path, content
}

func leftMapped(t *testing.T, path string) bool {
	t.Helper()
	b, err := os.ReadFile("/proc/self/maps")
	if err != nil && runtime.GOOS == "linux" {
		t.Fatal(err)
	}
	return strings.Contains(string(b), path)
}

// TestAFileThatIsCutWhileItIsSearched cuts a file in the midst of the work on a
// chunk, which then runs into pages that are gone, in Go and in assembly.
func TestAFileThatIsCutWhileItIsSearched(t *testing.T) {
	finder := New([][]byte{[]byte("zzzz")})
	for _, at := range []int64{0, 1, 17, pieces} { // the chunk in whose midst it is cut
		for _, left := range []int64{0, 100, 3*piece + 4096, 30*piece - 1, pieces*piece + 100} {
			path, want := lettered(t)
			f, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			var done int64
			err = Each(t.Context(), f, 0, int64(len(want)), Plan{Size: piece, Back: 100, Ahead: 100}, func(c Chunk) ([]byte, error) {
				if (c.Base+int64(c.From))/piece == at {
					if err := os.Truncate(path, left); err != nil {
						return nil, err
					}
				}
				if n := len(finder.Append(nil, c.Buf)); n > 0 {
					t.Errorf("found %d", n)
				}
				return bytes.Clone(c.Buf[c.From:c.To]), nil
			}, func(b []byte) error {
				if !bytes.HasPrefix(want[done:], b) {
					t.Errorf("cut to %d at chunk %d: at %d there is %d bytes of something else", left, at, done, len(b))
				}
				done += int64(len(b))
				return nil
			})
			if done < min(left, int64(len(want))) || (done < int64(len(want))) != errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("cut to %d at chunk %d: %v after %d bytes", left, at, err, done)
			}
			f.Close()
			if leftMapped(t, path) {
				t.Error("a mapping is left")
			}
		}
	}
}

func TestAFileThatGrowsOrIsReplacedWhileItIsSearched(t *testing.T) {
	path, want := lettered(t)
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var got []byte
	err = Each(t.Context(), f, 0, int64(len(want)), Plan{Size: piece, Ahead: 50}, func(c Chunk) ([]byte, error) {
		switch (c.Base + int64(c.From)) / piece {
		case 3:
			g, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				return nil, err
			}
			if _, err := g.Write(want[:5000]); err != nil {
				return nil, err
			}
			g.Close()
		case 40:
			if err := os.WriteFile(path+".new", want[:10], 0o600); err != nil {
				return nil, err
			}
			return bytes.Clone(c.Buf[c.From:c.To]), os.Rename(path+".new", path)
		}
		return bytes.Clone(c.Buf[c.From:c.To]), nil
	}, func(b []byte) error { got = append(got, b...); return nil })
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%v, %d bytes of %d", err, len(got), len(want))
	}
}

// TestReadAndMappedAreTheSame has a file in both ways, with a start and an end of
// its own.
func TestReadAndMappedAreTheSame(t *testing.T) {
	path, want := lettered(t)
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, span := range [][2]int64{{0, int64(len(want))}, {5, 6}, {piece - 1, 7*piece + 3}, {int64(len(want)) - 10, int64(len(want))}, {77, 77}} {
		for _, p := range []Plan{{}, {Size: 1000, Back: 10, Ahead: 2000}, {Size: piece, Back: piece, Ahead: 1, Workers: 3}} {
			for _, r := range []io.ReaderAt{f, bytes.NewReader(want)} {
				at := span[0]
				err := Each(t.Context(), r, span[0], span[1], p, func(c Chunk) (Chunk, error) {
					from, to := max(0, c.Base), min(c.Base+int64(len(c.Buf)), int64(len(want)))
					if !bytes.Equal(c.Buf, want[from:to]) {
						t.Errorf("%+v: the bytes at %d are others", p, c.Base)
					}
					c.Buf = nil
					return c, nil
				}, func(c Chunk) error {
					if c.Base+int64(c.From) != at {
						t.Errorf("%+v: chunk at %d, expected %d", p, c.Base+int64(c.From), at)
					}
					at = c.Base + int64(c.To)
					return nil
				})
				if err != nil || at != span[1] {
					t.Errorf("%+v: %v at %d of %d", p, err, at, span[1])
				}
			}
		}
	}
}

func TestCancelBetweenChunks(t *testing.T) {
	path, want := lettered(t)
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	ctx, stop := context.WithCancel(t.Context())
	var calls atomic.Int64
	err = Each(ctx, f, 0, int64(len(want)), Plan{Size: piece}, func(Chunk) (int, error) {
		if calls.Add(1) == 3 {
			stop()
		}
		return 0, nil
	}, func(int) error { return nil })
	if !errors.Is(err, context.Canceled) || calls.Load() > 3+2 || leftMapped(t, path) {
		t.Errorf("%v after %d calls", err, calls.Load())
	}
}
