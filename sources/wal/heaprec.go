package wal

import (
	"encoding/binary"
	"fmt"

	"inquest/sources/heap"
)

// Flag bits of heap records (access/heapam_xlog.h).
const (
	insertSpeculative = 0x04
	deleteOldTuple    = 0x02
	deleteOldKey      = 0x04
	deleteSuper       = 0x08
	deletePartition   = 0x10
	updateOldTuple    = 0x04
	updateOldKey      = 0x08
	updateNewTuple    = 0x10
	updatePrefix      = 0x20
	updateSuffix      = 0x40

	infobitMulti    = 0x01
	infobitLockOnly = 0x02
	infobitKeys     = 0x10
)

// Change is a decoded insert, delete, update or lock of one row version. Tuples alias the record.
type Change struct {
	Op          byte // heapInsert, heapDelete, heapUpdate, heapHotUpdate, heapConfirm, heapLock, heapInplace, without the init bit
	Rel         RelFile
	TID         heap.TID // the version acted on; for an insert the new one
	NewTID      heap.TID // update only
	Xmax        uint32
	Flags       uint8
	Infobits    uint8
	New         heap.Tuple // insert and update, when HasNew
	HasNew      bool
	Prefix      int // update: bytes of data taken from the old version's start
	Suffix      int // and from its end
	body        []byte
	Old         heap.Tuple // delete and update: old row or old key, when HasOld (wal_level logical)
	HasOld      bool
	OldIsKey    bool // Old holds key columns only, the others null
	NewBlock    *Block
	OldBlock    *Block
	Speculative bool
}

// DecodeHeap reads a Heap record that acts on one row version. The record must be decoded. ok is false for kinds that do not
// (TRUNCATE). Errors wrap ErrRecord.
func (r *Record) DecodeHeap() (c Change, ok bool, err error) {
	c.Op = r.Info & heapOpMask
	if c.Op == heapTruncate {
		return c, false, nil
	}
	if len(r.Blocks) == 0 {
		return c, false, fmt.Errorf("%w at %s: heap record without block", ErrRecord, r.LSN)
	}
	d := decoder{b: r.Main}
	b0 := &r.Blocks[0]
	c.Rel, c.NewBlock, c.OldBlock = b0.Rel, b0, b0
	switch c.Op {
	case heapInsert:
		c.TID = heap.TID{Block: b0.Block, Offset: d.u16()}
		c.Flags = d.u8()
		c.Speculative = c.Flags&insertSpeculative != 0
		if len(b0.Data) > 0 {
			c.HasNew, err = true, c.setNew(b0.Data, r.XID)
		}
	case heapDelete:
		c.Xmax = d.u32()
		c.TID = heap.TID{Block: b0.Block, Offset: d.u16()}
		c.Infobits, c.Flags = d.u8(), d.u8()
		if c.Flags&(deleteOldTuple|deleteOldKey) != 0 {
			c.OldIsKey = c.Flags&deleteOldTuple == 0
			c.setOld(d.b)
		}
	case heapUpdate, heapHotUpdate:
		err = c.update(r, &d)
	case heapLock:
		c.Xmax = d.u32()
		c.TID = heap.TID{Block: b0.Block, Offset: d.u16()}
		c.Infobits, c.Flags = d.u8(), d.u8()
	default: // confirm, inplace
		c.TID = heap.TID{Block: b0.Block, Offset: d.u16()}
	}
	if d.bad && err == nil {
		err = fmt.Errorf("main data cut short")
	}
	if err != nil {
		return c, false, fmt.Errorf("%w at %s: %w", ErrRecord, r.LSN, err)
	}
	return c, true, nil
}

func (c *Change) update(r *Record, d *decoder) error {
	for i := range r.Blocks {
		if r.Blocks[i].ID == 1 {
			c.OldBlock = &r.Blocks[i]
		}
	}
	c.Xmax = d.u32()
	c.TID = heap.TID{Block: c.OldBlock.Block, Offset: d.u16()}
	c.Infobits, c.Flags = d.u8(), d.u8()
	d.u32() // xmax of the new version
	c.NewTID = heap.TID{Block: c.NewBlock.Block, Offset: d.u16()}
	if c.Flags&(updateOldTuple|updateOldKey) != 0 {
		c.OldIsKey = c.Flags&updateOldTuple == 0
		c.setOld(d.b)
	}
	if len(c.NewBlock.Data) == 0 {
		return nil
	}
	b := decoder{b: c.NewBlock.Data}
	if c.Flags&updatePrefix != 0 {
		c.Prefix = int(b.u16())
	}
	if c.Flags&updateSuffix != 0 {
		c.Suffix = int(b.u16())
	}
	if b.bad {
		return fmt.Errorf("update data cut short")
	}
	c.HasNew = true
	return c.setNew(b.b, r.XID)
}

