package wal

import (
	"encoding/binary"
	"slices"
	"time"

	"inquest/sources/heap"
)

const maxCreated = 100000

func (tr *tracer) xactRecord(rec *Record) {
	op := rec.Info & 0x70
	// The common commit has a time and nothing else; it needs decoding only when the transaction matters.
	if b := rec.Raw[RecordHeaderSize:]; rec.Info&xactHasInfo == 0 && (op == xactCommit || op == xactAbort) && len(b) >= 10 && b[0] == 255 {
		t := int64(binary.LittleEndian.Uint64(b[2:]))
		tr.timed(t, op == xactCommit)
		if !tr.awaits(rec.XID) {
			return
		}
		tr.ended(rec, &XactEnd{Op: op, XID: rec.XID, Time: timeOf(t)})
		return
	}
	if rec.Decode() != nil {
		tr.damaged++
		return
	}
	x, ok, err := rec.DecodeXact()
	if err != nil {
		tr.damaged++
	}
	if !ok {
		return
	}
	switch op {
	case xactAssignment:
		for _, sub := range x.Subxacts {
			if have := tr.xacts[sub]; have != nil {
				have.TopXID = x.XID
			}
		}
	case xactPrepare:
		tr.family(rec, &x, Prepared)
	default:
		tr.timed(x.micros, op == xactCommit || op == xactCommitPrepared)
		tr.ended(rec, &x)
	}
}

// timed takes the time of a commit or abort record, the only times there are.
func (tr *tracer) timed(micros int64, commit bool) {
	if tr.waiting < len(tr.events) {
		for t := timeOf(micros); tr.waiting < len(tr.events); tr.waiting++ {
			tr.events[tr.waiting].Before = t
		}
	}
	tr.lastMicros, tr.stale = micros, false
	if commit {
		tr.lastCommit = micros
	}
	if tr.span == nil || tr.spanFrom != tr.r.runFrom {
		tr.span, tr.spanFrom = &timeSpan{first: micros}, tr.r.runFrom
		tr.times[tr.spanFrom] = tr.span
	}
	tr.span.last = micros
}

func (tr *tracer) ended(rec *Record, x *XactEnd) {
	state := Aborted
	if x.Op == xactCommit || x.Op == xactCommitPrepared {
		state = Committed
	}
	tr.replacements(rec, x, state == Committed)
	tr.family(rec, x, state)
	tr.endConcerns(x)
	for _, id := range append([]uint32{x.XID}, x.Subxacts...) {
		for _, f := range tr.created[id] {
			delete(tr.creating, f)
			delete(tr.catalogue.owner, f)
		}
		delete(tr.created, id)
		delete(tr.locks, id)
		delete(tr.truncates, id)
		tr.catalogue.ended(id)
	}
}

// endConcerns notes that all that a transaction did matters, when it changed the files of a target.
func (tr *tracer) endConcerns(x *XactEnd) {
	ids := append([]uint32{x.XID}, x.Subxacts...)
	if !slices.ContainsFunc(ids, func(id uint32) bool { return tr.concerned[id] }) &&
		!slices.ContainsFunc(x.Dropped, func(f RelFile) bool { return tr.relation(f) != nil }) &&
		!slices.ContainsFunc(tr.targets, x.droppedStat) {
		return
	}
	for _, id := range ids {
		tr.concerned[id] = true
	}
}

// family sets the state of a transaction and its subtransactions, if one of them is of interest.
func (tr *tracer) family(rec *Record, x *XactEnd, state XactState) {
	known := tr.xacts[x.XID] != nil
	for _, s := range x.Subxacts {
		known = known || tr.xacts[s] != nil
	}
	if !known || x.XID == 0 {
		return
	}
	top := tr.xact(x.XID, 0, rec.LSN)
	for _, s := range x.Subxacts {
		if sub := tr.xacts[s]; sub != nil {
			sub.TopXID, sub.State, sub.Time, sub.LSN = x.XID, state, x.Time, rec.LSN
			sub.GID = x.GID
			top.FirstLSN = min(top.FirstLSN, sub.FirstLSN)
			top.TouchesIt = top.TouchesIt || sub.TouchesIt
		}
	}
	top.State, top.LSN, top.Subxacts, top.Dropped = state, rec.LSN, x.Subxacts, x.Dropped
	top.Time = x.Time
	if state == Prepared {
		top.Prepared, top.Time = x.Time, time.Time{}
	}
	if x.GID != "" {
		top.GID = x.GID
	}
	if rec.Origin != 0 {
		top.Origin = rec.Origin
	}
	for _, id := range append([]uint32{x.XID}, x.Subxacts...) {
		top.Locks = append(top.Locks, tr.locks[id]...)
	}
}

