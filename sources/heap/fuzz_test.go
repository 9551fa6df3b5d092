package heap

import (
	"context"
	"errors"
	"testing"
)

func everyColumn() []Column {
	var cols []Column
	for oid := range layouts {
		c, _ := NewColumn("c", int16(len(cols)+1), oid)
		cols = append(cols, c)
	}
	for oid := range arrayTypes {
		c, _ := NewColumn("a", int16(len(cols)+1), oid)
		cols = append(cols, c)
	}
	return append(cols, Column{Name: "cs", Len: -2, Align: 'c'}, Column{Name: "odd", Len: 7, Align: 'd'}, Column{Name: "none"})
}

func FuzzText(f *testing.F) {
	cols := everyColumn()
	for _, b := range [][]byte{nil, {0, 0x80}, {1, 0, 0, 0x20, 1, 0, 0, 0, 'a'}, {1, 0, 0, 0, 0, 0, 0, 0, 23, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 7, 0, 0, 0}} {
		f.Add(b)
	}
	f.Fuzz(func(_ *testing.T, b []byte) {
		for i := range cols {
			text(cols[i].TypeOID, b, &cols[i])
		}
		userTypeText(b, &Column{Len: -1, TypeName: "mood[]", Labels: map[uint32]string{1: "x"}})
		for _, raw := range []int{0, len(b), 8192} {
			if out, err := DecompressPGLZ(b, raw); err == nil && len(out) != raw {
				panic("length")
			}
			_, _ = DecompressLZ4(b, raw)
		}
	})
}

func FuzzTuple(f *testing.F) {
	f.Add(make([]byte, 40), 0, 0)
	id, _ := NewColumn("id", 1, oidUUID)
	s, _ := NewColumn("s", 2, oidText)
	n, _ := NewColumn("n", 3, oidInt8)
	cols := []Column{s, id, n, {Name: "d", Len: -1, Align: 'd', TypeOID: oidJSONB}}
	m, err := NewMatcher(cols, []KeyPart{{AttNum: 2, Text: "e7a4bff2-adc7-4847-a9d8-25734601b405"}, {AttNum: 1, Text: "x"}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte, from, to int) {
		tup, err := DecodeTuple(b)
		if err != nil {
			return
		}
		if from >= 0 && from <= to && to <= len(tup.Data) {
			tup.From, tup.To = from, to
		}
		values, _ := Decode(cols, tup, func(External) ([]byte, error) { return b, nil })
		if len(values) != len(cols) {
			t.Fatal("one value for every column")
		}
		m.Match(tup)
		m.KeyTexts(tup)
	})
}

func FuzzPage(f *testing.F) {
	f.Add(make([]byte, 64), uint32(1))
	f.Fuzz(func(_ *testing.T, b []byte, blk uint32) {
		raw := make([]byte, PageSize)
		copy(raw, b)
		if len(b) > 64 {
			copy(raw[PageSize-64:], b[len(b)-64:])
		}
		Checksum(raw, blk)
		if p, err := DecodePage(raw); err == nil {
			for i := 0; i <= p.Pointers()+1; i++ {
				p.Tuple(i)
				p.Item(i)
			}
		}
		if p, err := DecodeIndexPage(raw); err == nil {
			for i := 0; i <= p.Pointers()+1; i++ {
				p.IndexTuple(i, 2)
			}
		}
		id, _ := NewColumn("id", 1, oidInt4)
		n := 0
		read := func(_ context.Context, block uint32) ([]byte, error) {
			if n++; block == 0 {
				meta := make([]byte, PageSize)
				copy(meta, raw)
				return meta, nil
			}
			return raw, nil
		}
		s, err := SearchIndex(context.Background(), read, []IndexColumn{{Column: id}}, []string{"7"}, 50)
		if n > 50 || err == nil && s.BlocksRead > 50 || errors.Is(err, errBudget) {
			panic("budget")
		}
	})
}