// setNew reads xl_heap_header and the bytes after it. With a prefix or suffix the data is laid out with room for both, and only the
// middle counts as known until Complete.
func (c *Change) setNew(b []byte, xid uint32) error {
	if len(b) < 5 {
		return fmt.Errorf("heap header of %d bytes", len(b))
	}
	le := binary.LittleEndian
	c.New = heap.Tuple{Infomask2: le.Uint16(b), Infomask: le.Uint16(b[2:]), Hoff: b[4], Xmin: xid}
	c.body = b[5:]
	if err := c.New.SetBody(c.body); err != nil {
		return err
	}
	if c.Prefix == 0 && c.Suffix == 0 {
		return nil
	}
	if c.Prefix+c.Suffix > heap.PageSize*2 {
		return fmt.Errorf("prefix %d and suffix %d", c.Prefix, c.Suffix)
	}
	mid := c.New.Data
	data := make([]byte, c.Prefix+len(mid)+c.Suffix)
	copy(data[c.Prefix:], mid)
	c.New.Data, c.New.From, c.New.To = data, c.Prefix, c.Prefix+len(mid)
	if c.New.To == 0 {
		c.New.From, c.New.To = 0, 0
		c.New.Data = nil
	}
	return nil
}

// Complete fills prefix and suffix of an update from the old version's data and reports whether the new version is now whole.
func (c *Change) Complete(old heap.Tuple) bool {
	if !c.HasNew || c.Prefix+c.Suffix == 0 {
		return c.HasNew
	}
	if old.From != 0 || old.To != 0 && old.To != len(old.Data) || c.Prefix > len(old.Data) || c.Suffix > len(old.Data) ||
		len(c.New.Data) < c.Prefix+c.Suffix {
		return false
	}
	copy(c.New.Data, old.Data[:c.Prefix])
	copy(c.New.Data[len(c.New.Data)-c.Suffix:], old.Data[len(old.Data)-c.Suffix:])
	c.New.From, c.New.To = 0, 0
	return true
}

func (c *Change) setOld(b []byte) {
	if len(b) < 5 {
		return
	}
	le := binary.LittleEndian
	c.Old = heap.Tuple{Infomask2: le.Uint16(b), Infomask: le.Uint16(b[2:]), Hoff: b[4]}
	c.HasOld = c.Old.SetBody(b[5:]) == nil
}

// KeyChanged reports that an update changed a column of a key, by the bits it set on the old version.
func (c *Change) KeyChanged() bool { return c.Infobits&infobitKeys != 0 }

// differs reports that the versions' bytes are known to differ where the key is: a record that could leave out what they have in common
// did not leave it out (access/heapam.c, log_heap_update).
func (c *Change) differs(m *heap.Matcher) bool {
	return c.HasNew && c.NewBlock == c.OldBlock && !c.NewBlock.HasImage && c.Flags&updateNewTuple == 0 && c.Prefix+c.Suffix > 0 && !m.KeptBy(c.Prefix)
}

// MultiInsert is the content of a Heap2 MULTI_INSERT record, row by row.
type MultiInsert struct {
	Rel    RelFile
	Block  *Block
	count  int
	n      int
	main   []byte
	init   bool
	data   []byte
	at     int
	hasRow bool
	xid    uint32
}

// DecodeMultiInsert opens a decoded MULTI_INSERT record; call Next for its rows. Errors wrap ErrRecord.
func (r *Record) DecodeMultiInsert() (MultiInsert, error) {
	if len(r.Blocks) == 0 || len(r.Main) < 4 {
		return MultiInsert{}, fmt.Errorf("%w at %s: multi-insert without block", ErrRecord, r.LSN)
	}
	b := &r.Blocks[0]
	return MultiInsert{
		Rel: b.Rel, Block: b, count: int(binary.LittleEndian.Uint16(r.Main[2:])), main: r.Main[4:],
		init: r.Info&heapInitPage != 0, data: b.Data, hasRow: len(b.Data) > 0, xid: r.XID,
	}, nil
}

// Next returns the next row: its address and, unless the record only has a page image, its content.
func (m *MultiInsert) Next() (tid heap.TID, t heap.Tuple, hasRow, ok bool) {
	if m.n >= m.count {
		return tid, t, false, false
	}
	tid = heap.TID{Block: m.Block.Block, Offset: uint16(m.n + 1)}
	if !m.init {
		if len(m.main) < 2*(m.n+1) {
			return tid, t, false, false
		}
		tid.Offset = binary.LittleEndian.Uint16(m.main[2*m.n:])
	}
	m.n++
	if !m.hasRow {
		return tid, t, false, true
	}
	m.at = (m.at + 1) &^ 1
	if m.at+7 > len(m.data) {
		return tid, t, false, false
	}
	b := m.data[m.at:]
	le := binary.LittleEndian
	n := int(le.Uint16(b))
	t = heap.Tuple{Infomask2: le.Uint16(b[2:]), Infomask: le.Uint16(b[4:]), Hoff: b[6], Xmin: m.xid}
	if 7+n > len(b) || t.SetBody(b[7:7+n]) != nil {
		return tid, t, false, false
	}
	m.at += 7 + n
	return tid, t, true, true
}
