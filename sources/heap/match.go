package heap

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
)

// KeyPart is the wanted value of one column.
type KeyPart struct {
	AttNum int16  `json:"attnum"`
	Text   string `json:"text"`
	// Also are other texts that mean the same value to people, such as a uuid in upper
	// case or without hyphens in a text column.
	Also []string `json:"also,omitempty"`
}

// Match is the outcome of comparing a row version with a key.
type Match uint8

// The three outcomes of Matcher.Match. Undecided means that the key columns do not lie within the known bytes.
const (
	Different Match = iota
	Same
	Undecided
)

// Matcher compares row versions with one key, by type and without allocating for types that EncodeKey covers.
type Matcher struct {
	cols  []Column
	parts []matchPart // by column index, ascending
	order []int       // index into parts of each part of the key
}

type matchPart struct {
	index  int
	offset int // of the stored bytes in a version without nulls, -1 when it varies
	want   string
	raw    []byte // nil: compare texts
	also   []matchPart
	most   int // the longest of raw and the others'
}

// NewMatcher prepares the comparison of a key with versions of a table. Errors: a part names a column that is not there, or its text is
// no value of the column's type, so that no row of the table can hold the key.
func NewMatcher(cols []Column, key []KeyPart) (*Matcher, error) {
	if len(key) == 0 {
		return nil, errors.New("empty key")
	}
	m := &Matcher{cols: cols}
	for i := range cols {
		for _, k := range key {
			if int(k.AttNum) != i+1 {
				continue
			}
			raw, err := EncodeKey(cols[i].typeOID(), k.Text)
			if err != nil && !errors.Is(err, ErrNoEncoding) {
				return nil, fmt.Errorf("column %s: %w", cols[i].Name, err)
			}
			p := matchPart{index: i, offset: fixedOffset(cols, i), want: k.Text, raw: raw, most: len(raw)}
			if cols[i].Len < 0 { // others are of one length and have one form
				p.addSpellings(cols[i].typeOID(), k.Also)
			}
			m.parts = append(m.parts, p)
		}
	}
	if len(m.parts) != len(key) {
		return nil, fmt.Errorf("key of %d columns: only %d are in the table", len(key), len(m.parts))
	}
	for _, k := range key {
		m.order = append(m.order, slices.IndexFunc(m.parts, func(p matchPart) bool { return p.index == int(k.AttNum)-1 }))
	}
	return m, nil
}

// addSpellings adds the texts that are values of the type.
func (p *matchPart) addSpellings(typeOID uint32, texts []string) {
	for _, t := range texts {
		raw, err := EncodeKey(typeOID, t)
		if err == nil == (p.raw != nil) {
			p.also = append(p.also, matchPart{index: p.index, offset: p.offset, want: t, raw: raw})
			p.most = max(p.most, len(raw))
		}
	}
}

// fixedOffset returns where column i begins when no column is null, or -1 when an earlier column varies in length.
func fixedOffset(cols []Column, i int) int {
	if cols[i].Len < 0 {
		return -1
	}
	pos := 0
	for _, c := range cols[:i] {
		if c.Len < 0 {
			return -1
		}
		pos = alignTo(pos, c.Align) + int(c.Len)
	}
	return alignTo(pos, cols[i].Align)
}

// Match compares a version's key columns with the key. NULL never matches.
func (m *Matcher) Match(t Tuple) Match {
	w := walker{data: t.Data, from: t.From, to: t.To}
	if w.to == 0 {
		w.to = len(t.Data)
	}
	natts, at := t.Natts(), 0
	if natts > len(m.cols) {
		return Different
	}
	for i := range m.parts {
		p := &m.parts[i]
		if p.index >= natts {
			if c := &m.cols[p.index]; c.Missing == nil || !EqualText(c.typeOID(), *c.Missing, p.want) { // a default is nobody's key in another spelling
				return Different
			}
			continue
		}
		if len(t.Bitmap) == 0 && p.offset >= 0 && p.raw != nil {
			if r := p.matchAt(w, p.offset); r != Same {
				return r
			}
			continue
		}
		for ; at < p.index; at++ {
			if isNull(t.Bitmap, at) {
				continue
			}
			if _, ok := w.next(m.cols[at].Len, m.cols[at].Align); !ok {
				return w.failure()
			}
		}
		if isNull(t.Bitmap, p.index) {
			return Different
		}
		at++
		if r := p.matchNext(&w, &m.cols[p.index]); r != Same {
			return r
		}
	}
	return Same
}

