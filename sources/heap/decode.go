package heap

import (
	"encoding/binary"
	"fmt"

	"github.com/pierrec/lz4/v4"
)

// Decode splits a row version into one Value for every column of cols, in order and dropped columns included, as heap_deform_tuple
// does. cols must hold every attnum from 1 without a gap. fetch may be nil: values in the TOAST table are then Unknown with
// External set. When the bytes end early or contradict the columns, the values up to there are good, the rest are Unknown, and
// the error says where it happened.
func Decode(cols []Column, t Tuple, fetch FetchFunc) ([]Value, error) {
	values := make([]Value, len(cols))
	w := walker{data: t.Data, from: t.From, to: t.To}
	if w.to == 0 {
		w.to = len(t.Data)
	}
	natts := t.Natts()
	if natts > len(cols) {
		return unknownFrom(values, 0), fmt.Errorf("%w: stores %d columns, table has %d", ErrTuple, natts, len(cols))
	}
	for i := range cols {
		c := &cols[i]
		switch {
		case i >= natts:
			values[i] = missingValue(c)
		case isNull(t.Bitmap, i):
			values[i] = Value{Null: true}
		default:
			d, ok := w.next(c.Len, c.Align)
			if !ok {
				unknownFrom(values[:natts], i)
				for j := natts; j < len(cols); j++ {
					values[j] = missingValue(&cols[j])
				}
				if w.cut {
					return values, nil
				}
				return values, fmt.Errorf("%w: column %d (%s) leaves the data", ErrTuple, i+1, c.Name)
			}
			values[i] = decodeDatum(c, d, fetch)
		}
	}
	return values, nil
}

func unknownFrom(values []Value, i int) []Value {
	for ; i < len(values); i++ {
		values[i] = Value{Unknown: true}
	}
	return values
}

func missingValue(c *Column) Value {
	if c.Missing != nil && !c.Dropped {
		return Value{Missing: true, Text: *c.Missing}
	}
	return Value{Missing: true, Null: true}
}

func isNull(bitmap []byte, i int) bool {
	return i/8 < len(bitmap) && bitmap[i/8]>>(i%8)&1 == 0
}

// walker steps over the stored columns of a version. Bytes outside [from,to) are there but not known.
type walker struct {
	data     []byte
	pos      int
	from, to int
	cut      bool // stopped because a length lies in unknown bytes, which is no damage
}

// datum is one stored column: its bytes, header included for varlena. known is false when part of it lies outside the known bytes.
type datum struct {
	b      []byte
	varlen bool
	known  bool
}

func (w *walker) next(length int16, align byte) (datum, bool) {
	switch {
	case length > 0:
		w.align(align)
		return w.take(int(length), false)
	case length == -1:
		return w.varlena(align)
	case length == -2:
		return w.cstring()
	}
	return datum{}, false
}

func (w *walker) align(a byte) { w.pos = alignTo(w.pos, a) }

func alignTo(pos int, a byte) int {
	switch a {
	case 's':
		return (pos + 1) &^ 1
	case 'i':
		return (pos + 3) &^ 3
	case 'd':
		return (pos + 7) &^ 7
	}
	return pos
}

func (w *walker) take(n int, varlen bool) (datum, bool) {
	if n < 0 || w.pos > len(w.data) || n > len(w.data)-w.pos {
		return datum{}, false
	}
	d := datum{b: w.data[w.pos : w.pos+n], varlen: varlen, known: w.pos >= w.from && w.pos+n <= w.to}
	w.pos += n
	return d, true
}

func (w *walker) hidden(pos, n int) bool {
	if pos < w.from || pos+n > w.to {
		w.cut = w.from != 0 || w.to != len(w.data)
		return true
	}
	return false
}

// varlena steps over a value of length -1. A zero byte is padding before a four-byte header; anything else is a short or external
// header and is not aligned (access/tupmacs.h, att_align_pointer).
func (w *walker) varlena(align byte) (datum, bool) {
	if w.pos >= len(w.data) || w.hidden(w.pos, 1) {
		return datum{}, false
	}
	if w.data[w.pos] == 0 {
		w.align(align)
		if w.pos >= len(w.data) || w.hidden(w.pos, 1) {
			return datum{}, false
		}
	}
	b := w.data[w.pos]
	switch {
	case b == 1:
		if w.pos+1 >= len(w.data) || w.hidden(w.pos, 2) {
			return datum{}, false
		}
		return w.take(externalSize(w.data[w.pos+1]), true)
	case b&1 == 1:
		return w.take(int(b>>1), true)
	}
	if w.pos+4 > len(w.data) || w.hidden(w.pos, 4) {
		return datum{}, false
	}
	n := int(binary.LittleEndian.Uint32(w.data[w.pos:]) >> 2)
	if n < 4 {
		return datum{}, false
	}
	return w.take(n, true)
}

