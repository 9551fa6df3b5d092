package scan

import (
	"bytes"
	"slices"
)

// Newlines appends to dst where b has newlines, a word for each 64 bytes: byte
// i of b is one when bit i%64 of word i/64 is set. Where lines are short this is faster
// than to look for one newline after the other.
func Newlines(dst []uint64, b []byte) []uint64 {
	had := len(dst)
	words := (len(b) + 63) / 64
	dst = slices.Grow(dst, words)[:had+words]
	from := 0
	if whole := len(b) / 64 * 64; vectors && whole > 0 {
		ends(&dst[had], &b[0], whole)
		from = whole
	}
	clear(dst[had+from/64:])
	for from < len(b) {
		i := bytes.IndexByte(b[from:], '\n')
		if i < 0 {
			break
		}
		from += i
		dst[had+from/64] |= 1 << (from % 64)
		from++
	}
	return dst
}
