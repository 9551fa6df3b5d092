package walfetch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"inquest/sources"
	"inquest/sources/wal"
)

const (
	// mostUnarchived bounds how far behind the server the archive may be.
	mostUnarchived = 16
	// atOnce is how many commands run side by side once the archive has answered.
	atOnce = 4
	// mostDiscarded bounds the segments that are fetched of a timeline past the point where it was left.
	mostDiscarded = 64
)

// walk goes from the newest segment towards older ones along a timeline's history.
type walk struct {
	s        *Source
	pos      Position
	switches []wal.Switch // ancestors of the timeline, oldest first
	until    time.Time
}

// found is a segment that was fetched.
type found struct {
	start wal.LSN
	name  string
}

func (s *Source) newWalk(ctx context.Context, pos Position) (*walk, error) {
	w := &walk{s: s, pos: pos}
	if s.opt.Total > 0 {
		w.until = time.Now().Add(s.opt.Total)
	}
	if pos.Timeline == 1 {
		return w, nil
	}
	name := fmt.Sprintf("%08X.history", pos.Timeline)
	err := s.fetch(ctx, name)
	switch {
	case errors.Is(err, errMissing):
		s.note("the archive lacks " + name + ": WAL of older timelines is not told apart")
		return w, nil
	case err != nil:
		return nil, err
	}
	b, err := os.ReadFile(s.folder.File(name))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if w.switches, err = wal.ParseHistory(b); err != nil {
		return nil, &sources.Blind{Why: "the archive's " + name + " is no timeline history: " + err.Error()}
	}
	return w, nil
}

// names are the files that may hold the segment at a position, the best first:
// where a timeline was left the segment is on both.
func (w *walk) names(start wal.LSN) []string {
	end := start + wal.LSN(w.pos.SegmentSize)
	out := []string{}
	from := wal.LSN(0)
	for _, sw := range w.switches {
		if sw.At > start && from < end {
			name := wal.SegmentName(sw.TLI, start, w.pos.SegmentSize)
			if sw.At < end {
				out = append(out, name+".partial")
			}
			out = append(out, name)
		}
		from = sw.At
	}
	if from < end {
		out = append(out, wal.SegmentName(w.pos.Timeline, start, w.pos.SegmentSize))
	}
	slices.Reverse(out)
	return out
}

// get fetches the segment at a position under the first of its names.
func (w *walk) get(ctx context.Context, start wal.LSN) (found, error) {
	var last error
	for _, name := range w.names(start) {
		err := w.s.fetch(ctx, name)
		if err == nil {
			return found{start, name}, nil
		}
		if last = err; !errors.Is(err, errMissing) {
			break
		}
	}
	return found{start: start}, last
}

// newest is where the walk begins.
func (w *walk) newest() (start wal.LSN, known bool) {
	size := wal.LSN(w.pos.SegmentSize)
	start = (w.pos.LSN - 1) / size * size
	if _, at, ok := wal.ParseSegmentName(w.pos.Archived, w.pos.SegmentSize); ok && at < start {
		start, known = at, true
	}
	if w.pos.Have != 0 && w.pos.Have <= start {
		start = (w.pos.Have - 1) / size * size
	}
	return start, known
}

// first finds the newest segment that the archive holds.
func (w *walk) first(ctx context.Context) (found, error) {
	start, known := w.newest()
	tries := mostUnarchived
	if known {
		tries = 4
	}
	var tried string
	var last error
	for range tries {
		at, err := w.get(ctx, start)
		if err == nil {
			return at, nil
		}
		if last = err; !errors.Is(err, errMissing) {
			break
		}
		name := wal.SegmentName(w.pos.Timeline, start, w.pos.SegmentSize)
		if tried == "" {
			tried = name
		} else {
			tried = tried[:24] + " back to " + name
		}
		if start < wal.LSN(w.pos.SegmentSize)*2 {
			break
		}
		start -= wal.LSN(w.pos.SegmentSize)
	}
	return found{}, blind(tried, last)
}

