package parts

import (
	"context"
	"math/bits"
	"sort"

	"github.com/sahilm/fuzzy"
)

// Sieve says which of very many rows are shown: one bit for each, and a count
// for every 512, so that ten million rows cost less than 1.4 MB and any row is
// found at once. The zero Sieve of n rows made by All shows every row and costs
// nothing.
type Sieve struct {
	n, shown int
	bits     []uint64 // nil: every row
	before   []int32  // rows shown before each block of eight words
}

// All returns a sieve that lets n rows through.
func All(n int) Sieve { return Sieve{n: n, shown: n} }

const blockWords = 8

// matched is how many rows are matched at once: between two of them the work can
// be cancelled.
const matched = 4096

// Sift returns the rows that keep accepts and whose text matches the pattern;
// a nil keep accepts all, an empty pattern matches all.
func Sift(ctx context.Context, n int, keep func(i int) bool, pattern string, text func(i int) string) (Sieve, error) {
	if keep == nil && pattern == "" {
		return All(n), nil
	}
	s := Sieve{n: n, bits: make([]uint64, (n+63)/64)}
	rows := make([]int, 0, matched)
	for from := 0; from < n; from += matched {
		if err := ctx.Err(); err != nil {
			return s, err
		}
		rows = rows[:0]
		for i := from; i < min(from+matched, n); i++ {
			if keep == nil || keep(i) {
				rows = append(rows, i)
			}
		}
		s.add(rows, pattern, text)
	}
	s.count()
	return s, nil
}

func (s *Sieve) add(rows []int, pattern string, text func(i int) string) {
	if pattern == "" {
		for _, i := range rows {
			s.bits[i/64] |= 1 << (i % 64)
		}
		return
	}
	for _, m := range fuzzy.FindFromNoSort(pattern, Texts{N: len(rows), At: func(k int) string { return text(rows[k]) }}) {
		i := rows[m.Index]
		s.bits[i/64] |= 1 << (i % 64)
	}
}

func (s *Sieve) count() {
	s.before = make([]int32, 0, len(s.bits)/blockWords+1)
	for i, w := range s.bits {
		if i%blockWords == 0 {
			s.before = append(s.before, int32(s.shown))
		}
		s.shown += bits.OnesCount64(w)
	}
}

// Len returns how many rows are shown.
func (s *Sieve) Len() int { return s.shown }

// At returns the row that is shown in place k, or -1.
func (s *Sieve) At(k int) int {
	if k < 0 || k >= s.shown {
		return -1
	}
	if s.bits == nil {
		return k
	}
	b := sort.Search(len(s.before), func(i int) bool { return int(s.before[i]) > k }) - 1
	left := k - int(s.before[b])
	for w := b * blockWords; ; w++ {
		n := bits.OnesCount64(s.bits[w])
		if left < n {
			word := s.bits[w]
			for ; left > 0; left-- {
				word &= word - 1
			}
			return w*64 + bits.TrailingZeros64(word)
		}
		left -= n
	}
}

// Place returns the place of row i, or that of the next row that is shown.
func (s *Sieve) Place(i int) int {
	if s.bits == nil {
		return max(0, min(i, s.n))
	}
	if i >= s.n {
		return s.shown
	}
	i = max(i, 0)
	w := i / 64
	k := int(s.before[w/blockWords])
	for j := w - w%blockWords; j < w; j++ {
		k += bits.OnesCount64(s.bits[j])
	}
	return k + bits.OnesCount64(s.bits[w]&(1<<(i%64)-1))
}
