package logstore

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"inquest/sources"
)

// Turns lets one search at a time at a store, which is then asked once what
// several probes want to know at the same time. Make it with NewTurns.
type Turns struct {
	place chan struct{}

	mu   sync.Mutex
	kept []kept
}

type kept struct {
	key string
	res *sources.LogResult
}

// NewTurns returns free turns.
func NewTurns() *Turns { return &Turns{place: make(chan struct{}, 1)} }

// Take waits for the turn. The error is the context's.
func (t *Turns) Take(ctx context.Context) (done func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case t.place <- struct{}{}:
		return func() { <-t.place }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

const (
	mostKept  = 4
	keptBytes = 4 << 20
)

// Known returns the answer to a query that was kept, or nil.
func (t *Turns) Known(q sources.LogQuery) *sources.LogResult {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, k := range t.kept {
		if k.key == key(q) {
			return clone(k.res)
		}
	}
	return nil
}

// Keep keeps a whole answer for those who ask the same; one that is large is
// not kept.
func (t *Turns) Keep(q sources.LogQuery, res *sources.LogResult) {
	size := 0
	for _, e := range res.Events {
		size += len(e.Raw)
	}
	if size > keptBytes {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.kept = append(t.kept, kept{key(q), clone(res)}); len(t.kept) > mostKept {
		t.kept = slices.Delete(t.kept, 0, 1)
	}
}

func key(q sources.LogQuery) string {
	return fmt.Sprintf("%#v %s %s %d", q.Needles, q.Window.From, q.Window.To, q.Limit)
}

// clone copies what a caller may change.
func clone(res *sources.LogResult) *sources.LogResult {
	out := *res
	out.Events = slices.Clone(res.Events)
	for i := range out.Events {
		out.Events[i].Fields = maps.Clone(out.Events[i].Fields)
	}
	v := &out.Coverage
	v.Gaps, v.Limits, v.Buckets = slices.Clone(v.Gaps), slices.Clone(v.Limits), slices.Clone(v.Buckets)
	return &out
}
