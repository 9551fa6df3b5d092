package wal

import (
	"bytes"
	"encoding/binary"

	"inquest/sources/heap"
)

// What is quickly told of an index entry: almost all hold another key and point at rows that are not followed.

// placeFilter passes over most addresses cheaply.
type placeFilter struct{ bits xidFilter }

func (f *placeFilter) add(t heap.TID)      { f.bits.add(t.Block*37 + uint32(t.Offset)) }
func (f *placeFilter) has(t heap.TID) bool { return f.bits.has(t.Block*37 + uint32(t.Offset)) }

// hold begins to follow what is at an address.
func (tr *tracer) hold(p place, v *version) {
	tr.live[p] = v
	tr.held.add(p.tid)
}

// otherEntry reports that an index entry has another key and points at nothing that is followed.
func (tr *tracer) otherEntry(x *indexInfo, item []byte) bool {
	return x.needle != nil && len(item) >= 8 && !tr.pointsAtHeld(item) && !bytes.Contains(item, x.needle)
}

// pointsAtHeld reads the address at the start of an entry (access/itup.h). An entry with more than one tells it elsewhere.
func (tr *tracer) pointsAtHeld(item []byte) bool {
	le := binary.LittleEndian
	const several = 0x2000 // INDEX_ALT_TID_MASK
	return le.Uint16(item[6:])&several != 0 || tr.held.has(heap.TID{Block: uint32(le.Uint16(item))<<16 | uint32(le.Uint16(item[2:])), Offset: le.Uint16(item[4:])})
}

// otherEntries reports the same of all entries of a page.
func (tr *tracer) otherEntries(x *indexInfo, p heap.IndexPage) bool {
	if x.needle == nil || bytes.Contains(p.Raw, x.needle) {
		return false
	}
	for n := p.FirstData(); n <= p.Pointers(); n++ {
		if item := p.Item(n); len(item) >= 8 && tr.pointsAtHeld(item) {
			return false
		}
	}
	return true
}
