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
		if tr.xacts[rec.XID] == nil && tr.created[rec.XID] == nil && tr.locks[rec.XID] == nil {
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
	tr.lastMicros = micros
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

// replacements looks for targets whose file the end of a transaction removes or replaces.
func (tr *tracer) replacements(rec *Record, x *XactEnd, committed bool) {
	if len(x.Dropped) == 0 && len(x.Stats) == 0 {
		return
	}
	ids := append([]uint32{x.XID}, x.Subxacts...)
	for _, t := range tr.targets {
		if t.match == nil {
			continue
		}
		if committed {
			tr.copied(t, ids)
		}
		c := tr.replacement(t, ids, x)
		for _, f := range append(slices.Clone(c.old), c.new...) {
			if tr.relation(f) == nil {
				tr.newRels = append(tr.newRels, &relation{file: f, t: t, guess: c.guess})
			}
		}
		tr.oldIndexes(t, ids, x, &c)
		if committed && c.op != "" {
			tr.replaced(rec, t, ids, x, &c)
		}
	}
}

// oldIndexes learns the files of a table's indexes that a transaction replaced, with the heap file that they pointed at.
func (tr *tracer) oldIndexes(t *target, ids []uint32, x *XactEnd, c *replacement) {
	for _, ix := range t.Indexes {
		info := t.indexInfo(ix)
		moves := tr.catalogue.movesOf(ix.OID, ids)
		for i, m := range moves {
			file := numbered(x.Dropped, m.from)
			if info == nil || len(file) == 0 || tr.relation(file[0]) != nil {
				continue
			}
			r := &relation{file: file[0], t: t, index: info}
			if len(c.old) == len(moves) {
				r.heap = c.old[i]
			} else if now := tr.relation(RelFile{file[0].Spc, file[0].DB, m.to}); now != nil && len(c.old) == 0 { // REINDEX
				r.heap = now.heap
			}
			if !r.heap.Zero() {
				tr.newRels = append(tr.newRels, r)
			}
		}
	}
}

// replacement is what a transaction did to a table's file; op is empty for nothing.
type replacement struct {
	op       Op
	note     string
	old, new []RelFile
	guess    bool
	kept     bool // rows were copied, or perhaps: none is gone by this
}

// replacement tells drop, truncate and rewrite apart. The catalogue says which file was the table's; without it, a file that is known to
// be the table's must be among those made or removed.
func (tr *tracer) replacement(t *target, ids []uint32, x *XactEnd) replacement {
	var created []RelFile
	for _, id := range ids {
		created = append(created, tr.created[id]...)
	}
	var c replacement
	for _, m := range tr.catalogue.movesOf(t.OID, ids) {
		c.old = append(c.old, numbered(x.Dropped, m.from)...)
		c.new = append(c.new, numbered(created, m.to)...)
	}
	own := func(f RelFile) bool {
		r := tr.relation(f)
		return r != nil && r.t == t && r.index == nil || slices.Contains(c.old, f) || slices.Contains(c.new, f)
	}
	if len(c.old) == 0 || len(c.new) == 0 {
		tr.swapped(&c, created, x.Dropped, ids, own)
	}
	truncated := named(tr.truncates, ids, t.OID)
	switch {
	case x.droppedStat(t) || named(tr.catalogue.gone, ids, t.OID):
		c.op = OpDrop
		return c
	case slices.ContainsFunc(x.Dropped, own) && len(created) == 0:
		c.op = OpDrop
		return c
	case len(c.old)+len(c.new) > 0, truncated:
	case slices.ContainsFunc(x.Dropped, own) || slices.ContainsFunc(created, own) && !named(tr.catalogue.born, ids, t.OID):
	default:
		return c
	}
	if (len(c.old) == 0 || len(c.new) == 0) && !tr.pair(&c, created, x.Dropped, ids, own) {
		if len(c.new) == 0 && !truncated && !slices.ContainsFunc(x.Dropped, own) {
			return c // made anew, it seems, beside a table that was dropped
		}
		if len(c.old) == 0 && !slices.ContainsFunc(x.Dropped, own) || len(c.new) == 0 {
			tr.miss("a transaction replaced files of " + t.Table + ", and WAL does not tell which: what happened in the table's other file is not shown")
		}
	}
	tr.judge(&c, t, created, truncated)
	return c
}

// judge tells a copy from a load. A copy goes into the file of a table for the time being, or page by page into the new file.
func (tr *tracer) judge(c *replacement, t *target, created []RelFile, truncated bool) {
	some := func(test func(n newFile) bool) bool {
		return slices.ContainsFunc(c.new, func(f RelFile) bool { return test(tr.creating[f]) })
	}
	lent := some(func(n newFile) bool { return n.first != 0 && n.first != t.OID })
	paged := some(func(n newFile) bool { return n.imaged })
	filled := some(func(n newFile) bool { return n.filled })
	told := some(func(n newFile) bool { return n.first != 0 })
	c.op = OpTruncate
	switch {
	case truncated:
	case lent || paged:
		c.op, c.kept, c.note = OpRewrite, true, "every row was copied into a new file: VACUUM FULL, CLUSTER, ALTER TABLE"
		if !filled {
			c.note = "a new file without rows: VACUUM FULL, CLUSTER or ALTER TABLE of a table without live rows"
		}
	case told && filled:
		c.note = "TRUNCATE and a load in one transaction"
	case told:
	case filled:
		c.op, c.note = OpRewrite, "the new file got rows: VACUUM FULL, CLUSTER, ALTER TABLE, or TRUNCATE and a load in one transaction"
	case len(c.new) == 0 && slices.ContainsFunc(created, func(f RelFile) bool { return tr.creating[f].filled }):
		c.op, c.kept, c.note = OpRewrite, true, "WAL does not tell which file replaced the table's, nor whether the row was kept"
	default:
		c.note = "the new file got no rows: TRUNCATE, or the rewrite of a table without live rows"
	}
}

// swapped finds the other file of a table by the catalogue's row of another: VACUUM FULL and the like make a table that is dropped again
// and swap files with it, TRUNCATE moves the table from the old file to the new.
func (tr *tracer) swapped(c *replacement, created, dropped []RelFile, ids []uint32, own func(RelFile) bool) {
	for _, id := range ids {
		for _, m := range tr.catalogue.moves[id] {
			old, made := numbered(dropped, m.to), numbered(created, m.from)
			if len(old) == 0 || len(made) == 0 {
				old, made = numbered(dropped, m.from), numbered(created, m.to)
			}
			if len(old) > 0 && len(made) > 0 && (own(old[0]) || own(made[0])) {
				c.old, c.new = append(c.old, old...), append(c.new, made...)
			}
		}
	}
}

// pair finds the other file of a table by its rank: TRUNCATE makes a new file for each old one, in order, and a commit lists the old ones
// last first (catalog/storage.c). A rewrite keeps no such order; it makes a table for the time being.
func (tr *tracer) pair(c *replacement, created, dropped []RelFile, ids []uint32, own func(RelFile) bool) bool {
	n := len(created)
	if n == 0 || n != len(dropped) || slices.ContainsFunc(ids, func(id uint32) bool { return len(tr.catalogue.born[id]) > 0 }) {
		return false
	}
	for i, f := range created {
		if old := dropped[n-1-i]; own(f) || own(old) {
			c.new, c.old, c.guess = append(c.new, f), append(c.old, old), true
		}
	}
	return len(c.new) > 0
}

func numbered(files []RelFile, node uint32) []RelFile {
	i := slices.IndexFunc(files, func(f RelFile) bool { return f.Rel == node && node != 0 })
	if i < 0 {
		return nil
	}
	return files[i : i+1]
}

func (tr *tracer) miss(why string) {
	if !slices.Contains(tr.missed, why) {
		tr.missed = append(tr.missed, why)
	}
}

func (x *XactEnd) droppedStat(t *target) bool {
	return t.OID != 0 && slices.ContainsFunc(x.Stats, func(s DroppedStat) bool { return s.Kind == 2 && s.OID == uint64(t.OID) })
}

// replaced tells what became of a target's file and ends the versions in it.
func (tr *tracer) replaced(rec *Record, t *target, ids []uint32, x *XactEnd, c *replacement) {
	ev := RelationEvent{LSN: rec.LSN, Op: c.op, XID: x.XID, Target: t.index, Table: t.Table, OID: t.OID, Dropped: x.Dropped, Time: x.Time, Note: c.note}
	for _, id := range ids {
		ev.Created = append(ev.Created, tr.created[id]...)
	}
	tr.relations = append(tr.relations, ev)
	tr.xact(x.XID, 0, rec.LSN)
	tr.endFiles(rec, t, &ev, ids, c.kept)
}

// endFiles ends the versions in the files that a commit removes. A rewrite carries every visible row over.
func (tr *tracer) endFiles(rec *Record, t *target, ev *RelationEvent, ids []uint32, kept bool) {
	seen := map[int]bool{}
	for _, v := range tr.live {
		if v.t == t && !v.shadow && slices.Contains(ev.Created, v.rel) {
			seen[v.incarnation] = true
		}
	}
	op := ev.Op
	if op == OpRewrite {
		op = OpTruncate
	}
	for _, v := range tr.sortedLive() {
		if v.t != t || !slices.Contains(ev.Dropped, v.rel) {
			continue
		}
		if !kept && !seen[v.incarnation] && !v.shadow && tr.visible(v, ids) {
			seen[v.incarnation] = true
			e := tr.event(&Record{LSN: rec.LSN, TLI: rec.TLI, XID: ev.XID, Origin: rec.Origin}, op, v)
			e.After, e.Before = timeOf(tr.lastMicros), ev.Time
			if ev.Op == OpRewrite {
				e.Note = "the new file got rows, but not this one: TRUNCATE and a load in one transaction"
			}
			if v.hasTuple {
				e.setRow(v.tuple)
			}
		}
		delete(tr.live, v.place)
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
		case e.version == v && e.inserts() || e.Rel == v.rel && e.NewTID == v.tid:
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

// database looks for DROP DATABASE; its code moved in 15 when CREATE got a second form (commands/dbcommands_xlog.h).
func (tr *tracer) database(rec *Record) {
	drop := uint8(0x20)
	if rec.Version() < 15 {
		drop = 0x10
	}
	d := decoder{b: rec.Main}
	db := d.u32()
	if rec.Info&0xf0 != drop || d.bad {
		return
	}
	for _, t := range tr.targets {
		if t.match != nil && t.Rel.DB == db && db != 0 {
			tr.relations = append(tr.relations, RelationEvent{
				LSN: rec.LSN, Op: OpDropDB, XID: rec.XID, Target: t.index, Table: t.Table, OID: t.OID,
			})
		}
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
