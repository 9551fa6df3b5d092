package wal

import "encoding/binary"

// What a tracer takes of records that it has no other use for.

// passedOver takes the position and the transaction of a record. It is refused when it is the first of a run.
func (tr *tracer) passedOver(r *Reader, raw []byte) bool {
	if r.runFrom != tr.run {
		return false
	}
	tr.last = r.pos
	if x := binary.LittleEndian.Uint32(raw[4:]); x != 0 {
		n := tr.note(r.pos)
		n.minXID, n.maxXID = min(n.minXID, x), max(n.maxXID, x)
	}
	return true
}

// lookedThrough takes the same of all records of a piece of WAL.
func (tr *tracer) lookedThrough(s *scouted, at LSN) {
	for i, x := range s.xids {
		if x.max != 0 {
			n := tr.note(at&^(noteSize-1) + LSN(i)*noteSize)
			n.minXID, n.maxXID = min(n.minXID, x.min), max(n.maxXID, x.max)
		}
	}
}

// plainEnds takes the times of commits and aborts up to the first of a transaction that matters, and returns how many those are. b is the
// piece of WAL that they lie in.
func (tr *tracer) plainEnds(b []byte, ends []endMark) int {
	n := 0
	for n < len(ends) && !tr.awaits(ends[n].xid) {
		n++
	}
	if n == 0 {
		return 0
	}
	end := func(i int) (micros int64, commit bool) {
		raw := b[ends[i].at:]
		return int64(binary.LittleEndian.Uint64(raw[RecordHeaderSize+2:])), raw[16]&0x70 == xactCommit
	}
	tr.timed(end(0))
	for i := n - 1; i > 0; i-- {
		if micros, commit := end(i); commit {
			tr.lastCommit = micros
			break
		}
	}
	if micros, _ := end(n - 1); n > 1 {
		tr.timed(micros, false)
	}
	return n
}

// awaits reports that the end of a transaction tells more than a time.
func (tr *tracer) awaits(xid uint32) bool {
	return tr.awaited.has(xid) && tr.xacts[xid] != nil || len(tr.created) > 0 && tr.created[xid] != nil || len(tr.locks) > 0 && tr.locks[xid] != nil
}

// xidFilter passes over most transactions cheaply.
type xidFilter [1024]uint64

func (f *xidFilter) add(xid uint32)      { f[xid>>6&1023] |= 1 << (xid & 63) }
func (f *xidFilter) has(xid uint32) bool { return f[xid>>6&1023]>>(xid&63)&1 != 0 }
