package postgres

import (
	"context"
	"errors"
	"fmt"

	"inquest/sources"
	"inquest/sources/catalog"
	"inquest/sources/heap"
)

// descendable reports that the order of all columns is known here: texts only
// when it is that of their bytes.
func descendable(cols []heap.IndexColumn) bool {
	for _, c := range cols {
		switch catalog.BaseType(&c.Column) {
		case catalog.TypeOIDs["int2"], catalog.TypeOIDs["int4"], catalog.TypeOIDs["int8"], catalog.TypeOIDs["oid"], catalog.TypeOIDs["uuid"], catalog.TypeOIDs["bytea"],
			16, 1082, 1114, 1184, 5069: // bool, date, timestamp, timestamptz, xid8
		case catalog.TypeOIDs["text"], catalog.TypeOIDs["varchar"]:
			if !c.Bytewise {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// searchLeaves finds the key in an index whose order is not known: the server
// picks the pages that hold the key's bytes, the leaf items are compared here.
func (p *pager) searchLeaves(ctx context.Context, ps *PageSearch, ix *Index, cols []heap.IndexColumn, key []string) error {
	ps.Method = "index-search"
	if limit := p.t.s.opt.Budget.HeapBytes; limit >= 0 && ix.Bytes > limit-p.t.s.heapBytes.Load() {
		return &sources.Blind{
			Why:   fmt.Sprintf("index %s is ordered by a collation and must be searched whole, and its %d MB are more than may be read", ix.Name, ix.Bytes>>20),
			Opens: "--budget large",
		}
	}
	plain := make([]heap.Column, len(cols))
	parts := make([]heap.KeyPart, len(key))
	var needle []byte
	for i, c := range cols {
		plain[i] = c.Column
		if i >= len(key) {
			continue
		}
		parts[i] = heap.KeyPart{AttNum: int16(i + 1), Text: key[i]}
		if raw, err := heap.EncodeKey(catalog.BaseType(&c.Column), key[i]); err == nil && len(raw) > len(needle) && catalog.BaseType(&c.Column) != catalog.TypeOIDs["name"] {
			needle = raw
		}
	}
	match, err := heap.NewMatcher(plain, parts)
	if err != nil {
		return err
	}
	blocks := int((ix.Bytes + heap.PageSize - 1) / heap.PageSize)
	hits, err := p.blocksWith(ctx, ix.OID, 1, max(blocks, 1), needle)
	if err != nil {
		return err
	}
	ps.Blocks, ps.Complete = blocks, true
	for _, b := range hits {
		if err := p.leafHits(ctx, ps, ix.OID, b, len(cols), match); err != nil {
			return err
		}
	}
	return nil
}

// leafHits adds the entries of one index page that hold the key.
func (p *pager) leafHits(ctx context.Context, ps *PageSearch, index, block uint32, natts int, match *heap.Matcher) error {
	raw, err := p.page(ctx, index, block)
	if err != nil {
		return err
	}
	page, err := heap.DecodeIndexPage(raw)
	if err != nil || !page.Leaf || page.Deleted {
		if err != nil && !errors.Is(err, heap.ErrPage) {
			return err
		}
		return nil
	}
	for i := page.FirstData(); i <= page.Pointers(); i++ {
		it, ok := page.IndexTuple(i, natts)
		if !ok || match.Match(it.AsTuple(natts)) != heap.Same {
			continue
		}
		for _, tid := range it.TIDs {
			ps.Entries = append(ps.Entries, heap.IndexHit{TID: tid, Dead: it.Dead, Block: block, Item: i})
		}
	}
	return nil
}
