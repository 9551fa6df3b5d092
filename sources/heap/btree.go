package heap

import (
	"encoding/binary"
	"fmt"
)

// Flag bits of a btree page (access/nbtree.h, BTP_*).
const (
	btLeaf     = 0x0001
	btDeleted  = 0x0004
	btMeta     = 0x0008
	btHalfDead = 0x0010

	btMagic       = 0x053162
	btOpaqueSize  = 16
	itupSizeMask  = 0x1fff
	itupAltTID    = 0x2000
	itupHasNulls  = 0x8000
	btIsPosting   = 0x2000
	btOffsetMask  = 0x0fff
	btPivotHasTID = 0x1000
)

// IndexPage is a decoded btree page that is not the meta page.
type IndexPage struct {
	Page
	Prev, Next uint32 // sibling blocks, 0 at the ends
	Level      uint32 // 0 is the leaf level
	Leaf       bool
	Deleted    bool // deleted or half-dead: nothing to find here, its right sibling took over
}

// DecodeIndexPage reads a btree page with its opaque data (access/nbtree.h, BTPageOpaqueData). Errors wrap ErrPage.
func DecodeIndexPage(raw []byte) (IndexPage, error) {
	p, err := DecodePage(raw)
	if err != nil {
		return IndexPage{}, err
	}
	if PageSize-p.Special != btOpaqueSize {
		return IndexPage{}, fmt.Errorf("%w: special area of %d bytes is not btree's", ErrPage, PageSize-p.Special)
	}
	o := raw[p.Special:]
	le := binary.LittleEndian
	flags := le.Uint16(o[12:])
	if flags&btMeta != 0 {
		return IndexPage{}, fmt.Errorf("%w: a meta page", ErrPage)
	}
	return IndexPage{
		Page: p, Prev: le.Uint32(o), Next: le.Uint32(o[4:]), Level: le.Uint32(o[8:]),
		Leaf: flags&btLeaf != 0, Deleted: flags&(btDeleted|btHalfDead) != 0,
	}, nil
}

// DecodeIndexMeta reads block 0 of a btree: the root's block and level (access/nbtree.h, BTMetaPageData). Root 0 is an empty index.
func DecodeIndexMeta(raw []byte) (root, level uint32, err error) {
	p, err := DecodePage(raw)
	if err != nil {
		return 0, 0, err
	}
	m := p.Raw[PageHeaderSize:]
	le := binary.LittleEndian
	if le.Uint32(m) != btMagic {
		return 0, 0, fmt.Errorf("%w: btree magic %#x", ErrPage, le.Uint32(m))
	}
	return le.Uint32(m[8:]), le.Uint32(m[12:]), nil
}

// FirstData returns the first item number that is not the page's high key.
func (p IndexPage) FirstData() int {
	if p.Next != 0 {
		return 2
	}
	return 1
}

// IndexTuple is one item of a btree page (access/itup.h, access/nbtree.h). Key aliases the page.
type IndexTuple struct {
	TIDs   []TID // heap addresses: one, or all of a posting list; empty for a pivot
	Pivot  bool  // high key or item of an inner page
	Child  uint32
	Natts  int // key columns kept in a pivot
	Bitmap []byte
	Key    []byte // key columns laid out as in a row version
	Dead   bool   // the line pointer is marked: a scan found that no transaction can see the row
}

// DecodeIndexTuple reads an index tuple as it lies on a page or in a btree WAL record. inner says that it comes from a page above the
// leaf level. nkeys is the number of columns of the index. Errors wrap ErrTuple.
func DecodeIndexTuple(b []byte, inner bool, nkeys int) (IndexTuple, error) {
	if len(b) < 8 {
		return IndexTuple{}, fmt.Errorf("%w: index tuple of %d bytes", ErrTuple, len(b))
	}
	le := binary.LittleEndian
	tid := decodeTID(b)
	info := le.Uint16(b[6:])
	size := int(info & itupSizeMask)
	if size < 8 || size > len(b) {
		return IndexTuple{}, fmt.Errorf("%w: index tuple says %d bytes of %d", ErrTuple, size, len(b))
	}
	t := IndexTuple{Natts: nkeys}
	posting := info&itupAltTID != 0 && tid.Offset&btIsPosting != 0
	t.Pivot = inner || info&itupAltTID != 0 && !posting
	end := size
	switch {
	case posting:
		n, at := int(tid.Offset&btOffsetMask), int(tid.Block)
		if at < 8 || at+6*n > size {
			return IndexTuple{}, fmt.Errorf("%w: posting list of %d at %d", ErrTuple, n, at)
		}
		for i := 0; i < n; i++ {
			t.TIDs = append(t.TIDs, decodeTID(b[at+6*i:]))
		}
		end = at
	case t.Pivot:
		t.Child = tid.Block
		if info&itupAltTID != 0 {
			t.Natts = int(tid.Offset & btOffsetMask)
			if tid.Offset&btPivotHasTID != 0 {
				end = max(size-8, 8)
			}
		}
	default:
		t.TIDs = []TID{tid}
	}
	start := 8
	if info&itupHasNulls != 0 {
		start = 16
		if end < start {
			return IndexTuple{}, fmt.Errorf("%w: index tuple with nulls of %d bytes", ErrTuple, size)
		}
		t.Bitmap = b[8:12]
	}
	t.Key = b[start:end]
	return t, nil
}

func decodeTID(b []byte) TID {
	le := binary.LittleEndian
	return TID{Block: uint32(le.Uint16(b))<<16 | uint32(le.Uint16(b[2:])), Offset: le.Uint16(b[4:])}
}

// IndexTuple decodes item n, counted from 1, for an index of nkeys columns.
func (p IndexPage) IndexTuple(n, nkeys int) (IndexTuple, bool) {
	t, err := DecodeIndexTuple(p.Item(n), !p.Leaf, nkeys)
	if err != nil {
		return t, false
	}
	t.Dead = p.Pointer(n).State == PointerDead
	return t, true
}
