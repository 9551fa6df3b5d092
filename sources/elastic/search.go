package elastic

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"inquest/sources"
	"inquest/sources/logscan"
	"inquest/sources/logstore"
)

// late is how much later than it happened an event may be dated by the index and
// is still found by a window.
const late = 30 * time.Second

const (
	mostBytes  = 64 << 20
	largest    = 10_000 // index.max_result_window by default
	leastSplit = time.Second
)

// SearchLogs lets the cluster search. It is a *sources.Blind when it could not
// look, when it holds no document there, or when nothing was found in an index that
// cannot find an id in a message.
func (x *Index) SearchLogs(ctx context.Context, q sources.LogQuery) (*sources.LogResult, error) {
	if x.closed.Load() {
		return nil, &sources.Blind{Why: x.name + " was closed"}
	}
	return x.turns.Search(ctx, q, x.opt.Time, x.find, x.blind)
}

func (x *Index) find(ctx context.Context, q sources.LogQuery) (*sources.LogResult, error) {
	m, h, err := x.know(ctx)
	if err != nil {
		return nil, err
	}
	w := q.Window
	if w.From.IsZero() {
		w.From = x.opt.Window.From
	}
	if w.To.IsZero() {
		w.To = x.opt.Window.To
	}
	if w.From.IsZero() {
		w.From = h.oldest
	}
	if w.To.IsZero() {
		w.To = h.newest.Add(time.Millisecond)
	}
	w = sources.Window{From: w.From.UTC(), To: w.To.UTC()}
	if !w.From.Before(w.To) {
		return nil, x.empty(w)
	}
	s, err := x.look(ctx, m, w)
	if err != nil {
		return nil, err
	}
	if s.First.IsZero() || s.First.After(w.To.Add(late)) || s.Last.Before(w.From.Add(-late)) {
		b := x.empty(w)
		b.Why += fmt.Sprintf(": it holds them from %s to %s", bound(h.oldest), bound(h.newest))
		if s.partial != "" {
			b.Why += ", and " + s.partial
		}
		return nil, b
	}
	r := &run{Index: x, m: m, q: q, window: w, survey: s, seen: map[string]bool{}, how: asking{wildcards: true, clauses: mostClauses}, size: min(x.opt.Page, largest)}
	if s.partial != "" {
		r.gap(w, s.partial)
	}
	if err := r.collect(ctx); err != nil {
		return nil, err
	}
	return r.result(ctx, h)
}

// run is one search.
type run struct {
	*Index
	m      *mapped
	q      sources.LogQuery
	window sources.Window
	survey *survey
	how    asking
	size   int

	entries []logstore.Entry
	seen    map[string]bool
	bytes   int64
	matched int64 // as the cluster counted them; zero: it did not
	least   bool
	asked   bool
	full    bool
	gaps    []sources.Gap
	limits  []string
}

func (r *run) gap(w sources.Window, reason string) {
	same := func(g sources.Gap) bool { return g.From.Equal(w.From) && g.To.Equal(w.To) && g.Reason == reason }
	if !slices.ContainsFunc(r.gaps, same) {
		r.gaps = append(r.gaps, sources.Gap{From: w.From, To: w.To, Reason: reason})
	}
}

func (r *run) limit(text string) {
	if !slices.Contains(r.limits, text) {
		r.limits = append(r.limits, text)
	}
}

// collect fetches what may be a hit.
func (r *run) collect(ctx context.Context) error {
	w := sources.Window{From: r.window.From.Add(-late), To: r.window.To.Add(late)}
	err := r.fetch(ctx, w)
	if err == nil {
		return nil
	}
	if errors.Is(err, context.Canceled) || !r.asked {
		return err
	}
	why := r.blind(err).Error()
	if errors.Is(err, context.DeadlineExceeded) {
		why = fmt.Sprintf("the time for one search (%s) was over", r.opt.Time)
	}
	rest := w
	if n := len(r.entries); n > 0 {
		rest.From = r.entries[n-1].Time
	}
	r.gap(rest, "not searched: "+why)
	return nil
}

// body is a page of the search in w.
func (r *run) body(w sources.Window, size int) object {
	match, left := r.m.matching(r.q.Needles, r.how)
	if len(left) > 0 {
		r.limit("not searched, for the cluster does not take so large a query: " + some(left))
	}
	b := object{"size": size, "query": filtered(r.m.within(w), match), "sort": []any{r.m.byTime(false)}, "timeout": "45s", "track_total_hits": true}
	if r.survey.bare {
		b["_source"], b["fields"] = false, []string{"*"}
	}
	return b
}

func (r *run) reading() logstore.Reading {
	q := r.q
	q.Window = r.window
	return logstore.Reading{Name: r.name, Store: "the index", Options: r.opt.Options, Query: q, Samples: r.survey.samples}
}

// result reads the hits and says what was looked at.
func (r *run) result(ctx context.Context, h *held) (*sources.LogResult, error) {
	if len(r.q.Needles) == 0 {
		for i := range r.entries {
			r.entries[i].Run = 1
		}
	}
	res := r.reading().Events(r.entries)
	if len(r.q.Needles) > 0 && len(res.Events) == 0 && r.m.unsearchable() {
		return nil, r.m.blindness()
	}
	if r.full {
		res.Dropped += max(0, r.matched-int64(len(r.entries)))
		if r.least {
			r.limit("there are more hits than the cluster counted")
		}
	}
	res.Query = r.command()
	v := &res.Coverage
	v.Source = r.name
	if err := r.survey.Cover(ctx, v, r.window, r.edge(r.m)); err != nil && ctx.Err() == nil {
		v.Limits = append(v.Limits, "where silences begin and end is known to "+r.survey.Counts.Width.String()+" only")
	}
	if v.Gaps = append(v.Gaps, r.gaps...); len(r.gaps) == 0 && ctx.Err() == nil {
		defer r.turns.Keep(r.q, res)
	}
	slices.SortFunc(v.Gaps, func(a, b sources.Gap) int { return a.From.Compare(b.From) })
	v.Limits = append(v.Limits, r.limits...)
	v.Limits = append(v.Limits, h.limits...)
	if len(r.q.Needles) > 0 {
		v.Limits = append(v.Limits, r.m.limits...)
	}
	return res, nil
}

// command finds the same documents by hand.
func (r *run) command() string {
	match, _ := r.m.matching(r.q.Needles, r.how)
	body, err := json.Marshal(object{"size": r.opt.Page, "query": filtered(r.m.within(r.window), match), "sort": []any{r.m.byTime(false)}})
	if err != nil {
		return ""
	}
	return "curl -H 'Content-Type: application/json' " + logscan.Quote(r.client.Address()+r.path+"/_search") + " -d " + logscan.Quote(string(body))
}
