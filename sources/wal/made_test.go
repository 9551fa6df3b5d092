package wal

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"testing"

	"inquest/sources/heap"
)

// made is WAL written by a test: pages with their headers, records that go over pages and segments, and what a server leaves besides.
type made struct {
	rnd   *rand.Rand
	size  int64
	magic uint16
	tli   uint32
	start LSN
	b     []byte // from start
	prev  LSN
	xid   uint32
}

func newMade(seed uint64, size int64) *made {
	m := &made{rnd: rand.New(rand.NewPCG(seed, 3)), size: size, tli: 1, start: LSN(size), xid: 700}
	m.magic = []uint16{magic13, magic14, magic15, magic16, magic17, magic18}[m.rnd.IntN(6)]
	return m
}

func (m *made) pos() LSN { return m.start + LSN(len(m.b)) }

// header begins a page, inside a record of which rest is still to come when that is not 0.
func (m *made) header(rest int, flags uint16) {
	le, at := binary.LittleEndian, m.pos()
	n := shortHeader
	if int64(at)%m.size == 0 {
		n, flags = longHeader, flags|pageLong
	}
	if rest > 0 {
		flags |= pageContRecord
	}
	h := make([]byte, n)
	le.PutUint16(h, m.magic)
	le.PutUint16(h[2:], flags)
	le.PutUint32(h[4:], m.tli)
	le.PutUint64(h[8:], uint64(at))
	le.PutUint32(h[16:], uint32(rest))
	if n == longHeader {
		le.PutUint64(h[24:], 4711)
		le.PutUint32(h[32:], uint32(m.size))
		le.PutUint32(h[36:], PageSize)
	}
	m.b = append(m.b, h...)
}

// put writes bytes of a record over pages.
func (m *made) put(b []byte) {
	for first := true; len(b) > 0; first = false {
		if len(m.b)%PageSize == 0 {
			rest := len(b)
			if first {
				rest = 0
			}
			m.header(rest, 0)
		}
		n := min(len(b), PageSize-len(m.b)%PageSize)
		m.b = append(m.b, b[:n]...)
		b = b[n:]
	}
}

func (m *made) raw(rm, info uint8, xid uint32, body []byte) []byte {
	r := make([]byte, RecordHeaderSize, RecordHeaderSize+len(body))
	le := binary.LittleEndian
	le.PutUint32(r, uint32(RecordHeaderSize+len(body)))
	le.PutUint32(r[4:], xid)
	le.PutUint64(r[8:], uint64(m.prev))
	r[16], r[17] = info, rm
	r = append(r, body...)
	c := crc32.Update(0, castagnoli, r[RecordHeaderSize:])
	le.PutUint32(r[20:], crc32.Update(c, castagnoli, r[:20]))
	return r
}

// next returns where a record that is written now begins.
func (m *made) next() LSN {
	if len(m.b)%PageSize != 0 {
		return m.pos()
	}
	if int64(m.pos())%m.size == 0 {
		return m.pos() + longHeader
	}
	return m.pos() + shortHeader
}

func (m *made) record(rm, info uint8, xid uint32, body []byte) {
	at := m.next()
	m.put(m.raw(rm, info, xid, body))
	m.b = append(m.b, make([]byte, (8-len(m.b)%8)%8)...)
	m.prev = at
}

func (m *made) bytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(m.rnd.Uint32())
	}
	return b
}

func mainData(b []byte) []byte {
	if len(b) < 256 {
		return append([]byte{255, byte(len(b))}, b...)
	}
	return append(binary.LittleEndian.AppendUint32([]byte{254}, uint32(len(b))), b...)
}

func relBytes(f RelFile) []byte {
	le := binary.LittleEndian
	return le.AppendUint32(le.AppendUint32(le.AppendUint32(nil, f.Spc), f.DB), f.Rel)
}

// block is a record body with one block reference: its data, then main data.
func block(f RelFile, blk uint32, data, main []byte) []byte {
	le := binary.LittleEndian
	b := le.AppendUint16([]byte{0, 0x20}, uint16(len(data)))
	b = le.AppendUint32(append(b, relBytes(f)...), blk)
	head := mainData(main)
	n := len(head) - len(main)
	b = append(b, head[:n]...)
	return append(append(b, data...), main...)
}

var (
	madeTable = RelFile{1663, 5, 16384}
	madeIndex = RelFile{1663, 5, 17007}
	madeKey   = []byte("\xe7\xa4\xbf\xf2\xad\xc7\x48\x47\xa9\xd8\x25\x73\x46\x01\xb4\x05")
)

// row is the data of an insert: a tuple of a uuid and a number.
func (m *made) row(key []byte) []byte {
	b := []byte{2, 0, 0, 8, 24} // two columns, no flags but xmax invalid, where the data begins
	return append(append(append(b, 0), key...), m.bytes(4)...)
}

