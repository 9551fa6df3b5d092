package logscan

import (
	"encoding/binary"
	"time"
)

// ticks reads seconds, their fraction and what follows, at most 15 bytes, as two
// words: what is a digit in every line and what is always the same was learned from a
// line before.
type ticks struct {
	form   [2]uint64 // the digits as '0', the rest as it stands
	six    [2]uint64 // 6 at each digit: a byte above 9 then reaches its upper half
	check  [2]uint64 // bits that must be zero after both
	digits int       // of the fraction: 0, 3, 6 or 9
	next   int       // where the byte behind all stands; zero: it may be anything
}

// learn takes text, which is the seconds, a fraction up to end, and what follows;
// it reports whether its form is one that can be read this way. With closed set, any
// byte may follow.
func (k *ticks) learn(text string, end int, closed bool) bool {
	*k = ticks{digits: max(end-3, 0)}
	if len(text) > 15 || k.digits%3 != 0 || (end == 2 && len(text) > 2 && (text[2] == '.' || text[2] == ',')) {
		return false
	}
	if !closed {
		k.next = len(text)
	}
	for i := range len(text) {
		word, shift := i/8, 8*(i%8)
		if i < end && i != 2 {
			k.form[word] |= '0' << shift
			k.six[word] |= 6 << shift
			k.check[word] |= 0xf0 << shift
			continue
		}
		k.form[word] |= uint64(text[i]) << shift
		k.check[word] |= 0xff << shift
	}
	return true
}

// wording is a text of 8 to 32 bytes as four words, which may overlap.
type wording struct {
	word [4]uint64
	at   [4]int
}

// words makes a wording; not ok when the text is too short or too long.
func words(s string) (w wording, ok bool) {
	if len(s) < 8 || len(s) > 32 {
		return w, false
	}
	for i := range w.at {
		w.at[i] = min(8*i, len(s)-8)
		w.word[i] = binary.LittleEndian.Uint64([]byte(s[w.at[i]:]))
	}
	return w, true
}

// quick reads the time of a line that is written as the one before, in the
// same minute. Not ok does not mean that there is none. It is one function because nearly
// every line of a log comes this way.
func (f *face) quick(line []byte) (t int64, ok bool) {
	from := f.at - len(f.anchor)
	to := from + len(f.prefix)
	if f.prefix == "" || to+16 > len(line) {
		return 0, false
	}
	if p, w := line[from:], &f.wording; !f.worded {
		if string(line[from:to]) != f.prefix {
			return 0, false
		}
	} else if (binary.LittleEndian.Uint64(p)^w.word[0])|(binary.LittleEndian.Uint64(p[w.at[1]:])^w.word[1])|
		(binary.LittleEndian.Uint64(p[w.at[2]:])^w.word[2])|(binary.LittleEndian.Uint64(p[w.at[3]:])^w.word[3]) != 0 {
		return 0, false
	}
	k, b := &f.ticks, line[to:to+16]
	x, y := binary.LittleEndian.Uint64(b)^k.form[0], binary.LittleEndian.Uint64(b[8:])^k.form[1]
	if (x|(x+k.six[0]))&k.check[0]|(y|(y+k.six[1]))&k.check[1] != 0 {
		return 0, false
	}
	if k.next != 0 {
		if c := b[k.next&15]; zoneByte(c) || c-'0' <= 10 {
			return 0, false
		}
	}
	t = int64(x&15*10 + x>>8&15)
	if t > 60 {
		return 0, false
	}
	t = f.base + t*int64(time.Second)
	switch k.digits {
	case 3:
		t += int64(x>>24&15*100+x>>32&15*10+x>>40&15) * int64(time.Millisecond)
	case 6:
		t += int64(x>>24&15*100_000+x>>32&15*10_000+x>>40&15*1000+x>>48&15*100+x>>56*10+y&15) * int64(time.Microsecond)
	case 9:
		t += int64(x>>24&15*100_000_000 + x>>32&15*10_000_000 + x>>40&15*1_000_000 + x>>48&15*100_000 + x>>56*10_000 +
			y&15*1000 + y>>8&15*100 + y>>16&15*10 + y>>24&15)
	}
	return t, true
}