// externalSize is the size of a one-byte-external pointer by its tag: VARTAG_ONDISK is 18, the others never reach disk (varatt.h).
func externalSize(tag byte) int {
	if tag == 18 {
		return 18
	}
	return 10
}

func (w *walker) cstring() (datum, bool) {
	for i := w.pos; i < len(w.data); i++ {
		if w.hidden(i, 1) {
			return datum{}, false
		}
		if w.data[i] == 0 {
			return w.take(i+1-w.pos, false)
		}
	}
	return datum{}, false
}

func decodeDatum(c *Column, d datum, fetch FetchFunc) Value {
	if c.Dropped {
		return Value{Missing: true, Null: true}
	}
	if !d.known {
		return Value{Unknown: true}
	}
	v := Value{Raw: d.b}
	if d.varlen {
		raw, ext, err := detoast(d.b, fetch)
		v.External = ext
		if err != nil {
			v.Unknown, v.Raw = true, nil
			return v
		}
		v.Raw = raw
	}
	v.Text, v.Opaque = text(c.typeOID(), v.Raw, c)
	return v
}

// detoast returns the bytes of a varlena without its header, decompressed and fetched.
func detoast(b []byte, fetch FetchFunc) ([]byte, *External, error) {
	switch {
	case len(b) == 0:
		return nil, nil, ErrTuple
	case b[0] == 1:
		ext, err := decodeExternal(b)
		if err != nil {
			return nil, nil, err
		}
		if fetch == nil {
			return nil, ext, fmt.Errorf("value %d lies in TOAST table %d", ext.ValueID, ext.RelID)
		}
		raw, err := fetchExternal(*ext, fetch)
		return raw, ext, err
	case b[0]&1 == 1:
		return b[1:], nil, nil
	case len(b) < 4:
		return nil, nil, ErrTuple
	case b[0]&3 == 2:
		raw, err := decompress(b[4:])
		return raw, nil, err
	}
	return b[4:], nil, nil
}

// decodeExternal reads a varatt_external: rawsize, extinfo (size and method since 14), value id, table (varatt.h).
func decodeExternal(b []byte) (*External, error) {
	if len(b) < 18 || b[1] != 18 {
		return nil, fmt.Errorf("%w: TOAST pointer of %d bytes", ErrTuple, len(b))
	}
	le := binary.LittleEndian
	raw, info := le.Uint32(b[2:]), le.Uint32(b[6:])
	e := &External{RawSize: raw - 4, Size: info & 0x3fffffff, ValueID: le.Uint32(b[10:]), RelID: le.Uint32(b[14:])}
	if raw < 4 || raw > 1<<30 {
		return nil, fmt.Errorf("%w: TOAST pointer to %d bytes", ErrTuple, raw)
	}
	if e.Size < e.RawSize {
		e.Method = [4]string{"pglz", "lz4", "unknown", "unknown"}[info>>30]
	}
	return e, nil
}

func fetchExternal(e External, fetch FetchFunc) ([]byte, error) {
	raw, err := fetch(e)
	if err != nil {
		return nil, fmt.Errorf("fetch TOAST value %d: %w", e.ValueID, err)
	}
	if len(raw) != int(e.Size) {
		return nil, fmt.Errorf("TOAST value %d: %d bytes of %d", e.ValueID, len(raw), e.Size)
	}
	if e.Method == "" {
		return raw, nil
	}
	return decompress(raw)
}

// decompress expands toast-compressed data that starts with its tcinfo word: raw size in 30 bits, method in 2
// (access/toast_internals.h).
func decompress(b []byte) ([]byte, error) {
	if len(b) < 4 {
		return nil, errCompressed
	}
	info := binary.LittleEndian.Uint32(b)
	size := int(info & 0x3fffffff)
	switch info >> 30 {
	case 0:
		return DecompressPGLZ(b[4:], size)
	case 1:
		return DecompressLZ4(b[4:], size)
	}
	return nil, fmt.Errorf("%w: unknown method %d", errCompressed, info>>30)
}

// DecompressLZ4 expands one raw LZ4 block to exactly rawSize bytes. Damaged input, or a rawSize that the input cannot expand to or
// that is above MaxDatum, is an error.
func DecompressLZ4(src []byte, rawSize int) ([]byte, error) {
	if rawSize < 0 || rawSize > MaxDatum || rawSize > (len(src)+1)*255 {
		return nil, fmt.Errorf("%w: %d bytes said to expand to %d", errCompressed, len(src), rawSize)
	}
	dst := make([]byte, rawSize)
	n, err := lz4.UncompressBlock(src, dst)
	if err != nil || n != rawSize {
		return nil, fmt.Errorf("%w: lz4 gave %d bytes of %d", errCompressed, n, rawSize)
	}
	return dst, nil
}