// step writes something that a server might.
func (m *made) step() {
	le := binary.LittleEndian
	key := madeKey
	if m.rnd.IntN(3) > 0 {
		key = m.bytes(16)
	}
	file := madeTable
	if m.rnd.IntN(4) > 0 {
		file.Rel = 17000 + uint32(m.rnd.IntN(300))
	}
	if m.rnd.IntN(30) == 0 {
		file.Rel += 65536 // the same in a filter of file numbers
	}
	slot := le.AppendUint16(nil, uint16(1+m.rnd.IntN(5)))
	blk := uint32(m.rnd.IntN(4))
	if m.rnd.IntN(3) == 0 {
		m.xid++
	}
	switch m.rnd.IntN(16) {
	case 0, 1, 2:
		m.record(rmHeap, heapInsert, m.xid, block(file, blk, m.row(key), append(slot, 0)))
	case 3:
		m.record(rmHeap, heapDelete, m.xid, block(file, blk, nil, append(append(le.AppendUint32(nil, m.xid), slot...), 0, 0)))
	case 4:
		m.record(rmHeap, heapLock, m.xid, block(file, blk, nil, append(append(le.AppendUint32(nil, m.xid), slot...), 0, 0)))
	case 5, 6, 7:
		m.record(rmXact, []uint8{xactCommit, xactCommit, xactAbort}[m.rnd.IntN(3)], m.xid, mainData(le.AppendUint64(nil, uint64(len(m.b)))))
		m.xid++
	case 8:
		m.record(rmXact, xactCommit|xactHasInfo, m.xid, mainData(le.AppendUint32(le.AppendUint64(nil, uint64(len(m.b))), 0)))
	case 9:
		m.record(rmStorage, storageCreate, m.xid, mainData(append(relBytes(file), 0, 0, 0, 0)))
	case 10:
		if m.rnd.IntN(2) == 0 {
			file.Rel = madeIndex.Rel
		}
		entry := append([]byte{0, 0, byte(blk), 0, slot[0], slot[1], 24, 0}, key...)
		m.record(rmBtree, btInsertLeaf, m.xid, block(file, blk, entry, slot))
	case 11:
		m.record(21, 0, 0, mainData(m.bytes(m.rnd.IntN(300)))) // logical message
	case 12:
		m.record(uint8(12+m.rnd.IntN(9)), uint8(m.rnd.IntN(8))<<4, m.xid, mainData(m.bytes(m.rnd.IntN(2000))))
	case 13:
		if m.rnd.IntN(8) == 0 {
			m.record(21, 0, m.xid, mainData(m.bytes(m.rnd.IntN(6*PageSize))))
		}
	case 14:
		m.record(rmXLOG, xlogNextOID, 0, mainData(m.bytes(4)))
	case 15:
		m.record(200, 0, m.xid, mainData(m.bytes(m.rnd.IntN(40)))) // an extension's
	}
}

// rare writes what ends a segment, a page or a timeline before its time.
func (m *made) rare() {
	switch m.rnd.IntN(5) {
	case 0: // pg_switch_wal
		m.record(rmXLOG, xlogSwitch, 0, nil)
		m.b = append(m.b, make([]byte, (m.size-int64(len(m.b))%m.size)%m.size)...)
	case 1: // a crash inside a record: recovery goes on at the next page
		at := m.next()
		r := m.raw(21, 0, m.xid, mainData(m.bytes(PageSize+m.rnd.IntN(3*PageSize))))
		part := PageSize - int(at)%PageSize
		if len(m.b)%PageSize == 0 {
			m.header(0, 0)
		}
		m.b = append(m.b, r[:part]...)
		m.header(0, pageOverwrite)
		m.record(rmXLOG, 0xd0, 0, mainData(m.bytes(16)))
	case 2: // longer than a segment of 1 MB, or than the pieces that are read at once
		m.record(21, 0, m.xid, mainData(m.bytes(int(m.size/4)+m.rnd.IntN(int(m.size)))))
	case 3: // an unknown kind of record: no server writes it
		if m.rnd.IntN(3) == 0 {
			m.record(77, 0, 0, mainData(m.bytes(10)))
		}
	case 4: // an upgrade would not, but nothing forbids it
		m.fill()
		m.magic = magic18
	}
}

// fill writes up to the end of a page.
func (m *made) fill() {
	for len(m.b)%PageSize != 0 {
		room := PageSize - len(m.b)%PageSize
		m.record(21, 0, 0, mainData(m.bytes(max(0, min(room-RecordHeaderSize-2, 200)))))
		if len(m.b)%PageSize < room {
			continue
		}
	}
}

// shelf is a Source over what a test made.
type shelf struct {
	list   []Segment
	files  map[Segment][]byte
	broken string // the segment that cannot be read to its end
}

