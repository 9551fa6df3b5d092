package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"inquest/sources/catalog"
	"inquest/sources/heap"
)

// mostToast bounds one value that is put together from raw TOAST pages.
const mostToast = 1 << 20

// toastColumns are the columns of every TOAST table (catalog/toasting.c).
var toastColumns = []heap.Column{
	{Name: "chunk_id", AttNum: 1, TypeOID: 26, Len: 4, Align: 'i'},
	{Name: "chunk_seq", AttNum: 2, TypeOID: 23, Len: 4, Align: 'i'},
	{Name: "chunk_data", AttNum: 3, TypeOID: 17, Len: -1, Align: 'i'},
}

// toast returns a function that fetches an out-of-line value through the TOAST
// index on raw pages, so that chunks of dead rows are found too.
func (p *pager) toast(ctx context.Context, t *TableInfo) heap.FetchFunc {
	if t.Toast == nil || t.Toast.Index == 0 {
		return nil
	}
	return func(e heap.External) ([]byte, error) {
		if e.RelID != t.Toast.OID {
			return nil, fmt.Errorf("the value lies in TOAST table %d, which is gone", e.RelID)
		}
		if e.Size > mostToast {
			return nil, fmt.Errorf("the value has %d bytes", e.Size)
		}
		return p.chunks(ctx, t.Toast, e)
	}
}

func (p *pager) chunks(ctx context.Context, toast *catalog.Toast, e heap.External) ([]byte, error) {
	cols := []heap.IndexColumn{{Column: toastColumns[0]}, {Column: toastColumns[1]}}
	read := func(ctx context.Context, block uint32) ([]byte, error) { return p.page(ctx, toast.Index, block) }
	found, err := heap.SearchIndex(ctx, read, cols, []string{strconv.FormatUint(uint64(e.ValueID), 10)}, 64+int(e.Size/1000))
	if err != nil {
		return nil, err
	}
	parts := map[int][]byte{}
	pages := map[uint32]heap.Page{}
	for _, hit := range found.Hits {
		page, ok := pages[hit.TID.Block]
		if !ok {
			raw, err := p.page(ctx, toast.OID, hit.TID.Block)
			if err != nil {
				return nil, err
			}
			if page, err = heap.DecodePage(raw); err != nil {
				continue
			}
			pages[hit.TID.Block] = page
		}
		if seq, data, ok := chunk(page, hit.TID, e.ValueID); ok {
			parts[seq] = data
		}
	}
	return join(parts)
}

func chunk(page heap.Page, tid heap.TID, id uint32) (seq int, data []byte, ok bool) {
	tuple, ok := page.Tuple(int(tid.Offset))
	if !ok {
		return 0, nil, false
	}
	v, err := heap.Decode(toastColumns, tuple, nil)
	if err != nil || v[0].Text != strconv.FormatUint(uint64(id), 10) {
		return 0, nil, false
	}
	seq, err = strconv.Atoi(v[1].Text)
	return seq, v[2].Raw, err == nil
}

func join(parts map[int][]byte) ([]byte, error) {
	if len(parts) == 0 {
		return nil, errors.New("no chunk is left")
	}
	var out []byte
	for seq := range len(parts) {
		p, ok := parts[seq]
		if !ok {
			return nil, fmt.Errorf("chunk %d is gone", seq)
		}
		out = slices.Concat(out, p)
	}
	return out, nil
}
