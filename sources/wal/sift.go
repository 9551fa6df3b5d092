package wal

import "encoding/binary"

// What a sift says of a record.
const (
	dull     = iota // a tracer has no use for it, but for its position and the number of its transaction
	wanted          // it is handed over
	plainEnd        // a commit or abort that tells a time and nothing else
)

// sift tells which records a tracer has use for, by what stands in their first bytes: nothing that was read before decides, so that pieces
// of WAL can be looked through in any order. What tracer.record looks at must pass here.
type sift struct {
	files  [1024]uint64 // the targets' and the catalogue's, as in setup
	filled [256]RelFile // files of which a write of rows was let through: the first one tells that a new file was filled
}

func newSift(s *setup) *sift {
	f := &sift{files: s.filter}
	for _, node := range []uint32{pgClass, pgAttribute} {
		f.files[node>>6&1023] |= 1 << (node & 63)
	}
	return f
}

// afresh returns a sift of its own for another piece of WAL.
func (f *sift) afresh() sift { return sift{files: f.files} }

// has is 1 for the file number of a target, and now and then for another.
func (f *sift) has(node uint32) uint64 { return f.files[node>>6&1023] >> (node & 63) & 1 }

func (f *sift) kind(raw []byte, magic uint16) uint8 {
	switch class(raw[17], raw[16]) {
	case onBlock, fillsBlock:
		at := relAt(raw, magic)
		if at == 0 {
			return wanted
		}
		node := binary.LittleEndian.Uint32(raw[at+8:])
		switch {
		case f.has(node) != 0:
			return wanted
		case class(raw[17], raw[16]) == fillsBlock:
			return f.first(raw[at:], node)
		}
		return dull
	case endsXact:
		if len(raw) >= plainEndSize && raw[RecordHeaderSize] == 255 {
			return plainEnd
		}
		return wanted
	case rare:
		if raw[17] == rmStorage {
			f.forget() // a new file may have the number of an older one
		}
		return wanted
	}
	return dull
}

// plainEndSize is the length of a commit or abort with a time only: the header, an id, a length, eight bytes.
const plainEndSize = RecordHeaderSize + 10

// Classes of records by resource manager and kind.
const (
	onBlock    = 1 // changes blocks of a table or a btree index
	fillsBlock = 3 // the same, and writes new rows
	endsXact   = 4 // a commit or abort without flags
	rare       = 8
	useless    = 16
)

// classes is class as a table: by resource manager and the upper half of xl_info.
var classes = func() (out [256][16]uint8) {
	for rm := range out {
		for info := range out[rm] {
			out[rm][info] = class(uint8(rm), uint8(info<<4))
		}
	}
	return out
}()

func class(rm, info uint8) uint8 {
	op := info & 0x70 // of heap and transaction records
	switch {
	case rm == rmHeap && op == heapInsert, rm == rmHeap2 && op == heap2MultiInsert:
		return fillsBlock
	case rm == rmHeap, rm == rmHeap2, rm == rmBtree:
		return onBlock
	case rm == rmXact && info&xactHasInfo == 0 && (op == xactCommit || op == xactAbort):
		return endsXact
	case rm <= rmStandby && rm != rmMultiXact:
		return rare
	}
	return useless
}

// glimpse is how much of a record glance needs to see.
const glimpse = RecordHeaderSize + 16

// glance is kind for the most common records: ask is 0 for those that are dull or, with end 1, a plain end. What it is not sure of is for
// kind to say. It is arithmetic only.
func (f *sift) glance(raw *[glimpse]byte) (ask, end uint64) {
	le := binary.LittleEndian
	size, head, spc, db, node := uint64(le.Uint32(raw[:])), le.Uint32(raw[24:]), le.Uint32(raw[28:]), le.Uint32(raw[32:]), le.Uint32(raw[36:])
	c := uint64(classes[raw[17]][raw[16]>>4])
	p := &f.filled[node&255]
	fresh := uint64((spc ^ p.Spc) | (db ^ p.DB) | (node ^ p.Rel))
	// The first block reference is that, and has neither an image nor the file of one before it; the file is no target's and was filled
	// before, if rows are written.
	ask = uint64(head&0x90e0) | f.has(node) | fresh&-(c>>1&1) | c&^fillsBlock | (size-glimpse)>>63
	end = c >> 2 & 1 & (uint64(head&255+1) >> 8) &^ ((size - plainEndSize) >> 63)
	return ask & (end - 1), end
}

// forget makes the next write into any file the first one.
func (f *sift) forget() { clear(f.filled[:]) }

// first lets the first write of rows into a file through, and now and then a later one.
func (f *sift) first(rel []byte, node uint32) uint8 {
	r := RelFile{binary.LittleEndian.Uint32(rel), binary.LittleEndian.Uint32(rel[4:]), node}
	if p := &f.filled[node&255]; *p != r {
		*p = r
		return wanted
	}
	return dull
}
