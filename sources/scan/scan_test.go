package scan

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// naive is the oracle: every needle at every offset by comparison.
func naive(b []byte, needles [][]byte) []Match {
	var out []Match
	for at := range b {
		for i, n := range needles {
			if len(n) > 0 && bytes.HasPrefix(b[at:], n) {
				out = append(out, Match{at, i})
			}
		}
	}
	return out
}

func TestFinderAgreesWithTheNaiveSearch(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for round := range 2000 {
		b := make([]byte, r.IntN(400))
		for i := range b {
			b[i] = "abc\x00-"[r.IntN(5)]
		}
		var needles [][]byte
		for range 1 + r.IntN(40) {
			n := 1 + r.IntN(12)
			if len(b) > n && r.IntN(2) == 0 {
				at := r.IntN(len(b) - n)
				needles = append(needles, bytes.Clone(b[at:at+n]))
				continue
			}
			needles = append(needles, bytes.Repeat([]byte{"abc"[r.IntN(3)]}, n))
		}
		if round%7 == 0 {
			needles = append(needles, nil)
		}
		if got, want := New(needles).Append(nil, b), naive(b, needles); !slices.Equal(got, want) {
			t.Fatalf("%q in %q:\n got %v\nwant %v", needles, b, got, want)
		}
	}
}

func TestFinderAgreesOnLongText(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	b := make([]byte, 60_000)
	for i := range b {
		b[i] = "abcd"[r.IntN(4)]
	}
	for n := range 20 {
		needles := [][]byte{bytes.Clone(b[n*3000 : n*3000+9]), []byte("abcdabcd"), bytes.Clone(b[len(b)-8:]), []byte("ab")}[:1+n%4]
		if got, want := New(needles).Append(nil, b), naive(b, needles); !slices.Equal(got, want) {
			t.Fatalf("%q: got %d want %d", needles, len(got), len(want))
		}
	}
}

func FuzzFinder(f *testing.F) {
	f.Add([]byte("abcabcabc"), []byte("abca"), []byte("bcab"), []byte("c"))
	f.Fuzz(func(t *testing.T, b, x, y, z []byte) {
		needles := [][]byte{x, y, z}
		if got, want := New(needles).Append(nil, b), naive(b, needles); !slices.Equal(got, want) {
			t.Fatalf("got %v want %v", got, want)
		}
	})
}

func TestEachSeesEveryMatchOnceInOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	b := make([]byte, 100_003)
	for i := range b {
		b[i] = "abcd"[r.IntN(4)]
	}
	needles := [][]byte{[]byte("abcdabc"), []byte("dddd")}
	f := New(needles)
	var got []Match
	err := Each(t.Context(), bytes.NewReader(b), 0, int64(len(b)), Plan{Size: 997, Ahead: f.Longest() - 1, Back: 3, Workers: 4},
		func(c Chunk) ([]Match, error) {
			var out []Match
			for _, m := range f.Append(nil, c.Buf[c.From:]) {
				if c.From+m.At < c.To {
					out = append(out, Match{int(c.Base) + c.From + m.At, m.Needle})
				}
			}
			return out, nil
		}, func(m []Match) error { got = append(got, m...); return nil })
	if want := naive(b, needles); err != nil || !slices.Equal(got, want) {
		t.Fatalf("%v: %d matches, want %d", err, len(got), len(want))
	}
}

func TestEachEndsEarly(t *testing.T) {
	b := make([]byte, 1<<20)
	boom := errors.New("boom")
	nothing := func(Chunk) (int, error) { return 0, nil }
	ok := func(int) error { return nil }
	if err := Each(t.Context(), bytes.NewReader(b), 0, 1<<20, Plan{Size: 1000}, nothing, func(int) error { return boom }); !errors.Is(err, boom) {
		t.Errorf("merge: %v", err)
	}
	if err := Each(t.Context(), bytes.NewReader(b), 0, 1<<20, Plan{Size: 1000}, func(Chunk) (int, error) { return 0, boom }, ok); !errors.Is(err, boom) {
		t.Errorf("work: %v", err)
	}
	if err := Each(t.Context(), bytes.NewReader(b), 0, 2<<20, Plan{Size: 1000}, nothing, ok); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("shrunk: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Each(ctx, bytes.NewReader(b), 0, 1<<20, Plan{}, nothing, ok); !errors.Is(err, context.Canceled) {
		t.Errorf("cancel: %v", err)
	}
	if err := Each(t.Context(), bytes.NewReader(nil), 0, 0, Plan{}, nothing, ok); err != nil {
		t.Errorf("empty: %v", err)
	}
}

func BenchmarkFinder(b *testing.B) {
	r := rand.New(rand.NewPCG(5, 6))
	var text bytes.Buffer
	for text.Len() < 8<<20 {
		fmt.Fprintf(&text, `{"time":"2025-11-27T14:58:12.104Z","level":"info","msg":"served","path":"/dtros/%08x-%04x-%04x-%012x"}`+"\n", r.Uint32(), r.Uint32N(65536), r.Uint32N(65536), r.Uint64N(1<<48))
	}
	for _, n := range []int{1, 8, 500} {
		var needles [][]byte
		for range n {
			needles = append(needles, fmt.Appendf(nil, "%08x-%04x-%04x-%012x", r.Uint32(), r.Uint32N(65536), r.Uint32N(65536), r.Uint64N(1<<48)))
		}
		f := New(needles)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.SetBytes(int64(text.Len()))
			for b.Loop() {
				f.Append(nil, text.Bytes())
			}
		})
	}
}
