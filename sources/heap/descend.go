package heap

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
)

// IndexColumn is one key column of a btree index. Text columns can be descended only when the order of the index is the order of bytes.
type IndexColumn struct {
	Column
	Desc     bool // pg_index.indoption bit 1
	Bytewise bool // collation C, POSIX or C.UTF-8 without tailoring: order is memcmp
}

// ReadBlock returns the 8192 bytes of one block of an index.
type ReadBlock func(ctx context.Context, block uint32) ([]byte, error)

// IndexHit is one heap address that the index holds for the key, dead ones included.
type IndexHit struct {
	TID   TID    `json:"tid"`
	Dead  bool   `json:"dead"` // marked by a scan: the row version is visible to nobody
	Block uint32 `json:"block"`
	Item  int    `json:"item"`
}

// IndexSearch is what a search of a btree found and how far it looked.
type IndexSearch struct {
	Hits       []IndexHit `json:"hits"`
	BlocksRead int        `json:"blocks_read"`
	Descended  bool       `json:"descended"` // by key order; otherwise leaves were scanned from the left
	Complete   bool       `json:"complete"`  // false: the block budget ran out or a page was damaged, absence is not shown
	Note       string     `json:"note,omitempty"`
}

const maxLevels = 32

// SearchIndex finds every heap address that a btree holds for a key, given for a prefix of the index columns as text. It descends when
// all given columns have an order known here (integers, uuid, times, bool, bytea, bytewise text), otherwise it scans the leaves.
// At most budget blocks are read. Errors are those of read, a key that is no value of its column, and pages that are not a btree's.
func SearchIndex(ctx context.Context, read ReadBlock, cols []IndexColumn, key []string, budget int) (IndexSearch, error) {
	s := searcher{read: read, cols: cols, budget: budget}
	if err := s.prepare(key); err != nil {
		return IndexSearch{}, err
	}
	err := s.run(ctx)
	if errors.Is(err, errBudget) {
		s.out.Note, err = fmt.Sprintf("stopped after %d blocks", s.out.BlocksRead), nil
	}
	return s.out, err
}

var errBudget = errors.New("block budget used up")

type searcher struct {
	read   ReadBlock
	cols   []IndexColumn
	plain  []Column
	want   [][]byte
	match  *Matcher
	budget int
	out    IndexSearch
}

func (s *searcher) prepare(key []string) error {
	if len(key) == 0 || len(key) > len(s.cols) {
		return fmt.Errorf("key of %d columns for an index of %d", len(key), len(s.cols))
	}
	parts := make([]KeyPart, len(key))
	for i, k := range key {
		parts[i] = KeyPart{AttNum: int16(i + 1), Text: k}
	}
	s.out.Descended = true
	for i, c := range s.cols {
		col := c.Column
		if col.typeOID() == oidName {
			col.Len, col.Align = -2, 'c' // name_ops stores a cstring
			s.out.Descended = false
		}
		s.plain = append(s.plain, col)
		if i >= len(key) {
			continue
		}
		raw, err := EncodeKey(col.typeOID(), key[i])
		if err != nil && !errors.Is(err, ErrNoEncoding) {
			return fmt.Errorf("index column %s: %w", c.Name, err)
		}
		s.want = append(s.want, raw)
		s.out.Descended = s.out.Descended && err == nil && orderable(c)
	}
	var err error
	s.match, err = NewMatcher(s.plain, parts)
	return err
}

func orderable(c IndexColumn) bool {
	switch c.typeOID() {
	case oidInt2, oidInt4, oidInt8, oidOid, oidUUID, oidBool, oidDate, oidTimestamp, oidTimestamptz, oidBytea, oidXid8:
		return true
	case oidText, oidVarchar:
		return c.Bytewise
	}
	return false
}

// compareRaw orders two stored values of an orderable type as its default btree operator class does.
func compareRaw(oid uint32, a, b []byte) int {
	le := binary.LittleEndian
	switch {
	case oid == oidUUID || oid == oidBytea || oid == oidText || oid == oidVarchar || oid == oidBool || len(a) != len(b):
		return bytes.Compare(a, b)
	case len(a) == 2:
		return cmp.Compare(int16(le.Uint16(a)), int16(le.Uint16(b)))
	case len(a) == 4 && oid == oidOid:
		return cmp.Compare(le.Uint32(a), le.Uint32(b))
	case len(a) == 4:
		return cmp.Compare(int32(le.Uint32(a)), int32(le.Uint32(b)))
	case len(a) == 8 && oid == oidXid8:
		return cmp.Compare(le.Uint64(a), le.Uint64(b))
	case len(a) == 8:
		return cmp.Compare(int64(le.Uint64(a)), int64(le.Uint64(b)))
	}
	return bytes.Compare(a, b)
}

