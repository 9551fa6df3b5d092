package postgres

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"

	"inquest/sources"
	"inquest/sources/catalog"
	"inquest/sources/heap"
)

// indexBudget bounds the pages read of one index.
const indexBudget = 4096

// SearchPages finds every version of the key, dead ones too, on raw pages: by
// descent of the best btree index, else by a search of the whole heap within
// the budget. It never sends an ordinary SELECT to the table, so nothing is
// pruned. A partitioned table gives one result for each leaf. Errors are
// *sources.Blind when the pages may not be read or the budget forbids it.
func (s *Server) SearchPages(ctx context.Context, t *TableInfo, m Match) ([]PageSearch, error) {
	var out []PageSearch
	for _, rel := range t.Stored() {
		lm, ok := m, true
		if rel != t {
			lm, ok = m.InLeaf(rel)
		}
		if !ok || rel.File.Zero() {
			continue
		}
		ps, err := s.searchRelation(ctx, rel, lm)
		if err != nil {
			err = s.offerPageReader(ctx, t, err)
			return out, fmt.Errorf("pages of %s: %w", rel.DisplayName(), err)
		}
		out = append(out, *ps)
	}
	return out, nil
}

// offerPageReader adds to a missing privilege the function that would open this
// table's pages and nothing else.
func (s *Server) offerPageReader(ctx context.Context, t *TableInfo, err error) error {
	f, ferr := s.Facts(ctx)
	var b *sources.Blind
	if ferr != nil || f.pagesBlind() == nil || !errors.As(err, &b) {
		return err
	}
	return &sources.Blind{Why: b.Why, Opens: b.Opens + "; or, to let it read nothing but this table, " + f.makePageReader(t)}
}

func (s *Server) searchRelation(ctx context.Context, t *TableInfo, m Match) (*PageSearch, error) {
	ps, err := s.IndexTIDs(ctx, t, m)
	if err != nil {
		return nil, err
	}
	var tids []heap.TID
	if ps == nil {
		if ps, tids, err = s.searchHeap(ctx, t, m); err != nil {
			return nil, err
		}
	} else if err := s.addSpellings(ctx, t, m, ps); err != nil {
		return nil, err
	}
	err = s.withPager(ctx, "heap pages of the key", func(ctx context.Context, p *pager) error {
		r, err := newReading(p, t, m)
		if err != nil {
			return err
		}
		for _, h := range ps.Entries {
			if err := r.visit(ctx, h.TID, "index", &IndexEntry{Name: ps.Index, Block: h.Block, Item: h.Item, Dead: h.Dead}); err != nil {
				return err
			}
		}
		return finish(ctx, ps, r, tids)
	})
	return ps, err
}

// addSpellings looks for the other spellings of the key in the same index.
func (s *Server) addSpellings(ctx context.Context, t *TableInfo, m Match, ps *PageSearch) error {
	for _, o := range m.Spellings()[1:] {
		more, err := s.IndexTIDs(ctx, t, o)
		if err != nil {
			return err
		}
		if more != nil {
			ps.Entries, ps.Blocks = append(ps.Entries, more.Entries...), ps.Blocks+more.Blocks
			ps.Complete = ps.Complete && more.Complete
		}
	}
	return nil
}

func finish(ctx context.Context, ps *PageSearch, r *reading, tids []heap.TID) error {
	for _, tid := range tids {
		if err := r.visit(ctx, tid, "heap", nil); err != nil {
			return err
		}
	}
	ps.Via = r.p.via()
	ps.Versions = r.out
	ps.Blocks += len(r.pages)
	if r.full {
		ps.Complete = false
		ps.Note = fmt.Sprintf("only the first %d versions were read", mostVersions)
	}
	sortVersions(ps.Versions)
	return nil
}

// IndexTIDs descends the best btree index for the key on raw pages and returns
// the heap addresses it holds, dead ones too; Versions stays empty. It returns
// nil without an error when no index serves.
func (s *Server) IndexTIDs(ctx context.Context, t *TableInfo, m Match) (*PageSearch, error) {
	ix, cols, key := bestIndex(t, m)
	if ix == nil {
		return nil, nil
	}
	ps := &PageSearch{Table: t.DisplayName(), OID: t.OID, Index: ix.Name, Method: "index"}
	err := s.withPager(ctx, "descent of index "+ix.Name, func(ctx context.Context, p *pager) error {
		ps.Via = p.via()
		if !descendable(cols[:len(key)]) {
			return p.searchLeaves(ctx, ps, ix, cols, key)
		}
		read := func(ctx context.Context, block uint32) ([]byte, error) { return p.page(ctx, ix.OID, block) }
		found, err := heap.SearchIndex(ctx, read, cols, key, indexBudget)
		ps.Entries, ps.Blocks, ps.Complete, ps.Note = found.Hits, found.BlocksRead, found.Complete, found.Note
		return err
	})
	if err != nil {
		return nil, err
	}
	return ps, nil
}

