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

// writing names one occupant of a place: the row version that the record at a position wrote there.
type writing struct {
	place
	at LSN
}

// sighting says that the last row version which was written to a place before asOf held the key. It says nothing of any version that
// was there before that one: places are used again.
type sighting struct {
	place
	asOf LSN
}

// seen is a sighting with the version it follows from, nil when a record showed it.
type seen struct {
	sighting
	from *version
}

// version is a row version that holds the key, or held it before an update changed it.
type version struct {
	place
	t           *target
	incarnation int
	tuple       heap.Tuple
	hasTuple    bool
	assumed     bool // by evidence from later
	until       LSN  // a write to the place before this position withdraws the assumption; 0: it is proved
	discarded   bool
	dead        bool     // pruned to a dead line pointer
	parent      *version // the version an update made this one from
	shadow      bool     // the row has another key now, or perhaps: nothing that happens to it is the key's
	change      int      // shadow: 1 + index of the event that changed the key, while the new key is not known
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

// beginRun takes up what later evidence says of places at the start of a run.
func (tr *tracer) beginRun(from LSN) {
	tr.run = from
	tr.started[from] = map[place]bool{}
	if tr.backed {
		for _, p := range tr.starts[from] {
			tr.assume(p, 0)
		}
		return
	}
	for k := range tr.known {
		until, p := k.AsOf, place{k.Rel, k.TID}
		if until == 0 {
			until = ^LSN(0)
		}
		if until <= from {
			continue
		}
		// The earliest sighting counts: a write after it is another row's affair, one before it withdraws them all.
		if old := tr.live[p]; old == nil || old.until > until {
			tr.assume(p, until)
		}
	}
}

func (tr *tracer) assume(p place, until LSN) {
	if r := tr.relation(p.rel); r != nil && r.index == nil {
		tr.hold(p, &version{place: p, t: r.t, assumed: true, until: until})
		tr.started[tr.run][p] = true
	}
}

// endRun forgets where the key is: what happened in the hole after the run is not known, and evidence from behind it says nothing of
// what was before.
func (tr *tracer) endRun(at LSN) {
	if tr.run != 0 {
		tr.before() // the run's last time
	}
	for p, v := range tr.live {
		v.discarded = v.until > at
		delete(tr.live, p)
	}
	for p := range tr.blank {
		if tr.unsure[p] > at {
			delete(tr.blank, p)
		}
	}
	clear(tr.watched)
	clear(tr.whole)
	tr.catalogue.forget()
}

// close ends the last run at a position: evidence from later than that counts only when it is from the present.
func (tr *tracer) close(at LSN) {
	if tr.run != 0 {
		tr.before()
	}
	for _, v := range tr.live {
		v.discarded = v.discarded || v.until > at && v.until != ^LSN(0)
	}
}

// undecided reports that the last write into a place that is known to hold the key could not be read: where the row was before has to
// be found out.
func (tr *tracer) undecided() bool { return !tr.backed && len(tr.blank) > 0 }

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

// firstRel reads the relation of a record's first block reference without decoding the record.
func firstRel(r *Record) (RelFile, bool) {
	at := relAt(r.Raw, r.Magic)
	if at == 0 {
		return RelFile{}, false
	}
	le := binary.LittleEndian
	return RelFile{le.Uint32(r.Raw[at:]), le.Uint32(r.Raw[at+4:]), le.Uint32(r.Raw[at+8:])}, true
}

// relAt returns where in a record the relation of its first block reference stands, 0 when it has none.
func relAt(raw []byte, magic uint16) int {
	if len(raw) < RecordHeaderSize+20 || raw[RecordHeaderSize] > 32 {
		return 0
	}
	flags, at := raw[RecordHeaderSize+1], RecordHeaderSize+4
	if flags&0x10 != 0 {
		info := raw[RecordHeaderSize+8]
		at += 5
		packed := info & 0x1c
		if magic < magic15 {
			packed = info & 2
		}
		if info&1 != 0 && packed != 0 {
			at += 2
		}
	}
	if flags&0x80 != 0 || len(raw) < at+16 {
		return 0
	}
	return at
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

// keep copies a version's bytes out of the reader's buffers.
func keep(t heap.Tuple) heap.Tuple {
	t.Bitmap, t.Data = slices.Clone(t.Bitmap), slices.Clone(t.Data)
	return t
}

func (e *Event) setRow(t heap.Tuple) {
	e.tuple, e.hasTuple = t, true
}

// start begins to follow a version that the record wrote.
func (tr *tracer) start(p place, t *target, incarnation int, at LSN) *version {
	v := &version{place: p, t: t, incarnation: incarnation}
	tr.hold(p, v)
	if at != 0 {
		tr.followed[writing{p, at}] = true
	}
	return v
}

func (tr *tracer) nextIncarnation() int {
	tr.incarnation++
	return tr.incarnation
}

// vacate ends what was at an address before a write. Whatever later evidence says of the address, it says of what is written now.
func (tr *tracer) vacate(p place, at LSN, read bool) {
	if v := tr.live[p]; v != nil {
		v.discarded = v.discarded || v.until > at
		delete(tr.live, p)
	}
	if len(tr.watched) > 0 {
		delete(tr.watched, p)
	}
	if until, ok := tr.unsure[p]; ok && at < until {
		if read {
			delete(tr.blank, p)
		} else {
			tr.blank[p] = true
		}
	}
}

// sight notes that an address held the key after a record; a walk backwards finds out since when.
func (tr *tracer) sight(p place, at LSN, from *version) {
	if len(tr.sightings) < maxEvents {
		tr.sightings = append(tr.sightings, seen{sighting{p, at}, from})
	}
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
