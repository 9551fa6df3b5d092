package postgres

import (
	"bufio"
	"hash/crc32"
	"io"

	"inquest/sources/wal"
)

const (
	walPage    = 8192
	shortHead  = 24 // access/xlog_internal.h, SizeOfXLogShortPHD
	longHead   = 40 // SizeOfXLogLongPHD, on the first page of a segment
	recordHead = 24 // access/xlogrecord.h, SizeOfXLogRecord
	noop       = 0x20
)

// walWriter lays records out as WAL: each at its own position, with empty
// records in between.
type walWriter struct {
	w        *bufio.Writer
	at       wal.LSN // position of the next byte
	segment  uint32
	magic    uint16
	timeline uint32
	prev     wal.LSN
	begun    bool
	inexact  int
}

func newWALWriter(w io.Writer, from wal.LSN, segment uint32, magic uint16, timeline uint32) *walWriter {
	return &walWriter{w: bufio.NewWriterSize(w, 1<<20), at: from, segment: segment, magic: magic, timeline: timeline}
}

func (o *walWriter) flush() error { return o.w.Flush() }

// headAt is the size of the page header at the start of a page.
func (o *walWriter) headAt(page wal.LSN) wal.LSN {
	if page%wal.LSN(o.segment) == 0 {
		return longHead
	}
	return shortHead
}

// room is the number of bytes of records between two positions.
func (o *walWriter) room(from, to wal.LSN) int {
	n := int(to - from)
	for p := (from + walPage - 1) &^ (walPage - 1); p < to; p += walPage {
		n -= int(min(o.headAt(p), to-p))
	}
	return n
}

// put writes bytes of a record, of which left more remain including these; page
// headers are put in between. cont says that the first byte continues a record.
func (o *walWriter) put(b []byte, cont bool) error {
	for len(b) > 0 {
		if o.at%walPage == 0 {
			if err := o.header(len(b), cont); err != nil {
				return err
			}
		}
		n := min(len(b), int(walPage-o.at%walPage))
		if _, err := o.w.Write(b[:n]); err != nil {
			return err
		}
		b, cont = b[n:], true
		o.at += wal.LSN(n)
	}
	return nil
}

func (o *walWriter) header(left int, cont bool) error {
	info := uint16(0)
	head := make([]byte, longHead)
	if cont {
		info |= 1
		le.PutUint32(head[16:], uint32(left))
	}
	size := o.headAt(o.at)
	if size == longHead {
		info |= 2
		le.PutUint32(head[32:], o.segment)
		le.PutUint32(head[36:], walPage)
	}
	le.PutUint16(head, o.magic)
	le.PutUint16(head[2:], info)
	le.PutUint32(head[4:], o.timeline)
	le.PutUint64(head[8:], uint64(o.at))
	o.at += size
	_, err := o.w.Write(head[:size])
	return err
}

// begin steps over a page header, so that at is where a record starts.
func (o *walWriter) begin() error {
	if o.at%walPage != 0 {
		return nil
	}
	return o.header(0, false)
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// seal fills in a record's header.
func (o *walWriter) seal(raw []byte, xid uint32, rmgr, info byte) {
	le.PutUint32(raw, uint32(len(raw)))
	le.PutUint32(raw[4:], xid)
	le.PutUint64(raw[8:], uint64(o.prev))
	raw[16], raw[17] = info, rmgr
	c := crc32.Update(0, castagnoli, raw[recordHead:])
	le.PutUint32(raw[20:], crc32.Update(c, castagnoli, raw[:20]))
}

// fill writes an empty record that ends where to begins; less room than a
// record needs stays as it is.
func (o *walWriter) fill(to wal.LSN) error {
	if o.at >= to {
		return nil
	}
	if !o.begun { // the rest of a record that began before the segment
		o.begun = true
		if n := o.room(o.at, to); n > 0 {
			return o.put(make([]byte, n), true)
		}
		return nil
	}
	if err := o.begin(); err != nil {
		return err
	}
	n := o.room(o.at, to)
	if n < recordHead {
		return o.pad(to)
	}
	raw := make([]byte, recordHead, n)
	switch rest := n - recordHead; {
	case rest == 0:
	case rest-2 <= 255 && rest >= 2:
		raw = append(raw, 255, byte(rest-2))
	case rest >= 5:
		raw = append(raw, 254)
		raw = le.AppendUint32(raw, uint32(rest-5))
	}
	raw = raw[:n]
	o.seal(raw, 0, 0, noop)
	o.prev = o.at
	return o.put(raw, false)
}

// pad writes zeros up to a position.
func (o *walWriter) pad(to wal.LSN) error {
	for o.at < to {
		if err := o.begin(); err != nil {
			return err
		}
		n := min(to, (o.at/walPage+1)*walPage) - o.at
		if o.at >= to {
			return nil
		}
		if _, err := o.w.Write(make([]byte, n)); err != nil {
			return err
		}
		o.at += n
	}
	return nil
}

// record writes one record at its position, or an empty one in the room of a
// record whose content does not matter: that comes with the next that does.
func (o *walWriter) record(t *told) error {
	if !o.begun {
		if err := o.fill(t.start); err != nil {
			return err
		}
	}
	rmgr, info, main, ok := restore(t)
	if !ok {
		return nil
	}
	if err := o.fill(t.start); err != nil {
		return err
	}
	if err := o.begin(); err != nil {
		return err
	}
	if o.at != t.start {
		o.inexact++
	}
	if n := t.main - len(main); n > 0 {
		main = append(main, make([]byte, n)...) // what is not told
	}
	raw := o.fit(t, main, o.room(o.at, (t.end+7)&^7))
	o.seal(raw, t.xid, rmgr, info)
	o.prev = o.at
	if err := o.put(raw, false); err != nil {
		return err
	}
	return o.align()
}

// fit assembles a record. Room that is left, and too little for an empty record,
// becomes a part of its main data.
func (o *walWriter) fit(t *told, main []byte, room int) []byte {
	raw := o.assemble(t, main)
	gap := room - aligned(len(raw))
	if gap <= 0 || gap >= recordHead {
		return raw
	}
	for extra := gap; extra > 0; extra-- {
		wider := o.assemble(t, append(main[:len(main):len(main)], make([]byte, extra)...))
		if aligned(len(wider)) == room {
			return wider
		}
	}
	return raw
}

func aligned(n int) int { return (n + 7) &^ 7 }

// align writes the zeros after a record.
func (o *walWriter) align() error {
	n := -o.at & 7
	_, err := o.w.Write(make([]byte, n))
	o.at += n
	return err
}

// finish fills up to the end of the WAL.
func (o *walWriter) finish(end wal.LSN) error {
	if err := o.fill(end &^ 7); err != nil {
		return err
	}
	return o.w.Flush()
}
