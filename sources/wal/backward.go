package wal

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"inquest/sources/heap"
)

// What a slotOp does to its place.
const (
	opRead    = iota // a version was written whose key the record tells
	opBlind          // a version was written whose key it does not tell
	opUpdated        // the same, by an update of old that left the key alone
	opRekeyed        // the same, by an update of old that changed a key column
	opActed          // something happened to the version that is there
	opLinked         // a prune found that old, a HOT root, leads to tid
)

// slotOp is one thing a record does to the places of a target's heap.
type slotOp struct {
	lsn      LSN
	rel      *relation
	tid, old heap.TID
	kind     uint8
}

func (o *slotOp) at() place   { return place{o.rel.file, o.tid} }
func (o *slotOp) from() place { return place{o.rel.file, o.old} }

// backward is a walk from the end of WAL to its start, a segment at a time: it finds for every sighting the write that it speaks of and,
// where that was an update which tells no key, the version before it.
type backward struct {
	*setup
	sieve   *sieve
	runs    []Range
	queue   []sighting // latest first; those still to come
	pending map[place]bool
	acted   map[place]bool // of pending: something happened to them that the walk forwards should tell
	content map[place]bool // places whose content is wanted
	claims  map[writing]bool
	starts  map[LSN][]place
	watch   map[place]bool
	touched map[LSN][]place
	ops     []slotOp
}

// trackBack resolves all sightings and reports whether that tells more than the last walk knew.
func (s *setup) trackBack(ctx context.Context, src Source, plan Plan, l *Lineage, tr *tracer, v *sieve) (bool, error) {
	b := &backward{
		setup: s, sieve: v, pending: map[place]bool{}, acted: map[place]bool{}, content: map[place]bool{}, claims: map[writing]bool{}, starts: map[LSN][]place{},
		watch: map[place]bool{}, touched: map[LSN][]place{},
	}
	for _, c := range l.Covered {
		b.runs = append(b.runs, c.Range)
	}
	for g := range s.sightings {
		b.queue = append(b.queue, g)
	}
	for k := range s.known {
		g := sighting{place{k.Rel, k.TID}, k.AsOf}
		if g.asOf == 0 && len(b.runs) > 0 {
			g.asOf = b.runs[len(b.runs)-1].To
		}
		b.queue = append(b.queue, g)
	}
	slices.SortFunc(b.queue, func(x, y sighting) int { return cmp.Compare(y.asOf, x.asOf) })
	if err := b.walk(ctx, src, plan, l, tr.notes); err != nil {
		return false, fmt.Errorf("walk back: %w", err)
	}
	l.Passes++
	more := b.more(tr)
	s.backed, s.claims, s.starts, s.watch = true, b.claims, b.starts, b.watch
	return more, nil
}

// more reports whether the next walk forwards would tell more than the last.
func (b *backward) more(tr *tracer) bool {
	for w := range b.claims {
		if !tr.followed[w] {
			return true
		}
	}
	for run, places := range b.touched {
		for _, p := range places {
			if !tr.started[run][p] {
				return true
			}
		}
	}
	return !maps.Equal(b.watch, b.setup.watch) && len(b.watch) > 0
}

func (b *backward) walk(ctx context.Context, src Source, plan Plan, l *Lineage, seen notes) error {
	run := len(b.runs) - 1
	for i := len(plan.Segments) - 1; i >= 0 && run >= 0; i-- {
		start, end := plan.Segments[i].Start, plan.Segments[i].End()
		// Runs that end in this segment or began in it are done one by one, the later one first.
		var ops []slotOp
		if from, to := seen.targets(start, end); from < to {
			var err error
			if ops, err = b.read(ctx, src, plan, l, from, to); err != nil {
				return err
			}
		}
		for ; run >= 0; run-- {
			r := b.runs[run]
			if r.To <= start {
				break
			}
			for len(ops) > 0 && ops[len(ops)-1].lsn >= r.From {
				n := len(ops) - 1
				for n > 0 && ops[n-1].lsn == ops[n].lsn {
					n--
				}
				b.record(ops[n:], r)
				ops = ops[:n]
			}
			if r.From < start {
				break
			}
			b.endRun(r)
		}
	}
	return nil
}

// targets returns the stretch of a segment that holds all records of targets in it.
func (n notes) targets(start, end LSN) (from, to LSN) {
	for at := start; at < end; at += noteSize {
		if m := n[at]; m != nil && m.target {
			if to == 0 {
				from = at
			}
			to = at + noteSize
		}
	}
	return from, to
}

// read collects what happens to the targets' places in a stretch of WAL.
func (b *backward) read(ctx context.Context, src Source, plan Plan, l *Lineage, from, to LSN) ([]slotOp, error) {
	opt := b.reader()
	opt.CheckCRC, opt.Progress, opt.sieve, opt.seek = false, nil, b.sieve, true
	opt.From = max(opt.From, from)
	if opt.To == 0 || to < opt.To {
		opt.To = to
	}
	if opt.From >= opt.To {
		return nil, nil
	}
	b.ops = b.ops[:0]
	r := NewReader(src, plan, opt)
	for r.Next(ctx) {
		rec := &r.rec
		if rec.RMGR != rmHeap && rec.RMGR != rmHeap2 || !b.covered(rec.LSN) {
			continue
		}
		f, ok := firstRel(rec)
		if !ok {
			continue
		}
		if rel := b.relation(f); rel != nil && rel.index == nil && rec.Decode() == nil && rec.Blocks[0].Fork == 0 {
			b.collect(rec, rel)
		}
	}
	l.Bytes += r.Bytes
	return b.ops, r.Err()
}

