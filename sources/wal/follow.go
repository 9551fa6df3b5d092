package wal

import (
	"inquest/sources/heap"
)

func (tr *tracer) heapRecord(rec *Record) {
	if rec.Decode() != nil {
		tr.damaged++
		return
	}
	rel := tr.relation(rec.Blocks[0].Rel)
	if rel == nil || rel.index != nil || rec.Blocks[0].Fork != 0 {
		return
	}
	if len(tr.creating) > 0 {
		tr.fillNew(rel.file, rec)
	}
	if rec.RMGR == rmHeap2 {
		tr.heap2(rec, rel)
		return
	}
	c, ok, err := rec.DecodeHeap()
	if err != nil {
		tr.damaged++
	}
	if !ok {
		return
	}
	switch c.Op {
	case heapInsert:
		tr.insert(rec, rel, &c)
		tr.images(rec, c.TID)
	case heapUpdate, heapHotUpdate:
		tr.images(rec, c.NewTID)
		tr.update(rec, rel, &c)
	default:
		tr.images(rec, heap.TID{})
		tr.change(rec, rel, &c)
	}
}

func (tr *tracer) heap2(rec *Record, rel *relation) {
	if rec.Info&heapOpMask == heap2MultiInsert {
		tr.multiInsert(rec, rel)
		tr.images(rec, heap.TID{})
		return
	}
	if p, ok := rec.DecodePrune(); ok {
		tr.prune(rec, rel, p)
	}
	tr.images(rec, heap.TID{})
}

// arrived notes a new row at an address: the key's, or another's that ends what was there.
func (tr *tracer) arrived(rec *Record, rel *relation, tid heap.TID, t heap.Tuple, known bool, op Op) {
	p, m := place{rel.file, tid}, heap.Undecided
	if rec.Info&heapInitPage != 0 {
		tr.readWhole(rel.file, tid.Block)
	}
	if known {
		m = rel.judge(t)
	}
	if rel.foreign(t) {
		m = heap.Different
	}
	tr.vacate(p, rec.LSN, m != heap.Undecided)
	if known {
		tr.observe(p, t)
		tr.landed(rec, rel, p, t)
	}
	if m != heap.Same && (m != heap.Undecided || !tr.claims[writing{p, rec.LSN}]) {
		return
	}
	incarnation, copied := tr.carriedOver(rel)
	if copied {
		op = OpRewrite
	}
	if incarnation == 0 {
		incarnation = tr.nextIncarnation()
	}
	v := tr.start(p, rel.t, incarnation, rec.LSN)
	e := tr.event(rec, op, v)
	if known {
		v.tuple, v.hasTuple = keep(t), true
		e.setRow(v.tuple)
	}
}

// carriedOver tells whether a row written into a file which is just being made is a copy, and the life it belongs to when the key is
// visible in the file that is replaced. A rewrite copies into the file of a table for the time being, which then swaps files.
func (tr *tracer) carriedOver(rel *relation) (incarnation int, copied bool) {
	if _, ok := tr.creating[rel.file]; !ok {
		return 0, false
	}
	owner := tr.catalogue.owner[rel.file]
	if owner != 0 && owner == rel.t.OID {
		return 0, false
	}
	for _, v := range tr.sortedLive() {
		if v.t == rel.t && v.rel != rel.file && !v.shadow && tr.visible(v, nil) {
			return v.incarnation, true
		}
	}
	return 0, owner != 0
}

// observe keeps the content of an address that a later update needs.
func (tr *tracer) observe(p place, t heap.Tuple) {
	if len(tr.watch) > 0 && tr.watch[p] {
		tr.watched[p] = keep(t)
	}
}

// fromImage returns a version out of a block's page image.
func fromImage(b *Block, offset uint16) (heap.Tuple, bool) {
	if b == nil || !b.HasImage {
		return heap.Tuple{}, false
	}
	raw, err := b.Image.Restore()
	if err != nil {
		return heap.Tuple{}, false
	}
	p, err := heap.DecodePage(raw)
	if err != nil {
		return heap.Tuple{}, false
	}
	return p.Tuple(int(offset))
}

func (tr *tracer) insert(rec *Record, rel *relation, c *Change) {
	t, ok := c.New, c.HasNew
	if !ok {
		t, ok = fromImage(c.NewBlock, c.TID.Offset)
	}
	op := OpInsert
	if c.Speculative {
		op = OpSpeculative
	}
	tr.arrived(rec, rel, c.TID, t, ok, op)
}

