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
	files  [1024]uint64 // the targets', as in setup
	filled [256]RelFile // files of which a write of rows was let through: the first one tells that a new file was filled
}

func newSift(s *setup) *sift { return &sift{files: s.filter} }

// afresh returns a sift of its own for another piece of WAL.
func (f *sift) afresh() sift { return sift{files: f.files} }

func (f *sift) kind(raw []byte, magic uint16) uint8 {
	switch rm := raw[17]; {
	case rm-rmHeap2 <= rmBtree-rmHeap2:
		at := relAt(raw, magic)
		if at == 0 {
			return wanted
		}
		node := binary.LittleEndian.Uint32(raw[at+8:])
		if f.files[node>>6&1023]>>(node&63)&1 != 0 || node == pgClass || node == pgAttribute {
			return wanted
		}
		if op := raw[16] & heapOpMask; op == heapInsert && rm == rmHeap || op == heap2MultiInsert && rm == rmHeap2 {
			return f.first(raw[at:], node)
		}
		return dull
	case rm == rmXact:
		if op := raw[16] & 0x70; raw[16]&xactHasInfo == 0 && (op == xactCommit || op == xactAbort) && len(raw) >= RecordHeaderSize+10 && raw[RecordHeaderSize] == 255 {
			return plainEnd
		}
		return wanted
	case rm == rmStorage:
		f.forget() // a new file may have the number of an older one
		return wanted
	case rm <= rmStandby && rm != rmMultiXact:
		return wanted
	}
	return dull
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