func (s *searcher) page(ctx context.Context, block uint32) (IndexPage, error) {
	raw, err := s.block(ctx, block)
	if err != nil {
		return IndexPage{}, err
	}
	p, err := DecodeIndexPage(raw)
	if err != nil {
		return p, fmt.Errorf("index block %d: %w", block, err)
	}
	return p, nil
}

func (s *searcher) block(ctx context.Context, block uint32) ([]byte, error) {
	if s.out.BlocksRead >= s.budget {
		return nil, errBudget
	}
	s.out.BlocksRead++
	raw, err := s.read(ctx, block)
	if err != nil {
		return nil, fmt.Errorf("read index block %d: %w", block, err)
	}
	return raw, nil
}

func (s *searcher) run(ctx context.Context) error {
	raw, err := s.block(ctx, 0)
	if err != nil {
		return err
	}
	block, level, err := DecodeIndexMeta(raw)
	if err != nil {
		return err
	}
	if block == 0 {
		s.out.Complete = true
		return nil
	}
	if level > maxLevels {
		return fmt.Errorf("%w: btree of %d levels", ErrPage, level)
	}
	for ; level > 0; level-- {
		if block, err = s.down(ctx, block); err != nil {
			return err
		}
	}
	return s.leaves(ctx, block)
}

// down picks the child under which the first entry of the key must lie, moving right when the page was split or deleted meanwhile.
func (s *searcher) down(ctx context.Context, block uint32) (uint32, error) {
	for {
		p, err := s.page(ctx, block)
		if err != nil {
			return 0, err
		}
		if p.Next != 0 && (p.Deleted || s.beyond(p)) {
			block = p.Next
			continue
		}
		child, found := uint32(0), false
		for i := p.FirstData(); i <= p.Pointers(); i++ {
			t, ok := p.IndexTuple(i, len(s.cols))
			if !ok {
				return 0, fmt.Errorf("%w: index block %d item %d", ErrPage, block, i)
			}
			// The first item of an inner page stands for minus infinity.
			if i > p.FirstData() && (!s.out.Descended || s.compare(t) >= 0) {
				break
			}
			child, found = t.Child, true
		}
		if !found || child == 0 {
			return 0, fmt.Errorf("%w: index block %d has no child", ErrPage, block)
		}
		return child, nil
	}
}

// beyond reports that every entry of the page is before the key, by its high key.
func (s *searcher) beyond(p IndexPage) bool {
	if !s.out.Descended || p.Next == 0 {
		return false
	}
	t, ok := p.IndexTuple(1, len(s.cols))
	t.Pivot = true
	return ok && s.compare(t) < 0
}

// compare orders an index tuple against the key; columns that a pivot has lost count as minus infinity.
func (s *searcher) compare(t IndexTuple) int {
	w := walker{data: t.Key, to: len(t.Key)}
	for i, want := range s.want {
		c := s.cols[i]
		if i >= t.Natts {
			return -1
		}
		if isNull(t.Bitmap, i) {
			return 1 // nulls first is not descended rightly for NULL keys, which nobody looks for
		}
		d, ok := w.next(s.plain[i].Len, s.plain[i].Align)
		if !ok {
			return -1
		}
		raw := d.b
		if d.varlen {
			var err error
			if raw, _, err = detoast(d.b, nil); err != nil {
				return -1
			}
		}
		r := compareRaw(c.typeOID(), raw, want)
		if c.Desc {
			r = -r
		}
		if r != 0 {
			return r
		}
	}
	return 0
}

func (s *searcher) leaves(ctx context.Context, block uint32) error {
	for block != 0 {
		p, err := s.page(ctx, block)
		if err != nil {
			return err
		}
		if !p.Deleted && s.leaf(p, block) {
			break
		}
		block = p.Next
	}
	s.out.Complete = s.out.Note == ""
	return nil
}

// leaf collects the hits of one leaf and reports that the key's range ended on it.
func (s *searcher) leaf(p IndexPage, block uint32) bool {
	for i := p.FirstData(); i <= p.Pointers(); i++ {
		t, ok := p.IndexTuple(i, len(s.cols))
		if !ok {
			s.out.Note = fmt.Sprintf("block %d item %d is damaged", block, i)
			continue
		}
		if s.out.Descended && s.compare(t) > 0 {
			return true
		}
		if s.matches(t) {
			for _, tid := range t.TIDs {
				s.out.Hits = append(s.out.Hits, IndexHit{TID: tid, Dead: t.Dead, Block: block, Item: i})
			}
		}
	}
	return false
}

func (s *searcher) matches(t IndexTuple) bool {
	return s.match.Match(t.AsTuple(len(s.cols))) == Same
}

// AsTuple presents the key columns as a row version, so that Decode and Matcher can read them.
func (t IndexTuple) AsTuple(nkeys int) Tuple {
	return Tuple{Infomask2: uint16(nkeys), Bitmap: t.Bitmap, Data: t.Key}
}
