package wal

import (
	"encoding/binary"
	"slices"
	"sort"
	"time"

	"inquest/sources/heap"
)

type place struct {
	rel RelFile
	tid heap.TID
}

// version is a row version that holds the key, or held it before an update changed it.
type version struct {
	place
	t           *target
	incarnation int
	tuple       heap.Tuple
	hasTuple    bool
	assumed     bool
	asOf        LSN
	discarded   bool
	dead        bool     // pruned to a dead line pointer
	parent      *version // the version an update made this one from
}

// withdrawn reports that the version, or one it came from, was assumed wrongly.
func (v *version) withdrawn() bool {
	for ; v != nil; v = v.parent {
		if v.discarded {
			return true
		}
	}
	return false
}

// timeSpan holds server times in microseconds since 2000.
type timeSpan struct{ first, last int64 }

func timeOf(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return heap.Time(micros)
}

// tracer is one pass over WAL.
type tracer struct {
	*setup
	live        map[place]*version
	events      []Event
	waiting     int // events from here on have no Before yet
	xacts       map[uint32]*Xact
	incarnation int
	recent      [512]recentUpdate // updates of target tables whose new version could not be read
	nrecent     int
	locks       map[uint32][]uint32 // xid to oids of targets
	created     map[uint32][]RelFile
	creating    map[RelFile]newFile
	truncates   map[uint32][]uint32 // xid to oids named by a TRUNCATE record
	relations   []RelationEvent
	restarts    []Restart
	newRels     []*relation
	newKnown    []KnownTID
	newWatch    []place
	watched     map[place]heap.Tuple // last content of addresses whose row became the key's later
	times       map[LSN]*timeSpan
	span        *timeSpan // of the run that is being read
	spanFrom    LSN
	lastMicros  int64 // time of the last commit or abort
	lastCommit  int64
	others      int // transactions that deleted other rows
	damaged     int64
	r           *Reader
	segs        []segmentNote // by index into the plan's segments
}

// segmentNote is what a pass remembers of a segment, so that later walks can leave it out.
type segmentNote struct {
	minXID, maxXID uint32
	target         bool // holds records of a target's heap
}

type newFile struct {
	xid    uint32
	filled bool
}

type recentUpdate struct {
	lsn      LSN
	xid, top uint32
	from, to place
	keys     bool // a key column changed
	after    time.Time
}

func newTracer(s *setup) *tracer {
	tr := &tracer{
		setup: s, live: map[place]*version{}, xacts: map[uint32]*Xact{}, locks: map[uint32][]uint32{},
		created: map[uint32][]RelFile{}, creating: map[RelFile]newFile{}, truncates: map[uint32][]uint32{}, times: map[LSN]*timeSpan{}, watched: map[place]heap.Tuple{},
	}
	for k := range s.known {
		asOf := k.AsOf
		if asOf == 0 {
			asOf = ^LSN(0)
		}
		p := place{k.Rel, k.TID}
		// The latest sighting wins: what it rules out is ruled out for the earlier ones too.
		if old := tr.live[p]; old == nil || old.asOf > asOf {
			tr.live[p] = &version{place: p, t: s.targets[k.Target], assumed: true, asOf: asOf}
		}
	}
	return tr
}

// record looks at one record; almost all are passed over after a few comparisons.
func (tr *tracer) record(r *Reader) {
	rec := &r.rec
	tr.r = r
	n := tr.note(r.seg)
	if x := rec.XID; x != 0 {
		n.minXID, n.maxXID = min(n.minXID, x), max(n.maxXID, x)
	}
	switch rec.RMGR {
	case rmHeap, rmHeap2:
		if f, ok := firstRel(rec); ok && tr.relation(f) != nil {
			n.target = true
			tr.heapRecord(rec)
		} else if ok && len(tr.creating) > 0 {
			tr.fillNew(f, rec)
		} else if !ok && rec.RMGR == rmHeap && rec.Info&heapOpMask == heapTruncate {
			tr.truncateRecord(rec)
		}
	case rmBtree:
		if f, ok := firstRel(rec); ok && tr.relation(f) != nil {
			tr.indexRecord(rec)
		}
	case rmXact:
		tr.xactRecord(rec)
	case rmXLOG:
		tr.xlogRecord(rec)
	case rmStorage, rmStandby, rmDatabase:
		if rec.Decode() == nil {
			tr.otherRecord(rec)
		}
	}
}

// note returns the note of a segment. A record is noted where it ends; ranges are widened by one segment for its start.
func (tr *tracer) note(seg int) *segmentNote {
	for len(tr.segs) <= seg {
		tr.segs = append(tr.segs, segmentNote{minXID: ^uint32(0)})
	}
	return &tr.segs[seg]
}

// firstRel reads the relation of a record's first block reference without decoding the record.
func firstRel(r *Record) (RelFile, bool) {
	b := r.Raw[RecordHeaderSize:]
	if len(b) < 20 || b[0] > 32 {
		return RelFile{}, false
	}
	at := 4
	if b[1]&0x10 != 0 {
		info := b[8]
		at += 5
		packed := info & 0x1c
		if r.Magic < magic15 {
			packed = info & 2
		}
		if info&1 != 0 && packed != 0 {
			at += 2
		}
	}
	if b[1]&0x80 != 0 || len(b) < at+16 {
		return RelFile{}, false
	}
	le := binary.LittleEndian
	return RelFile{le.Uint32(b[at:]), le.Uint32(b[at+4:]), le.Uint32(b[at+8:])}, true
}

