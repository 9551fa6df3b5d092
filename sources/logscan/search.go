package logscan

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"inquest/sources"
	"inquest/sources/scan"
)

const (
	defaultLimit = 1000
	rawBudget    = 64 << 20 // bytes of records kept by one search
	chunkSize    = 1 << 20
	chunkEvery   = 128 << 10 // where every line becomes an event: an interrupt waits for the end of a chunk
)

// Search returns the events of all files, oldest file first, and what was
// read. It is a *sources.Blind when no file could be read.
func (l *Log) Search(ctx context.Context, q sources.LogQuery) (*sources.LogResult, error) {
	return l.search(ctx, q, false)
}

func (l *Log) search(ctx context.Context, q sources.LogQuery, oneByOne bool) (*sources.LogResult, error) {
	q.Found = oneAtATime(q.Found)
	r := &run{s: l, q: q, needles: newNeedles(q.Needles), limit: q.Limit, alone: oneByOne}
	if r.limit <= 0 {
		r.limit = defaultLimit
	}
	for _, m := range l.Files {
		r.total += m.Size
	}
	ctx, cancel := context.WithCancel(ctx)
	var next *ahead
	defer func() {
		cancel()
		if next != nil {
			<-next.done
		}
	}()
	for i, m := range l.Files {
		var err error
		if mine := next; mine != nil && mine.index == i {
			next = r.lookAhead(ctx, i)
			err = r.absorb(mine, m)
		} else {
			next = r.lookAhead(ctx, i)
			err = r.member(ctx, i, m)
		}
		if err != nil {
			if ctx.Err() != nil {
				return nil, fmt.Errorf("search %s: %w", l.Name, context.Cause(ctx))
			}
			r.failed(m, err)
		}
		r.before += m.Size
	}
	if len(r.failures) == len(l.Files) && len(r.failures) > 0 {
		return nil, &sources.Blind{Why: strings.Join(r.failures, "; "), Opens: r.opens}
	}
	return r.result(), nil
}

// run is one search over the files of a stream.
type run struct {
	s       *Log
	q       sources.LogQuery
	needles *needles
	limit   int
	full    atomic.Bool
	alone   bool // nothing is searched ahead of its turn

	total, before int64 // bytes of all files, and of those that are done
	events        []sources.Event
	dropped       int64
	cut           int64
	raw           int64
	lastStart     int64
	cover         cover
	bytes         int64
	formats       []string
	limits        []string
	gaps          []sources.Gap
	failures      []string
	opens         string
	hole          string // why the stretch before the next file is not covered
	paths         []string
	told          stretch // of the file at hand: hits that were told already
}

// stretch is a part of a file, by offsets.
type stretch struct{ from, to int64 }

func (s stretch) holds(off int64) bool { return off >= s.from && off < s.to }

// member searches one file and adds what it gave.
func (r *run) member(ctx context.Context, i int, m *File) error {
	l := r.s.Learn(ctx, m)
	if l.Err != nil {
		return l.Err
	}
	if r.outside(ctx, i, m, l) {
		return nil
	}
	f, err := m.open(ctx)
	if err != nil {
		return err
	}
	defer f.Close()
	j := &job{
		source: r.s.Name, reader: l.Reader, clock: l.clock, needles: r.needles.tuned(l.sample),
		window: r.q.Window, limit: r.limit, full: &r.full, size: f.size,
	}
	if m.Hole != "" {
		r.hole = m.Hole
	}
	r.note(m, j)
	if f.packing != plain {
		return r.packed(ctx, m, j, f)
	}
	j.file = f.File
	from, to, sought := r.seek(j)
	if sought {
		back := r.cover
		kept, dropped := len(r.events), r.dropped
		err := r.plain(ctx, m, j, from, to)
		if err != nil || r.cover.back <= int64(seekSlack) {
			r.limits = append(r.limits, fmt.Sprintf("%s was read only around the window (bytes %d to %d of %d): its lines are in the order of time wherever it was probed", m.base(), from, to, f.size))
			return err
		}
		r.told = stretch{from, r.lastStart + 1}
		r.cover, r.events, r.dropped = back, r.events[:kept], dropped
		r.full.Store(false)
	}
	defer func() { r.told = stretch{} }()
	return r.plain(ctx, m, j, 0, f.size)
}

// note remembers what the coverage says of a file besides its times.
func (r *run) note(m *File, j *job) {
	r.paths = append(r.paths, m.Path)
	if j.size == 0 {
		return
	}
	r.formats = appendNew(r.formats, formatName(j.reader.Name(), j.reader))
	for _, l := range j.reader.Limits {
		if !slices.Contains(r.limits, l) {
			r.limits = append(r.limits, l)
		}
	}
}

