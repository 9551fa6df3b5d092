package logscan

import (
	"bytes"
	"context"
	"time"
)

const (
	seekLeast = 8 << 20         // smaller files are read whole
	seekSlack = 2 * time.Minute // disorder that sorted files may have
	seekPage  = 32 << 10
	seekNear  = 256 << 10 // so close to a bound of the window is close enough
	seekEvery = 24        // probes that show whether the file is in order
)

// seek returns the part of a plain file that a bounded window needs, when its
// probes say that the lines stand in the order of time.
func (r *run) seek(j *job) (from, to int64, ok bool) {
	w := r.q.Window
	if w.IsZero() || j.size < seekLeast || !j.clock.timed() {
		return 0, j.size, false
	}
	p := &prober{job: j, clk: j.clock.copy()}
	if !p.sorted() {
		return 0, j.size, false
	}
	slack := seekSlack
	if p.clk.bare {
		slack += unknownZone
	}
	from, to = 0, j.size
	if !w.From.IsZero() {
		from = p.last(w.From.Add(-slack))
	}
	if !w.To.IsZero() {
		to = min(p.first(w.To.Add(slack))+seekPage, j.size)
	}
	return from, max(from, to), from > 0 || to < j.size
}

// prober reads the time at places of a file.
type prober struct {
	*job
	clk   *clock
	buf   [seekPage]byte
	times [seekEvery]int64 // at even distances
}

// at returns the time of the first timed line that starts at or after off, and
// where that line starts.
func (p *prober) at(off int64) (t, start int64, ok bool) {
	n, _ := p.file.ReadAt(p.buf[:], off)
	b := p.buf[:n]
	i := 0
	if off > 0 {
		if i = bytes.IndexByte(b, '\n') + 1; i == 0 {
			return 0, 0, false
		}
	}
	for i < len(b) {
		k := bytes.IndexByte(b[i:], '\n')
		if k < 0 {
			break
		}
		if t, ok := p.clk.read(b[i : i+k]); ok {
			return t, off + int64(i), true
		}
		i += k + 1
	}
	return 0, 0, false
}

// sorted probes the file at even distances. A file whose lines have no time
// for long stretches is not called sorted.
func (p *prober) sorted() bool {
	var before int64
	for i := range p.times {
		t, _, ok := p.at(p.size / seekEvery * int64(i))
		if !ok || (i > 0 && t < before-int64(seekSlack)) {
			return false
		}
		p.times[i] = t
		before = max(before, t)
	}
	return true
}

// between returns the two probes of sorted between which t comes.
func (p *prober) between(t int64) (lo, hi int64) {
	for i, got := range p.times {
		if got >= t {
			return lo, p.size / seekEvery * int64(i)
		}
		lo = p.size / seekEvery * int64(i)
	}
	return lo, p.size
}

// last returns an offset at which the lines are still before t.
func (p *prober) last(t time.Time) int64 {
	lo, hi := p.between(t.UnixNano())
	for hi-lo > seekNear {
		mid := lo + (hi-lo)/2
		if got, start, ok := p.at(mid); ok && got < t.UnixNano() {
			lo = start
		} else {
			hi = mid
		}
	}
	return lo
}

// first returns an offset from which on the lines are after t.
func (p *prober) first(t time.Time) int64 {
	lo, hi := p.between(t.UnixNano() + 1)
	for hi-lo > seekNear {
		mid := lo + (hi-lo)/2
		if got, start, ok := p.at(mid); !ok || got <= t.UnixNano() {
			lo = max(start, mid)
		} else {
			hi = mid
		}
	}
	return hi
}

// outside reports whether a rotated file lies wholly outside the window, by
// its first time, its own last change and the first time of the next file.
func (r *run) outside(ctx context.Context, i int, m *File, l *Learned) bool {
	w := r.q.Window
	if w.IsZero() || len(r.s.Files) < 2 || !l.timed {
		return false
	}
	slack := time.Hour
	if l.bare {
		slack += unknownZone
	}
	if !w.To.IsZero() && at(l.first).Add(-slack).After(w.To) {
		r.limits = append(r.limits, m.base()+" was not read: it begins after the window")
		return true
	}
	if r.s.Apart || i+1 >= len(r.s.Files) || w.From.IsZero() {
		return false
	}
	if next := r.s.Learn(ctx, r.s.Files[i+1]); next.timed && at(next.first).Add(slack).Before(w.From) {
		r.limits = append(r.limits, m.base()+" was not read: it ends before the window")
		return true
	}
	return false
}

func firstTime(c *clock, lines []string) (int64, bool) {
	for _, l := range lines {
		if t, ok := c.read([]byte(l)); ok {
			return t, true
		}
	}
	return 0, false
}
