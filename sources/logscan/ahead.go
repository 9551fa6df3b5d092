package logscan

import (
	"context"
	"slices"
	"sync"

	"inquest/sources"
)

// Unpacking keeps one core busy, so two compressed files are searched at a time:
// while one is at hand, the next is searched ahead, and what it gave is merged
// when its turn comes; its hits are told at once. Of plain files each is searched by several goroutines.

// ahead is the search of the next file, under way or done.
type ahead struct {
	index int
	run   *run
	err   error
	done  chan struct{}
}

// lookAhead begins the search of the file that follows the one at hand, when both
// are compressed; nil when there is none to be searched ahead.
func (r *run) lookAhead(ctx context.Context, i int) *ahead {
	if r.alone || i+1 >= len(r.s.Files) || !r.s.Files[i].compressed(ctx) || !r.s.Files[i+1].compressed(ctx) {
		return nil
	}
	a := &ahead{index: i + 1, done: make(chan struct{}), run: &run{s: r.s, q: r.q, needles: r.needles, limit: r.limit, alone: true}}
	a.run.q.Progress = nil
	go func() {
		defer close(a.done)
		a.err = a.run.member(ctx, i+1, r.s.Files[i+1])
	}()
	return a
}

// oneAtATime makes sure that two searches do not tell at the same time; nil stays nil.
func oneAtATime(found func(sources.Event)) func(sources.Event) {
	if found == nil {
		return nil
	}
	var mu sync.Mutex
	return func(e sources.Event) {
		mu.Lock()
		defer mu.Unlock()
		found(e)
	}
}

func (m *File) compressed(ctx context.Context) bool {
	f, err := m.open(ctx)
	if err != nil {
		return false
	}
	defer f.Close()
	return f.packing != plain
}

// absorb adds what a file gave that was searched ahead, as if it had been searched
// just now.
func (r *run) absorb(a *ahead, m *File) error {
	<-a.done
	sub := a.run
	r.paths = append(r.paths, sub.paths...)
	for _, f := range sub.formats {
		r.formats = appendNew(r.formats, f)
	}
	for _, l := range sub.limits {
		if !slices.Contains(r.limits, l) {
			r.limits = append(r.limits, l)
		}
	}
	if a.err != nil {
		return a.err
	}
	if len(sub.paths) == 0 {
		return nil // outside of the window
	}
	if m.Hole != "" {
		r.hole = m.Hole
	}
	b := &block{dropped: sub.dropped, cut: sub.cut, cover: sub.cover, hits: make([]hit, len(sub.events))}
	for i, e := range sub.events {
		b.hits[i] = hit{start: int64(i), event: e}
	}
	r.lastStart = -1
	r.told = stretch{0, int64(len(b.hits))}
	r.merge(b, func(h hit) string { return h.event.Position }, true)
	r.told = stretch{}
	if sub.hole != "" && sub.hole != m.Hole {
		r.hole = sub.hole // it is broken at its end
	}
	r.progress(0, sub.bytes)
	return nil
}
