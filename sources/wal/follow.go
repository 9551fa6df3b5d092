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
	rel.heapSeen = true
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
	tr.images(rec, heap.TID{})
	if p, ok := rec.DecodePrune(); ok {
		tr.prune(rec, p)
	}
}

// arrived notes a new row at an address: the key's, or another's that ends what was there.
func (tr *tracer) arrived(rec *Record, rel *relation, tid heap.TID, t heap.Tuple, op Op) {
	if rel.foreign(t) {
		return
	}
	p := place{rel.file, tid}
	tr.observe(p, t)
	switch rel.t.match.Match(t) {
	case heap.Different:
		tr.end(p, rec.LSN)
	case heap.Same:
		tr.end(p, rec.LSN)
		incarnation := tr.carriedOver(rel)
		if incarnation == 0 {
			incarnation = tr.nextIncarnation()
		} else {
			op = OpRewrite
		}
		v := tr.start(p, rel.t, incarnation)
		v.tuple, v.hasTuple = keep(t), true
		tr.event(rec, op, v).setRow(v.tuple)
	case heap.Undecided:
	}
}

// carriedOver returns the life that a row written into a file which is just being made belongs to, when the key is visible in the file
// that it replaces; otherwise 0.
func (tr *tracer) carriedOver(rel *relation) int {
	if _, ok := tr.creating[rel.file]; !ok {
		return 0
	}
	for _, v := range tr.sortedLive() {
		if v.t == rel.t && v.rel != rel.file && tr.visible(v, nil) {
			return v.incarnation
		}
	}
	return 0
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
	if !ok {
		return
	}
	op := OpInsert
	if c.Speculative {
		op = OpSpeculative
	}
	tr.arrived(rec, rel, c.TID, t, op)
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
		if has {
			tr.arrived(rec, rel, tid, t, OpMultiInsert)
		}
	}
}

