package scan

import "bytes"

// MostNewlines is the length of the longest text that Newlines takes.
const MostNewlines = 1 << 16

// Newlines returns the places of the newlines in b, in ascending order, in dst,
// which must have room for len(b)+8 of them. b has at most MostNewlines bytes. Where lines
// are short this is faster than to look for one newline after the other.
func Newlines(dst []uint16, b []byte) []uint16 {
	from, n := 0, 0
	dst = dst[:len(b)+8]
	if whole := len(b) / 64 * 64; vectors && whole > 0 {
		n = ends(&dst[0], &b[0], whole)
		from = whole
	}
	for {
		i := bytes.IndexByte(b[from:], '\n')
		if i < 0 {
			return dst[:n]
		}
		dst[n] = uint16(from + i)
		from += i + 1
		n++
	}
}
