package scan

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// Match is where a needle was found: its index in the list that the Finder was
// made of, and the offset of its first byte.
type Match struct {
	At     int
	Needle int
}

// Finder finds any of several byte strings. It is immutable and safe for
// several goroutines.
type Finder struct {
	needles [][]byte
	long    *grams // needles of at least four bytes
	single  []int  // needles looked for one by one
	longest int
}

// New returns a Finder of the needles; empty ones are never found. The needles
// must not change afterwards.
func New(needles [][]byte) *Finder {
	f := &Finder{needles: needles}
	var long []int
	for i, n := range needles {
		f.longest = max(f.longest, len(n))
		switch {
		case len(n) == 0:
		case len(n) < gram:
			f.single = append(f.single, i)
		default:
			long = append(long, i)
		}
	}
	if len(long) == 1 && len(needles[long[0]]) < 2*gram {
		f.single = append(f.single, long[0])
	} else if len(long) > 0 {
		f.long = newGrams(needles, long)
	}
	return f
}

// Longest returns the length of the longest needle; chunks must overlap by one
// byte less.
func (f *Finder) Longest() int { return f.longest }

// Append adds all matches in b to out, by offset and then by needle, and
// returns it. Matches may overlap.
func (f *Finder) Append(out []Match, b []byte) []Match {
	start := len(out)
	if f.long != nil {
		out = f.long.append(out, b)
	}
	for _, i := range f.single {
		out = appendSingle(out, b, f.needles[i], i)
	}
	if len(f.single) > 1 || (f.long != nil && len(f.single) > 0) {
		slices.SortFunc(out[start:], func(x, y Match) int {
			if x.At != y.At {
				return x.At - y.At
			}
			return x.Needle - y.Needle
		})
	}
	return out
}

func appendSingle(out []Match, b, needle []byte, index int) []Match {
	for at := 0; ; {
		i := bytes.Index(b[at:], needle)
		if i < 0 {
			return out
		}
		out = append(out, Match{At: at + i, Needle: index})
		at += i + 1
	}
}

const gram = 4

// grams is a Wu–Manber shift table over four-byte grams: for each hashed gram
// how far the search may jump because no needle has it nearer to its end.
type grams struct {
	needles [][]byte
	window  int // length of the shortest needle: all are compared by so many bytes
	bits    uint
	shift   []uint8
	first   []int32 // first needle by the hash of its window's last gram, -1: none
	next    []int32 // the next needle with the same hash
}

func newGrams(needles [][]byte, use []int) *grams {
	g := &grams{needles: needles, window: 200, bits: 13}
	if len(use) > 24 {
		g.bits = 16
	}
	for _, i := range use {
		g.window = min(g.window, len(needles[i]))
	}
	g.shift = bytes.Repeat([]byte{byte(g.window - gram + 1)}, 1<<g.bits)
	g.first = slices.Repeat([]int32{-1}, 1<<g.bits)
	g.next = slices.Repeat([]int32{-1}, len(needles))
	for k := len(use) - 1; k >= 0; k-- {
		i := use[k]
		for end := gram; end <= g.window; end++ {
			h := g.hash(needles[i][end-gram:])
			g.shift[h] = min(g.shift[h], byte(g.window-end))
		}
		h := g.hash(needles[i][g.window-gram:])
		g.next[i] = g.first[h]
		g.first[h] = int32(i)
	}
	return g
}

func (g *grams) hash(b []byte) uint32 {
	return binary.LittleEndian.Uint32(b) * 2654435761 >> (32 - g.bits)
}

func (g *grams) append(out []Match, b []byte) []Match {
	shift, down := g.shift, 32-g.bits
	last := len(b) - gram
	for at := g.window - gram; at <= last; {
		h := binary.LittleEndian.Uint32(b[at:at+gram]) * 2654435761 >> (down & 31)
		if s := shift[h]; s != 0 {
			at += int(s)
			continue
		}
		from := at + gram - g.window
		for i := g.first[h]; i >= 0; i = g.next[i] {
			n := g.needles[i]
			if len(b)-from >= len(n) && string(b[from:from+len(n)]) == string(n) {
				out = append(out, Match{At: from, Needle: int(i)})
			}
		}
		at++
	}
	return out
}
