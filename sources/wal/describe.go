package wal

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"inquest/sources/heap"
)

const (
	maxSteps    = 500
	maxSiblings = 20
	maxChunks   = 4096
)

// describer is the last walk: what the transactions of interest did besides, and out-of-line values of the rows found.
type describer struct {
	*setup
	l       *Lineage
	family  map[uint32]*Xact // by every xid of the family, the top one's entry
	bits    [1024]uint64     // of xids, to pass over other transactions cheaply
	touched map[place]bool   // the key's own versions
	chunks  map[uint32]map[uint32][]byte
	toast   map[RelFile]bool
	removed map[place]*Siblings // rows whose key is wanted
	rows    map[place][]string  // keys of removed rows, read before their removal
	segs    []segmentNote
}

// describe fills in rows, transaction contents and siblings.
func describe(ctx context.Context, src Source, plan Plan, s *setup, l *Lineage, segs []segmentNote) error {
	d := &describer{
		setup: s, l: l, family: map[uint32]*Xact{}, touched: map[place]bool{}, chunks: map[uint32]map[uint32][]byte{}, toast: map[RelFile]bool{},
		removed: map[place]*Siblings{}, segs: segs,
	}
	d.prepare()
	if len(d.family) == 0 && len(d.toast) == 0 {
		d.rowsOf()
		return nil
	}
	if err := d.walk(ctx, src, plan, d.holdsFamily, d.record); err != nil {
		return fmt.Errorf("describe transactions: %w", err)
	}
	l.Passes++
	d.rowsOf()
	return d.siblingKeys(ctx, src, plan)
}

// walk visits the records of the segments that want says yes to, and of their neighbours, without checking sums again.
func (d *describer) walk(ctx context.Context, src Source, plan Plan, want func(segmentNote) bool, visit func(*Record)) error {
	wanted := func(i int) bool { return i >= 0 && i < len(d.segs) && want(d.segs[i]) }
	for i := 0; i < len(plan.Segments); i++ {
		if !wanted(i) && !wanted(i+1) {
			continue
		}
		first := i
		for i < len(plan.Segments) && (wanted(i) || wanted(i+1)) {
			i++
		}
		opt := d.reader()
		opt.CheckCRC, opt.Progress = false, nil
		opt.From = max(opt.From, plan.Segments[first].Start)
		if end := plan.Segments[i-1].End(); opt.To == 0 || end < opt.To {
			opt.To = end
		}
		r := NewReader(src, plan, opt)
		for r.Next(ctx) {
			visit(&r.rec)
		}
		d.l.Bytes += r.Bytes
		if r.Err() != nil {
			return r.Err()
		}
	}
	return nil
}

// holdsFamily reports that a segment can hold records of the transactions that are described.
func (d *describer) holdsFamily(n segmentNote) bool {
	for id := range d.family {
		if id >= n.minXID && id <= n.maxXID {
			return true
		}
	}
	return false
}

func (d *describer) prepare() {
	for id, x := range d.l.Xacts {
		top := x
		if x.TopXID != 0 {
			if t := d.l.Xacts[x.TopXID]; t != nil {
				top = t
			} else {
				top = &Xact{XID: x.TopXID, State: x.State, Time: x.Time, LSN: x.LSN, FirstLSN: x.FirstLSN, TouchesIt: x.TouchesIt}
				if x.State == Aborted {
					// The part that was rolled back says nothing about the whole.
					top.State, top.Time, top.LSN = Unfinished, time.Time{}, 0
				}
				d.l.Xacts[x.TopXID] = top
			}
		}
		for _, m := range append([]uint32{id, top.XID}, top.Subxacts...) {
			d.family[m] = top
			d.bits[m>>6&1023] |= 1 << (m & 63)
		}
	}
	for _, e := range d.l.Events {
		d.touched[place{e.Rel, e.TID}] = true
		if !e.NewTID.Zero() {
			d.touched[place{e.Rel, e.NewTID}] = true
		}
		if !e.hasTuple {
			continue
		}
		for _, v := range d.values(&e, nil) {
			if t := d.targets[e.Target]; v.External != nil && !t.ToastRel.Zero() && len(d.chunks) < maxChunks {
				d.toast[t.ToastRel] = true
				d.chunks[v.External.ValueID] = map[uint32][]byte{}
			}
		}
	}
}

func (d *describer) values(e *Event, fetch heap.FetchFunc) []heap.Value {
	values, _ := heap.Decode(d.targets[e.Target].Columns, e.tuple, fetch)
	return values
}

func (d *describer) record(rec *Record) {
	if x := rec.XID; d.bits[x>>6&1023]>>(x&63)&1 != 0 {
		if top := d.family[x]; top != nil {
			d.contents(rec, top)
		}
	}
	if len(d.toast) == 0 || rec.RMGR != rmHeap && rec.RMGR != rmHeap2 {
		return
	}
	if f, ok := firstRel(rec); ok && d.toast[f] && rec.Decode() == nil {
		d.chunkRecord(rec)
	}
}