// covered reports that the walk forwards read a position too: without its checksums this one would go on behind damage.
func (b *backward) covered(at LSN) bool {
	for i := range b.runs {
		if at >= b.runs[i].From && at < b.runs[i].To {
			return true
		}
	}
	return false
}

func (b *backward) collect(rec *Record, rel *relation) {
	add := func(kind uint8, tid, old heap.TID) {
		b.ops = append(b.ops, slotOp{lsn: rec.LSN, rel: rel, tid: tid, old: old, kind: kind})
	}
	if rec.RMGR == rmHeap2 {
		if rec.Info&heapOpMask == heap2MultiInsert {
			b.collectMany(rec, rel, add)
		} else if p, ok := rec.DecodePrune(); ok {
			at := func(off uint16) heap.TID { return heap.TID{Block: rec.Blocks[0].Block, Offset: off} }
			for _, r := range p.Redirects {
				add(opLinked, at(r[1]), at(r[0]))
			}
			for _, off := range append(p.Dead, p.Unused...) {
				add(opActed, at(off), heap.TID{})
			}
		}
		return
	}
	c, ok, _ := rec.DecodeHeap()
	if !ok {
		return
	}
	switch c.Op {
	case heapInsert:
		t, has := c.New, c.HasNew
		if !has {
			t, has = fromImage(c.NewBlock, c.TID.Offset)
		}
		add(readKind(rel, t, has, opBlind), c.TID, heap.TID{})
	case heapUpdate, heapHotUpdate:
		kind := uint8(opUpdated)
		if rel.t.mayRekey(&c) {
			kind = opRekeyed
		}
		t, has := c.New, c.HasNew
		if c.HasOld && !c.OldIsKey && c.Complete(c.Old) {
			t = c.New
		} else if im, ok := fromImage(c.NewBlock, c.NewTID.Offset); ok {
			t, has = im, true
		}
		add(readKind(rel, t, has, kind), c.NewTID, c.TID)
		add(opActed, c.TID, heap.TID{})
	default:
		add(opActed, c.TID, heap.TID{})
	}
}

func (b *backward) collectMany(rec *Record, rel *relation, add func(uint8, heap.TID, heap.TID)) {
	m, err := rec.DecodeMultiInsert()
	for err == nil {
		tid, t, has, ok := m.Next()
		if !ok {
			return
		}
		if !has {
			t, has = fromImage(m.Block, tid.Offset)
		}
		add(readKind(rel, t, has, opBlind), tid, heap.TID{})
	}
}

func readKind(rel *relation, t heap.Tuple, has bool, otherwise uint8) uint8 {
	if has && (rel.foreign(t) || rel.judge(t) != heap.Undecided) {
		return opRead
	}
	return otherwise
}

// record takes back what one record did. Sightings by later records speak of the versions it acted on; those by the record itself only of
// what it wrote.
func (b *backward) record(ops []slotOp, r Range) {
	b.activate(ops[0].lsn+1, r)
	for i := range ops {
		if p := ops[i].at(); ops[i].kind == opActed && b.pending[p] {
			b.acted[p] = true
		}
	}
	b.activate(ops[0].lsn, r)
	for i := len(ops) - 1; i >= 0; i-- {
		b.undo(&ops[i])
	}
}

// activate takes up the sightings of a run at or after a position.
func (b *backward) activate(from LSN, r Range) {
	for len(b.queue) > 0 && b.queue[0].asOf >= from {
		if g := b.queue[0]; g.asOf >= r.From && g.asOf <= r.To && b.relation(g.rel) != nil {
			b.pending[g.place] = true
		}
		b.queue = b.queue[1:]
	}
}

func (b *backward) undo(o *slotOp) {
	p, from := o.at(), o.from()
	wanted, content := b.pending[p], b.content[p]
	switch o.kind {
	case opActed:
		return
	case opLinked:
		if b.pending[p] || b.pending[from] {
			b.pending[p], b.pending[from] = true, true
		}
		return
	}
	delete(b.pending, p)
	delete(b.acted, p)
	delete(b.content, p)
	if wanted && o.kind != opRead {
		b.claims[writing{p, o.lsn}] = true
	}
	switch o.kind {
	case opUpdated:
		if wanted {
			b.pending[from] = true
		}
		if content {
			b.watchFor(from)
		}
	case opRekeyed:
		if wanted || content {
			b.watchFor(from)
		}
	case opRead:
		// The key is there to read, but not the whole row: the old version's may be wanted all the same.
		if wanted && !o.old.Zero() {
			b.watchFor(from)
		}
	}
}

func (b *backward) watchFor(p place) {
	b.content[p], b.watch[p] = true, true
}

// endRun settles what is pending where a run begins: no evidence reaches over the hole before it.
func (b *backward) endRun(r Range) {
	b.activate(r.From, r)
	for p := range b.pending {
		b.starts[r.From] = append(b.starts[r.From], p)
		if b.acted[p] {
			b.touched[r.From] = append(b.touched[r.From], p)
		}
	}
	clear(b.pending)
	clear(b.acted)
	clear(b.content)
}
