package heap

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// PageSize is the block size this package reads: 8192 bytes, PostgreSQL's default (BLCKSZ).
const PageSize = 8192

// PageHeaderSize is the length in bytes of the page header (storage/bufpage.h, SizeOfPageHeaderData).
const PageHeaderSize = 24

// ErrPage is wrapped by every error that says that bytes are not a PostgreSQL page.
var ErrPage = errors.New("not a PostgreSQL page")

// PointerState is the state of a line pointer (storage/itemid.h, LP_*).
type PointerState uint8

// The four line pointer states of storage/itemid.h.
const (
	PointerUnused   PointerState = 0
	PointerNormal   PointerState = 1
	PointerRedirect PointerState = 2
	PointerDead     PointerState = 3
)

// String names the state as pageinspect users know it: unused, normal, redirect or dead.
func (s PointerState) String() string {
	return [4]string{"unused", "normal", "redirect", "dead"}[s&3]
}

// LinePointer is one entry of a page's item array (storage/itemid.h). For a redirect, Offset is the target's item number.
type LinePointer struct {
	Offset uint16
	Length uint16
	State  PointerState
}

// Page is the decoded header of an 8192-byte page together with the bytes it was decoded from (storage/bufpage.h).
// The bytes are shared with the caller, not copied.
type Page struct {
	LSN      uint64 // end of the last WAL record that changed the page
	Checksum uint16 // zero when data checksums are off
	Flags    uint16
	Lower    uint16
	Upper    uint16
	Special  uint16
	Version  uint16 // layout version, 4 since PostgreSQL 8.3
	PruneXID uint32 // oldest xid that a prune could remove, 0 when none is known
	Raw      []byte
}

// DecodePage reads the header of a page. It returns an error that wraps ErrPage when the length is not PageSize, when the page is
// all zeros (never initialised), or when the header contradicts itself.
func DecodePage(raw []byte) (Page, error) {
	if len(raw) != PageSize {
		return Page{}, fmt.Errorf("%w: %d bytes, want %d", ErrPage, len(raw), PageSize)
	}
	le := binary.LittleEndian
	p := Page{
		LSN:      uint64(le.Uint32(raw))<<32 | uint64(le.Uint32(raw[4:])),
		Checksum: le.Uint16(raw[8:]),
		Flags:    le.Uint16(raw[10:]),
		Lower:    le.Uint16(raw[12:]),
		Upper:    le.Uint16(raw[14:]),
		Special:  le.Uint16(raw[16:]),
		Version:  le.Uint16(raw[18:]) & 0xff,
		PruneXID: le.Uint32(raw[20:]),
		Raw:      raw,
	}
	if p.Upper == 0 {
		return p, fmt.Errorf("%w: never initialised", ErrPage)
	}
	if p.Lower < PageHeaderSize || p.Lower > p.Upper || p.Upper > p.Special || p.Special > PageSize {
		return p, fmt.Errorf("%w: lower %d, upper %d, special %d", ErrPage, p.Lower, p.Upper, p.Special)
	}
	if size := le.Uint16(raw[18:]) & 0xff00; size != PageSize {
		return p, fmt.Errorf("%w: page size %d", ErrPage, size)
	}
	return p, nil
}

// IsHeap reports whether the page can be a heap page: heap pages have no special area, index pages do.
func (p Page) IsHeap() bool { return p.Special == PageSize }

// AllVisible reports PD_ALL_VISIBLE: every row version on the page was visible to everybody.
func (p Page) AllVisible() bool { return p.Flags&4 != 0 }

// Full reports PD_PAGE_FULL: an update found no room here, so the next read may prune the page.
func (p Page) Full() bool { return p.Flags&2 != 0 }

// Pointers returns the number of line pointers; valid item numbers run from 1 to this.
func (p Page) Pointers() int {
	if p.Lower < PageHeaderSize {
		return 0
	}
	return int(p.Lower-PageHeaderSize) / 4
}

// Pointer returns line pointer n, counted from 1; out of range gives an unused one.
func (p Page) Pointer(n int) LinePointer {
	if n < 1 || n > p.Pointers() {
		return LinePointer{}
	}
	v := binary.LittleEndian.Uint32(p.Raw[PageHeaderSize+4*(n-1):])
	return LinePointer{Offset: uint16(v & 0x7fff), State: PointerState(v >> 15 & 3), Length: uint16(v >> 17)}
}

// Item returns the bytes of item n, counted from 1, or nil when the pointer holds no storage or leaves the page.
// Index pages keep storage under dead pointers, so the state is not looked at.
func (p Page) Item(n int) []byte {
	lp := p.Pointer(n)
	end := int(lp.Offset) + int(lp.Length)
	if lp.State == PointerRedirect || lp.Length == 0 || lp.Offset < PageHeaderSize || end > len(p.Raw) {
		return nil
	}
	return p.Raw[lp.Offset:end]
}

// Tuple decodes the row version at item n, counted from 1. It reports false when the pointer is not a normal one or its bytes
// are not a row version.
func (p Page) Tuple(n int) (Tuple, bool) {
	if p.Pointer(n).State != PointerNormal {
		return Tuple{}, false
	}
	t, err := DecodeTuple(p.Item(n))
	return t, err == nil
}