func (tr *tracer) multiInsert(rec *Record, rel *relation) {
	m, err := rec.DecodeMultiInsert()
	if err != nil {
		tr.damaged++
		return
	}
	for {
		tid, t, has, ok := m.Next()
		if !ok {
			return
		}
		if !has {
			t, has = fromImage(m.Block, tid.Offset)
		}
		tr.arrived(rec, rel, tid, t, has, OpMultiInsert)
	}
}

// change handles deletes, locks, confirmations.
func (tr *tracer) change(rec *Record, rel *relation, c *Change) {
	v := tr.holder(rec, rel, c)
	if v == nil || v.shadow {
		if c.Op == heapDelete {
			tr.otherDelete(rec)
			if v == nil {
				tr.passed(rec, c)
			}
		}
		return
	}
	switch c.Op {
	case heapDelete:
		tr.deleted(rec, v, c)
	case heapLock:
		tr.event(rec, OpLock, v)
	case heapConfirm:
		tr.event(rec, OpConfirm, v)
	}
}

// holder returns the followed version that a record acts on. The record itself may show what it holds.
func (tr *tracer) holder(rec *Record, rel *relation, c *Change) *version {
	p := place{rel.file, c.TID}
	v := tr.live[p]
	if !c.HasOld {
		return v
	}
	switch m := rel.judge(c.Old); {
	case m == heap.Same && (v == nil || v.shadow):
		v = tr.appear(p, rel.t, rec.LSN)
	case m == heap.Same:
		v.until = 0
	case m == heap.Different && !c.OldIsKey && v != nil && !v.shadow:
		tr.vacate(p, rec.LSN, true)
		v = nil
	}
	return v
}

// appear begins to follow a version that was written before the record which shows it, and asks for a walk backwards.
func (tr *tracer) appear(p place, t *target, at LSN) *version {
	v := tr.start(p, t, tr.nextIncarnation(), 0)
	tr.sight(p, at, nil)
	return v
}

func (tr *tracer) deleted(rec *Record, v *version, c *Change) {
	e := tr.event(rec, deleteOp(c), v)
	if e.Op == OpMove {
		tr.moving[rec.XID] = len(tr.events)
	}
	switch {
	case c.HasOld && !c.OldIsKey:
		e.setRow(keep(c.Old))
	case v.hasTuple:
		e.setRow(v.tuple)
	case c.HasOld:
		e.Note = "only the key of the row is in the record"
	}
}

func (tr *tracer) otherDelete(rec *Record) {
	if tr.xacts[rec.XID] == nil {
		if tr.others >= tr.opt.MaxXacts {
			return
		}
		tr.others++
	}
	tr.xact(rec.XID, rec.TopXID, rec.LSN)
}

func (tr *tracer) prune(rec *Record, rel *relation, p Prune) {
	block := rec.Blocks[0].Block
	at := func(off uint16) place { return place{rel.file, heap.TID{Block: block, Offset: off}} }
	for _, r := range p.Redirects {
		tr.redirected(rec, at(r[0]), at(r[1]))
	}
	for _, off := range p.Dead {
		if v := tr.live[at(off)]; v != nil && !v.shadow {
			v.dead = true
			tr.event(rec, OpPrune, v).Note = "row bytes removed, address kept for the index"
		}
	}
	for _, off := range p.Unused {
		v := tr.live[at(off)]
		if v == nil {
			continue
		}
		op := OpPrune
		if p.Vacuum || v.dead { // 13 writes the same record for both
			op = OpVacuum
		}
		if !v.shadow {
			tr.event(rec, op, v)
		}
		tr.freed(at(off), rec.LSN)
	}
}

// redirected joins the two addresses of a HOT chain: what is known of one holds for the other.
func (tr *tracer) redirected(rec *Record, root, to place) {
	r, v := tr.live[root], tr.live[to]
	switch {
	case r != nil && v == nil:
		n := tr.start(to, r.t, r.incarnation, 0)
		n.assumed, n.shadow, n.parent = r.assumed, r.shadow, r
		if !n.shadow {
			tr.sight(to, rec.LSN, n)
		}
	case r == nil && v != nil && !v.shadow:
		n := tr.start(root, v.t, v.incarnation, 0)
		n.assumed, n.parent = v.assumed, v
		tr.sight(root, rec.LSN, n)
	}
}

// freed ends a version whose address may be used again from here on. Evidence from later speaks of what is written there then.
func (tr *tracer) freed(p place, at LSN) {
	if v := tr.live[p]; v != nil {
		v.discarded = v.discarded || v.until > at
		delete(tr.live, p)
	}
	delete(tr.watched, p)
}
