package wal

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"hash/crc32"
	"testing"

	"inquest/sources/heap"
)

// memory is a Source over one segment in memory.
type memory struct{ data []byte }

func (m memory) List(context.Context) ([]Segment, error) {
	s, err := SegmentFrom("000000010000000000000001", m.data, "memory")
	s.Avail = int64(len(m.data))
	if err == nil {
		return []Segment{s}, nil
	}
	return nil, nil
}

func (m memory) ReadAt(_ context.Context, _ Segment, off int64, n int) ([]byte, error) {
	if off >= int64(len(m.data)) {
		return nil, nil
	}
	return m.data[off:min(off+int64(n), int64(len(m.data)))], nil
}

// memoryAhead is one of which pieces are read ahead.
type memoryAhead struct{ memory }

func (m memoryAhead) ReadInto(ctx context.Context, g Segment, off int64, b []byte) (int, bool, error) {
	got, err := m.ReadAt(ctx, g, off, len(b))
	return copy(b, got), true, err
}

// firstPage frames record bytes as the first page of a segment, with CRCs made right so that fuzzing gets past them.
func firstPage(magic uint16, body []byte) []byte {
	p := make([]byte, longHeader, PageSize)
	le := binary.LittleEndian
	le.PutUint16(p, magic)
	le.PutUint16(p[2:], pageLong)
	le.PutUint32(p[4:], 1)
	le.PutUint64(p[8:], 1<<20)
	le.PutUint32(p[32:], 1<<20)
	le.PutUint32(p[36:], PageSize)
	prev := uint64(0)
	for len(body) >= RecordHeaderSize && len(p)+len(body) < PageSize*3 {
		n := min(max(int(body[0])|int(body[1])<<8, RecordHeaderSize), len(body))
		rec := append([]byte(nil), body[:n]...)
		le.PutUint32(rec, uint32(n))
		at := 1<<20 + uint64(len(p))
		le.PutUint64(rec[8:], prev)
		rec[17] %= 22
		c := crcOf(rec)
		le.PutUint32(rec[20:], c)
		prev = at
		p = append(p, rec...)
		for len(p)%8 != 0 {
			p = append(p, 0)
		}
		body = body[n:]
		if len(p) >= PageSize {
			break
		}
	}
	return p
}

func crcOf(rec []byte) uint32 {
	c := crc32.Update(0, castagnoli, rec[RecordHeaderSize:])
	return crc32.Update(c, castagnoli, rec[:20])
}

func FuzzTrace(f *testing.F) {
	f.Add(uint16(magic15), []byte("\x40\x00 seed"), byte(0))
	insert := make([]byte, 120)
	insert[0], insert[17] = 120, rmHeap
	copy(insert[24:], []byte{0, 0x20, 30, 0, 0x7f, 6, 0, 0, 5, 0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 255, 3})
	f.Add(uint16(magic17), insert, byte(1))
	id, _ := heap.NewColumn("id", 1, 2950)
	n, _ := heap.NewColumn("n", 2, 25)
	tg := Target{
		Rel: RelFile{1663, 5, 16384}, OID: 16384, Table: "t", Columns: []heap.Column{id, n},
		Key:     []heap.KeyPart{{AttNum: 1, Text: "e7a4bff2-adc7-4847-a9d8-25734601b405"}},
		Indexes: []IndexTarget{{Rel: RelFile{1663, 5, 16385}, Name: "pk", KeyAttNums: []int16{1}}}, ToastRel: RelFile{1663, 5, 16386},
	}
	f.Fuzz(func(t *testing.T, magic uint16, body []byte, mode byte) {
		data := body
		if mode&1 == 0 {
			data = firstPage(magic, body)
		}
		opt := Options{SkipCRC: mode&2 != 0, chunk: PageSize << (mode >> 2 & 3)}
		l, err := Trace(context.Background(), memory{data}, []Target{tg}, opt)
		if err != nil {
			t.Fatal(err)
		}
		ahead, err := Trace(context.Background(), memoryAhead{memory{data}}, []Target{tg}, opt)
		if err != nil {
			t.Fatal(err)
		}
		want, _ := json.Marshal(l)
		if got, _ := json.Marshal(ahead); !bytes.Equal(got, want) {
			t.Fatalf("read ahead\n%s\none piece after the other\n%s", got, want)
		}
		if len(l.Events) > maxEvents {
			t.Fatal("too many events")
		}
	})
}

func FuzzRecord(f *testing.F) {
	f.Add(uint16(magic15), make([]byte, 40))
	f.Fuzz(func(_ *testing.T, magic uint16, raw []byte) {
		if len(raw) < RecordHeaderSize {
			return
		}
		r := Record{Raw: raw, Magic: magic, RMGR: raw[17], Info: raw[16], XID: 7}
		firstRel(&r)
		if r.Decode() != nil {
			return
		}
		for i := range r.Blocks {
			if r.Blocks[i].HasImage {
				if p, err := r.Blocks[i].Image.Restore(); err == nil && len(p) != heap.PageSize {
					panic("an image is a page")
				}
			}
		}
		if c, ok, _ := r.DecodeHeap(); ok {
			c.Complete(heap.Tuple{Data: make([]byte, 100)})
			_, _ = heap.Decode([]heap.Column{{Len: 16, Align: 'c'}, {Len: -1, Align: 'i'}}, c.New, nil)
		}
		if m, err := r.DecodeMultiInsert(); err == nil {
			for {
				if _, _, _, ok := m.Next(); !ok {
					break
				}
			}
		}
		r.RMGR = rmHeap2
		r.DecodePrune()
		_, _, _ = r.DecodeXact()
		r.decodeLocks()
		r.decodeCheckpoint()
	})
}
