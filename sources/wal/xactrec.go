package wal

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"time"

	"inquest/sources/heap"
)

// DroppedStat names an object whose statistics a commit dropped (15+): for relations, kind 2, the oid is that of the table.
type DroppedStat struct {
	Kind int32
	DB   uint32
	OID  uint64
}

// XactEnd is a decoded Transaction record (access/xact.h).
type XactEnd struct {
	Op         byte   // xactCommit, xactPrepare, xactAbort, xactCommitPrepared, xactAbortPrepared, xactAssignment
	XID        uint32 // the transaction that ends, also for the two-phase forms; for an assignment the top one
	Time       time.Time
	DB         uint32
	Subxacts   []uint32
	Dropped    []RelFile // files removed at this end of the transaction
	Stats      []DroppedStat
	GID        string
	OriginLSN  LSN
	OriginTime time.Time

	micros int64
}

// DecodeXact reads a Transaction record. The record must be decoded. ok is false for kinds without meaning here (invalidations).
// Errors wrap ErrRecord.
func (r *Record) DecodeXact() (x XactEnd, ok bool, err error) {
	x.Op, x.XID = r.Info&0x70, r.XID
	d := decoder{b: r.Main}
	switch x.Op {
	case xactCommit, xactAbort, xactCommitPrepared, xactAbortPrepared:
		x.end(&d, r.Info&xactHasInfo != 0, r.Version())
	case xactPrepare:
		x.prepare(&d, r.Version())
	case xactAssignment:
		x.XID = d.u32()
		x.Subxacts = d.xids(d.count(4))
	default:
		return x, false, nil
	}
	if d.bad {
		return x, false, fmt.Errorf("%w at %s: transaction record cut short", ErrRecord, r.LSN)
	}
	return x, true, nil
}

func (d *decoder) xids(n int) []uint32 {
	if n == 0 {
		return nil
	}
	out := make([]uint32, n)
	for i := range out {
		out[i] = d.u32()
	}
	return out
}

func (d *decoder) rels(n int) []RelFile {
	if n == 0 {
		return nil
	}
	out := make([]RelFile, n)
	for i := range out {
		out[i] = d.rel()
	}
	return out
}

func (d *decoder) stats(n, version int) []DroppedStat {
	var out []DroppedStat
	for i := 0; i < n && !d.bad; i++ {
		s := DroppedStat{Kind: int32(d.u32()), DB: d.u32()}
		if version >= 18 {
			lo, hi := d.u32(), d.u32()
			s.OID = uint64(hi)<<32 | uint64(lo)
		} else {
			s.OID = uint64(d.u32())
		}
		out = append(out, s)
	}
	return out
}

func (x *XactEnd) end(d *decoder, hasInfo bool, version int) {
	x.micros = int64(d.u64())
	x.Time = heap.Time(x.micros)
	if !hasInfo {
		return
	}
	info := d.u32()
	if info&0x01 != 0 {
		x.DB = d.u32()
		d.u32()
	}
	if info&0x02 != 0 {
		x.Subxacts = d.xids(d.count(4))
	}
	if info&0x04 != 0 {
		x.Dropped = d.rels(d.count(12))
	}
	if info&0x100 != 0 {
		size := 12
		if version >= 18 {
			size = 16
		}
		x.Stats = d.stats(d.count(size), version)
	}
	if info&0x08 != 0 {
		d.take(16 * d.count(16))
	}
	if info&0x10 != 0 {
		x.XID = d.u32()
	}
	if info&0x80 != 0 {
		n := max(bytes.IndexByte(d.b, 0), 0)
		x.GID = string(d.take(n))
		d.take(1)
	}
	if info&0x20 != 0 {
		x.OriginLSN, x.OriginTime = LSN(d.u64()), heap.Time(int64(d.u64()))
	}
}

// prepare reads the two-phase state file inside a PREPARE record (access/xact.h, xl_xact_prepare; its parts are aligned to 8 bytes).
func (x *XactEnd) prepare(d *decoder, version int) {
	d.take(8) // magic, length
	x.XID, x.DB = d.u32(), d.u32()
	x.Time = heap.Time(int64(d.u64()))
	d.u32() // owner
	nsub, ncommit := int(d.u32()), int(d.u32())
	d.u32() // files removed on abort
	if version >= 15 {
		d.take(8) // dropped statistics
	}
	d.u32()   // invalidations
	d.take(2) // initfileinval, padding
	ngid := int(d.u16())
	x.OriginLSN = LSN(d.u64())
	d.u64()
	if ngid > len(d.b) || nsub > len(d.b)/4 || ncommit > len(d.b)/12 || nsub < 0 || ncommit < 0 {
		d.bad = true
		return
	}
	x.GID = string(bytes.TrimRight(d.padded(ngid), "\x00"))
	sub := decoder{b: d.padded(4 * nsub)}
	x.Subxacts = sub.xids(nsub)
	rel := decoder{b: d.padded(12 * ncommit)}
	x.Dropped = rel.rels(ncommit)
}

// padded takes n bytes and the padding to 8 after them.
func (d *decoder) padded(n int) []byte {
	b := d.take(n)
	if pad := -n & 7; pad <= len(d.b) {
		d.b = d.b[pad:]
	}
	return b
}

// StandbyLock is an ACCESS EXCLUSIVE lock that a transaction holds on a table (storage/lockdefs.h, xl_standby_lock). TRUNCATE, DROP,
// VACUUM FULL, CLUSTER and most ALTER TABLE leave one.
type StandbyLock struct {
	XID, DB, OID uint32
}

// decodeLocks reads a Standby LOCK record.
func (r *Record) decodeLocks() []StandbyLock {
	d := decoder{b: r.Main}
	out := make([]StandbyLock, 0, 4)
	for n := d.count(12); n > 0; n-- {
		out = append(out, StandbyLock{XID: d.u32(), DB: d.u32(), OID: d.u32()})
	}
	return out
}

// Checkpoint is the part of a checkpoint record that tells about restarts (catalog/pg_control.h, CheckPoint).
type Checkpoint struct {
	Redo         LSN
	TLI, PrevTLI uint32
	NextXID      uint64
	Time         time.Time // to the second; zero when it is not told
}

func (r *Record) decodeCheckpoint() (c Checkpoint, ok bool) {
	if len(r.Main) < 72 {
		return c, false
	}
	le := binary.LittleEndian
	c = Checkpoint{Redo: LSN(le.Uint64(r.Main)), TLI: le.Uint32(r.Main[8:]), PrevTLI: le.Uint32(r.Main[12:]), NextXID: le.Uint64(r.Main[24:])}
	if t := int64(le.Uint64(r.Main[64:])); t != 0 {
		c.Time = time.Unix(t, 0).UTC()
	}
	return c, true
}
