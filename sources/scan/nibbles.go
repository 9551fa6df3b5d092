package scan

import (
	"bytes"
	"cmp"
	"math"
	"math/bits"
	"slices"
)

// nibbles finds a few needles by testing four of their bytes at once. The test
// looks at the low half of each byte alone and may take a place for a needle's that is
// none; what passes is compared in full. Which four bytes are tested is chosen by a
// sample of the text, so that little passes.
type nibbles struct {
	needles [][]byte
	buckets [8][]int         // which needles a bit of the tables stands for
	at      [tested]int      // places in a needle that are tested
	tables  [tested][32]byte // bit per bucket by a byte's low half, twice: as the vector instruction wants it
}

const (
	tested      = 4
	mostNibbles = 64       // more needles let too much pass
	mostPlaces  = 32       // of a needle from which the tested ones are chosen
	block       = 64       // places that are tested at a time
	sampleLen   = 4096     // bytes of a sample that are used
	passes      = 1. / 256 // more of the sample may not pass
)

// newNibbles returns nil where the processor cannot do it, and where too much
// of the sample would pass.
func newNibbles(needles [][]byte, use []int, sample []byte) *nibbles {
	if !vectors || len(use) == 0 || len(use) > mostNibbles {
		return nil
	}
	n := &nibbles{needles: needles}
	window := sampleLen
	byText := slices.SortedFunc(slices.Values(use), func(i, j int) int {
		return cmp.Or(bytes.Compare(needles[i], needles[j]), i-j)
	})
	for rank, i := range byText {
		window = min(window, len(needles[i]))
		bucket := rank * len(n.buckets) / len(byText)
		n.buckets[bucket] = append(n.buckets[bucket], i)
	}
	if rate := n.choose(sample[:min(len(sample), sampleLen)], min(window, mostPlaces)); rate > passes {
		return nil
	}
	return n
}

// choose picks the tested places one after the other, each time the one that
// lets least of the sample pass, and the rarest one by itself when nothing does any more.
// It returns the part that still passes.
func (n *nibbles) choose(sample []byte, window int) float64 {
	type start struct {
		at  int
		set byte // buckets that may begin there
	}
	starts := make([]start, max(len(sample)-window, 0))
	for i := range starts {
		starts[i] = start{i, 0xff}
	}
	all := len(starts)
	var alone [mostPlaces]int // starts that pass a place by itself
	for k := range tested {
		best, least := -1, 0
		for at := range window {
			t, ok := n.table(at)
			if !ok {
				continue
			}
			left := 0
			for _, s := range starts {
				if s.set&lookUp(&t, sample[s.at+at]) != 0 {
					left++
				}
			}
			if k == 0 {
				alone[at] = left
			}
			cost := left*all + alone[at]
			if slices.Contains(n.at[:k], at) {
				cost = math.MaxInt // it tells nothing new
			}
			if best < 0 || cost < least {
				best, least, n.at[k], n.tables[k] = at, cost, at, t
			}
		}
		if best < 0 {
			return 1 // no place has only ASCII
		}
		passing := starts[:0]
		for _, s := range starts {
			if s.set &= lookUp(&n.tables[k], sample[s.at+best]); s.set != 0 {
				passing = append(passing, s)
			}
		}
		starts = passing
	}
	return float64(len(starts)) / float64(max(all, 1))
}

// table returns the buckets by the low half of the byte at a place; not ok
// when a needle's byte there is above ASCII, which the vector instruction takes for no byte at all.
func (n *nibbles) table(at int) (t [32]byte, ok bool) {
	for bucket, list := range n.buckets {
		for _, i := range list {
			c := n.needles[i][at]
			if c >= 0x80 {
				return t, false
			}
			t[c&15] |= 1 << bucket
			t[16+c&15] |= 1 << bucket
		}
	}
	return t, true
}

// lookUp does for one byte what the vector instruction does for 32.
func lookUp(t *[32]byte, c byte) byte {
	if c >= 0x80 {
		return 0
	}
	return t[c&15]
}

// append adds all matches in b to out, by offset and then by needle.
func (n *nibbles) append(out []Match, b []byte) []Match {
	end := len(b) - max(n.at[0], n.at[1], n.at[2], n.at[3]) // of the places that can be tested
	if end < block {
		for at := range max(end, 0) {
			out = n.verify(out, b, at)
		}
		return out
	}
	from, whole := 0, end/block*block
	for from < whole {
		skip, mask := pass(&b[from], whole-from, &n.at, &n.tables)
		from += skip
		for ; mask != 0; mask &= mask - 1 {
			out = n.verify(out, b, from+bits.TrailingZeros64(mask))
		}
		from += block
	}
	if whole < end { // the rest, as the last places of a whole block
		from = end - block
		_, mask := pass(&b[from], block, &n.at, &n.tables)
		for mask &= ^uint64(0) << (whole - from); mask != 0; mask &= mask - 1 {
			out = n.verify(out, b, from+bits.TrailingZeros64(mask))
		}
	}
	return out
}

// verify compares the needles that may begin at a place in full.
func (n *nibbles) verify(out []Match, b []byte, at int) []Match {
	had := len(out)
	set := byte(0xff)
	for k := range tested {
		set &= lookUp(&n.tables[k], b[at+n.at[k]])
	}
	for ; set != 0; set &= set - 1 {
		for _, i := range n.buckets[bits.TrailingZeros8(set)] {
			if bytes.HasPrefix(b[at:], n.needles[i]) {
				out = append(out, Match{At: at, Needle: i})
			}
		}
	}
	if len(out) > had+1 {
		slices.SortFunc(out[had:], func(x, y Match) int { return x.Needle - y.Needle })
	}
	return out
}