func (tr *tracer) xlogRecord(rec *Record) {
	switch rec.Info & 0xf0 {
	case xlogFPI, xlogFPIForHint:
		f, ok := firstRel(rec)
		if !ok {
			return
		}
		tr.note(tr.r.seg).target = true
		if rel := tr.relation(f); rel != nil || len(tr.creating) > 0 {
			if rec.Decode() != nil {
				tr.damaged++
				return
			}
			for i := range rec.Blocks {
				tr.imageBlock(rec, &rec.Blocks[i], heap.TID{})
			}
		}
	case xlogShutdown, xlogOnline, xlogEndOfRecovery:
		if rec.Decode() == nil {
			tr.restart(rec)
		}
	}
}

// event appends what happened to a version and remembers the transaction.
func (tr *tracer) event(rec *Record, op Op, v *version) *Event {
	if len(tr.events) >= maxEvents {
		return &Event{}
	}
	tr.events = append(tr.events, Event{
		LSN: rec.LSN, TLI: rec.TLI, Op: op, XID: rec.XID, TopXID: rec.TopXID, Target: v.t.index, Table: v.t.Table, OID: v.t.OID,
		Rel: v.rel, TID: v.tid, Incarnation: v.incarnation, After: timeOf(tr.lastMicros), Origin: rec.Origin, Assumed: v.assumed, version: v,
	})
	if x := tr.xact(rec.XID, rec.TopXID, rec.LSN); x != nil {
		x.TouchesIt = true
	}
	return &tr.events[len(tr.events)-1]
}

// xact returns the entry of a transaction, made when it is new; nil for xid 0.
func (tr *tracer) xact(xid, top uint32, lsn LSN) *Xact {
	if xid == 0 {
		return nil
	}
	x := tr.xacts[xid]
	if x == nil {
		x = &Xact{XID: xid, State: Unfinished, FirstLSN: lsn}
		tr.xacts[xid] = x
	}
	if top != 0 && top != xid {
		x.TopXID = top
	}
	x.LastLSN = max(x.LastLSN, lsn)
	return x
}

// keep copies a version's bytes out of the reader's buffers.
func keep(t heap.Tuple) heap.Tuple {
	t.Bitmap, t.Data = slices.Clone(t.Bitmap), slices.Clone(t.Data)
	return t
}

func (e *Event) setRow(t heap.Tuple) {
	e.tuple, e.hasTuple = t, true
}

// start begins to follow a version.
func (tr *tracer) start(p place, t *target, incarnation int) *version {
	v := &version{place: p, t: t, incarnation: incarnation}
	tr.live[p] = v
	return v
}

func (tr *tracer) nextIncarnation() int {
	tr.incarnation++
	return tr.incarnation
}

// end stops following an address that was freed or taken by another row. What was noted on the assumption that it held the key is
// withdrawn when the assumption dates from after that.
func (tr *tracer) end(p place, at LSN) {
	v := tr.live[p]
	if v == nil {
		return
	}
	if v.assumed && at < v.asOf {
		v.discarded = true
		// The evidence from later still stands: the key must come to this address further on.
		again := *v
		again.discarded, again.hasTuple = false, false
		tr.live[p] = &again
		return
	}
	delete(tr.live, p)
}

// learnKnown notes an address for the next pass: it held the key at this record.
func (tr *tracer) learnKnown(v *version, at LSN) {
	k := KnownTID{Target: v.t.index, Rel: v.rel, TID: v.tid, AsOf: at}
	for have := range tr.known {
		if have.Rel == k.Rel && have.TID == k.TID && (have.AsOf == 0 || have.AsOf >= at) && have.AsOf != 0 {
			return
		}
	}
	if !tr.known[k] {
		tr.newKnown = append(tr.newKnown, k)
	}
}

// finish turns the pass into the lineage's events.
func (tr *tracer) finish(l *Lineage) {
	for i := range tr.events {
		if e := &tr.events[i]; !e.version.withdrawn() {
			l.Events = append(l.Events, *e)
		}
	}
	sort.SliceStable(l.Events, func(i, j int) bool { return l.Events[i].LSN < l.Events[j].LSN })
	l.Xacts = tr.xacts
	for _, e := range tr.events {
		if e.version.withdrawn() {
			tr.dropUntouched(l, e.XID)
		}
	}
	l.Relations, l.Restarts = tr.relations, tr.restarts
	if len(tr.events) >= maxEvents {
		l.Notes = append(l.Notes, "more than 20000 events: the rest are left out")
	}
}

func (tr *tracer) dropUntouched(l *Lineage, xid uint32) {
	x := l.Xacts[xid]
	if x == nil || slices.ContainsFunc(l.Events, func(e Event) bool { return e.XID == xid }) {
		return
	}
	x.TouchesIt = false
}
