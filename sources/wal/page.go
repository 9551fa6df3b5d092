package wal

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// PageSize is the WAL block size this package reads: 8192 bytes, PostgreSQL's default (XLOG_BLCKSZ).
const PageSize = 8192

// Lengths of the page headers (access/xlog_internal.h, SizeOfXLogShortPHD and SizeOfXLogLongPHD).
const (
	shortHeader = 24
	longHeader  = 40

	pageContRecord = 0x0001 // the page begins inside a record
	pageLong       = 0x0002
	pageOverwrite  = 0x0008 // the record begun before was given up after a crash
	pageFlags      = 0x000f
)

// ErrPage is wrapped by errors that say that bytes are not a WAL page.
var ErrPage = errors.New("not a WAL page")

// PageHeader is the header of a WAL page (access/xlog_internal.h, XLogPageHeaderData and XLogLongPageHeaderData). SystemID and
// SegmentSize are there on the first page of a segment only.
type PageHeader struct {
	Magic       uint16
	Info        uint16
	TLI         uint32
	Addr        LSN // where the page lies in WAL, whatever the file is called
	Remaining   uint32
	SystemID    uint64
	SegmentSize uint32
}

// DecodePageHeader reads the header at the start of a page. It returns an error that wraps ErrPage when the magic is of no version
// from 13 on, or the fields contradict each other; 40 bytes suffice.
func DecodePageHeader(b []byte) (PageHeader, error) {
	if len(b) < shortHeader {
		return PageHeader{}, fmt.Errorf("%w: %d bytes", ErrPage, len(b))
	}
	le := binary.LittleEndian
	h := PageHeader{
		Magic: le.Uint16(b), Info: le.Uint16(b[2:]), TLI: le.Uint32(b[4:]), Addr: LSN(le.Uint64(b[8:])), Remaining: le.Uint32(b[16:]),
	}
	if h.Magic < magic13 || h.Magic > 0xd1ff {
		return h, fmt.Errorf("%w: magic %04X", ErrPage, h.Magic)
	}
	if h.Info&^pageFlags != 0 || h.Addr%PageSize != 0 || h.Addr == 0 {
		return h, fmt.Errorf("%w: flags %04X at %s", ErrPage, h.Info, h.Addr)
	}
	if h.Info&pageLong == 0 {
		return h, nil
	}
	if len(b) < longHeader {
		return h, fmt.Errorf("%w: %d bytes of a long header", ErrPage, len(b))
	}
	h.SystemID, h.SegmentSize = le.Uint64(b[24:]), le.Uint32(b[32:])
	size, blk := int64(h.SegmentSize), le.Uint32(b[36:])
	if !validSegmentSize(size) || blk != PageSize {
		return h, fmt.Errorf("%w: segments of %d bytes in blocks of %d", ErrPage, size, blk)
	}
	return h, nil
}

func validSegmentSize(n int64) bool { return n >= 1<<20 && n <= 1<<30 && n&(n-1) == 0 }

func (h PageHeader) size() int {
	if h.Info&pageLong != 0 {
		return longHeader
	}
	return shortHeader
}

const (
	magic13 = 0xd106
	magic14 = 0xd10d
	magic15 = 0xd110
	magic16 = 0xd113
	magic17 = 0xd116
	magic18 = 0xd118
)

// Version returns the PostgreSQL major version that writes pages of this magic, 13 to 18; a magic in between (a beta) counts as the
// version before it, a later one as 18.
func (h PageHeader) Version() int { return versionOf(h.Magic) }

func versionOf(magic uint16) int {
	for v, m := range [...]uint16{magic18, magic17, magic16, magic15, magic14} {
		if magic >= m {
			return 18 - v
		}
	}
	return 13
}
