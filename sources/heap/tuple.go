package heap

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// TupleHeaderSize is the fixed part of a row version's header (access/htup_details.h, SizeofHeapTupleHeader).
const TupleHeaderSize = 23

// ErrTuple is wrapped by every error that says that bytes are not a row version.
var ErrTuple = errors.New("not a row version")

// Flag bits of Tuple.Infomask (access/htup_details.h).
const (
	HasNull       = 0x0001
	HasVarWidth   = 0x0002
	HasExternal   = 0x0004
	XmaxKeyShare  = 0x0010
	XmaxExclLock  = 0x0040
	XmaxLockOnly  = 0x0080
	XminCommitted = 0x0100
	XminInvalid   = 0x0200
	XmaxCommitted = 0x0400
	XmaxInvalid   = 0x0800
	XmaxIsMulti   = 0x1000
	Updated       = 0x2000
)

// Flag bits of Tuple.Infomask2 (access/htup_details.h); the low 11 bits are the number of attributes.
const (
	NattsMask   = 0x07ff
	KeysUpdated = 0x2000
	HotUpdated  = 0x4000
	HeapOnly    = 0x8000
)

// Tuple is one row version. Bitmap and Data alias the bytes it was decoded from. The zero From and To mean that all of Data is
// known; otherwise only Data[From:To] is (a WAL update record without the old version) and Decode marks the rest Unknown.
type Tuple struct {
	Xmin      uint32
	Xmax      uint32
	Field3    uint32 // command id, or xvac of an ancient VACUUM
	Ctid      TID    // itself, or the next version
	Infomask  uint16
	Infomask2 uint16
	Hoff      uint8
	Bitmap    []byte // null bitmap, a set bit means not null; empty when there are no nulls
	Data      []byte
	From, To  int
}

// DecodeTuple reads a row version as it lies on a page or in a full old tuple of a WAL record. Errors wrap ErrTuple.
func DecodeTuple(b []byte) (Tuple, error) {
	if len(b) < TupleHeaderSize {
		return Tuple{}, fmt.Errorf("%w: %d bytes", ErrTuple, len(b))
	}
	le := binary.LittleEndian
	t := Tuple{
		Xmin:      le.Uint32(b),
		Xmax:      le.Uint32(b[4:]),
		Field3:    le.Uint32(b[8:]),
		Ctid:      TID{Block: uint32(le.Uint16(b[12:]))<<16 | uint32(le.Uint16(b[14:])), Offset: le.Uint16(b[16:])},
		Infomask2: le.Uint16(b[18:]),
		Infomask:  le.Uint16(b[20:]),
		Hoff:      b[22],
	}
	if err := t.SetBody(b[TupleHeaderSize:]); err != nil {
		return Tuple{}, err
	}
	return t, nil
}

// SetBody splits the bytes that follow the fixed header into null bitmap and data, by Hoff and Infomask. WAL records carry
// exactly these bytes after xl_heap_header (access/heapam_xlog.h).
func (t *Tuple) SetBody(body []byte) error {
	skip := int(t.Hoff) - TupleHeaderSize
	if skip < 0 || skip > len(body) {
		return fmt.Errorf("%w: header length %d in %d bytes", ErrTuple, t.Hoff, len(body)+TupleHeaderSize)
	}
	t.Bitmap = nil
	if t.Infomask&HasNull != 0 {
		n := (t.Natts() + 7) / 8
		if n > skip {
			return fmt.Errorf("%w: null bitmap of %d bytes in header of %d", ErrTuple, n, t.Hoff)
		}
		t.Bitmap = body[:n]
	}
	t.Data = body[skip:]
	return nil
}

// Natts returns how many columns the version stores; later columns take their ADD COLUMN default.
func (t Tuple) Natts() int { return int(t.Infomask2 & NattsMask) }

// XminFrozen reports that the insert is frozen: committed, and visible to everybody.
func (t Tuple) XminFrozen() bool {
	return t.Infomask&(XminCommitted|XminInvalid) == XminCommitted|XminInvalid
}

// XminCommitted reports the hint bit that says the inserting transaction committed. Its absence says nothing.
func (t Tuple) XminCommitted() bool { return t.Infomask&XminCommitted != 0 }

// XminInvalid reports the hint bit that says the inserting transaction aborted. Its absence says nothing.
func (t Tuple) XminInvalid() bool { return t.Infomask&(XminCommitted|XminInvalid) == XminInvalid }

// XmaxCommitted reports the hint bit that says the transaction in Xmax committed. Its absence says nothing.
func (t Tuple) XmaxCommitted() bool { return t.Infomask&XmaxCommitted != 0 }

// XmaxInvalid reports the hint bit that says that there is no deleter: none, or it aborted.
func (t Tuple) XmaxInvalid() bool { return t.Infomask&XmaxInvalid != 0 }

// XmaxIsMulti reports that Xmax is a MultiXactId, not a transaction id.
func (t Tuple) XmaxIsMulti() bool { return t.Infomask&XmaxIsMulti != 0 }

// XmaxLockOnly reports that Xmax only locked the row (HEAP_XMAX_IS_LOCKED_ONLY): it is neither a delete nor an update.
func (t Tuple) XmaxLockOnly() bool {
	return t.Infomask&XmaxLockOnly != 0 || t.Infomask&(XmaxIsMulti|XmaxExclLock|XmaxKeyShare) == XmaxExclLock
}

// HotUpdated reports that the next version is heap-only, on the same page, without index entries of its own.
func (t Tuple) HotUpdated() bool { return t.Infomask2&HotUpdated != 0 }

// HeapOnly reports that the version has no index entry of its own: it is reached through its HOT root.
func (t Tuple) HeapOnly() bool { return t.Infomask2&HeapOnly != 0 }

// KeysUpdated reports that Xmax deleted the row or changed a key column.
func (t Tuple) KeysUpdated() bool { return t.Infomask2&KeysUpdated != 0 }

// MovedPartitions reports that an update moved the row to another partition (storage/itemptr.h, MovedPartitionsOffsetNumber).
func (t Tuple) MovedPartitions() bool { return t.Ctid.Offset == 0xfffd && t.Ctid.Block == 0xffffffff }

// Speculative reports that Ctid holds the token of an INSERT … ON CONFLICT that had not been confirmed.
func (t Tuple) Speculative() bool { return t.Ctid.Offset == 0xfffe }
