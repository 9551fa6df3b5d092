package wal

import (
	"encoding/binary"

	"inquest/sources/heap"
)

// catalogueRow is a decoded row of the catalogue, by column names.
type catalogueRow map[string]heap.Value

func (t *CatalogueTable) row(tuple heap.Tuple) catalogueRow {
	out := catalogueRow{}
	values, _ := heap.Decode(t.Columns, tuple, nil)
	for i, v := range values {
		out[t.Columns[i].Name] = v
	}
	return out
}

func (r catalogueRow) null(column string) bool { return r[column].Null || r[column].Missing }

// text returns a value of type name, "char" or bool as text.
func (r catalogueRow) text(column string) string { return r[column].Text }

func (r catalogueRow) oid(column string) uint32 {
	if raw := r[column].Raw; len(raw) == 4 {
		return binary.LittleEndian.Uint32(raw)
	}
	return 0
}

// int reads an int2 or int4.
func (r catalogueRow) int(column string) int {
	switch raw := r[column].Raw; len(raw) {
	case 2:
		return int(int16(binary.LittleEndian.Uint16(raw)))
	case 4:
		return int(int32(binary.LittleEndian.Uint32(raw)))
	}
	return 0
}

// int2s reads an int2vector: ndim, dataoffset, elemtype, dim, lower bound, then the numbers (utils/array.h, c.h).
func (r catalogueRow) int2s(column string) []int16 {
	raw := r[column].Raw
	const head = 20
	if len(raw) < head {
		return nil
	}
	n := int(binary.LittleEndian.Uint32(raw[12:]))
	var out []int16
	for i := 0; i < n && head+2*i+2 <= len(raw); i++ {
		out = append(out, int16(binary.LittleEndian.Uint16(raw[head+2*i:])))
	}
	return out
}