// change handles deletes, locks, confirmations.
func (tr *tracer) change(rec *Record, rel *relation, c *Change) {
	v := tr.live[place{rel.file, c.TID}]
	if v == nil && c.HasOld && rel.t.match.Match(c.Old) == heap.Same {
		v = tr.appear(rec, rel, c.TID)
	}
	if v == nil {
		if c.Op == heapDelete {
			tr.otherDelete(rec)
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

// appear begins to follow a version whose insert was not read, and asks for another pass that knows it from the start.
func (tr *tracer) appear(rec *Record, rel *relation, tid heap.TID) *version {
	v := tr.start(place{rel.file, tid}, rel.t, tr.nextIncarnation())
	tr.learnKnown(v, rec.LSN)
	return v
}

func (tr *tracer) deleted(rec *Record, v *version, c *Change) {
	op := OpDelete
	switch {
	case c.Flags&deleteSuper != 0:
		op = OpKill
	case c.Flags&deletePartition != 0:
		op = OpMove
	}
	e := tr.event(rec, op, v)
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

func (tr *tracer) update(rec *Record, rel *relation, c *Change) {
	from, to := place{rel.file, c.TID}, place{rel.file, c.NewTID}
	v := tr.live[from]
	if v == nil && c.HasOld && rel.t.match.Match(c.Old) == heap.Same {
		v = tr.appear(rec, rel, c.TID)
	}
	old, watched := tr.watched[from]
	if watched && (v == nil || !v.hasTuple) {
		c.Complete(old)
	}
	t, known := c.New, c.HasNew
	if v != nil && v.hasTuple && !c.Complete(v.tuple) || !known {
		if im, ok := fromImage(c.NewBlock, c.NewTID.Offset); ok {
			t, known = im, true
		}
	} else {
		t = c.New
	}
	if c.HasOld && !c.OldIsKey && c.Complete(c.Old) {
		t = c.New
	}
	if tr.watch[to] {
		if known && t.To == 0 {
			tr.observe(to, t)
		} else {
			tr.newWatch = append(tr.newWatch, from)
		}
	}
	m := heap.Undecided
	if known {
		m = rel.t.match.Match(t)
	}
	if v != nil {
		tr.updated(rec, v, c, to, t, known, m)
		return
	}
	tr.updateIn(rec, rel, c, from, to, t, m)
}

func updateOp(c *Change) Op {
	if c.Op == heapHotUpdate {
		return OpHotUpdate
	}
	return OpUpdate
}

// updated follows a version of the key to its successor.
func (tr *tracer) updated(rec *Record, v *version, c *Change, to place, t heap.Tuple, known bool, m heap.Match) {
	tr.end(to, rec.LSN)
	e := tr.event(rec, updateOp(c), v)
	e.NewTID = to.tid
	n := tr.start(to, v.t, v.incarnation)
	n.parent = v
	if known {
		n.tuple, n.hasTuple = keep(t), true
		e.setRow(n.tuple)
	}
	switch {
	case m == heap.Different:
		e.KeyChanged = true
		e.NewKey, _ = v.t.match.KeyTexts(n.tuple)
		e.OldKey = v.t.wanted()
	case m == heap.Undecided:
		e.KeyChanged = c.KeyChanged() && c.Op == heapUpdate
		if e.KeyChanged {
			e.OldKey = v.t.wanted()
			e.Note = "a key column changed; the record does not hold the new value"
		}
	}
}

func (t *target) wanted() []string {
	var out []string
	for _, k := range t.Key {
		out = append(out, k.Text)
	}
	return out
}

// updateIn handles an update of a row that is not followed: it may give the row the key.
func (tr *tracer) updateIn(rec *Record, rel *relation, c *Change, from, to place, t heap.Tuple, m heap.Match) {
	known := tr.live[to]
	if m == heap.Undecided {
		if known != nil && known.assumed && rec.LSN < known.asOf {
			// By later evidence the new version holds the key, so the old one probably did.
			tr.fromEarlier(rec, rel, c, from, to, t, c.HasNew)
			return
		}
		tr.recent[tr.nrecent%len(tr.recent)] = recentUpdate{rec.LSN, rec.XID, rec.TopXID, from, to, c.KeyChanged(), timeOf(tr.lastMicros)}
		tr.nrecent++
		return
	}
	tr.end(to, rec.LSN)
	if m == heap.Same {
		tr.fromEarlier(rec, rel, c, from, to, t, true)
	}
}

// fromEarlier notes an update whose result holds the key though its source is not followed: the source's insert was not read, or
// the update changed another key into this one.
func (tr *tracer) fromEarlier(rec *Record, rel *relation, c *Change, from, to place, t heap.Tuple, known bool) {
	delete(tr.live, to)
	v := tr.start(to, rel.t, tr.nextIncarnation())
	source := &version{place: from, t: rel.t, incarnation: v.incarnation}
	e := tr.event(rec, updateOp(c), source)
	e.NewTID = to.tid
	if known {
		v.tuple, v.hasTuple = keep(t), true
		e.setRow(v.tuple)
	}
	if c.KeyChanged() && c.Op == heapUpdate {
		e.KeyChanged = true
		e.NewKey = rel.t.wanted()
		if c.HasOld {
			e.OldKey, _ = rel.t.match.KeyTexts(c.Old)
		} else if old, ok := tr.watched[from]; ok {
			e.OldKey, _ = rel.t.match.KeyTexts(old)
		} else {
			tr.newWatch = append(tr.newWatch, from)
		}
		return
	}
	tr.learnKnown(source, rec.LSN)
}

func (tr *tracer) prune(rec *Record, p Prune) {
	rel, block := rec.Blocks[0].Rel, rec.Blocks[0].Block
	at := func(off uint16) place { return place{rel, heap.TID{Block: block, Offset: off}} }
	for _, r := range p.Redirects {
		if v := tr.live[at(r[0])]; v != nil && tr.live[at(r[1])] == nil {
			n := tr.start(at(r[1]), v.t, v.incarnation)
			n.assumed, n.asOf = v.assumed, v.asOf
		}
	}
	for _, off := range p.Dead {
		if v := tr.live[at(off)]; v != nil {
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
		tr.event(rec, op, v)
		tr.end(at(off), rec.LSN)
	}
}
