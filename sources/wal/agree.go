package wal

import (
	"bytes"
	"context"
	"fmt"
)

// agreeBytes is how much of the WAL before a common end is compared.
const agreeBytes = 256 << 10

// Agreement is what a comparison of the WAL of two sources shows. WAL is a chain: when two servers, or a server and a copy, have the same
// bytes at a place, they have the same history up to there.
type Agreement struct {
	Common int `json:"common"` // segments that both have
	// Same is a position up to which the history is the same in both: 0 when nothing was found to be.
	Same LSN `json:"same,omitzero"`
	// Differ is the start of a page that both have and that is not the same: their histories parted before its end.
	Differ LSN `json:"differ,omitzero"`
	// Beyond says that the second has segments of the same timeline behind the last one of the first: a copy that is older than its server
	// has none. Only an archive of a server that was set back, or of one that took its place, has.
	Beyond bool `json:"beyond,omitempty"`
}

// Agree compares the ends of what two sources have in common; it reads a few pages of each and a quarter of a megabyte. Errors come from
// the sources.
func Agree(ctx context.Context, a, b Source) (Agreement, error) {
	var out Agreement
	listA, err := a.List(ctx)
	if err != nil {
		return out, fmt.Errorf("list wal segments: %w", err)
	}
	listB, err := b.List(ctx)
	if err != nil {
		return out, fmt.Errorf("list wal segments: %w", err)
	}
	has := map[segmentKey]Segment{}
	last := map[uint32]LSN{}
	for _, s := range distinct(listA) {
		has[segmentKey{s.TLI, s.Start}] = s
		last[s.TLI] = max(last[s.TLI], s.Start)
	}
	type pair struct{ a, b Segment }
	var common []pair
	for _, s := range distinct(listB) {
		if o, ok := has[segmentKey{s.TLI, s.Start}]; ok && o.Size == s.Size {
			common = append(common, pair{o, s})
		} else if at, ok := last[s.TLI]; ok && s.Start > at {
			out.Beyond = true
		}
	}
	out.Common = len(common)
	// The last one that both have may be cut short in one of them, or not be written yet but for its start.
	for i := len(common) - 1; i >= 0 && out.Same == 0; i-- {
		if err := out.compare(ctx, a, b, common[i].a, common[i].b); err != nil {
			return out, err
		}
	}
	return out, nil
}

// compare looks at the last pages that a segment has in both sources. The very last one may have been copied before it was full.
func (g *Agreement) compare(ctx context.Context, a, b Source, inA, inB Segment) error {
	n, err := validPages(ctx, a, inA, min(inA.avail(), inB.avail())/PageSize)
	if err == nil {
		n, err = validPages(ctx, b, inB, n)
	}
	if n--; err != nil || n <= 0 {
		return err
	}
	from := max(n*PageSize-agreeBytes, 0)
	got, err := a.ReadAt(ctx, inA, from, int(n*PageSize-from))
	if err != nil {
		return fmt.Errorf("read segment %s: %w", inA.Name, err)
	}
	got = bytes.Clone(got)
	want, err := b.ReadAt(ctx, inB, from, int(n*PageSize-from))
	if err != nil {
		return fmt.Errorf("read segment %s: %w", inB.Name, err)
	}
	for at := 0; at < min(len(got), len(want)); at += PageSize {
		end := min(at+PageSize, len(got), len(want))
		if !bytes.Equal(got[at:end], want[at:end]) {
			g.Differ = inA.Start + LSN(from) + LSN(at)
			return nil
		}
	}
	if len(got) == len(want) && len(got) > 0 {
		g.Same = inA.Start + LSN(from) + LSN(len(got))
	}
	return nil
}

// validPages returns how many pages of a segment, at most most, are written: behind them are zeros or what the file held before.
func validPages(ctx context.Context, src Source, s Segment, most int64) (int64, error) {
	low, high := int64(0), most // low pages are written, page high is not
	for low < high {
		page := (low + high) / 2
		b, err := src.ReadAt(ctx, s, page*PageSize, PageSize)
		if err != nil {
			return 0, fmt.Errorf("read segment %s: %w", s.Name, err)
		}
		if h, err := DecodePageHeader(b); err == nil && h.Addr == s.Start+LSN(page*PageSize) {
			low = page + 1
		} else {
			high = page
		}
	}
	return low, nil
}