// MatchKept is Match for the successor of a version that has the key: what lies before t.From is as it was there (the prefix of a WAL
// update record).
func (m *Matcher) MatchKept(t Tuple) Match {
	r := m.Match(t)
	if r != Undecided || len(t.Bitmap) > 0 {
		return r
	}
	for i := range m.parts {
		p := &m.parts[i]
		start, ok := keptOffset(m.cols, p.index)
		if !ok || p.raw == nil || p.index >= t.Natts() {
			return Undecided
		}
		if m.cols[p.index].Len == -1 {
			// Short or long header: only a prefix that covers the value in either form will do.
			if alignTo(start, 'i')+4+p.most > t.From {
				return Undecided
			}
			continue
		}
		end := min(start+len(p.raw), t.To)
		for at := max(start, t.From); at < end; at++ {
			if t.Data[at] != p.raw[at-start] {
				return Different
			}
		}
		if start+len(p.raw) > t.To {
			return Undecided
		}
	}
	return Same
}

// KeptBy reports that the first n bytes of a version's data hold all of its key, so that a version that begins with the same bytes has the
// same key.
func (m *Matcher) KeptBy(n int) bool {
	for _, p := range m.parts {
		start, ok := keptOffset(m.cols, p.index)
		if !ok || p.raw == nil {
			return false
		}
		if m.cols[p.index].Len == -1 {
			start = alignTo(start, 'i') + 4 // a long header
		}
		if start+p.most > n {
			return false
		}
	}
	return true
}

// keptOffset returns where column i begins, when the columns before it are never null and of fixed length.
func keptOffset(cols []Column, i int) (int, bool) {
	pos := 0
	for _, c := range cols[:i] {
		if c.Len < 0 || !c.NotNull || c.Dropped {
			return 0, false
		}
		pos = alignTo(pos, c.Align) + int(c.Len)
	}
	if cols[i].Len < 0 {
		return pos, cols[i].Len == -1 // a short value is not aligned
	}
	return alignTo(pos, cols[i].Align), true
}

func (w *walker) failure() Match {
	if w.cut {
		return Undecided
	}
	return Different
}

func (p *matchPart) matchAt(w walker, pos int) Match {
	end := pos + len(p.raw)
	switch {
	case end > len(w.data):
		return Different
	case pos < w.from || end > w.to:
		return Undecided
	case bytes.Equal(w.data[pos:end], p.raw):
		return Same
	}
	return Different
}

func (p *matchPart) matchNext(w *walker, c *Column) Match {
	d, ok := w.next(c.Len, c.Align)
	if !ok {
		return w.failure()
	}
	if !d.known {
		return Undecided
	}
	raw := d.b
	if d.varlen {
		if p.raw != nil && d.b[0]&1 == 1 && d.b[0] != 1 {
			raw = d.b[1:]
		} else {
			var err error
			if raw, _, err = detoast(d.b, nil); err != nil {
				return Undecided
			}
		}
	}
	if p.raw != nil && c.Len != -2 { // name_ops keeps a name as cstring
		if bytes.Equal(raw, p.raw) || slices.ContainsFunc(p.also, func(o matchPart) bool { return bytes.Equal(raw, o.raw) }) {
			return Same
		}
		return Different
	}
	t, opaque := text(c.typeOID(), raw, c)
	if opaque {
		return Different
	}
	if EqualText(c.typeOID(), t, p.want) || slices.ContainsFunc(p.also, func(o matchPart) bool { return EqualText(c.typeOID(), t, o.want) }) {
		return Same
	}
	return Different
}

// HasNull reports that a version has NULL in a column of the key.
func (m *Matcher) HasNull(t Tuple) bool {
	return slices.ContainsFunc(m.parts, func(p matchPart) bool { return p.index < t.Natts() && isNull(t.Bitmap, p.index) })
}

// KeyTexts returns the texts of the key columns of a version, in the order of the key, and false when one cannot be read.
func (m *Matcher) KeyTexts(t Tuple) ([]string, bool) {
	values, _ := Decode(m.cols, t, nil)
	out := make([]string, 0, len(m.parts))
	for _, i := range m.order {
		p := m.parts[i]
		if p.index >= len(values) || values[p.index].Unknown {
			return nil, false
		}
		out = append(out, values[p.index].Text)
	}
	return out, true
}
