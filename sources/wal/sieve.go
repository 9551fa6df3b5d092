package wal

import (
	"bytes"
	"context"
	"encoding/binary"
	"slices"
)

// What a Skimmer returns of every page: bytes before its start and from its start on, so that patterns which a page header splits are found
// here.
const (
	SkimBefore = 24
	SkimAfter  = longHeader + SkimBefore
)

// Pattern is a byte string that is looked for, at most SkimBefore bytes long. Where a bit of Any is set the byte at that index may be any.
type Pattern struct {
	Bytes []byte
	Any   uint32
}

// In reports whether the pattern stands somewhere in b.
func (p Pattern) In(b []byte) bool {
	if p.Any == 0 {
		return bytes.Contains(b, p.Bytes)
	}
	for len(b) >= len(p.Bytes) {
		i := bytes.IndexByte(b[:len(b)-len(p.Bytes)+1], p.Bytes[0])
		if i < 0 {
			return false
		}
		if p.at(b[i:]) {
			return true
		}
		b = b[i+1:]
	}
	return false
}

func (p Pattern) at(b []byte) bool {
	for i, c := range p.Bytes {
		if p.Any>>i&1 == 0 && b[i] != c {
			return false
		}
	}
	return true
}

// Stretch is a part of a segment in whole pages.
type Stretch struct {
	Segment  Segment
	From, To int64 // offsets in the segment
}

// Skimmed is what a Skimmer says of a stretch.
type Skimmed struct {
	Stretch
	Hit bool // one of the patterns is in it, or the first SkimBefore bytes before it
	// Heads are SkimBefore+SkimAfter bytes of every page, but for the segment's first, which lacks those before it.
	Heads []byte
	Tail  []byte // the last SkimBefore bytes
}

// Skimmer is an ability of a Source: it looks for byte strings where the WAL lies, so that only what matters has to travel.
type Skimmer interface {
	// Skim looks for the patterns. It may cut stretches up and answer in any order; what it leaves out counts as hit. heads asks for Heads
	// and Tail.
	Skim(ctx context.Context, parts []Stretch, patterns []Pattern, heads bool) ([]Skimmed, error)
}

// Flags of a page of a sieve.
const (
	pageKnown  = 1 << iota // its header was seen and is right
	pageLoud               // has to be read
	pageStarts             // a record begins on it
)

const (
	skimBatch   = 64 << 20 // bytes of WAL that are skimmed by one call
	skimAlign   = 256 << 10
	maxPatterns = 64      // more at once: everything is read
	maxWider    = 8       // walks that found more to read
	leadPages   = 4       // read before what has to be read, for the time of the commit before it
	loudChunk   = 4 << 20 // read at once
)

// sieve knows which pages of a plan cannot hold anything that a trace needs, so that a Reader passes over them. Every record that matters
// holds one of the patterns, whole, in the bytes of WAL without its page headers: the file of a table or index, which block references
// (those of a record's first block always), new, truncated and removed files name; pg_class; the oid of a table, which locks and dropped
// statistics name; the header of a checkpoint that ends a server's life; and the number of a transaction, which its records carry and its
// end names. A row's transactions are known only when its table's records were read, so the search goes on until it finds nothing new.
//
// Pages whose header is not as it should be, the first and last segment of every stretch without a hole, and those where a timeline ends
// are always read. The checksums of records that are passed over are not verified.
type sieve struct {
	src      Skimmer
	plan     *Plan
	pages    [][]uint8 // by segment and page
	joints   [][]byte  // by segment: of every page the SkimBefore bytes before it and its first ones behind the header
	searched map[string]bool
	off      bool
	walks    int   // that were looked at for more
	skimmed  int64 // bytes looked through, each time
}

func newSieve(src Source, plan *Plan) *sieve {
	sk, ok := src.(Skimmer)
	if !ok || len(plan.Segments) < 3 {
		return nil
	}
	v := &sieve{src: sk, plan: plan, pages: make([][]uint8, len(plan.Segments)), joints: make([][]byte, len(plan.Segments)), searched: map[string]bool{}}
	for i := range plan.Segments {
		if v.skimmable(i) {
			n := plan.Size / PageSize
			v.pages[i], v.joints[i] = make([]uint8, n), make([]byte, n*2*SkimBefore)
		}
	}
	return v
}

