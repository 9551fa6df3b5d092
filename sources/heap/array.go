package heap

import (
	"encoding/binary"
	"strconv"
	"strings"
)

// arrayText prints an array datum (without varlena header) as array_out does (utils/array.h: ndim, dataoffset, elemtype, dims, lower
// bounds, null bitmap, elements).
func arrayText(b []byte, c *Column) (string, bool) {
	a, ok := decodeArray(b, c)
	if !ok {
		return "", false
	}
	if len(a.dims) == 0 {
		return "{}", true
	}
	elems, ok := a.elements(b, c)
	if !ok {
		return "", false
	}
	var s strings.Builder
	a.writeBounds(&s)
	a.write(&s, elems, 0)
	return s.String(), true
}

type array struct {
	elem   uint32
	layout layout
	dims   []int
	lower  []int
	bitmap []byte
	data   int // offset of the first element within the datum
	count  int
}

func decodeArray(b []byte, c *Column) (array, bool) {
	if len(b) < 12 {
		return array{}, false
	}
	word := func(i int) int { return int(int32(binary.LittleEndian.Uint32(b[i:]))) }
	n, dataOffset := word(0), word(4)
	a := array{elem: binary.LittleEndian.Uint32(b[8:]), count: 1}
	if n < 0 || n > 6 || len(b) < 12+8*n {
		return a, false
	}
	for i := 0; i < n; i++ {
		d := word(12 + 4*i)
		if d <= 0 || d > len(b)*8 || a.count > len(b)*8 {
			return a, false
		}
		a.count *= d
		a.dims, a.lower = append(a.dims, d), append(a.lower, word(12+4*n+4*i))
	}
	if a.count > len(b)*8 {
		return a, false
	}
	// Offsets count from the four-byte varlena header that b no longer has.
	header := 12 + 8*n
	a.data = alignTo(header+4, 'd') - 4
	if dataOffset != 0 {
		nb := (a.count + 7) / 8
		if len(b) < header+nb {
			return a, false
		}
		a.bitmap, a.data = b[header:header+nb], dataOffset-4
	}
	a.layout = elementLayout(a.elem, c)
	return a, a.layout.len != 0 && a.data >= header && (n == 0 || a.data <= len(b))
}

func elementLayout(elem uint32, c *Column) layout {
	if l, ok := layouts[elem]; ok {
		return l
	}
	if c != nil && c.Labels != nil {
		return layout{4, 'i'}
	}
	return layout{}
}

// elements returns the printed elements; nil stands for NULL.
func (a array) elements(b []byte, c *Column) ([]*string, bool) {
	w := walker{data: b[a.data:], to: len(b) - a.data}
	out := make([]*string, 0, a.count)
	for i := 0; i < a.count; i++ {
		if isNull(a.bitmap, i) {
			out = append(out, nil)
			continue
		}
		s, ok := a.element(&w, c)
		if !ok {
			return nil, false
		}
		out = append(out, &s)
	}
	return out, true
}

func (a array) element(w *walker, c *Column) (string, bool) {
	// Elements with a short header are not aligned either, as in a row.
	d, ok := w.next(a.layout.len, a.layout.align)
	if !ok {
		return "", false
	}
	raw := d.b
	if d.varlen {
		var err error
		if raw, _, err = detoast(d.b, nil); err != nil {
			return "", false
		}
	}
	if _, known := layouts[a.elem]; !known {
		return enumText(raw, c.Labels), len(raw) == 4
	}
	return typedText(a.elem, raw, nil)
}

func (a array) writeBounds(s *strings.Builder) {
	plain := true
	for _, l := range a.lower {
		plain = plain && l == 1
	}
	if plain {
		return
	}
	for i, l := range a.lower {
		s.WriteString("[" + strconv.Itoa(l) + ":" + strconv.Itoa(l+a.dims[i]-1) + "]")
	}
	s.WriteByte('=')
}

func (a array) write(s *strings.Builder, elems []*string, dim int) []*string {
	delim := byte(',')
	if a.elem == oidBox {
		delim = ';'
	}
	s.WriteByte('{')
	for i := 0; i < a.dims[dim]; i++ {
		if i > 0 {
			s.WriteByte(delim)
		}
		if dim+1 < len(a.dims) {
			elems = a.write(s, elems, dim+1)
			continue
		}
		writeElement(s, elems[0], delim)
		elems = elems[1:]
	}
	s.WriteByte('}')
	return elems
}

func writeElement(s *strings.Builder, e *string, delim byte) {
	switch {
	case e == nil:
		s.WriteString("NULL")
	case *e == "" || strings.EqualFold(*e, "null") || strings.ContainsAny(*e, "{}\"\\ \t\n\r\v\f"+string(rune(delim))):
		s.WriteByte('"')
		for i := 0; i < len(*e); i++ {
			if ch := (*e)[i]; ch == '"' || ch == '\\' {
				s.WriteByte('\\')
			}
			s.WriteByte((*e)[i])
		}
		s.WriteByte('"')
	default:
		s.WriteString(*e)
	}
}

// rangeText prints a built-in range: range type oid, lower bound, upper bound, flags byte at the end (utils/rangetypes.h).
func rangeText(oid uint32, b []byte) (string, bool) {
	elem := rangeElements[oid]
	if len(b) < 5 {
		return "", false
	}
	flags := b[len(b)-1]
	if flags&0x01 != 0 {
		return "empty", true
	}
	// Bounds are aligned against the start of the datum with its header; four zero bytes stand in for it.
	w := walker{data: append(make([]byte, 4), b[:len(b)-1]...), pos: 8}
	w.to = len(w.data)
	s := "("
	if flags&0x02 != 0 {
		s = "["
	}
	for i, absent := range [2]byte{0x08 | 0x20, 0x10 | 0x40} {
		if i == 1 {
			s += ","
		}
		if flags&absent != 0 {
			continue
		}
		t, ok := (array{elem: elem, layout: layouts[elem]}).element(&w, nil)
		if !ok {
			return "", false
		}
		if strings.ContainsAny(t, " ,()[]\"\\") {
			t = `"` + t + `"`
		}
		s += t
	}
	if flags&0x04 != 0 {
		return s + "]", true
	}
	return s + ")", true
}
