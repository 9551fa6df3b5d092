package wal

import (
	"encoding/binary"
	"errors"
	"fmt"

	"inquest/sources/heap"
)

// ErrRecord is wrapped by errors that say that a record's bytes contradict themselves.
var ErrRecord = errors.New("damaged WAL record")

// Record is one WAL record (access/xlogrecord.h). The header fields are always set; call Decode for Blocks, Main, Origin and TopXID.
// Everything aliases the Reader's buffers.
type Record struct {
	LSN   LSN    // where it starts
	End   LSN    // where its last byte ends, before alignment
	TLI   uint32 // of the page it was found on
	Magic uint16 // of that page: tells the version
	XID   uint32 // 0 for records outside transactions
	RMGR  uint8
	Info  uint8
	Raw   []byte // the whole record, header included

	Blocks []Block
	Main   []byte
	Origin uint16 // replication origin, 0 for none
	TopXID uint32 // top-level transaction, when the record says so (wal_level logical, 14+)
}

// Block is a block reference of a record.
type Block struct {
	ID       uint8
	Fork     uint8 // 0 main, 1 free space map, 2 visibility map, 3 init
	WillInit bool
	Rel      RelFile
	Block    uint32
	HasImage bool
	Image    Image
	Data     []byte

	dataLen int
}

// Image is a full-page image as stored: without its hole and perhaps compressed.
type Image struct {
	Bytes      []byte
	HoleOffset int
	HoleLength int
	Method     string // "", pglz, lz4 or zstd
	Apply      bool   // the image replaces the page; false: it is there for consistency checks only
}

// Version returns the PostgreSQL major version that wrote the record.
func (r *Record) Version() int { return versionOf(r.Magic) }

// Prev returns the start of the record before.
func (r *Record) Prev() LSN { return LSN(binary.LittleEndian.Uint64(r.Raw[8:])) }

// Decode splits the record into block references and main data. Errors wrap ErrRecord; the header fields stay good.
func (r *Record) Decode() error {
	r.Blocks, r.Main, r.Origin, r.TopXID = r.Blocks[:0], nil, 0, 0
	d := decoder{b: r.Raw[RecordHeaderSize:], old: r.Version() < 15}
	mainLen, err := d.headers(r)
	if err != nil {
		return err
	}
	for i := range r.Blocks {
		blk := &r.Blocks[i]
		if blk.HasImage {
			blk.Image.Bytes = d.take(len(blk.Image.Bytes))
		}
		blk.Data = d.take(blk.dataLen)
	}
	r.Main = d.take(mainLen)
	if d.bad || len(d.b) != 0 {
		return fmt.Errorf("%w at %s: lengths do not add up", ErrRecord, r.LSN)
	}
	return nil
}

// decoder takes fields off the front of a byte string; running short sets bad and yields zeros.
type decoder struct {
	b   []byte
	bad bool
	old bool // image flags of 14 and before
}

func (d *decoder) take(n int) []byte {
	if n < 0 || n > len(d.b) {
		d.bad = true
		return nil
	}
	out := d.b[:n:n]
	d.b = d.b[n:]
	return out
}

func (d *decoder) u8() uint8 {
	if b := d.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (d *decoder) u16() uint16 {
	if b := d.take(2); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

func (d *decoder) u32() uint32 {
	if b := d.take(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (d *decoder) u64() uint64 {
	if b := d.take(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// count reads a 32-bit number of items of a size and bounds it by the bytes that are left.
func (d *decoder) count(size int) int {
	n := int(d.u32())
	if n > len(d.b)/size {
		d.bad = true
		return 0
	}
	return n
}

func (d *decoder) rel() RelFile { return RelFile{Spc: d.u32(), DB: d.u32(), Rel: d.u32()} }

func (d *decoder) headers(r *Record) (mainLen int, err error) {
	total := 0
	var rel RelFile
	for len(d.b) > total {
		switch id := d.u8(); {
		case id <= 32:
			blk, err := d.block(id, rel)
			if err != nil {
				return 0, fmt.Errorf("%w at %s: %w", ErrRecord, r.LSN, err)
			}
			rel = blk.Rel
			total += blk.dataLen + len(blk.Image.Bytes)
			r.Blocks = append(r.Blocks, blk)
		case id == 255:
			return d.last(r, int(d.u8()))
		case id == 254:
			return d.last(r, int(d.u32()))
		case id == 253:
			r.Origin = d.u16()
		case id == 252:
			r.TopXID = d.u32()
		default:
			return 0, fmt.Errorf("%w at %s: block id %d", ErrRecord, r.LSN, id)
		}
		if d.bad {
			return 0, fmt.Errorf("%w at %s: header cut short", ErrRecord, r.LSN)
		}
	}
	return 0, nil
}

// last ends the headers: the length of the main data always comes last.
func (d *decoder) last(r *Record, mainLen int) (int, error) {
	if d.bad {
		return 0, fmt.Errorf("%w at %s: header cut short", ErrRecord, r.LSN)
	}
	return mainLen, nil
}

// block reads an XLogRecordBlockHeader and what follows it; Image.Bytes is left with the right length only.
func (d *decoder) block(id uint8, same RelFile) (Block, error) {
	flags := d.u8()
	blk := Block{ID: id, Fork: flags & 0x0f, WillInit: flags&0x40 != 0, HasImage: flags&0x10 != 0, dataLen: int(d.u16())}
	if blk.HasImage {
		if err := d.image(&blk.Image); err != nil {
			return blk, err
		}
	}
	blk.Rel = same
	if flags&0x80 == 0 {
		blk.Rel = d.rel()
	} else if same.Zero() {
		return blk, errors.New("same relation as none")
	}
	blk.Block = d.u32()
	return blk, nil
}

// image reads an XLogRecordBlockImageHeader. Its flag bits were renumbered in 15.
func (d *decoder) image(im *Image) error {
	length, hole, info := int(d.u16()), int(d.u16()), d.u8()
	hasHole := info&1 != 0
	if d.old {
		im.Apply = info&4 != 0
		if info&2 != 0 {
			im.Method = "pglz"
		}
	} else {
		im.Apply = info&2 != 0
		switch {
		case info&4 != 0:
			im.Method = "pglz"
		case info&8 != 0:
			im.Method = "lz4"
		case info&0x10 != 0:
			im.Method = "zstd"
		}
	}
	if hasHole {
		im.HoleOffset, im.HoleLength = hole, heap.PageSize-length
		if im.Method != "" {
			im.HoleLength = int(d.u16())
		}
	}
	if length > heap.PageSize || im.HoleOffset+im.HoleLength > heap.PageSize || im.HoleLength < 0 {
		return fmt.Errorf("image of %d bytes with a hole of %d at %d", length, im.HoleLength, im.HoleOffset)
	}
	if length > len(d.b) {
		return errors.New("image longer than the record")
	}
	im.Bytes = d.b[:length]
	return nil
}