// skimmable reports that a whole segment lies between two whole ones of its timeline.
func (v *sieve) skimmable(i int) bool {
	segs := v.plan.Segments
	if i == 0 || i == len(segs)-1 {
		return false
	}
	for j := i - 1; j <= i+1; j++ {
		if _, cut := v.plan.limits[segs[j].Start]; cut || segs[j].avail() != segs[j].Size || segs[j].TLI != segs[i].TLI || segs[j].Partial || segs[j].Recycled {
			if j != len(segs)-1 { // the last one is still written to
				return false
			}
		}
	}
	return segs[i-1].End() == segs[i].Start && segs[i].End() == segs[i+1].Start
}

func (v *sieve) active() bool { return v != nil && !v.off }

func (v *sieve) loud(seg int, page int64) bool {
	p := v.pages[seg]
	return p == nil || p[page]&(pageKnown|pageLoud) != pageKnown
}

// nextLoud returns the first page from a position on that has to be read; ok is false when there is none.
func (v *sieve) nextLoud(seg int, page int64) (int, int64, bool) {
	for ; seg < len(v.plan.Segments); seg, page = seg+1, 0 {
		for n := v.plan.Size / PageSize; page < n; page++ {
			if v.loud(seg, page) {
				return seg, page, true
			}
		}
	}
	return seg, page, false
}

// nextQuiet returns where the first page from a position on begins that need not be read.
func (v *sieve) nextQuiet(seg int, at LSN) LSN {
	page := int64(at.page()-v.plan.Segments[seg].Start) / PageSize
	for ; seg < len(v.plan.Segments); seg, page = seg+1, 0 {
		for n := v.plan.Size / PageSize; page < n; page++ {
			if !v.loud(seg, page) {
				return max(at, v.plan.Segments[seg].Start+LSN(page*PageSize))
			}
		}
	}
	return ^LSN(0)
}

// before returns the page that many pages back, and further to one on which a record begins.
func (v *sieve) before(seg int, page, back int64) (int, int64) {
	for ; ; back-- {
		if back <= 0 && (v.pages[seg] == nil || v.pages[seg][page]&pageStarts != 0) {
			return seg, page
		}
		if page--; page < 0 {
			if seg == 0 {
				return 0, 0
			}
			seg, page = seg-1, v.plan.Size/PageSize-1
		}
	}
}

// resume returns the segment and position where reading goes on behind quiet pages; ok is false when nothing is gained by that.
func (v *sieve) resume(seg int, at LSN) (int, LSN, bool) {
	page := int64(at.page()-v.plan.Segments[seg].Start) / PageSize
	ls, lp, ok := v.nextLoud(seg, page)
	if !ok {
		return 0, 0, false
	}
	rs, rp := v.before(ls, lp, leadPages)
	to := v.plan.Segments[rs].Start + LSN(rp*PageSize)
	return rs, to, v.pages[rs] != nil && to > at+PageSize
}

// room returns how many bytes from an offset on are worth reading at once: to the end of what has to be read, or a little.
func (v *sieve) room(seg int, off int64) int64 {
	page, n := off/PageSize, v.plan.Size/PageSize
	end := page
	for end < n && end < page+4*leadPages && !v.loud(seg, end) {
		end++
	}
	for end < n && v.loud(seg, end) && (end-page)*PageSize < loudChunk {
		end++
	}
	return max(end-page, 1) * PageSize
}

// lead makes a number of pages before a place be read, and reports whether there were any.
func (v *sieve) lead(seg int, at LSN, pages int) bool {
	page := int64(at.page()-v.plan.Segments[seg].Start) / PageSize
	found := false
	for n := 0; n < pages; {
		if page--; page < 0 {
			if seg--; seg < 0 {
				break
			}
			page = v.plan.Size/PageSize - 1
		}
		if v.pages[seg] == nil {
			break
		}
		if !v.loud(seg, page) {
			v.pages[seg][page] |= pageLoud
			found = true
			n++
		}
	}
	return found
}

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

