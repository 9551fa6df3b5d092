package wal

import (
	"slices"
	"sort"
	"time"

	"inquest/sources/heap"
)

// timeSpan holds server times in microseconds since 2000.
type timeSpan struct{ first, last int64 }

func timeOf(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return heap.Time(micros)
}

// tracer is one walk over WAL.
type tracer struct {
	*setup
	live        map[place]*version
	held        placeFilter // of live
	events      []Event
	waiting     int // events from here on have no Before yet
	xacts       map[uint32]*Xact
	awaited     xidFilter // of xacts
	incarnation int
	locks       map[uint32][]uint32 // xid to oids of targets
	created     map[uint32][]RelFile
	creating    map[RelFile]newFile
	truncates   map[uint32][]uint32 // xid to oids named by a TRUNCATE record
	catalogue   catalogue
	relations   []RelationEvent
	restarts    []Restart
	newRels     []*relation
	sightings   []seen
	followed    map[writing]bool       // writes that were told to be the key's
	started     map[LSN]map[place]bool // places that were followed from the start of a run
	blank       map[place]bool         // places of known whose last write could not be read
	watched     map[place]heap.Tuple   // content of places that are watched
	whole       map[wholeKey]uint64    // blocks of which an image was seen in this run, so that all their rows were read
	times       map[LSN]*timeSpan
	span        *timeSpan // of the run that is being read
	spanFrom    LSN
	run         LSN   // where the run began
	last        LSN   // the record before
	lastMicros  int64 // time of the last commit or abort
	lastCommit  int64
	others      int // transactions that deleted other rows
	damaged     int64
	unread      Unread
	missed      []string
	r           *Reader
	page        [heap.PageSize]byte // of an index, restored from its image
	notes       notes
	noted       *note // of the records that are being read
	notedAt     LSN
	moving      map[uint32]int  // by xid: 1 + index of the event by which a row left its partition, until it is written to another
	columns     map[uint32]bool // transactions that changed rows of pg_attribute
	former      map[*target][]RelFile
	retyped     map[*target]map[RelFile]bool
	moved       map[uint32]map[uint32]bool // by database: tablespaces that it was moved out of
	concerned   map[uint32]bool            // transactions that changed the files of a target
	passes      int                        // of the reader
	stale       bool                       // WAL was passed over since lastMicros
	short       []resumption               // places where the time before an event was passed over
}

// note is what a walk remembers of the records that begin in a piece of WAL, so that later walks can leave it out.
type note struct {
	minXID, maxXID uint32
	target         bool // holds records of a target's heap
}

// noteSize is the size of such a piece: noteSize divides the size of a segment.
const noteSize = 256 << 10

type notes map[LSN]*note // by the piece's start

type newFile struct {
	xid    uint32
	first  uint32 // oid of the relation it was made for, when pg_class tells
	filled bool   // rows were written
	imaged bool   // whole pages were
}

func newTracer(s *setup) *tracer {
	return &tracer{
		setup: s, live: map[place]*version{}, xacts: map[uint32]*Xact{}, locks: map[uint32][]uint32{},
		created: map[uint32][]RelFile{}, creating: map[RelFile]newFile{}, truncates: map[uint32][]uint32{}, times: map[LSN]*timeSpan{},
		followed: map[writing]bool{}, started: map[LSN]map[place]bool{}, blank: map[place]bool{}, watched: map[place]heap.Tuple{},
		whole: map[wholeKey]uint64{}, catalogue: newCatalogue(), concerned: map[uint32]bool{}, notes: notes{},
		columns: map[uint32]bool{}, moving: map[uint32]int{}, former: map[*target][]RelFile{}, retyped: map[*target]map[RelFile]bool{}, moved: map[uint32]map[uint32]bool{},
	}
}

