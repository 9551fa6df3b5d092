package postgres

import (
	"context"
	"errors"
	"slices"

	"inquest/sources/heap"
	"inquest/sources/wal"
)

// RowVersion is one line pointer of a heap page that an index entry, a raw
// search or an update chain led to, with the row version under it when its bytes
// are still there.
type RowVersion struct {
	Table string      `json:"table"`
	OID   uint32      `json:"oid"`
	Rel   wal.RelFile `json:"rel"`
	TID   heap.TID    `json:"tid"`
	// Pointer is normal, redirect, dead or unused. A dead one proves that a row was
	// or was tried here; an unused one that VACUUM freed the address.
	Pointer  string      `json:"pointer"`
	Redirect *heap.TID   `json:"redirect,omitempty"`
	Found    string      `json:"found"` // index, heap or chain: what led here
	Index    *IndexEntry `json:"index,omitempty"`
	PageLSN  wal.LSN     `json:"page_lsn"` // end of the last WAL record that changed the page
	// Key says whether the version holds the key: same, different or undecided.
	Key       string   `json:"key,omitempty"`
	Xmin      uint32   `json:"xmin,omitempty"`
	Xmax      uint32   `json:"xmax,omitempty"`
	Ctid      heap.TID `json:"ctid,omitzero"`
	Infomask  uint16   `json:"infomask,omitempty"`
	Infomask2 uint16   `json:"infomask2,omitempty"`
	// Hints are what the flag bits say; the absence of one says nothing.
	Hints []string `json:"hints,omitempty"`
	// Deleter is Xmax when it deleted or updated the version, as far as the page
	// alone tells: not a lock, not marked invalid, not a multixact. Whether it
	// committed is for XactStatus to say.
	Deleter uint32 `json:"deleter,omitempty"`
	// Next is where an update put the next version; nil for a delete.
	Next    *heap.TID          `json:"next,omitempty"`
	Row     map[string]*string `json:"row,omitempty"` // live columns as text; nil is NULL
	Unknown []string           `json:"unknown,omitempty"`
	Problem string             `json:"problem,omitempty"`
}

// IndexEntry is the index item that led to a version.
type IndexEntry struct {
	Name  string `json:"name"`
	Block uint32 `json:"block"`
	Item  int    `json:"item"`
	Dead  bool   `json:"dead,omitempty"`
}

// Hints that RowVersion.Hints may hold.
const (
	HintXminCommitted  = "xmin committed"
	HintXminAborted    = "xmin aborted"
	HintXminFrozen     = "xmin frozen"
	HintXmaxCommitted  = "xmax committed"
	HintXmaxInvalid    = "xmax invalid"
	HintXmaxLockOnly   = "xmax only locks"
	HintXmaxMulti      = "xmax is a multixact"
	HintHOTUpdated     = "hot updated"
	HintHeapOnly       = "heap only"
	HintKeysUpdated    = "keys updated or deleted"
	HintMovedPartition = "moved to another partition"
	HintSpeculative    = "speculative insert"
	HintUpdated        = "written by an update"
)

func hints(t heap.Tuple) []string {
	var out []string
	for _, h := range []struct {
		set  bool
		name string
	}{
		{t.XminFrozen(), HintXminFrozen},
		{t.XminCommitted() && !t.XminFrozen(), HintXminCommitted},
		{t.XminInvalid(), HintXminAborted},
		{t.XmaxCommitted(), HintXmaxCommitted},
		{t.XmaxInvalid(), HintXmaxInvalid},
		{t.Xmax != 0 && t.XmaxLockOnly(), HintXmaxLockOnly},
		{t.XmaxIsMulti(), HintXmaxMulti},
		{t.HotUpdated(), HintHOTUpdated},
		{t.HeapOnly(), HintHeapOnly},
		{t.KeysUpdated(), HintKeysUpdated},
		{t.MovedPartitions(), HintMovedPartition},
		{t.Speculative(), HintSpeculative},
		{t.Infomask&heap.Updated != 0, HintUpdated},
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