// contents adds one record to its transaction's description.
func (d *describer) contents(rec *Record, top *Xact) {
	if top.FirstLSN == 0 || rec.LSN < top.FirstLSN {
		top.FirstLSN = rec.LSN
	}
	top.LastLSN = max(top.LastLSN, rec.LSN)
	if rec.RMGR != rmHeap && (rec.RMGR != rmHeap2 || rec.Info&heapOpMask != heap2MultiInsert) || rec.Decode() != nil {
		return
	}
	if rec.RMGR == rmHeap2 {
		m, err := rec.DecodeMultiInsert()
		if err == nil {
			d.step(rec, top, m.Rel, OpMultiInsert, m.count)
			d.count(top, m.Rel).Insert += m.count
			d.insertedSiblings(top, rec, &m)
		}
		return
	}
	c, ok, _ := rec.DecodeHeap()
	if !ok {
		return
	}
	n := d.count(top, c.Rel)
	switch c.Op {
	case heapInsert:
		n.Insert++
		d.step(rec, top, c.Rel, OpInsert, 1)
		d.insertedSibling(top, c.Rel, c.TID, c.New, c.HasNew)
	case heapDelete:
		n.Delete++
		d.step(rec, top, c.Rel, deleteOp(&c), 1)
		d.removedSibling(top, &c)
	case heapUpdate, heapHotUpdate:
		n.Update++
		d.step(rec, top, c.Rel, OpUpdate, 1)
	case heapLock:
		n.Lock++
		d.step(rec, top, c.Rel, OpLock, 1)
	}
}

func deleteOp(c *Change) Op {
	switch {
	case c.Flags&deleteSuper != 0:
		return OpKill
	case c.Flags&deletePartition != 0:
		return OpMove
	}
	return OpDelete
}

func (d *describer) count(x *Xact, f RelFile) *Counts {
	if x.Tables == nil {
		x.Tables = map[RelFile]*Counts{}
	}
	c := x.Tables[f]
	if c == nil {
		c = &Counts{}
		if len(x.Tables) < maxSteps {
			x.Tables[f] = c
		}
	}
	return c
}

func (d *describer) step(rec *Record, x *Xact, f RelFile, op Op, rows int) {
	if n := len(x.Steps); n > 0 && x.Steps[n-1].Rel == f && x.Steps[n-1].Op == op {
		x.Steps[n-1].Rows += rows
		return
	}
	if len(x.Steps) >= maxSteps {
		x.StepsCut = true
		return
	}
	s := Step{LSN: rec.LSN, Rel: f, Op: op, Rows: rows}
	if r := d.relation(f); r != nil && r.index == nil && !r.guess {
		s.Table = r.t.Table
	}
	x.Steps = append(x.Steps, s)
}

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

// chunkRecord keeps the chunks of wanted out-of-line values: rows of (chunk_id oid, chunk_seq int4, chunk_data bytea).
func (d *describer) chunkRecord(rec *Record) {
	if rec.RMGR == rmHeap2 && rec.Info&heapOpMask == heap2MultiInsert {
		m, err := rec.DecodeMultiInsert()
		for err == nil {
			_, t, has, ok := m.Next()
			if !ok {
				break
			}
			if has {
				d.chunk(t)
			}
		}
	} else if rec.RMGR == rmHeap {
		if c, ok, _ := rec.DecodeHeap(); ok && c.Op == heapInsert && c.HasNew {
			d.chunk(c.New)
		}
	}
	for i := range rec.Blocks {
		d.chunkImage(&rec.Blocks[i])
	}
}

func (d *describer) chunkImage(b *Block) {
	if !b.HasImage || !d.toast[b.Rel] || b.Fork != 0 {
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
			d.chunk(t)
		}
	}
}

func (d *describer) chunk(t heap.Tuple) {
	if len(t.Data) < 9 || t.Natts() != 3 {
		return
	}
	le := binary.LittleEndian
	have := d.chunks[le.Uint32(t.Data)]
	if have == nil {
		return
	}
	values, err := heap.Decode(toastColumns, t, nil)
	if err == nil && !values[2].Unknown && len(have) < 1<<16 {
		have[le.Uint32(t.Data[4:])] = slices.Clone(values[2].Raw)
	}
}

var toastColumns = func() []heap.Column {
	id, _ := heap.NewColumn("chunk_id", 1, 26)
	seq, _ := heap.NewColumn("chunk_seq", 2, 23)
	data, _ := heap.NewColumn("chunk_data", 3, 17)
	return []heap.Column{id, seq, data}
}()

func (d *describer) fetch(e heap.External) ([]byte, error) {
	have := d.chunks[e.ValueID]
	var out []byte
	for i := uint32(0); len(out) < int(e.Size); i++ {
		c, ok := have[i]
		if !ok {
			return nil, fmt.Errorf("chunk %d is not in the WAL read", i)
		}
		out = append(out, c...)
	}
	return out, nil
}

// rowsOf decodes the rows of the events.
func (d *describer) rowsOf() {
	for i := range d.l.Events {
		e := &d.l.Events[i]
		if !e.hasTuple {
			continue
		}
		e.Row = map[string]*string{}
		for j, v := range d.values(e, d.fetch) {
			c := d.targets[e.Target].Columns[j]
			switch {
			case c.Dropped:
			case v.Unknown:
				e.Unknown = append(e.Unknown, c.Name)
			case v.Null:
				e.Row[c.Name] = nil
			default:
				text := v.Text
				e.Row[c.Name] = &text
			}
		}
	}
}

// siblingKeys reads the keys of removed rows from the records that wrote them, if these are in the WAL at hand.
func (d *describer) siblingKeys(ctx context.Context, src Source, plan Plan) error {
	if len(d.removed) == 0 {
		return nil
	}
	d.rows = map[place][]string{}
	err := d.walk(ctx, src, plan, func(n segmentNote) bool { return n.target }, func(rec *Record) {
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
		case ok && c.Op == heapInsert && c.HasNew:
			d.row(place{c.Rel, c.TID}, c.New)
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
