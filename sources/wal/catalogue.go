package wal

import (
	"encoding/binary"
	"slices"

	"inquest/sources/heap"
)

const (
	pgClass       = 1259 // pg_class's oid, and its file until VACUUM FULL rewrites it (catalog/pg_class.h)
	pgAttribute   = 1249 // the same of pg_attribute
	classFileNode = 88   // offset of relfilenode in its rows: oid, relname (64), relnamespace, reltype, reloftype, relowner, relam come before
	maxClassRows  = 100000
)

// catalogue reads in pg_class which file a transaction gave to which table. Of a transaction that replaces the files of several tables,
// the commit record names the files only.
type catalogue struct {
	rows  map[place]heap.Tuple
	moves map[uint32][]classMove // by xid
	born  map[uint32][]uint32    // oids of relations made
	gone  map[uint32][]uint32    // and dropped
	owner map[RelFile]uint32     // oids of the relations that files which are being made belong to so far
}

// classMove is one change of a row of pg_class. With oid 0 the row is not known and of to only the bits in mask.
type classMove struct {
	oid, from, to, mask uint32
	lsn                 LSN
}

func newCatalogue() catalogue {
	return catalogue{rows: map[place]heap.Tuple{}, moves: map[uint32][]classMove{}, born: map[uint32][]uint32{}, gone: map[uint32][]uint32{}, owner: map[RelFile]uint32{}}
}

func (k *catalogue) forget() {
	clear(k.rows)
	clear(k.moves)
	clear(k.born)
	clear(k.gone)
	clear(k.owner)
}

func (k *catalogue) ended(xid uint32) {
	delete(k.moves, xid)
	delete(k.born, xid)
	delete(k.gone, xid)
}

func (k *catalogue) put(p place, t heap.Tuple) {
	if len(k.rows) < maxClassRows && len(t.Data) >= classFileNode+4 && t.To == 0 {
		k.rows[p] = keep(t)
	} else {
		delete(k.rows, p)
	}
}

// classRow returns oid and file number of a row of pg_class.
func classRow(t heap.Tuple) (oid, node uint32) {
	le := binary.LittleEndian
	return le.Uint32(t.Data), le.Uint32(t.Data[classFileNode:])
}

func (tr *tracer) classRecord(rec *Record) {
	if rec.Decode() != nil || rec.Blocks[0].Fork != 0 {
		return
	}
	k := &tr.catalogue
	if rec.RMGR == rmHeap2 {
		k.images(rec, heap.TID{})
		return
	}
	c, ok, _ := rec.DecodeHeap()
	if !ok {
		return
	}
	from, to := place{c.Rel, c.TID}, place{c.Rel, c.NewTID}
	switch c.Op {
	case heapInsert:
		t, has := c.New, c.HasNew
		if !has {
			t, has = fromImage(c.NewBlock, c.TID.Offset)
		}
		delete(k.rows, from)
		if has && len(t.Data) >= classFileNode+4 {
			k.put(from, t)
			oid, node := classRow(t)
			k.born[rec.XID] = append(k.born[rec.XID], oid)
			tr.concern(rec.XID, oid)
			tr.owns(rec.XID, node, oid)
		}
		k.images(rec, c.TID)
	case heapUpdate, heapHotUpdate:
		k.images(rec, c.NewTID)
		tr.classUpdated(rec, &c, from, to)
	default:
		k.images(rec, heap.TID{})
		if t, ok := k.rows[from]; ok && c.Op == heapDelete {
			oid, _ := classRow(t)
			k.gone[rec.XID] = append(k.gone[rec.XID], oid)
			tr.concern(rec.XID, oid)
		}
	}
}