// visible reports that a version's inserter is known to have committed and that no finished transaction is known to have removed it. ids is
// the transaction that is committing.
func (tr *tracer) visible(v *version, ids []uint32) bool {
	state := func(xid uint32) XactState {
		if x := tr.xacts[xid]; x != nil && !slices.Contains(ids, xid) {
			return x.State
		}
		return Committed
	}
	made := v.hasTuple && (v.tuple.XminCommitted() || v.tuple.XminFrozen())
	for i := range tr.events {
		e := &tr.events[i]
		switch {
		case e.version == v && e.removes():
			if state(e.XID) == Committed {
				return false
			}
		case e.version == v && e.Op == OpImage:
			made = made || state(e.Xmin) == Committed
			if e.Xmax != 0 && (v.tuple.XmaxCommitted() || state(e.Xmax) == Committed) {
				return false
			}
		case e.version == v && e.inserts() || e.to() == v.place:
			if s := state(e.XID); s == Aborted || s == Crashed {
				return false
			}
			made = true
		}
	}
	return made
}

func (e *Event) inserts() bool {
	switch e.Op {
	case OpInsert, OpMultiInsert, OpSpeculative, OpRewrite:
		return true
	}
	return false
}

func (e *Event) removes() bool {
	switch e.Op {
	case OpDelete, OpUpdate, OpHotUpdate, OpMove, OpKill:
		return true
	}
	return false
}

// sortedLive returns the live versions, newest incarnation and latest address first, so that results do not depend on map order.
func (tr *tracer) sortedLive() []*version {
	out := make([]*version, 0, len(tr.live))
	for _, v := range tr.live {
		out = append(out, v)
	}
	slices.SortFunc(out, func(a, b *version) int {
		switch {
		case a.incarnation != b.incarnation:
			return b.incarnation - a.incarnation
		case a.tid.Block != b.tid.Block:
			return int(b.tid.Block) - int(a.tid.Block)
		}
		return int(b.tid.Offset) - int(a.tid.Offset)
	})
	return out
}

func (tr *tracer) otherRecord(rec *Record) {
	op := rec.Info & 0xf0
	switch {
	case rec.RMGR == rmStorage && op == storageCreate:
		d := decoder{b: rec.Main}
		f := d.rel()
		if fork := d.u32(); !d.bad && fork == 0 {
			tr.create(rec, f)
		}
	case rec.RMGR == rmStorage && op == storageTruncate:
		d := decoder{b: rec.Main}
		blocks, f := d.u32(), d.rel()
		tr.shrink(rec, f, blocks)
	case rec.RMGR == rmStandby && op == standbyLock:
		for _, l := range rec.decodeLocks() {
			if i, ok := tr.oids[l.OID]; ok && (tr.targets[i].Rel.DB == l.DB || tr.targets[i].Rel.Zero()) && len(tr.locks) < maxCreated {
				tr.locks[l.XID] = append(tr.locks[l.XID], l.OID)
			}
		}
	case rec.RMGR == rmDatabase:
		tr.database(rec)
	}
}

// create notes a new file.
func (tr *tracer) create(rec *Record, f RelFile) {
	if len(tr.creating) >= maxCreated {
		return
	}
	tr.created[rec.XID] = append(tr.created[rec.XID], f)
	if tr.relation(f) != nil {
		tr.concerned[rec.XID] = true
	}
	tr.creating[f] = newFile{xid: rec.XID}
}

func (tr *tracer) fillNew(f RelFile, rec *Record) {
	n, ok := tr.creating[f]
	if !ok || n.filled || rec.RMGR == rmHeap2 && rec.Info&heapOpMask != heap2MultiInsert || rec.RMGR == rmHeap && rec.Info&heapOpMask != heapInsert {
		return
	}
	n.filled = true
	tr.creating[f] = n
}

func (tr *tracer) shrink(rec *Record, f RelFile, blocks uint32) {
	rel := tr.relation(f)
	if rel == nil || rel.index != nil {
		return
	}
	for _, v := range tr.sortedLive() {
		if v.rel == f && v.tid.Block >= blocks {
			if !v.shadow {
				tr.event(rec, OpShrink, v)
			}
			tr.freed(v.place, rec.LSN)
		}
	}
}

