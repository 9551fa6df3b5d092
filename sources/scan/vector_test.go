package scan

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
)

// each way of searching, whatever New would choose.
func bothWays(t *testing.T, needles [][]byte, b []byte) {
	t.Helper()
	var use []int
	for i, n := range needles {
		if len(n) >= gram {
			use = append(use, i)
		}
	}
	if len(use) == 0 {
		return
	}
	want := slices.DeleteFunc(naive(b, needles), func(m Match) bool { return len(needles[m.Needle]) < gram })
	if got := newGrams(needles, use).append(nil, b); !slices.Equal(got, want) {
		t.Fatalf("grams: %q in %q:\n got %v\nwant %v", needles, b, got, want)
	}
	// No sample: nothing passes too often.
	if n := newNibbles(needles, use, nil); n != nil {
		if got := n.append(nil, b); !slices.Equal(got, want) {
			t.Fatalf("nibbles at %v: %q in %q:\n got %v\nwant %v", n.at, needles, b, got, want)
		}
	}
}

func TestBothWaysAgreeWithTheNaiveSearch(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	for range 3000 {
		alphabet := []string{"ab", "abcdefgh0123456789-", "pqrs\x80\xf0\x00 ", "\n=a\x11\x21\x31\x41\xa1"}[r.IntN(4)]
		b := make([]byte, r.IntN(600))
		for i := range b {
			b[i] = alphabet[r.IntN(len(alphabet))]
		}
		var needles [][]byte
		for range 1 + r.IntN(12) {
			n := gram + r.IntN(40)
			if len(b) > n && r.IntN(3) > 0 {
				at := r.IntN(len(b) - n)
				needles = append(needles, bytes.Clone(b[at:at+n]))
				continue
			}
			needle := make([]byte, n)
			for i := range needle {
				needle[i] = alphabet[r.IntN(len(alphabet))]
			}
			needles = append(needles, needle)
		}
		bothWays(t, needles, b)
	}
}

// TestNearMisses fills the text with what differs from the needle in one byte.
func TestNearMisses(t *testing.T) {
	needle := []byte("e7a4bff2-adc7-4847-a9d8-25734601b405")
	var b []byte
	for i := range needle {
		for _, flip := range []byte{1, 0x10, 0x20, 0x80} {
			b = append(b, needle...)
			b[len(b)-len(needle)+i] ^= flip
			b = append(b, needle[:i]...)
		}
		b = append(b, needle...)
	}
	bothWays(t, [][]byte{needle, bytes.ToUpper(needle), needle[:13]}, b)
}

func TestPassAgreesWithItsDefinition(t *testing.T) {
	if !vectors {
		t.Skip("this processor has no AVX2: the tables of grams do the work")
	}
	r := rand.New(rand.NewPCG(13, 14))
	for range 2000 {
		at := [tested]int{r.IntN(9), r.IntN(9), r.IntN(60), r.IntN(3)}
		b := make([]byte, block*(1+r.IntN(4))+slices.Max(at[:]))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		var tables [tested][32]byte
		for k := range tables {
			for i := range 16 {
				tables[k][i] = byte(r.Uint32() | r.Uint32())
				tables[k][i+16] = tables[k][i]
			}
		}
		n := (len(b) - slices.Max(at[:])) / block * block
		for r.IntN(2) == 0 { // make some of them without a match
			tables[r.IntN(tested)] = [32]byte{5: 1, 21: 1}
		}
		wantSkip, wantMask := n, uint64(0)
		for i := n - 1; i >= 0; i-- {
			set := byte(0xff)
			for k := range tested {
				set &= lookUp(&tables[k], b[i+at[k]])
			}
			if set == 0 {
				continue
			}
			if i/block*block < wantSkip {
				wantSkip, wantMask = i/block*block, 0
			}
			wantMask |= 1 << (i % block)
		}
		if skip, mask := pass(&b[0], n, &at, &tables); skip != wantSkip || mask != wantMask {
			t.Fatalf("%d %x, want %d %x", skip, mask, wantSkip, wantMask)
		}
	}
}

func TestNewlinesAgreeWithEveryByte(t *testing.T) {
	r := rand.New(rand.NewPCG(15, 16))
	for range 2000 {
		b := make([]byte, r.IntN(300))
		for i := range b {
			b[i] = "\nab\x0a\x8a\x1a"[r.IntN(6)]
		}
		got := Newlines(make([]uint16, len(b)+8), b)
		var want []uint16
		for i, c := range b {
			if c == '\n' {
				want = append(want, uint16(i))
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%v, want %v of %q", got, want, b)
		}
	}
	all := bytes.Repeat([]byte{'\n'}, MostNewlines)
	if got := Newlines(make([]uint16, len(all)+8), all); len(got) != len(all) || got[len(all)-1] != MostNewlines-1 {
		t.Errorf("%d of %d", len(got), len(all))
	}
}

func FuzzBothWays(f *testing.F) {
	f.Add([]byte("abcabcabcabcabcabc"), []byte("abcabc"), []byte("bcab"), []byte("cabca"))
	f.Add(bytes.Repeat([]byte("0123456789abcdef-\n"), 20), []byte("f-\n01"), []byte("\x80abc"), []byte("9abc"))
	f.Fuzz(func(t *testing.T, b, x, y, z []byte) {
		bothWays(t, [][]byte{x, y, z}, b)
		if len(x) < len(b) { // and one that is there
			bothWays(t, [][]byte{b[len(x):min(len(b), len(x)+9)]}, b)
		}
	})
}