// record looks at one record; almost all are passed over after a few comparisons.
func (tr *tracer) record(r *Reader) {
	rec := &r.rec
	tr.r = r
	if r.runFrom != tr.run {
		tr.endRun(tr.last)
		tr.beginRun(r.runFrom)
	}
	if r.passes != tr.passes {
		tr.passes, tr.stale = r.passes, true
	}
	tr.last = rec.LSN
	n := tr.note(rec.LSN)
	if x := rec.XID; x != 0 {
		n.minXID, n.maxXID = min(n.minXID, x), max(n.maxXID, x)
	}
	switch rec.RMGR {
	case rmHeap, rmHeap2:
		if f, ok := firstRel(rec); ok && tr.relation(f) != nil {
			n.target = true
			tr.heapRecord(rec)
		} else if ok && f.Rel == pgClass && tr.dbs[f.DB] {
			tr.classRecord(rec)
		} else if ok && f.Rel == pgAttribute && tr.dbs[f.DB] {
			tr.attributeRecord(rec)
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

type wholeKey struct {
	rel   RelFile
	group uint32 // of 64 blocks
}

func (tr *tracer) readWhole(rel RelFile, block uint32) {
	tr.whole[wholeKey{rel, block >> 6}] |= 1 << (block & 63)
}

// passed counts a change of a row whose key is not known.
func (tr *tracer) passed(rec *Record, c *Change) {
	if c.HasOld || c.OldBlock.HasImage || tr.whole[wholeKey{c.Rel, c.TID.Block >> 6}]>>(c.TID.Block&63)&1 != 0 {
		return
	}
	u := &tr.unread
	if c.Op == heapDelete {
		u.Deletes++
	} else {
		u.Updates++
	}
	if u.First == 0 {
		u.First, u.From = rec.LSN, tr.before()
	}
	u.Last, u.To = rec.LSN, tr.before()
}

// note returns the note of the piece that a position lies in.
func (tr *tracer) note(at LSN) *note {
	if at-tr.notedAt < noteSize && tr.noted != nil {
		return tr.noted
	}
	tr.notedAt = at &^ (noteSize - 1)
	if tr.noted = tr.notes[tr.notedAt]; tr.noted == nil {
		tr.noted = &note{minXID: ^uint32(0)}
		tr.notes[tr.notedAt] = tr.noted
	}
	return tr.noted
}

func (tr *tracer) xlogRecord(rec *Record) {
	switch rec.Info & 0xf0 {
	case xlogFPI, xlogFPIForHint:
		f, ok := firstRel(rec)
		if !ok {
			return
		}
		tr.note(rec.LSN).target = true
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

// before is the time of the last commit or abort.
func (tr *tracer) before() time.Time {
	if tr.r.passes != tr.passes {
		tr.passes, tr.stale = tr.r.passes, true
	}
	if tr.stale && (len(tr.short) == 0 || tr.short[len(tr.short)-1] != tr.r.resumed) {
		tr.short = append(tr.short, tr.r.resumed)
	}
	return timeOf(tr.lastMicros)
}

// event appends what happened to a version and remembers the transaction.
func (tr *tracer) event(rec *Record, op Op, v *version) *Event {
	if len(tr.events) >= maxEvents {
		return &Event{}
	}
	tr.events = append(tr.events, Event{
		LSN: rec.LSN, TLI: rec.TLI, Op: op, XID: rec.XID, TopXID: rec.TopXID, Target: v.t.index, Table: v.t.Table, OID: v.t.OID,
		Rel: v.rel, TID: v.tid, Incarnation: v.incarnation, After: tr.before(), Origin: rec.Origin, Assumed: v.assumed, version: v,
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
		tr.awaited.add(xid)
	}
	if top != 0 && top != xid {
		x.TopXID = top
	}
	x.LastLSN = max(x.LastLSN, lsn)
	return x
}

// finish turns the walk into the lineage's events.
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
	if len(tr.events) >= maxEvents || len(tr.sightings) >= maxEvents {
		l.miss("more than 20000 events: the rest are left out")
	}
	for _, n := range tr.missed {
		l.miss(n)
	}
}

func (tr *tracer) dropUntouched(l *Lineage, xid uint32) {
	x := l.Xacts[xid]
	if x == nil || slices.ContainsFunc(l.Events, func(e Event) bool { return e.XID == xid }) {
		return
	}
	x.TouchesIt = false
}
