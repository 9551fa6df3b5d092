package wal

import "inquest/sources/heap"

// update reads the new version as far as record, images and the old version tell it.
func (tr *tracer) update(rec *Record, rel *relation, c *Change) {
	from, to := place{rel.file, c.TID}, place{rel.file, c.NewTID}
	v := tr.holder(rec, rel, c)
	old, watched := tr.watched[from]
	t, known := c.New, c.HasNew
	switch {
	case c.HasOld && !c.OldIsKey && c.Complete(c.Old), v != nil && v.hasTuple && c.Complete(v.tuple), watched && c.Complete(old):
		t = c.New
	default:
		if im, ok := fromImage(c.NewBlock, c.NewTID.Offset); ok {
			t, known = im, true
		} else if whole, ok := tr.opt.wrote[writing{to, rec.LSN}]; ok {
			t, known = whole, true
		}
	}
	m := heap.Undecided
	if known {
		m = rel.judge(t)
	}
	if v != nil {
		tr.updated(rec, v, c, to, t, known, m)
	} else {
		tr.updateIn(rec, rel, c, to, t, known, m)
	}
	if known && t.To == 0 {
		tr.observe(to, t)
	}
}

func updateOp(c *Change) Op {
	if c.Op == heapHotUpdate {
		return OpHotUpdate
	}
	return OpUpdate
}

// updated follows a version to its successor.
func (tr *tracer) updated(rec *Record, v *version, c *Change, to place, t heap.Tuple, known bool, m heap.Match) {
	rekey := v.t.mayRekey(c)
	if m == heap.Undecided && !v.shadow {
		switch {
		case !rekey, tr.claims[writing{to, rec.LSN}]:
			m = heap.Same
		case known:
			m = v.t.match.MatchKept(t)
		}
	}
	tr.vacate(to, rec.LSN, m != heap.Undecided || !rekey)
	n := tr.start(to, v.t, v.incarnation, 0)
	n.parent = v
	if known {
		n.tuple, n.hasTuple = keep(t), true
	}
	if v.shadow {
		tr.shadowUpdated(rec, v, n, c, m, rekey)
		return
	}
	tr.followed[writing{to, rec.LSN}] = true
	e := tr.event(rec, updateOp(c), v)
	e.NewTID = to.tid
	if known {
		e.setRow(n.tuple)
	}
	if m == heap.Same {
		return
	}
	n.shadow = true
	tr.rekeys(e, v.t, n.tuple, m == heap.Different && known)
	if e.NewKey == nil && e.Note == "" {
		n.change = len(tr.events)
		e.Note = "a key column changed; the record does not hold the new value"
	}
}

// rekeys notes on an event that it took the key from the row, and the new one when it can be read.
func (tr *tracer) rekeys(e *Event, t *target, row heap.Tuple, known bool) {
	e.KeyChanged, e.OldKey = true, t.wanted()
	if !known {
		return
	}
	if t.match.HasNull(row) {
		e.Note = "a key column was set to NULL"
		return
	}
	e.NewKey, _ = t.match.KeyTexts(row)
}

// landed ends the move of a row to another partition, which is a delete there and an insert here, by one transaction and in this order
// (executor/nodeModifyTable.c, ExecCrossPartitionUpdate).
func (tr *tracer) landed(rec *Record, rel *relation, p place, row heap.Tuple) {
	at := tr.moving[rec.XID]
	if at == 0 || at > len(tr.events) {
		return
	}
	e := &tr.events[at-1]
	if e.Op != OpMove || e.XID != rec.XID || e.version.t == rel.t || !rel.t.alike(&e.version.t.Target) {
		return
	}
	delete(tr.moving, rec.XID)
	e.NewRel, e.NewTID = rel.file, p.tid
	if rel.judge(row) == heap.Different {
		tr.rekeys(e, rel.t, row, true)
	}
}

// shadowUpdated follows a row that has another key now; an update may give the key back.
func (tr *tracer) shadowUpdated(rec *Record, v, n *version, c *Change, m heap.Match, rekey bool) {
	switch {
	case m == heap.Same || tr.claims[writing{n.place, rec.LSN}]:
		n.incarnation, n.parent = tr.nextIncarnation(), nil
		tr.followed[writing{n.place, rec.LSN}] = true
		source := &version{place: v.place, t: v.t, incarnation: n.incarnation}
		e := tr.event(rec, updateOp(c), source)
		e.NewTID, e.KeyChanged, e.NewKey = n.tid, true, v.t.wanted()
		if v.hasTuple {
			e.OldKey, _ = v.t.match.KeyTexts(v.tuple)
		}
		if n.hasTuple {
			e.setRow(n.tuple)
		}
	case rekey && m == heap.Undecided:
		delete(tr.live, n.place) // an index entry will tell
	default:
		n.shadow, n.change = true, v.change
	}
}

// updateIn handles an update of a row that is not followed: it may give the row the key.
func (tr *tracer) updateIn(rec *Record, rel *relation, c *Change, to place, t heap.Tuple, known bool, m heap.Match) {
	from := place{rel.file, c.TID}
	tr.vacate(to, rec.LSN, m != heap.Undecided)
	if m == heap.Undecided && tr.claims[writing{to, rec.LSN}] {
		m = heap.Same
	}
	if m != heap.Same {
		if m == heap.Undecided {
			tr.passed(rec, c)
			if rel.t.mayRekey(c) && !tr.indexed[rel.file] {
				tr.miss("in a file of " + rel.t.Table + " of which no index is known, updates changed keys: one of them may have given a row this key")
			}
		}
		return
	}
	v := tr.start(to, rel.t, tr.nextIncarnation(), rec.LSN)
	source := &version{place: from, t: rel.t, incarnation: v.incarnation}
	e := tr.event(rec, updateOp(c), source)
	e.NewTID = to.tid
	if known {
		v.tuple, v.hasTuple = keep(t), true
		e.setRow(v.tuple)
	}
	if !rel.t.mayRekey(c) {
		tr.sight(from, rec.LSN, nil)
		return
	}
	tr.cameBy(rec, rel, c, from, e)
}

// cameBy tells an update that gave a row the key from one that changed another unique column of the key's row.
func (tr *tracer) cameBy(rec *Record, rel *relation, c *Change, from place, e *Event) {
	old, read := tr.watched[from]
	if c.HasOld {
		old, read = c.Old, true
	}
	switch {
	case read && rel.judge(old) == heap.Same:
		tr.sight(from, rec.LSN, nil)
		return
	case read:
		e.OldKey, _ = rel.t.match.KeyTexts(old)
	case c.Flags&updateNewTuple != 0 && !c.HasOld:
		// At wal_level logical a change of the primary key brings the old one along.
		tr.sight(from, rec.LSN, nil)
		return
	case !tr.backed || !tr.watch[from]:
		tr.sight(place{rel.file, e.NewTID}, rec.LSN, nil) // asks for the old version's content
	case !c.differs(rel.t.match):
		e.Note = NoteMayBeRekeyed
		return
	}
	e.KeyChanged, e.NewKey = true, rel.t.wanted()
}

// NoteMayBeRekeyed is the Note of an update that changed a column of a unique index, where WAL does not tell whether it was the key: it
// gave the row this key, or left the key alone.
const NoteMayBeRekeyed = "the row's key before is not in the WAL: the update changed the key or another unique column"
