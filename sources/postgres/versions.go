package postgres

import (
	"context"
	"errors"
	"slices"

	"inquest/sources/catalog"
	"inquest/sources/heap"
	"inquest/sources/wal"
)

func hints(t heap.Tuple) []string {
	var out []string
	for _, h := range []struct {
		set  bool
		name string
	}{
		{t.XminFrozen(), catalog.HintXminFrozen},
		{t.XminCommitted() && !t.XminFrozen(), catalog.HintXminCommitted},
		{t.XminInvalid(), catalog.HintXminAborted},
		{t.XmaxCommitted(), catalog.HintXmaxCommitted},
		{t.XmaxInvalid(), catalog.HintXmaxInvalid},
		{t.Xmax != 0 && t.XmaxLockOnly(), catalog.HintXmaxLockOnly},
		{t.XmaxIsMulti(), catalog.HintXmaxMulti},
		{t.HotUpdated(), catalog.HintHOTUpdated},
		{t.HeapOnly(), catalog.HintHeapOnly},
		{t.KeysUpdated(), catalog.HintKeysUpdated},
		{t.MovedPartitions(), catalog.HintMovedPartition},
		{t.Speculative(), catalog.HintSpeculative},
		{t.Infomask&heap.Updated != 0, catalog.HintUpdated},
	} {
		if h.set {
			out = append(out, h.name)
		}
	}
	return out
}

// mostVersions bounds how many versions of one key are followed.
const mostVersions = 500

// reading collects the versions of one key in one relation.
type reading struct {
	p     *pager
	t     *TableInfo
	match *heap.Matcher
	pages map[uint32]heap.Page
	seen  map[heap.TID]bool
	out   []RowVersion
	full  bool
}

func newReading(p *pager, t *TableInfo, m Match) (*reading, error) {
	matcher, err := heap.NewMatcher(t.Columns, m.Parts)
	if err != nil {
		return nil, err
	}
	return &reading{p: p, t: t, match: matcher, pages: map[uint32]heap.Page{}, seen: map[heap.TID]bool{}}, nil
}

// visit reads the version at a line pointer and what follows from it: the
// target of a redirect, and the next version of an update.
func (r *reading) visit(ctx context.Context, tid heap.TID, found string, entry *IndexEntry) error {
	for {
		if r.seen[tid] {
			return nil
		}
		if len(r.out) >= mostVersions {
			r.full = true
			return nil
		}
		r.seen[tid] = true
		page, err := r.page(ctx, tid.Block)
		if err != nil {
			return r.unreadable(tid, found, entry, err)
		}
		v := RowVersion{
			Table: r.t.DisplayName(), OID: r.t.OID, Rel: r.t.File, TID: tid, Found: found, Index: entry,
			PageLSN: wal.LSN(page.LSN), Pointer: page.Pointer(int(tid.Offset)).State.String(),
		}
		next := r.look(ctx, page, &v)
		r.out = append(r.out, v)
		if next == nil {
			return nil
		}
		tid, found, entry = *next, "chain", nil
	}
}

func (r *reading) unreadable(tid heap.TID, found string, entry *IndexEntry, err error) error {
	if !errors.Is(err, heap.ErrPage) {
		return err
	}
	r.out = append(r.out, RowVersion{
		Table: r.t.DisplayName(), OID: r.t.OID, Rel: r.t.File, TID: tid, Found: found, Index: entry, Pointer: "unreadable", Problem: err.Error(),
	})
	return nil
}

// look fills in what stands under the line pointer and returns where to go on.
func (r *reading) look(ctx context.Context, page heap.Page, v *RowVersion) *heap.TID {
	lp := page.Pointer(int(v.TID.Offset))
	if lp.State == heap.PointerRedirect {
		v.Redirect = &heap.TID{Block: v.TID.Block, Offset: lp.Offset}
		return v.Redirect
	}
	tuple, ok := page.Tuple(int(v.TID.Offset))
	if !ok {
		if lp.State == heap.PointerNormal {
			v.Problem = "the bytes under the line pointer are not a row version"
		}
		return nil
	}
	v.Xmin, v.Xmax, v.Ctid, v.Infomask, v.Infomask2, v.Hints = tuple.Xmin, tuple.Xmax, tuple.Ctid, tuple.Infomask, tuple.Infomask2, hints(tuple)
	v.Key = [3]string{"different", "same", "undecided"}[r.match.Match(tuple)]
	r.decode(ctx, tuple, v)
	if tuple.Xmax == 0 || tuple.XmaxInvalid() || tuple.XmaxLockOnly() {
		return nil
	}
	if !tuple.XmaxIsMulti() {
		v.Deleter = tuple.Xmax
	}
	if tuple.Ctid == v.TID || tuple.MovedPartitions() || tuple.Speculative() {
		return nil
	}
	v.Next = &heap.TID{Block: tuple.Ctid.Block, Offset: tuple.Ctid.Offset}
	if !r.continues(ctx, *v.Next, tuple) {
		return nil
	}
	return v.Next
}

// continues reports that the version at a TID was written by the transaction
// that replaced the one before; otherwise the address belongs to another row.
func (r *reading) continues(ctx context.Context, next heap.TID, before heap.Tuple) bool {
	page, err := r.page(ctx, next.Block)
	if err != nil {
		return false
	}
	t, ok := page.Tuple(int(next.Offset))
	return ok && (t.Xmin == before.Xmax || before.XmaxIsMulti())
}

func (r *reading) decode(ctx context.Context, tuple heap.Tuple, v *RowVersion) {
	values, err := heap.Decode(r.t.Columns, tuple, r.p.toast(ctx, r.t))
	if err != nil {
		v.Problem = err.Error()
	}
	v.Row = map[string]*string{}
	for i, val := range values {
		c := r.t.Columns[i]
		switch {
		case c.Dropped:
		case val.Unknown:
			v.Unknown = append(v.Unknown, c.Name)
		case val.Null:
			v.Row[c.Name] = nil
		default:
			text := val.Text
			v.Row[c.Name] = &text
		}
	}
}

func (r *reading) page(ctx context.Context, block uint32) (heap.Page, error) {
	if p, ok := r.pages[block]; ok {
		return p, nil
	}
	raw, err := r.p.page(ctx, r.t.OID, block)
	if err != nil {
		return heap.Page{}, err
	}
	p, err := heap.DecodePage(raw)
	if err != nil {
		return p, err
	}
	r.pages[block] = p
	return p, nil
}

func sortVersions(vs []RowVersion) {
	slices.SortStableFunc(vs, func(a, b RowVersion) int {
		if a.TID.Block != b.TID.Block {
			return int(a.TID.Block) - int(b.TID.Block)
		}
		return int(a.TID.Offset) - int(b.TID.Offset)
	})
}
