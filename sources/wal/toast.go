package wal

import (
	"encoding/binary"
	"fmt"
	"slices"

	"inquest/sources/heap"
)

// chunkRecord keeps the chunks of wanted out-of-line values: rows of (chunk_id oid, chunk_seq int4, chunk_data bytea).
func (d *describer) chunkRecord(rec *Record) {
	if rec.RMGR == rmHeap2 && rec.Info&heapOpMask == heap2MultiInsert {
		m, err := rec.DecodeMultiInsert()
		for err == nil {
			_, t, has, ok := m.Next()
			if !ok {
				break
			}
			if has {
				d.chunk(t)
			}
		}
	} else if rec.RMGR == rmHeap {
		if c, ok, _ := rec.DecodeHeap(); ok && c.Op == heapInsert && c.HasNew {
			d.chunk(c.New)
		}
	}
	for i := range rec.Blocks {
		d.chunkImage(&rec.Blocks[i])
	}
}

func (d *describer) chunkImage(b *Block) {
	if !b.HasImage || !d.toast[b.Rel] || b.Fork != 0 {
		return
	}
	raw, err := b.Image.Restore()
	if err != nil {
		return
	}
	p, err := heap.DecodePage(raw)
	if err != nil || !p.IsHeap() {
		return
	}
	for n := 1; n <= p.Pointers(); n++ {
		if t, ok := p.Tuple(n); ok {
			d.chunk(t)
		}
	}
}

func (d *describer) chunk(t heap.Tuple) {
	if len(t.Data) < 9 || t.Natts() != 3 {
		return
	}
	le := binary.LittleEndian
	have := d.chunks[le.Uint32(t.Data)]
	if have == nil {
		return
	}
	values, err := heap.Decode(toastColumns, t, nil)
	if err == nil && !values[2].Unknown && len(have) < 1<<16 {
		have[le.Uint32(t.Data[4:])] = slices.Clone(values[2].Raw)
	}
}

var toastColumns = func() []heap.Column {
	id, _ := heap.NewColumn("chunk_id", 1, 26)
	seq, _ := heap.NewColumn("chunk_seq", 2, 23)
	data, _ := heap.NewColumn("chunk_data", 3, 17)
	return []heap.Column{id, seq, data}
}()

func (d *describer) fetch(e heap.External) ([]byte, error) {
	have := d.chunks[e.ValueID]
	var out []byte
	for i := uint32(0); len(out) < int(e.Size); i++ {
		c, ok := have[i]
		if !ok {
			return nil, fmt.Errorf("chunk %d is not in the WAL read", i)
		}
		out = append(out, c...)
	}
	return out, nil
}