// passed returns how many bytes of WAL are not read.
func (v *sieve) passed() (n int64) {
	if !v.active() {
		return 0
	}
	for i, pages := range v.pages {
		for p := range pages {
			if !v.loud(i, int64(p)) {
				n += PageSize
			}
		}
	}
	return n
}

func relPattern(f RelFile) Pattern {
	le := binary.LittleEndian
	return Pattern{Bytes: le.AppendUint32(le.AppendUint32(le.AppendUint32(nil, f.Spc), f.DB), f.Rel)}
}

func pairPattern(a, b uint32) Pattern {
	return Pattern{Bytes: binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, a), b)}
}

func xidPattern(xid uint32) Pattern {
	return Pattern{Bytes: binary.LittleEndian.AppendUint32(nil, xid)}
}

// patterns are those that are known before a walk; ok is false when a target does not say where its records are.
func (s *setup) patterns(plan *Plan) (out []Pattern, ok bool) {
	for _, f := range s.files() {
		if f.DB == 0 || f.Rel == 0 {
			return nil, false
		}
		out = append(out, relPattern(f))
	}
	for _, t := range s.targets {
		if t.match == nil {
			continue
		}
		if t.Rel.DB == 0 {
			return nil, false
		}
		if t.OID != 0 {
			out = append(out, pairPattern(t.Rel.DB, t.OID))
		}
	}
	dbs := make([]uint32, 0, len(s.dbs))
	for db := range s.dbs {
		dbs = append(dbs, db)
	}
	slices.Sort(dbs)
	for _, db := range dbs {
		out = append(out, pairPattern(db, pgClass))
		// xl_rmid, padding, checksum, short main data, which begins with the database: made, moved, dropped.
		p := Pattern{Bytes: []byte{rmDatabase, 0, 0, 0, 0, 0, 0, 255, 0}, Any: 0xf<<3 | 1<<8}
		p.Bytes = binary.LittleEndian.AppendUint32(p.Bytes, db)
		out = append(out, p)
	}
	return append(out, shutdowns(plan)...), true
}

func (s *setup) files() []RelFile {
	out := make([]RelFile, 0, len(s.rels))
	for f := range s.rels {
		out = append(out, f)
	}
	slices.SortFunc(out, func(a, b RelFile) int { return int(int64(a.Rel) - int64(b.Rel)) })
	return out
}

// shutdowns are the patterns of checkpoints that end a server's life: their redo position is their own, so that its upper half is that of
// the segment; both timelines are the segment's, for where they differ all is read.
func shutdowns(plan *Plan) []Pattern {
	type kind struct {
		hi  uint64
		tli uint32
	}
	seen := map[kind]bool{}
	var out []Pattern
	for i := range plan.Segments {
		k := kind{uint64(plan.Segments[i].Start) >> 32, plan.Segments[i].TLI}
		if seen[k] {
			continue
		}
		seen[k] = true
		le := binary.LittleEndian
		p := Pattern{Bytes: []byte{255, 0, 0, 0, 0, 0}, Any: 0x3e}
		p.Bytes = le.AppendUint32(le.AppendUint32(le.AppendUint32(p.Bytes, uint32(k.hi)), k.tli), k.tli)
		out = append(out, p)
	}
	return out
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

func xidPatterns(xids []uint32) []Pattern {
	slices.Sort(xids)
	var out []Pattern
	for _, x := range slices.Compact(xids) {
		if x != 0 {
			out = append(out, xidPattern(x))
		}
	}
	return out
}

// concerns lists the transactions of which every record matters.
func (tr *tracer) concerns() []uint32 {
	var out []uint32
	for id, x := range tr.xacts {
		out = append(append(out, id, x.TopXID), x.Subxacts...)
	}
	for id := range tr.concerned {
		out = append(out, id)
	}
	return out
}

// resumption is a place where a Reader went on behind WAL that it passed over.
type resumption struct {
	seg int
	at  LSN
}
