package logstore

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

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

// Search waits for the turn and answers q: by what is known, or by search within
// limit. Errors: the context's own, and what blind makes of those of search.
func (t *Turns) Search(ctx context.Context, q sources.LogQuery, limit time.Duration, search func(context.Context, sources.LogQuery) (*sources.LogResult, error), blind func(error) error) (*sources.LogResult, error) {
	done, err := t.take(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	if res := t.known(q); res != nil {
		return res, nil
	}
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	res, err := search(limited, q)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, blind(err)
	}
	return res, nil
}

// take waits for the turn. The error is the context's.
func (t *Turns) take(ctx context.Context) (done func(), err error) {
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

// known returns the answer to a query that was kept, or nil.
func (t *Turns) known(q sources.LogQuery) *sources.LogResult {
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