func (m *made) shelf() *shelf {
	s := &shelf{files: map[Segment][]byte{}}
	for off := int64(0); off < int64(len(m.b)); off += m.size {
		b := m.b[off:min(off+m.size, int64(len(m.b)))]
		b = append(slices.Clone(b), make([]byte, m.size-int64(len(b)))...) // a segment is zeros behind its last record
		g := Segment{Name: SegmentName(1, m.start+LSN(off), m.size), TLI: 1, Start: m.start + LSN(off), Size: m.size, Avail: m.size}
		s.list, s.files[g] = append(s.list, g), b
	}
	return s
}

func (s *shelf) List(context.Context) ([]Segment, error) { return slices.Clone(s.list), nil }

func (s *shelf) ReadAt(_ context.Context, g Segment, off int64, n int) ([]byte, error) {
	b, ok := s.files[g]
	if !ok {
		return nil, errors.New("there is no such segment")
	}
	if off >= int64(len(b)) {
		return nil, nil
	}
	if g.Name == s.broken && off+int64(n) > g.Size/2 {
		return nil, errors.New("input/output error")
	}
	return b[off:min(off+int64(n), int64(len(b)))], nil
}

// early is a shelf of which pieces are read ahead.
type early struct {
	*shelf
	but string // of which segment they are not
}

func (s *early) ReadInto(ctx context.Context, g Segment, off int64, b []byte) (int, bool, error) {
	if g.Name == s.but {
		return 0, false, nil
	}
	got, err := s.ReadAt(ctx, g, off, len(b))
	return copy(b, got), true, err
}

// harm does to WAL what disks, archives and people do.
func (s *shelf) harm(rnd *rand.Rand) {
	for range rnd.IntN(4) {
		i := rnd.IntN(len(s.list))
		g := s.list[i]
		b := s.files[g]
		if len(b) == 0 {
			continue
		}
		switch rnd.IntN(7) {
		case 0, 1: // bits
			for range 1 + rnd.IntN(3) {
				b[rnd.IntN(len(b))] ^= byte(1 + rnd.IntN(255))
			}
		case 2: // a page of zeros
			at := rnd.IntN(len(b)) &^ (PageSize - 1)
			clear(b[at:min(at+PageSize, len(b))])
		case 3: // cut short
			n := rnd.IntN(len(b))
			delete(s.files, g)
			g.Avail = int64(max(n, 1))
			s.list[i], s.files[g] = g, b[:n]
		case 4: // missing
			s.list = slices.Delete(s.list, i, i+1)
			if len(s.list) == 0 {
				return
			}
		case 5: // a page of elsewhere
			o := s.files[s.list[rnd.IntN(len(s.list))]]
			if n := min(len(o), len(b)) / PageSize; n > 0 {
				copy(b[rnd.IntN(n)*PageSize:][:PageSize], o[rnd.IntN(n)*PageSize:])
			}
		case 6: // a header
			at := rnd.IntN(len(b)) &^ (PageSize - 1)
			if at+shortHeader <= len(b) {
				b[at+rnd.IntN(shortHeader)] ^= byte(1 << rnd.IntN(8))
			}
		}
	}
}

// walkOver returns all that a Reader tells.
func walkOver(t *testing.T, src Source, opt ReaderOptions, limits map[LSN]LSN) string {
	t.Helper()
	plan, err := MakePlan(t.Context(), src, 0)
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range limits {
		plan.limits[k] = v
	}
	r := NewReader(src, plan, opt)
	var out bytes.Buffer
	sum := fnv.New64a()
	for r.Next(t.Context()) {
		rec := r.Record()
		fmt.Fprint(sum, rec.LSN, rec.End, rec.TLI, rec.Magic, rec.XID, rec.RMGR, rec.Info)
		sum.Write(rec.Raw)
	}
	fmt.Fprintf(&out, "%x %d records %d bytes %d bad; %s; %v\ncovered %v\ngaps %v", sum.Sum64(), r.Records, r.Bytes, r.BadCRC, r.End(), r.Err(), r.Covered(), r.Gaps())
	return out.String()
}

func madeTarget() Target {
	id, _ := heap.NewColumn("id", 1, 2950)
	n, _ := heap.NewColumn("n", 2, 23)
	return Target{
		Rel: madeTable, OID: 16384, Table: "t", Columns: []heap.Column{id, n}, Key: []heap.KeyPart{{AttNum: 1, Text: "e7a4bff2-adc7-4847-a9d8-25734601b405"}},
		Indexes: []IndexTarget{{Rel: madeIndex, Name: "pk", KeyAttNums: []int16{1}}},
	}
}

func traced(t *testing.T, src Source, opt Options) string {
	t.Helper()
	l, err := Trace(t.Context(), src, []Target{madeTarget()}, opt)
	if err != nil {
		return err.Error()
	}
	b, err := json.MarshalIndent(l, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
