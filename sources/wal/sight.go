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
	raw, err := b.Image.Restore()
	if err != nil {
		tr.damaged++
		return
	}
	if rel != nil && rel.index != nil {
		tr.leafImage(rec, rel, raw)
		return
	}
	p, err := heap.DecodePage(raw)
	if err != nil || !p.IsHeap() || p.Pointers() == 0 {
		return
	}
	if isNew && !created.filled {
		created.filled = true
		tr.creating[b.Rel] = created
	}
	if rel != nil {
		rel.heapSeen = true
		tr.heapImage(rec, rel, p, b.Block, skip, isNew && created.xid == rec.XID)
	}
}

// heapImage looks for the key on a heap page. rewrite says that the page was written whole into a new file.
func (tr *tracer) heapImage(rec *Record, rel *relation, p heap.Page, block uint32, skip heap.TID, rewrite bool) {
	for n := 1; n <= p.Pointers(); n++ {
		t, ok := p.Tuple(n)
		tid := heap.TID{Block: block, Offset: uint16(n)}
		if !ok || tid == skip || rel.foreign(t) {
			continue
		}
		at := place{rel.file, tid}
		tr.observe(at, t)
		switch rel.t.match.Match(t) {
		case heap.Same:
			tr.sighted(rec, rel, at, t, rewrite)
		case heap.Different:
			if v := tr.live[at]; v != nil && v.assumed && rec.LSN < v.asOf {
				tr.end(at, rec.LSN)
			}
		case heap.Undecided:
		}
	}
}

func (tr *tracer) sighted(rec *Record, rel *relation, at place, t heap.Tuple, rewrite bool) {
	v := tr.live[at]
	if v != nil && v.hasTuple {
		return
	}
	fresh := v == nil
	if fresh || v.incarnation == 0 {
		if fresh {
			v = tr.start(at, rel.t, 0)
		}
		v.incarnation = tr.incarnationOf(t, rewrite)
	}
	v.tuple, v.hasTuple = keep(t), true
	if v.assumed && rec.LSN < v.asOf {
		v.asOf = rec.LSN // seen: from here on it is no assumption
		v.assumed = false
	}
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
		tr.learnKnown(v, rec.LSN)
	}
}

// incarnationOf puts a version that was seen in an image into the life it belongs to: that of the version which its inserter
// replaced, that of the row which a rewrite copied, or a new one.
func (tr *tracer) incarnationOf(t heap.Tuple, rewrite bool) int {
	for i := len(tr.events) - 1; i >= 0; i-- {
		e := &tr.events[i]
		if rewrite || t.Xmin != 0 && e.XID == t.Xmin || e.Xmax != 0 && e.Xmax == t.Xmin || t.Xmax != 0 && t.Xmax == e.Xmin {
			return e.Incarnation
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
		tr.leafItem(rec, rel, data)
	case btInsertPost:
		if len(data) > 2 {
			tr.leafItem(rec, rel, data[2:]) // offset of the posting list first
		}
	case btSplitL, btSplitR:
		if d := (decoder{b: rec.Main}); d.u32() == 0 {
			tr.leafItem(rec, rel, data)
			for i := range rec.Blocks {
				if rec.Blocks[i].ID == 1 {
					tr.leafItems(rec, rel, rec.Blocks[i].Data)
				}
			}
		}
	}
	tr.images(rec, heap.TID{})
}

// leafItems walks the items of a new right page, laid end to end (access/nbtxlog.c, btree_xlog_split).
func (tr *tracer) leafItems(rec *Record, rel *relation, b []byte) {
	for len(b) >= 8 {
		n := (int(b[6]) | int(b[7])<<8) & 0x1fff
		if n < 8 || n > len(b) {
			return
		}
		tr.leafItem(rec, rel, b[:n])
		b = b[min((n+7)&^7, len(b)):]
	}
}

func (tr *tracer) leafItem(rec *Record, rel *relation, b []byte) {
	if len(b) < 8 {
		return
	}
	it, err := heap.DecodeIndexTuple(b, false, rel.index.nkeys)
	if err == nil && !it.Pivot {
		tr.leafEntry(rec, rel, it)
	}
}

func (tr *tracer) leafImage(rec *Record, rel *relation, raw []byte) {
	p, err := heap.DecodeIndexPage(raw)
	if err != nil || !p.Leaf || p.Deleted {
		return
	}
	for n := p.FirstData(); n <= p.Pointers(); n++ {
		if it, ok := p.IndexTuple(n, rel.index.nkeys); ok && !it.Pivot {
			tr.leafEntry(rec, rel, it)
		}
	}
}

func (tr *tracer) leafEntry(rec *Record, rel *relation, it heap.IndexTuple) {
	same := rel.index.match.Match(it.AsTuple(rel.index.nkeys)) == heap.Same
	for _, tid := range it.TIDs {
		at := place{rel.t.Rel, tid}
		v := tr.live[at]
		switch {
		case same && v == nil:
			tr.leafSighted(rec, rel, at)
		case !same && v != nil && !v.hasTuple:
			tr.leafContradicts(rel, it, v)
		}
	}
}

// leafSighted handles an index entry with the key for an address that is not followed.
func (tr *tracer) leafSighted(rec *Record, rel *relation, at place) {
	for i := tr.nrecent - 1; i >= 0 && i >= tr.nrecent-len(tr.recent); i-- {
		u := &tr.recent[i%len(tr.recent)]
		if u.to != at {
			continue
		}
		// The update's record did not hold the key, because it shares its first or last bytes with the old version.
		v := tr.start(at, rel.t, tr.nextIncarnation())
		e := tr.event(&Record{LSN: u.lsn, TLI: rec.TLI, XID: u.xid, TopXID: u.top}, OpUpdate, &version{place: u.from, t: rel.t, incarnation: v.incarnation})
		e.NewTID, e.After = at.tid, u.after
		e.Note = "the key was read from the index entry, the row was not"
		u.to = place{}
		if u.keys {
			e.KeyChanged, e.NewKey = true, rel.t.wanted()
			tr.newWatch = append(tr.newWatch, u.from)
		} else {
			tr.learnKnown(&version{place: u.from, t: rel.t}, u.lsn)
		}
		return
	}
	v := tr.start(at, rel.t, tr.nextIncarnation())
	tr.event(rec, OpIndexLeaf, v).Note = "entry of index " + rel.index.name
	tr.learnKnown(v, rec.LSN)
}

// leafContradicts handles an index entry with another key for a version whose bytes are not known: the update that made it changed
// the key.
func (tr *tracer) leafContradicts(rel *relation, it heap.IndexTuple, v *version) {
	key, ok := rel.index.match.KeyTexts(it.AsTuple(rel.index.nkeys))
	if !ok {
		return
	}
	for i := len(tr.events) - 1; i >= 0 && i >= len(tr.events)-8; i-- {
		e := &tr.events[i]
		if e.Op == OpUpdate && e.Rel == v.rel && e.NewTID == v.tid && e.NewKey == nil && e.KeyChanged {
			e.KeyChanged, e.NewKey, e.OldKey = true, key, rel.t.wanted()
			e.Note = "the new key was read from the index entry"
			return
		}
	}
}