// database looks for DROP DATABASE, and for ALTER DATABASE … SET TABLESPACE, which copies a database's files and drops those there were
// (commands/dbcommands.c, movedb).
func (tr *tracer) database(rec *Record) {
	drop := uint8(dropDatabase)
	if rec.Version() < 15 {
		drop = dropDatabase13
	}
	d := decoder{b: rec.Main}
	db := d.u32()
	switch op := rec.Info & 0xf0; {
	case !tr.dbs[db] || db == 0:
	case op == copyDatabase:
		if to, source, from := d.u32(), d.u32(), d.u32(); source == db && to != from && !d.bad {
			tr.moveDatabase(db, from, to)
		}
	case op == drop:
		spaces := d.xids(d.count(4))
		kept := func(spc uint32) bool { return tr.moved[db][spc] }
		if d.bad || len(spaces) > 0 && !slices.ContainsFunc(spaces, func(spc uint32) bool { return !kept(spc) }) {
			return
		}
		for _, t := range tr.targets {
			if t.match != nil && t.Rel.DB == db {
				tr.relations = append(tr.relations, RelationEvent{
					LSN: rec.LSN, Op: OpDropDB, XID: rec.XID, Target: t.index, Table: t.Table, OID: t.OID,
				})
			}
		}
	}
}

// moveDatabase carries over what lies in a database's own tablespace. Files keep their numbers.
func (tr *tracer) moveDatabase(db, from, to uint32) {
	if tr.moved[db] == nil {
		tr.moved[db] = map[uint32]bool{}
	}
	tr.moved[db][from] = true
	delete(tr.moved[db], to)
	for _, f := range tr.files() {
		for _, spc := range []uint32{from, to} {
			other := RelFile{spc, db, f.Rel}
			if f.DB != db || f.Spc != from && f.Spc != to || tr.relation(other) != nil {
				continue
			}
			r := *tr.relation(f)
			r.file = other
			if r.index != nil {
				r.heap.Spc = spc
			}
			tr.newRels = append(tr.newRels, &r)
		}
	}
	for _, v := range tr.sortedLive() {
		if v.rel.DB != db || v.rel.Spc != from {
			continue
		}
		p := place{RelFile{to, db, v.rel.Rel}, v.tid}
		if tr.relation(p.rel) == nil {
			continue // known in the next walk
		}
		n := *v
		n.place, n.parent = p, v
		tr.hold(p, &n)
		delete(tr.live, v.place)
	}
}

// truncateRecord notes the tables that a TRUNCATE names; the record exists at wal_level logical only.
func (tr *tracer) truncateRecord(rec *Record) {
	if rec.Decode() != nil {
		return
	}
	d := decoder{b: rec.Main}
	d.u32()
	n := int(d.u32())
	d.u32()
	for i := 0; i < n && !d.bad; i++ {
		tr.truncates[rec.XID] = append(tr.truncates[rec.XID], d.u32())
	}
}

// restart handles checkpoints that end a server's life and records that begin one: every transaction still open is undone.
func (tr *tracer) restart(rec *Record) {
	r := Restart{LSN: rec.LSN, TLI: rec.TLI}
	switch rec.Info & 0xf0 {
	case xlogOnline:
		return
	case xlogShutdown:
		c, ok := rec.decodeCheckpoint()
		if !ok {
			return
		}
		r.Kind, r.TLI, r.PrevTLI, r.Time = "shutdown-checkpoint", c.TLI, c.PrevTLI, c.Time
	case xlogEndOfRecovery:
		d := decoder{b: rec.Main}
		r.Kind, r.Time = "end-of-recovery", heap.Time(int64(d.u64()))
		r.TLI, r.PrevTLI = d.u32(), d.u32()
	}
	for id, x := range tr.xacts {
		if x.State == Unfinished && x.FirstLSN < rec.LSN && x.LastLSN >= tr.run && tr.ran(id) { // else its end may lie in a hole
			x.State, x.LSN = Crashed, rec.LSN
			r.Lost = append(r.Lost, id)
		}
	}
	slices.Sort(r.Lost)
	tr.restarts = append(tr.restarts, r)
}

// ran reports that WAL holds an event of the transaction, not merely its number in an image: its end may lie before the WAL.
func (tr *tracer) ran(xid uint32) bool {
	return slices.ContainsFunc(tr.events, func(e Event) bool { return e.XID == xid && e.Op != OpImage && e.Op != OpIndexLeaf }) ||
		tr.xacts[xid].LastLSN != 0 && !tr.seenOnly(xid)
}

func (tr *tracer) seenOnly(xid uint32) bool {
	return slices.ContainsFunc(tr.events, func(e Event) bool { return e.Xmin == xid || e.Xmax == xid })
}