// fetchAll fetches back from the newest segment to the first that the archive
// lacks, or to where a bound is met.
func (s *Source) fetchAll(ctx context.Context, pos Position) error {
	s.notes = nil
	w, err := s.newWalk(ctx, pos)
	if err != nil {
		return err
	}
	if pos.Have != 0 && pos.Have <= wal.LSN(pos.SegmentSize) {
		return nil // the server has all there ever was
	}
	at, err := w.first(ctx)
	if err != nil {
		return err
	}
	if err := w.back(ctx, at); err != nil {
		return err
	}
	for _, sw := range w.switches {
		if err := w.discarded(ctx, sw); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) back(ctx context.Context, at found) error {
	size := wal.LSN(w.pos.SegmentSize)
	for {
		if w.bounded(ctx, at) {
			return nil
		}
		var starts []wal.LSN
		for next := at.start; next > size && len(starts) < atOnce; {
			next -= size
			starts = append(starts, next)
		}
		if len(starts) == 0 {
			return nil // the first segment of all
		}
		for _, r := range w.several(ctx, starts) {
			if errors.Is(r.err, errMissing) {
				w.s.note(fmt.Sprintf("the archive holds nothing older than segment %s: %v", at.name, r.err))
				return nil
			}
			if r.err != nil {
				return w.broken(ctx, at, r.err)
			}
			at = r.found
		}
	}
}

// broken keeps what was fetched before a command failed.
func (w *walk) broken(ctx context.Context, at found, err error) error {
	var b *sources.Blind
	if ctx.Err() == nil && errors.As(err, &b) {
		w.s.note("nothing older than segment " + at.name + " was fetched: " + b.Why)
		return nil
	}
	return err
}

// bounded reports that no older segment is to be fetched, and notes why.
func (w *walk) bounded(ctx context.Context, at found) bool {
	limit := w.s.opt.MaxBytes
	next := int64(atOnce) * w.pos.SegmentSize
	switch room, ok := w.s.folder.Room(); {
	case limit >= 0 && w.s.bytes+next > limit:
		w.s.note(fmt.Sprintf("nothing older than segment %s was fetched: the %d MB that may be fetched are used up; --budget large", at.name, limit>>20))
	case ok && room < next:
		w.s.note("nothing older than segment " + at.name + " was fetched: the disk of the temporary folder is nearly full; set TMPDIR")
	case !w.until.IsZero() && time.Now().After(w.until):
		w.s.note(fmt.Sprintf("nothing older than segment %s was fetched: the %s for fetching are used up", at.name, w.s.opt.Total))
	case !w.s.opt.From.IsZero():
		t := w.s.firstTime(ctx, at.name)
		if t.IsZero() || !t.Before(w.s.opt.From.Add(-lead)) {
			return false
		}
		w.s.note(fmt.Sprintf("nothing older than segment %s was fetched: it begins before the window", at.name))
	default:
		return false
	}
	return true
}

type outcome struct {
	found
	err error
}

// several fetches segments side by side; the answers are in the order asked.
func (w *walk) several(ctx context.Context, starts []wal.LSN) []outcome {
	out := make([]outcome, len(starts))
	var wg sync.WaitGroup
	for i, start := range starts {
		wg.Go(func() { out[i].found, out[i].err = w.get(ctx, start) })
	}
	wg.Wait()
	return out
}

// discarded fetches what an older timeline wrote past the point where it was
// left: commits that a failover lost.
func (w *walk) discarded(ctx context.Context, sw wal.Switch) error {
	size := wal.LSN(w.pos.SegmentSize)
	start := sw.At / size * size
	for n := range mostDiscarded {
		name := wal.SegmentName(sw.TLI, start+wal.LSN(n)*size, w.pos.SegmentSize)
		if limit := w.s.opt.MaxBytes; limit >= 0 && w.s.bytes+w.pos.SegmentSize > limit {
			return nil
		}
		err := w.s.fetch(ctx, name)
		if errors.Is(err, errMissing) {
			err = w.s.fetch(ctx, name+".partial")
		}
		if err != nil {
			return w.ended(ctx, err)
		}
	}
	return nil
}

func (w *walk) ended(ctx context.Context, err error) error {
	var b *sources.Blind
	if ctx.Err() == nil && (errors.Is(err, errMissing) || errors.As(err, &b)) {
		return nil
	}
	return err
}