// bestIndex picks the btree whose first columns are the most of the key's.
func bestIndex(t *TableInfo, m Match) (best *Index, cols []heap.IndexColumn, key []string) {
	want, text := map[int16]bool{}, map[int16]string{}
	for _, p := range m.Parts {
		want[p.AttNum], text[p.AttNum] = true, p.Text
	}
	rate := 0
	for i := range t.Indexes {
		ix := &t.Indexes[i]
		c, ok := t.HeapColumns(*ix)
		if r := ix.Serves(want); ok && r > rate {
			rate, best, cols = r, ix, c
		}
	}
	if best == nil {
		return nil, nil, nil
	}
	for _, c := range best.Columns[:best.Keys] {
		if !want[c.AttNum] {
			break
		}
		key = append(key, text[c.AttNum])
	}
	return best, cols, key
}

// HeapVersions reads the versions at given addresses of one stored relation,
// and what redirects and update chains lead on to.
func (s *Server) HeapVersions(ctx context.Context, t *TableInfo, m Match, tids []heap.TID) ([]RowVersion, error) {
	var out []RowVersion
	err := s.withPager(ctx, "heap pages of the key", func(ctx context.Context, p *pager) error {
		r, err := newReading(p, t, m)
		if err != nil {
			return err
		}
		for _, tid := range tids {
			if err := r.visit(ctx, tid, "index", nil); err != nil {
				return err
			}
		}
		out = r.out
		return nil
	})
	sortVersions(out)
	return out, err
}

// searchHeap looks at every page of a relation for the key: the server sends
// only pages that hold its bytes, the type decides here.
func (s *Server) searchHeap(ctx context.Context, t *TableInfo, m Match) (*PageSearch, []heap.TID, error) {
	if limit := s.opt.Budget.HeapBytes; limit >= 0 && t.Bytes > limit-s.heapBytes.Load() {
		return nil, nil, &sources.Blind{
			Why:   fmt.Sprintf("no index of %s serves the key, and its %d MB are more than the %d MB of raw pages that may be read", t.DisplayName(), t.Bytes>>20, limit>>20),
			Opens: "--budget large",
		}
	}
	matcher, err := heap.NewMatcher(t.Columns, m.Parts)
	if err != nil {
		return nil, nil, err
	}
	ps := &PageSearch{Table: t.DisplayName(), OID: t.OID, Method: "heap", Complete: true}
	needle := needle(t, m)
	var tids []heap.TID
	last := (t.Bytes + heap.PageSize - 1) / heap.PageSize
	const step = 16384 // pages of one statement
	for from := int64(0); from < last; from += step {
		err := s.withPager(ctx, "heap pages that hold the key", func(ctx context.Context, p *pager) error {
			blocks, err := p.blocksWith(ctx, t.OID, uint32(from), min(step, int(last-from)), needle)
			if err != nil {
				return err
			}
			for _, b := range blocks {
				page, err := p.page(ctx, t.OID, b)
				if err != nil {
					return err
				}
				tids = append(tids, tidsOn(page, b, matcher)...)
			}
			return nil
		})
		if err != nil {
			return nil, nil, err
		}
	}
	ps.Blocks = int(last)
	return ps, tids, nil
}

// needle is the longest part of the key as its bytes in a row; empty when the
// type has no single stored form.
func needle(t *TableInfo, m Match) []byte {
	var best []byte
	for _, p := range m.Parts {
		c := t.Columns[p.AttNum-1]
		raw, err := heap.EncodeKey(catalog.BaseType(&c), p.Text)
		if err == nil && len(raw) > len(best) && catalog.BaseType(&c) != catalog.TypeOIDs["name"] {
			best = raw
		}
	}
	return best
}

// blocksWith returns the blocks of a stretch that hold the needle as bytes.
func (p *pager) blocksWith(ctx context.Context, rel, from uint32, n int, needle []byte) ([]uint32, error) {
	if err := p.t.s.spendHeap(int64(n) * heap.PageSize); err != nil {
		return nil, err
	}
	page := p.function + "($1::oid::regclass::text, 'main', b)"
	switch {
	case p.wrapper != "":
		page = p.wrapper + "($1::oid, b)"
		if _, err := p.some(ctx, rel, "main", from, 1); err != nil {
			return nil, err // a page that is not read would count as one without the key
		}
	case p.function == "":
		page = `pg_read_binary_file(pg_relation_filepath($1::oid) || case when b >= 131072 then '.' || b / 131072 else '' end, b % 131072 * 8192, 8192, true)`
	case p.old:
		page = p.function + "($1::oid::regclass::text, 'main', b::int)"
	}
	sql := "select b from generate_series($2::bigint, least($3::bigint, pg_relation_size($1::oid::regclass) / 8192 - 1)) b where position($4::bytea in " + page + ") > 0"
	tab, err := p.t.table(ctx, sql, n, oidText(rel), strconv.Itoa(int(from)), strconv.Itoa(int(from)+n-1), `\x`+hex.EncodeToString(needle))
	if err != nil {
		return nil, err
	}
	out := make([]uint32, 0, len(tab.Rows))
	for i := range tab.Rows {
		out = append(out, uint32(number(tab, i, "b")))
	}
	return out, nil
}

// tidsOn returns the addresses on a page whose version holds the key or may.
func tidsOn(raw []byte, block uint32, m *heap.Matcher) []heap.TID {
	page, err := heap.DecodePage(raw)
	if err != nil {
		return nil
	}
	var out []heap.TID
	for i := 1; i <= page.Pointers(); i++ {
		t, ok := page.Tuple(i)
		if ok && m.Match(t) != heap.Different {
			out = append(out, heap.TID{Block: block, Offset: uint16(i)})
		}
	}
	return out
}
