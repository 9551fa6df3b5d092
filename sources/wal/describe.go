package wal

import (
	"context"
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
	notes   notes
	sieve   *sieve
}

// describe fills in rows, transaction contents and siblings.
func describe(ctx context.Context, src Source, plan Plan, s *setup, l *Lineage, seen notes, v *sieve) error {
	d := &describer{
		setup: s, l: l, family: map[uint32]*Xact{}, touched: map[place]bool{}, chunks: map[uint32]map[uint32][]byte{}, toast: map[RelFile]bool{},
		removed: map[place]*Siblings{}, notes: seen, sieve: v,
	}
	d.prepare()
	if len(d.family) == 0 && len(d.toast) == 0 {
		d.rowsOf()
		return nil
	}
	if v.active() {
		if _, err := v.search(ctx, d.patterns()); err != nil {
			return err
		}
	}
	if err := d.walk(ctx, src, plan, d.holdsFamily, d.record); err != nil {
		return fmt.Errorf("describe transactions: %w", err)
	}
	l.Passes++
	d.rowsOf()
	return d.siblingKeys(ctx, src, plan)
}

// walk visits the records that begin in the pieces that want says yes to, without checking sums again.
func (d *describer) walk(ctx context.Context, src Source, plan Plan, want func(*note) bool, visit func(*Record)) error {
	wanted := func(at LSN) bool { n := d.notes[at]; return n != nil && want(n) }
	if d.sieve.active() { // the notes do not tell of what was passed over
		wanted = func(LSN) bool { return true }
	}
	var parts []Range
	for i := range plan.Segments {
		for at := plan.Segments[i].Start; at < plan.Segments[i].End(); at += noteSize {
			if !wanted(at) {
				continue
			}
			if n := len(parts); n > 0 && parts[n-1].To == at {
				parts[n-1].To += noteSize
				continue
			}
			parts = append(parts, Range{From: at, To: at + noteSize})
		}
	}
	for _, part := range parts {
		opt := d.reader()
		opt.CheckCRC, opt.Progress, opt.sieve, opt.seek = false, nil, d.sieve, true
		opt.From = max(opt.From, part.From)
		if opt.To == 0 || part.To < opt.To {
			opt.To = part.To
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

// patterns are those of the records that are described.
func (d *describer) patterns() []Pattern {
	xids := make([]uint32, 0, len(d.family))
	for id := range d.family {
		xids = append(xids, id)
	}
	out := xidPatterns(xids)
	for f := range d.toast {
		out = append(out, relPattern(f))
	}
	return out
}

// holdsFamily reports that a piece can hold records of the transactions that are described.
func (d *describer) holdsFamily(n *note) bool {
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
			d.touched[e.to()] = true
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

func (t *target) inKey(attnum int16) bool {
	return slices.ContainsFunc(t.Key, func(k heap.KeyPart) bool { return k.AttNum == attnum })
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
			case v.Unknown || v.Opaque && c.TypeName == "" || d.targets[e.Target].retyped[e.Rel] && !d.targets[e.Target].inKey(c.AttNum):
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
