package wal

import (
	"inquest/sources/heap"
)

// images looks for the key in every page image of a record. skip is the version that the record itself writes.
func (tr *tracer) images(rec *Record, skip heap.TID) {
	for i := range rec.Blocks {
		if rec.Blocks[i].HasImage {
			tr.imageBlock(rec, &rec.Blocks[i], skip)
		}
	}
}

func (tr *tracer) imageBlock(rec *Record, b *Block, skip heap.TID) {
	if !b.HasImage || b.Fork != 0 {
		return
	}
	rel := tr.relation(b.Rel)
	created, isNew := tr.creating[b.Rel]
	if rel == nil && !isNew {
		return
	}
	var into []byte
	if rel != nil && rel.index != nil {
		into = tr.page[:]
	}
	raw, err := b.Image.restore(into)
	if err != nil {
		tr.damaged++
		return
	}
	if rel != nil && rel.index != nil {
		tr.leafImage(rec, rel, raw, writtenTo(rec, b))
		return
	}
	p, err := heap.DecodePage(raw)
	if err != nil || !p.IsHeap() || p.Pointers() == 0 {
		return
	}
	if paged := rec.RMGR == rmXLOG; isNew && (!created.filled || paged && !created.imaged) {
		created.filled, created.imaged = true, created.imaged || paged
		tr.creating[b.Rel] = created
	}
	if rel != nil {
		tr.heapImage(rec, rel, p, b.Block, skip, isNew && created.xid == rec.XID && rec.RMGR == rmXLOG)
	}
}

// heapImage looks for the key on a heap page. rewrite says that the page was written whole into a new file.
func (tr *tracer) heapImage(rec *Record, rel *relation, p heap.Page, block uint32, skip heap.TID, rewrite bool) {
	tr.readWhole(rel.file, block)
	for n := 1; n <= p.Pointers(); n++ {
		tid := heap.TID{Block: block, Offset: uint16(n)}
		if tid == skip {
			continue
		}
		at := place{rel.file, tid}
		if p.Pointer(n).State == heap.PointerUnused {
			tr.freed(at, rec.LSN)
			continue
		}
		t, ok := p.Tuple(n)
		if !ok || rel.foreign(t) {
			continue
		}
		tr.observe(at, t)
		switch rel.judge(t) {
		case heap.Same:
			tr.sighted(rec, rel, at, t, rewrite)
		case heap.Different:
			tr.imageContradicts(rec, at, t)
		case heap.Undecided:
		}
	}
}

// imageContradicts handles another key's row at an address that is followed: the update that wrote it changed the key, or the address
// was used again without a record that could be read.
func (tr *tracer) imageContradicts(rec *Record, at place, t heap.Tuple) {
	v := tr.live[at]
	switch {
	case v == nil:
	case !v.shadow:
		tr.vacate(at, rec.LSN, true)
	case v.change != 0:
		key, _ := v.t.match.KeyTexts(t)
		tr.changedTo(v, key, "the new key was read from a page image")
	}
}

// changedTo tells the key that an update gave the row.
func (tr *tracer) changedTo(v *version, key []string, how string) {
	if e := &tr.events[v.change-1]; e.NewKey == nil {
		e.NewKey, e.Note = key, how
	}
	v.change = 0
}

// unchanged takes a row back whose key was thought to be changed: it was another unique column.
func (tr *tracer) unchanged(v *version) {
	e := &tr.events[v.change-1]
	e.KeyChanged, e.OldKey, e.NewKey, e.Note = false, nil, nil, ""
	v.shadow, v.change = false, 0
}

func (tr *tracer) sighted(rec *Record, rel *relation, at place, t heap.Tuple, rewrite bool) {
	v := tr.live[at]
	if v != nil && v.shadow {
		if v.change == 0 {
			v = nil
		} else {
			tr.unchanged(v)
		}
	}
	if v != nil {
		v.until = 0 // seen: from here on it is no assumption
	}
	if v != nil && v.hasTuple && v.tuple.To == 0 {
		return
	}
	fresh := v == nil
	if fresh || v.incarnation == 0 {
		if fresh {
			v = tr.start(at, rel.t, 0, 0)
			if rewrite {
				tr.followed[writing{at, rec.LSN}] = true
			}
		}
		v.incarnation = tr.incarnationOf(rel, t, rewrite)
	}
	v.tuple, v.hasTuple = keep(t), true
	v.assumed = false
	op := OpImage
	if rewrite {
		op = OpRewrite
	}
	e := tr.event(rec, op, v)
	e.setRow(v.tuple)
	e.Xmin = t.Xmin
	if t.Xmax != 0 && !t.XmaxInvalid() && !t.XmaxLockOnly() && !t.XmaxIsMulti() {
		e.Xmax = t.Xmax
	}
	if x := tr.xact(e.Xmin, 0, rec.LSN); x != nil && t.XminCommitted() && x.State == Unfinished {
		x.State = Committed // by hint bit; the commit record lies before the WAL
	}
	tr.xact(e.Xmax, 0, rec.LSN)
	if fresh && !rewrite {
		tr.sight(at, rec.LSN, nil)
	}
}

