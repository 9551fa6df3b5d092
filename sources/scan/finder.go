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
	few     *nibbles // needles of at least four bytes when they are few, or nil
	long    *grams   // the same when they are many
	single  []int    // needles looked for one by one
	longest int
}

// New returns a Finder of the needles; empty ones are never found. The needles
// must not change afterwards.
func New(needles [][]byte) *Finder { return NewFor(needles, []byte(anyText)) }

// anyText stands for the text to be searched when none of it is at hand.
const anyText = `{"time":"2025-11-27T14:58:12.104Z","level":"info","msg":"served","request_id":"5b0cf0fb8d1e4a559f0e3a1b7c9d2e10","path":"/v1/orders/48213"}
10.1.2.3 - - [27/Nov/2025:14:58:12 +0000] "GET /api/e1f2a3b4-c5d6-4e7f-8091-a2b3c4d5e6f7 HTTP/1.1" 200 5316 "-" "Mozilla/5.0"
2025-11-27 14:58:12.104 UTC [2317] app@shop LOG:  duration: 0.042 ms  execute <unnamed>: SELECT * FROM orders WHERE id = $1
`

// NewFor is New for a text of which a sample is at hand, some kilobytes of it:
// how fast the search is depends on what is rare there, and nothing else does.
func NewFor(needles [][]byte, sample []byte) *Finder {
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
	if f.few = newNibbles(needles, long, sample); f.few != nil {
		return f
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
	switch {
	case f.few != nil:
		out = f.few.append(out, b)
	case f.long != nil:
		out = f.long.append(out, b)
	}
	for _, i := range f.single {
		out = appendSingle(out, b, f.needles[i], i)
	}
	if len(f.single) > 1 || ((f.few != nil || f.long != nil) && len(f.single) > 0) {
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
	down    uint // 32 - bits
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
	g.down = 32 - g.bits
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
	return binary.LittleEndian.Uint32(b) * 2654435761 >> (g.down & 31)
}

const lanes = 4

// append searches four parts of b side by side, because one alone would mostly
// wait for the table, and then puts their matches one after the other.
func (g *grams) append(out []Match, b []byte) []Match {
	first, last := g.window-gram, len(b)-gram
	if last-first < 64*lanes*g.window {
		return g.lane(out, b, first, last)
	}
	part := (last - first + 1) / lanes
	var at, end [lanes]int
	for i := range lanes {
		at[i], end[i] = first+i*part, first+(i+1)*part-1
	}
	end[lanes-1] = last
	var found [lanes][]Match
	w, x, y, z := at[0], at[1], at[2], at[3]
	for w <= end[0] && x <= end[1] && y <= end[2] && z <= end[3] {
		i, j, k, l := g.shift[g.hash(b[w:])], g.shift[g.hash(b[x:])], g.shift[g.hash(b[y:])], g.shift[g.hash(b[z:])]
		if i == 0 {
			found[0], i = g.verify(found[0], b, w), 1
		}
		if j == 0 {
			found[1], j = g.verify(found[1], b, x), 1
		}
		if k == 0 {
			found[2], k = g.verify(found[2], b, y), 1
		}
		if l == 0 {
			found[3], l = g.verify(found[3], b, z), 1
		}
		w, x, y, z = w+int(i), x+int(j), y+int(k), z+int(l)
	}
	for i, from := range [lanes]int{w, x, y, z} {
		out = g.lane(append(out, found[i]...), b, from, end[i])
	}
	return out
}

// lane searches the windows whose last gram starts in at..last.
func (g *grams) lane(out []Match, b []byte, at, last int) []Match {
	for at <= last {
		if s := g.shift[g.hash(b[at:])]; s != 0 {
			at += int(s)
			continue
		}
		out = g.verify(out, b, at)
		at++
	}
	return out
}

// verify compares the needles whose window may end with the gram at at.
func (g *grams) verify(out []Match, b []byte, at int) []Match {
	from := at + gram - g.window
	for i := g.first[g.hash(b[at:])]; i >= 0; i = g.next[i] {
		if n := g.needles[i]; len(b)-from >= len(n) && string(b[from:from+len(n)]) == string(n) {
			out = append(out, Match{At: from, Needle: int(i)})
		}
	}
	return out
}
