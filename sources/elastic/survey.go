package elastic

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"inquest/sources"
	"inquest/sources/logscan"
	"inquest/sources/logstore"
)

// held is what the index holds, as it was when first asked.
type held struct {
	oldest, newest time.Time
	total          int64
	limits         []string
	partial        string
}

// survey is what is known of a stretch of the index.
type survey struct {
	logstore.Survey
	window  sources.Window
	partial string // why its numbers are too small; empty: they are not
	bare    bool   // documents come without what was sent (_source)
	samples map[string][]string
}

// know learns how the index is mapped and what it holds.
func (x *Index) know(ctx context.Context) (*mapped, *held, error) {
	m, err := x.learn(ctx)
	if err != nil {
		return nil, nil, err
	}
	x.mu.Lock()
	h := x.held
	x.mu.Unlock()
	if h != nil {
		return m, h, nil
	}
	a, err := x.search(ctx, object{
		"size": 0, "track_total_hits": true, "timeout": "30s",
		"aggs": object{
			"first": object{"min": object{"field": m.time}}, "last": object{"max": object{"field": m.time}},
			"without": object{"filter": object{"bool": object{"must_not": object{"exists": object{"field": m.time}}}}},
			"ignored": object{"filter": object{"exists": object{"field": "_ignored"}}},
		},
	})
	if err != nil {
		return nil, nil, err
	}
	h = &held{oldest: a.Aggregations.First.time(), newest: a.Aggregations.Last.time(), partial: a.partial()}
	h.total, _ = a.total()
	if h.oldest.IsZero() {
		if h.partial != "" {
			return nil, nil, &sources.Blind{Why: x.name + ": " + h.partial, Opens: "run the step again when the cluster is well (GET _cluster/health)"}
		}
		return nil, nil, x.empty(sources.Window{})
	}
	if n := a.Aggregations.Without.Count; n > 0 {
		h.limits = append(h.limits, fmt.Sprintf("%d documents have no %s: no window finds them", n, m.time))
	}
	if n := a.Aggregations.Ignored.Count; n > 0 {
		h.limits = append(h.limits, fmt.Sprintf("%d documents have a value that was left out of the index (_ignored: too long, or malformed): the search does not see it", n))
	}
	if h.partial == "" { // an answer in part is not kept
		x.mu.Lock()
		x.held = h
		x.mu.Unlock()
	}
	return m, h, nil
}

// look surveys a stretch that has room for w, or returns a survey that is kept.
func (x *Index) look(ctx context.Context, m *mapped, w sources.Window) (*survey, error) {
	around := logstore.Around(w, x.opt.Now())
	step := logstore.Width(around)
	x.mu.Lock()
	for _, s := range x.kept {
		if !s.window.From.After(around.From) && !s.window.To.Before(around.To.Add(-10*time.Minute)) && s.Counts.Width <= 8*step {
			x.mu.Unlock()
			return s, nil
		}
	}
	x.mu.Unlock()
	a, err := x.search(ctx, object{
		"size": sampled, "track_total_hits": true, "query": filtered(m.within(around)), "sort": []any{m.byTime(true)}, "timeout": "30s",
		"aggs": object{
			"first": object{"min": object{"field": m.time}}, "last": object{"max": object{"field": m.time}},
			"over": object{"date_histogram": object{"field": m.time, "fixed_interval": strconv.Itoa(int(step/time.Second)) + "s", "min_doc_count": 1}},
		},
	})
	if err != nil {
		return nil, err
	}
	s := &survey{window: around, partial: a.partial(), samples: map[string][]string{}}
	s.First, s.Last = a.Aggregations.First.time(), a.Aggregations.Last.time()
	s.Exact = s.partial == ""
	s.Counts = counts(a.Aggregations.Over.Buckets, step)
	for _, h := range a.Hits.Hits {
		s.bare = s.bare || len(h.Source) == 0
		if e, ok := x.entry(m, h); ok {
			s.samples[e.Group] = append(s.samples[e.Group], e.Line)
		}
	}
	if s.partial == "" {
		x.mu.Lock()
		defer x.mu.Unlock()
		if x.kept = append(x.kept, s); len(x.kept) > 12 {
			x.kept = slices.Delete(x.kept, 0, 1)
		}
	}
	return s, nil
}

const sampled = 100

// counts puts buckets, of which the empty ones are left out, side by side.
func counts(buckets []bucket, step time.Duration) logscan.Counts {
	c := logscan.Counts{Width: step}
	if len(buckets) == 0 {
		return c
	}
	const most = 1 << 16
	first := slices.MinFunc(buckets, func(a, b bucket) int { return int(min(max(a.Key-b.Key, -1), 1)) }).Key
	c.Start = time.UnixMilli(first).UTC()
	for _, b := range buckets {
		i := (b.Key - first) / step.Milliseconds()
		if i >= most || b.Count < 0 {
			continue
		}
		if missing := int(i) + 1 - len(c.Lines); missing > 0 {
			c.Lines = append(c.Lines, make([]int64, missing)...)
		}
		c.Lines[i] += b.Count
	}
	return c
}

// edge finds the time of the first, or of the last, document in w.
func (x *Index) edge(m *mapped) logstore.Edge {
	return func(ctx context.Context, w sources.Window, last bool) (time.Time, error) {
		a, err := x.search(ctx, object{"size": 1, "track_total_hits": false, "_source": false, "query": filtered(m.within(w)), "sort": []any{m.byTime(last)}})
		if err != nil || len(a.Hits.Hits) == 0 || len(a.Hits.Hits[0].Sort) == 0 {
			return time.Time{}, err
		}
		at, err := strconv.ParseInt(string(a.Hits.Hits[0].Sort[0]), 10, 64)
		if err != nil {
			return time.Time{}, fmt.Errorf("%w: a time that is no number", logstore.ErrGarbled)
		}
		return m.moment(at), nil
	}
}
