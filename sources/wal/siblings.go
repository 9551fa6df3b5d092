package wal

import (
	"cmp"
	"context"
	"slices"

	"inquest/sources/heap"
)

func (d *describer) siblings(x *Xact) *Siblings {
	if x.Siblings == nil {
		x.Siblings = &Siblings{}
	}
	return x.Siblings
}

func (d *describer) targetOf(f RelFile) *target {
	if r := d.relation(f); r != nil && r.index == nil {
		return r.t
	}
	return nil
}

func (d *describer) removedSibling(x *Xact, c *Change) {
	t, p := d.targetOf(c.Rel), place{c.Rel, c.TID}
	if t == nil || d.touched[p] || c.Flags&deleteSuper != 0 {
		return
	}
	s := d.siblings(x)
	s.Removed++
	if len(s.Keys) >= maxSiblings {
		return
	}
	if c.HasOld {
		if key, ok := t.match.KeyTexts(c.Old); ok {
			s.Keys = append(s.Keys, key)
		}
		return
	}
	if old, ok := fromImage(c.OldBlock, c.TID.Offset); ok {
		if key, ok := t.match.KeyTexts(old); ok {
			s.Keys = append(s.Keys, key)
		}
		return
	}
	if len(d.removed) < maxSiblings*d.opt.MaxXacts {
		d.removed[p] = s
	}
}

func (d *describer) insertedSibling(x *Xact, f RelFile, tid heap.TID, t heap.Tuple, has bool) {
	tg := d.targetOf(f)
	if tg == nil || d.touched[place{f, tid}] || x.State == Committed {
		return
	}
	s := d.siblings(x)
	s.Inserted++
	if has && len(s.Keys) < maxSiblings {
		if key, ok := tg.match.KeyTexts(t); ok {
			s.Keys = append(s.Keys, key)
		}
	}
}

func (d *describer) insertedSiblings(x *Xact, rec *Record, m *MultiInsert) {
	if d.targetOf(m.Rel) == nil {
		return
	}
	for {
		tid, t, has, ok := m.Next()
		if !ok {
			return
		}
		d.insertedSibling(x, m.Rel, tid, t, has)
	}
}

// siblingKeys reads the keys of removed rows from the records that wrote them, if these are in the WAL at hand.
func (d *describer) siblingKeys(ctx context.Context, src Source, plan Plan) error {
	if len(d.removed) == 0 {
		return nil
	}
	d.rows = map[place][]string{}
	err := d.walk(ctx, src, plan, func(n *note) bool { return n.target }, func(rec *Record) {
		if rec.RMGR != rmHeap && rec.RMGR != rmHeap2 && (rec.RMGR != rmXLOG || rec.Info&0xf0 < xlogFPIForHint) {
			return
		}
		if f, ok := firstRel(rec); ok && d.targetOf(f) != nil && rec.Decode() == nil {
			d.siblingRecord(rec)
		}
	})
	places := make([]place, 0, len(d.rows))
	for p := range d.rows {
		places = append(places, p)
	}
	slices.SortFunc(places, func(a, b place) int {
		return cmp.Or(cmp.Compare(a.rel.Rel, b.rel.Rel), cmp.Compare(a.tid.Block, b.tid.Block), cmp.Compare(a.tid.Offset, b.tid.Offset))
	})
	for _, p := range places {
		if s := d.removed[p]; s != nil && len(s.Keys) < maxSiblings {
			s.Keys = append(s.Keys, d.rows[p])
		}
	}
	return err
}

func (d *describer) siblingRecord(rec *Record) {
	if rec.RMGR == rmHeap2 && rec.Info&heapOpMask == heap2MultiInsert {
		m, err := rec.DecodeMultiInsert()
		for err == nil {
			tid, t, has, ok := m.Next()
			if !ok {
				break
			}
			if has {
				d.row(place{m.Rel, tid}, t)
			}
		}
	} else if rec.RMGR == rmHeap {
		c, ok, _ := rec.DecodeHeap()
		switch {
		case ok && c.Op == heapInsert:
			delete(d.rows, place{c.Rel, c.TID})
			if c.HasNew {
				d.row(place{c.Rel, c.TID}, c.New)
			}
		case ok && (c.Op == heapUpdate || c.Op == heapHotUpdate):
			d.moved(&c)
		case ok && c.Op == heapDelete:
			if x := d.family[rec.XID]; x != nil {
				d.settle(place{c.Rel, c.TID})
			}
		}
	}
	for i := range rec.Blocks {
		d.imageRows(&rec.Blocks[i])
	}
}

// moved carries a row's key to the address of its next version, when the update did not change it.
func (d *describer) moved(c *Change) {
	from, to := place{c.Rel, c.TID}, place{c.Rel, c.NewTID}
	if d.removed[to] == nil {
		return
	}
	if key := d.rows[from]; key != nil && !c.KeyChanged() {
		d.rows[to] = key
		return
	}
	delete(d.rows, to) // another row's, from before
	if c.HasNew && c.Prefix+c.Suffix == 0 {
		d.row(to, c.New)
	}
}

func (d *describer) row(p place, t heap.Tuple) {
	if d.removed[p] == nil {
		return
	}
	if key, ok := d.targetOf(p.rel).match.KeyTexts(t); ok {
		d.rows[p] = key
	}
}

// settle fixes the key of a row at the moment of its removal: a later row at the same address must not replace it.
func (d *describer) settle(p place) {
	s, key := d.removed[p], d.rows[p]
	if s == nil {
		return
	}
	if key != nil && len(s.Keys) < maxSiblings {
		s.Keys = append(s.Keys, key)
	}
	delete(d.removed, p)
	delete(d.rows, p)
}

func (d *describer) imageRows(b *Block) {
	if !b.HasImage || b.Fork != 0 || d.targetOf(b.Rel) == nil {
		return
	}
	raw, err := b.Image.Restore()
	if err != nil {
		return
	}
	p, err := heap.DecodePage(raw)
	if err != nil || !p.IsHeap() {
		return
	}
	for n := 1; n <= p.Pointers(); n++ {
		if t, ok := p.Tuple(n); ok {
			d.row(place{b.Rel, heap.TID{Block: b.Block, Offset: uint16(n)}}, t)
		}
	}
}