// plain searches the bytes from..to of an uncompressed file.
func (r *run) plain(ctx context.Context, m *File, j *job, from, to int64) error {
	var newlines int64
	r.lastStart = -1
	j.least.Store(r.cover.least)
	first := true
	back := max(4<<10, r.needles.finder.Longest())
	size := chunkSize
	if len(j.needles.texts) == 0 {
		size = chunkEvery
	}
	err := scan.Each(ctx, j.file, from, to, scan.Plan{Size: cmp.Or(r.s.Chunk, size), Back: back, Ahead: back},
		func(c scan.Chunk) (*block, error) {
			return j.chunk(c, c.Base+int64(len(c.Buf)) >= j.size), ctx.Err()
		}, func(b *block) error {
			place := func(h hit) string { return position(m.base(), newlines+h.line+1) }
			if from > 0 {
				place = func(h hit) string { return fmt.Sprintf("%s@%d", m.base(), h.start) }
			}
			r.merge(b, place, first)
			j.least.Store(r.cover.least)
			first = false
			newlines += b.newlines
			r.progress(newlines, b.own)
			return nil
		})
	if errors.Is(err, io.ErrUnexpectedEOF) {
		r.limits = append(r.limits, m.base()+" became shorter while it was read")
		err = nil
	}
	return err
}

func (r *run) progress(_, own int64) {
	r.bytes += own
	if r.q.Progress != nil {
		r.q.Progress(min(r.bytes, r.total), r.total)
	}
}

// position writes where a record begins.
func position(file string, line int64) string { return fmt.Sprintf("%s:%d", file, line) }

// merge adds a block; first marks the first one of a file.
func (r *run) merge(b *block, place func(hit) string, first bool) {
	if b.cover.timed > 0 {
		if r.hole != "" && first && r.cover.timed > 0 && b.cover.first > r.cover.high {
			r.gaps = append(r.gaps, sources.Gap{From: at(r.cover.high), To: at(b.cover.first), Reason: r.hole})
		}
		r.hole = ""
		r.closeOpen(b.cover.first)
	}
	for _, h := range b.hits {
		if h.start == r.lastStart && len(r.events) > 0 {
			if last := &r.events[len(r.events)-1]; last.Weak && !h.event.Weak {
				last.Weak, last.Why = false, h.event.Why
			}
			continue
		}
		r.lastStart = h.start
		h.event.Position = place(h)
		if h.event.NoTime && h.event.Time.IsZero() && r.cover.timed > 0 {
			h.event.Time = at(r.cover.last)
		}
		if r.keep(h.event) && !r.told.holds(h.start) {
			r.tell(h.event)
		}
	}
	r.dropped += b.dropped
	r.cut += b.cut
	r.cover.merge(&b.cover)
}

// closeOpen gives the events at the end that still lack a later neighbour the
// first time of what follows.
func (r *run) closeOpen(t int64) {
	for i := len(r.events) - 1; i >= 0; i-- {
		e := &r.events[i]
		if e.NoTime && e.Until.IsZero() {
			e.Until = at(t)
		} else if !e.NoTime {
			return
		}
	}
}

// keep adds an event to the answer, unless that is full.
func (r *run) keep(e sources.Event) bool {
	if len(r.events) >= r.limit || r.raw > rawBudget {
		r.full.Store(true)
		r.dropped++
		return false
	}
	r.raw += int64(len(e.Raw))
	r.events = append(r.events, e)
	return true
}

// tell shows an event to whoever waits, unless inWindow may yet leave it out.
func (r *run) tell(e sources.Event) {
	if r.q.Found != nil && (!e.NoTime || r.q.Window.IsZero()) {
		r.q.Found(e)
	}
}

// failed notes that a file could not be read, or only in part.
func (r *run) failed(m *File, err error) {
	var b *sources.Blind
	if errors.As(blind(m.Path, err), &b) {
		r.failures = append(r.failures, b.Why)
		r.limits = append(r.limits, "not read: "+b.Why)
		r.opens = b.Opens
	}
	r.hole = m.base() + " could not be read"
}

// result puts the answer together.
func (r *run) result() *sources.LogResult {
	v := sources.Coverage{
		Source: r.s.Name, Gaps: r.gaps, Format: strings.Join(r.formats, ", "), Bytes: r.bytes, Limits: r.limits,
	}
	r.cover.fill(&v)
	for _, g := range r.cover.gaps() {
		if !slices.ContainsFunc(v.Gaps, func(o sources.Gap) bool { return o.From.Equal(g.From) }) {
			v.Gaps = append(v.Gaps, g)
		}
	}
	slices.SortFunc(v.Gaps, func(a, b sources.Gap) int { return a.From.Compare(b.From) })
	if v.ZoneUnknown {
		v.Limits = append(v.Limits, "times are written without a zone; they were read as if they were UTC")
	}
	if r.cut > 0 {
		v.Limits = append(v.Limits, fmt.Sprintf("%d records are longer than 1 MiB and were kept in part", r.cut))
	}
	if r.cover.lines > 0 && r.cover.timed == 0 {
		v.Limits = append(v.Limits, "no line carries a time")
	}
	res := &sources.LogResult{Events: r.inWindow(), Coverage: v, Dropped: r.dropped}
	if r.s.Command != nil {
		res.Query = r.s.Command(r.q, r.paths)
	}
	return res
}

// inWindow leaves out the events without a time whose neighbours show that
// they cannot lie in the window.
func (r *run) inWindow() []sources.Event {
	w := r.q.Window
	return slices.DeleteFunc(r.events, func(e sources.Event) bool {
		if !e.NoTime || w.IsZero() {
			return false
		}
		span := sources.Window{From: e.Time, To: e.Until}
		if e.ZoneUnknown {
			span = span.Widen(unknownZone)
		}
		if !span.To.IsZero() {
			span.To = span.To.Add(time.Nanosecond)
		}
		return !w.Overlaps(span)
	})
}
