package logscan

import (
	"bytes"
	"encoding/binary"
)

// heads is how nearly every line of a log begins, as march wants it: the text up to
// the minute, which is compared 32 bytes at a time, and the seconds, 16 bytes.
type heads struct {
	mask    [32]byte // 0xff where form counts
	form    [32]byte // the text before the seconds
	tick    [16]byte // as ticks.form
	six     [16]byte // as ticks.six
	check   [16]byte // as ticks.check
	shuffle [16]byte // where in the seconds their digits are: 0 S S f f f f f f f f f
	stop    *[256]byte
	base    int64 // the minute in Unix nanoseconds
	from    int   // where in a line form stands, unless it moves
	to      int   // where in form the seconds stand; what follows counts from form on, too
	next    int   // where a byte stands that may not be one of stop
	need    int   // how long the line is from there on at least
	sign    byte  // the anchor's last byte
	moves   bool  // form stands where the line's first sign is, less before
	before  int   // bytes of form before the sign
	known   bool
}

// goesOn are the bytes by which a time would be longer than the one learned.
var goesOn, nothing = func() (t, none [256]byte) {
	for c := range t {
		if b := byte(c); zoneByte(b) || b-'0' <= 10 {
			t[c] = 1
		}
	}
	return t, none
}()

// learn takes over what face knows; known is false when march cannot use it.
func (h *heads) learn(f *face) {
	*h = heads{}
	if !marches || f.prefix == "" || len(f.prefix) > len(h.form) {
		return
	}
	for i := range f.prefix {
		h.mask[i] = 0xff
	}
	copy(h.form[:], f.prefix)
	k := &f.ticks
	put := binary.LittleEndian.PutUint64
	for word := range 2 {
		put(h.tick[8*word:], k.form[word])
		put(h.six[8*word:], k.six[word])
		put(h.check[8*word:], k.check[word])
	}
	for i := range h.shuffle {
		h.shuffle[i] = 0x80 // a zero
	}
	h.shuffle[1], h.shuffle[2] = 0, 1
	for i := range k.digits {
		h.shuffle[3+i] = byte(3 + i)
	}
	h.base, h.stop, h.known = f.base, &nothing, true
	if k.next != 0 {
		h.stop = &goesOn
	}
	h.to = len(f.prefix)
	h.next = h.to + k.next
	h.need = max(h.to+16, len(h.form))
}

// place notes where in line the anchor of f ends: a sign that is the line's first
// of its kind can be looked for.
func (h *heads) place(f *face, line []byte, at int) {
	if n := len(f.anchor); n > 0 && at > 0 {
		h.sign, h.before = f.anchor[n-1], n-1
		h.moves = bytes.IndexByte(line[:at], h.sign) == at-1
	}
}

// march takes the times of the lines from start on that end in ends and come shortly
// after one another in the same minute, as nearly all do; what face.quick and cover.next would
// do with them, at a fraction of the cost. It stops at the first line of another kind and
// returns how many it took. start is an offset in b, ends are offsets from at on.
func (f *face) march(c *cover, b []byte, at, start int, ends []uint16) int {
	h := &f.heads
	if !h.known || len(ends) == 0 || c.timed == 0 {
		return 0
	}
	h.from = f.at - len(f.anchor)
	silent := c.rhythm[0] // what is no pause is counted there
	n := marchLines(h, c, &b[at], start-at, &ends[0], len(ends))
	c.rhythm[0] = silent
	if n > 0 {
		c.last = c.high
		c.timed, c.run, c.lines = c.timed+int64(n), c.run+int64(n), c.lines+int64(n)
	}
	return n
}
