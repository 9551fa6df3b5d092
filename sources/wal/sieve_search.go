package wal

import (
	"context"
	"encoding/binary"
	"slices"
)

// search looks for patterns that were not looked for before, and reports whether more has to be read.
func (v *sieve) search(ctx context.Context, patterns []Pattern) (bool, error) {
	if !v.active() {
		return false, nil
	}
	first := len(v.searched) == 0
	var fresh []Pattern
	for _, p := range patterns {
		if k := string(binary.LittleEndian.AppendUint32(slices.Clone(p.Bytes), p.Any)); !v.searched[k] {
			v.searched[k] = true
			fresh = append(fresh, p)
		}
	}
	if len(fresh) == 0 {
		return false, nil
	}
	if len(fresh) > maxPatterns {
		v.off = true
		return true, nil
	}
	found := v.searchJoints(fresh)
	parts := v.quietParts(first)
	for len(parts) > 0 {
		n, size := 0, int64(0)
		for n < len(parts) && size < skimBatch {
			size += parts[n].To - parts[n].From
			n++
		}
		hit, err := v.skim(ctx, parts[:n], fresh, first)
		if err != nil {
			if ctx.Err() != nil {
				return false, ctx.Err()
			}
			v.off = true // all is read; that tells what is wrong
			return true, nil
		}
		v.skimmed += size
		found = found || hit
		parts = parts[n:]
	}
	if first {
		v.joinSegments(fresh)
		v.off = v.passed() < int64(len(v.pages))*v.plan.Size/4 // too little to be gained by walks that cannot tell where to look
	}
	return found, nil
}

// quietParts returns what is still to be looked through.
func (v *sieve) quietParts(first bool) []Stretch {
	var out []Stretch
	for i, pages := range v.pages {
		step := int64(skimAlign / PageSize)
		for at := int64(0); at < int64(len(pages)); at += step {
			end := min(at+step, int64(len(pages)))
			if !first && !slices.ContainsFunc(pages[at:end], func(f uint8) bool { return f&(pageKnown|pageLoud) == pageKnown }) {
				continue
			}
			g := v.plan.Segments[i]
			if n := len(out); n > 0 && out[n-1].Segment == g && out[n-1].To == at*PageSize {
				out[n-1].To = end * PageSize
				continue
			}
			out = append(out, Stretch{Segment: g, From: at * PageSize, To: end * PageSize})
		}
	}
	return out
}

func (v *sieve) skim(ctx context.Context, parts []Stretch, patterns []Pattern, heads bool) (bool, error) {
	list, err := v.src.Skim(ctx, parts, patterns, heads)
	if err != nil {
		return false, err
	}
	seen := map[LSN]bool{}
	found := false
	for i := range list {
		s := &list[i]
		seg := slices.IndexFunc(v.plan.Segments, func(g Segment) bool { return g == s.Segment })
		if seg < 0 || v.pages[seg] == nil || s.From%PageSize != 0 || s.To%PageSize != 0 || s.From < 0 || s.To > s.Segment.Size {
			continue
		}
		if heads {
			v.learn(seg, s, patterns)
		}
		for p := s.From / PageSize; p < s.To/PageSize; p++ {
			seen[s.Segment.Start+LSN(p*PageSize)] = true
			if s.Hit && v.pages[seg][p]&pageLoud == 0 {
				v.pages[seg][p] |= pageLoud
				found = true
			}
		}
	}
	for _, part := range parts {
		seg := slices.IndexFunc(v.plan.Segments, func(g Segment) bool { return g == part.Segment })
		for p := part.From / PageSize; p < part.To/PageSize; p++ {
			if !seen[part.Segment.Start+LSN(p*PageSize)] && v.pages[seg][p]&pageLoud == 0 {
				v.pages[seg][p] |= pageLoud
				found = true
			}
		}
	}
	return found, nil
}

// learn takes up the headers of pages and what stands around them.
func (v *sieve) learn(seg int, s *Skimmed, patterns []Pattern) {
	g, b := &v.plan.Segments[seg], s.Heads
	for p := s.From / PageSize; p < s.To/PageSize; p++ {
		joint := v.joints[seg][p*2*SkimBefore:][:2*SkimBefore]
		n := SkimBefore
		if p == 0 {
			n = 0
		}
		if len(b) < n+SkimAfter {
			return
		}
		copy(joint, b[:n])
		head := b[n : n+SkimAfter]
		b = b[n+SkimAfter:]
		h, err := DecodePageHeader(head)
		if err != nil || h.Addr != g.Start+LSN(p*PageSize) || h.TLI != g.TLI || (h.Info&pageLong != 0) != (p == 0) {
			continue
		}
		copy(joint[SkimBefore:], head[h.size():])
		flags := uint8(pageKnown)
		if h.Info&pageContRecord == 0 || LSN(h.Remaining).align8() < LSN(PageSize-h.size()) {
			flags |= pageStarts
		}
		v.pages[seg][p] |= flags
		if p > 0 {
			v.judge(seg, p, patterns)
		}
	}
	if s.To == g.Size && seg+1 < len(v.plan.Segments) && v.joints[seg+1] != nil && len(s.Tail) == SkimBefore {
		copy(v.joints[seg+1], s.Tail)
	} else if s.To == g.Size {
		v.pages[seg][s.To/PageSize-1] |= pageLoud // what follows is not skimmed: the border is read
	}
}

// judge looks for the patterns across the border before a page.
func (v *sieve) judge(seg int, page int64, patterns []Pattern) bool {
	joint := v.joints[seg][page*2*SkimBefore:][:2*SkimBefore]
	if !slices.ContainsFunc(patterns, func(p Pattern) bool { return p.In(joint) }) {
		return false
	}
	found := v.pages[seg][page]&pageLoud == 0
	v.pages[seg][page] |= pageLoud
	if page--; page < 0 {
		if seg--; v.pages[seg] == nil {
			return found
		}
		page = v.plan.Size/PageSize - 1
	}
	found = found || v.pages[seg][page]&pageLoud == 0
	v.pages[seg][page] |= pageLoud
	return found
}

// joinSegments looks across the borders of segments, of which both sides are known only at the end. Where the one before is not skimmed the
// first page is read.
func (v *sieve) joinSegments(patterns []Pattern) {
	for i := range v.pages {
		if v.pages[i] == nil {
			continue
		}
		if v.pages[i-1] == nil {
			v.pages[i][0] |= pageLoud
			continue
		}
		v.judge(i, 0, patterns)
	}
}

func (v *sieve) searchJoints(patterns []Pattern) bool {
	found := false
	for i, pages := range v.pages {
		for p := range pages {
			if pages[p]&pageKnown != 0 && v.judge(i, int64(p), patterns) {
				found = true
			}
		}
	}
	return found
}

// wider reports whether a walk showed that more has to be read.
func (v *sieve) wider(ctx context.Context, tr *tracer) (bool, error) {
	if !v.active() {
		return false, nil
	}
	if v.walks++; v.walks > maxWider {
		v.off = true
		return true, nil
	}
	found := false
	for _, p := range tr.short {
		found = v.lead(p.seg, p.at, 16<<v.walks) || found
	}
	more, err := v.search(ctx, xidPatterns(tr.concerns()))
	return found || more, err
}
