package heap

import (
	"encoding/binary"
	"strings"
)

// numericText prints a numeric from its bytes without varlena header (utils/adt/numeric.c: NumericShort, NumericLong; base 10000).
func numericText(b []byte) (string, bool) {
	if len(b) < 2 {
		return "", false
	}
	le := binary.LittleEndian
	h := le.Uint16(b)
	var weight, scale int
	var negative bool
	switch h & 0xc000 {
	case 0xc000:
		return numericSpecial(h), true
	case 0x8000:
		negative, scale, weight = h&0x2000 != 0, int(h&0x1f80>>7), int(h&0x3f)
		if h&0x40 != 0 {
			weight -= 64
		}
		b = b[2:]
	default:
		if len(b) < 4 {
			return "", false
		}
		negative, scale, weight = h&0x4000 != 0, int(h&0x3fff), int(int16(le.Uint16(b[2:])))
		b = b[4:]
	}
	if len(b)%2 != 0 {
		return "", false
	}
	return numericDigits(b, weight, scale, negative)
}

func numericSpecial(h uint16) string {
	switch h & 0xf000 {
	case 0xd000:
		return "Infinity"
	case 0xf000:
		return "-Infinity"
	}
	return "NaN"
}

func numericDigits(b []byte, weight, scale int, negative bool) (string, bool) {
	n := len(b) / 2
	digit := func(i int) uint16 {
		if i < 0 || i >= n {
			return 0
		}
		return binary.LittleEndian.Uint16(b[2*i:])
	}
	for i := 0; i < n; i++ {
		if digit(i) > 9999 {
			return "", false
		}
	}
	var s strings.Builder
	if negative {
		s.WriteByte('-')
	}
	if weight < 0 {
		s.WriteByte('0')
	}
	for i := 0; i <= weight; i++ {
		writeGroup(&s, digit(i), i == 0, 4)
	}
	if scale > 0 {
		s.WriteByte('.')
		for i, left := weight+1, scale; left > 0; i, left = i+1, left-4 {
			writeGroup(&s, digit(i), false, min(left, 4))
		}
	}
	return s.String(), true
}

// writeGroup writes the first n of the four decimal digits of one base-10000 digit, without leading zeros when first.
func writeGroup(s *strings.Builder, d uint16, first bool, n int) {
	g := [4]byte{'0' + byte(d/1000), '0' + byte(d/100%10), '0' + byte(d/10%10), '0' + byte(d%10)}
	start := 0
	if first {
		for start < 3 && g[start] == '0' {
			start++
		}
	}
	s.Write(g[start:max(n, start)])
}