func (tr *tracer) classUpdated(rec *Record, c *Change, from, to place) {
	k := &tr.catalogue
	old, known := k.rows[from]
	has := known && c.Complete(old) || c.HasNew && c.Prefix+c.Suffix == 0
	t := c.New
	if !has {
		t, has = fromImage(c.NewBlock, c.NewTID.Offset)
	}
	delete(k.rows, to)
	if !has || len(t.Data) < classFileNode+4 {
		if m, ok := partMove(c); ok {
			m.lsn = rec.LSN
			k.moves[rec.XID] = append(k.moves[rec.XID], m)
		}
		return
	}
	k.put(to, t)
	oid, node := classRow(t)
	m := classMove{oid: oid, to: node, mask: ^uint32(0), lsn: rec.LSN}
	if known {
		_, m.from = classRow(old)
	}
	if m.from != m.to {
		tr.concern(rec.XID, oid)
		tr.owns(rec.XID, node, oid)
		k.moves[rec.XID] = append(k.moves[rec.XID], m)
	}
}

// attributeRecord notes that a transaction changed rows of pg_attribute. Which, the records seldom tell.
func (tr *tracer) attributeRecord(rec *Record) {
	op := rec.Info & heapOpMask
	if rec.RMGR == rmHeap && (op == heapUpdate || op == heapHotUpdate) && len(tr.columns) < maxCreated {
		tr.columns[rec.XID] = true
	}
}

// concern notes a transaction that changes the catalogue's row of a target or of an index of one.
func (tr *tracer) concern(xid, oid uint32) {
	_, own := tr.oids[oid]
	if own || slices.ContainsFunc(tr.targets, func(t *target) bool {
		return slices.ContainsFunc(t.Indexes, func(ix IndexTarget) bool { return ix.OID == oid && oid != 0 })
	}) {
		tr.concerned[xid] = true
	}
}

// partMove reads what an update of an unknown row tells of the new file number.
func partMove(c *Change) (m classMove, ok bool) {
	if !c.HasNew || c.Prefix > classFileNode+3 {
		return m, false
	}
	for i := range 4 {
		if at := classFileNode + i; at >= c.New.From && at < c.New.To {
			m.to |= uint32(c.New.Data[at]) << (8 * i)
			m.mask |= 0xff << (8 * i)
		}
	}
	return m, m.mask != 0
}

// copied turns what a transaction wrote into a table's file before it made the file the table's: copies, not new rows. It matters where the
// WAL begins inside the transaction.
func (tr *tracer) copied(t *target, ids []uint32) {
	for _, id := range ids {
		for _, m := range tr.catalogue.moves[id] {
			if m.oid != 0 && m.oid != t.OID {
				continue
			}
			for i := range tr.events {
				e := &tr.events[i]
				mine := e.Target == t.index && e.LSN < m.lsn && slices.Contains(ids, e.XID) && (e.Rel.Rel^m.to)&m.mask == 0
				if mine && (e.Op == OpInsert || e.Op == OpMultiInsert) {
					e.Op = OpRewrite
				}
			}
		}
	}
}

// owns notes which relation a file that is being made belongs to.
func (tr *tracer) owns(xid, node, oid uint32) {
	for _, f := range numbered(tr.created[xid], node) {
		tr.catalogue.owner[f] = oid
		if n, ok := tr.creating[f]; ok && n.first == 0 {
			n.first = oid
			tr.creating[f] = n
		}
	}
}

func (k *catalogue) images(rec *Record, skip heap.TID) {
	for b, p := range rec.heapImages(func(RelFile) bool { return true }) {
		for n := 1; n <= p.Pointers(); n++ {
			tid := heap.TID{Block: b.Block, Offset: uint16(n)}
			if tid == skip {
				continue
			}
			if t, ok := p.Tuple(n); ok {
				k.put(place{b.Rel, tid}, t)
			} else {
				delete(k.rows, place{b.Rel, tid})
			}
		}
	}
}

// movesOf returns how a transaction moved a table from file to file, in order.
func (k *catalogue) movesOf(oid uint32, ids []uint32) []classMove {
	var out []classMove
	for _, id := range ids {
		for _, m := range k.moves[id] {
			if m.oid == oid && oid != 0 {
				out = append(out, m)
			}
		}
	}
	return out
}

func named(list map[uint32][]uint32, ids []uint32, oid uint32) bool {
	return oid != 0 && slices.ContainsFunc(ids, func(id uint32) bool { return slices.Contains(list[id], oid) })
}
