package wal

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

// resumption is a place where a Reader went on behind WAL that it passed over.
type resumption struct {
	seg int
	at  LSN
}