// incarnationOf puts a version that was seen in an image into the life it belongs to: that of the version which its inserter
// replaced, that of the row which a rewrite copied, or a new one.
func (tr *tracer) incarnationOf(rel *relation, t heap.Tuple, rewrite bool) int {
	for i := len(tr.events) - 1; i >= 0; i-- {
		e := &tr.events[i]
		if t.Xmin != 0 && e.XID == t.Xmin || e.Xmax != 0 && e.Xmax == t.Xmin || t.Xmax != 0 && t.Xmax == e.Xmin {
			return e.Incarnation
		}
	}
	if rewrite {
		for _, v := range tr.sortedLive() {
			if v.t == rel.t && v.rel != rel.file && !v.shadow && tr.visible(v, nil) {
				return v.incarnation
			}
		}
	}
	return tr.nextIncarnation()
}

// indexRecord looks for the key in what a btree record adds to a leaf.
func (tr *tracer) indexRecord(rec *Record) {
	if rec.Decode() != nil {
		tr.damaged++
		return
	}
	rel := tr.relation(rec.Blocks[0].Rel)
	if rel == nil || rel.index == nil {
		return
	}
	op := rec.Info & 0xf0
	switch data := rec.Blocks[0].Data; op {
	case btInsertLeaf:
		tr.leafItem(rec, rel, data, true)
	case btInsertPost:
		if len(data) > 2 {
			tr.leafItem(rec, rel, data[2:], true) // offset of the posting list first
		}
	case btSplitL, btSplitR:
		if d := (decoder{b: rec.Main}); d.u32() == 0 {
			tr.leafItem(rec, rel, data, true)
			for i := range rec.Blocks {
				if rec.Blocks[i].ID == 1 {
					tr.leafItems(rec, rel, rec.Blocks[i].Data)
				}
			}
		}
	}
	tr.images(rec, heap.TID{})
}

// writtenTo returns the offset at which a record added an entry to a leaf, 0 when it added none to this page: the other entries of an image
// were there before, or were moved there.
func writtenTo(rec *Record, b *Block) uint16 {
	op := rec.Info & 0xf0
	if rec.RMGR != rmBtree || op != btInsertLeaf || b.ID != 0 {
		return 0
	}
	d := decoder{b: rec.Main}
	return d.u16()
}

// leafItems walks the items of a new right page, laid end to end (access/nbtxlog.c, btree_xlog_split).
func (tr *tracer) leafItems(rec *Record, rel *relation, b []byte) {
	for len(b) >= 8 {
		n := (int(b[6]) | int(b[7])<<8) & 0x1fff
		if n < 8 || n > len(b) {
			return
		}
		tr.leafItem(rec, rel, b[:n], false)
		b = b[min((n+7)&^7, len(b)):]
	}
}

func (tr *tracer) leafItem(rec *Record, rel *relation, b []byte, wrote bool) {
	if len(b) < 8 || tr.otherEntry(rel.index, b) {
		return
	}
	it, err := heap.DecodeIndexTuple(b, false, rel.index.nkeys)
	if err == nil && !it.Pivot {
		tr.leafEntry(rec, rel, it, wrote)
	}
}

func (tr *tracer) leafImage(rec *Record, rel *relation, raw []byte, wrote uint16) {
	p, err := heap.DecodeIndexPage(raw)
	if err != nil || !p.Leaf || p.Deleted || tr.otherEntries(rel.index, p) {
		return
	}
	for n := p.FirstData(); n <= p.Pointers(); n++ {
		if it, ok := p.IndexTuple(n, rel.index.nkeys); ok && !it.Pivot {
			tr.leafEntry(rec, rel, it, n == int(wrote))
		}
	}
}

// leafEntry handles an index entry: the last row version that was written to its address before has the entry's key, because an address
// is not used again before its entries are gone. wrote says that the record added it: only then it is its transaction's.
func (tr *tracer) leafEntry(rec *Record, rel *relation, it heap.IndexTuple, wrote bool) {
	same := rel.index.match.Match(it.AsTuple(rel.index.nkeys)) == heap.Same
	if !same && len(tr.live) == 0 {
		return
	}
	for _, tid := range it.TIDs {
		at := place{rel.heap, tid}
		v := tr.live[at]
		switch {
		case same && v != nil && v.change != 0:
			tr.unchanged(v)
		case same && (v == nil || v.shadow):
			by := rec
			if !wrote {
				by = &Record{LSN: rec.LSN, TLI: rec.TLI}
			}
			tr.event(by, OpIndexLeaf, tr.appear(at, rel.t, rec.LSN)).Note = "entry of index " + rel.index.name
		case same:
			v.until = 0
		case v != nil:
			tr.leafContradicts(rec, rel, it, v)
		}
	}
}

// leafContradicts handles an index entry with another key for a followed version.
func (tr *tracer) leafContradicts(rec *Record, rel *relation, it heap.IndexTuple, v *version) {
	key, ok := rel.index.match.KeyTexts(it.AsTuple(rel.index.nkeys))
	switch {
	case !ok || v.shadow && v.change == 0:
	case v.change != 0:
		tr.changedTo(v, key, "the new key was read from the index entry")
	case !v.hasTuple:
		tr.vacate(v.place, rec.LSN, true)
	}
}
