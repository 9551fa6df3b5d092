package loki

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"inquest/sources"
	"inquest/sources/logstore"
)

// SearchLogs lets the server search. It is a *sources.Blind when it could not
// look anywhere in the window, or holds no line of the log there.
func (l *Loki) SearchLogs(ctx context.Context, q sources.LogQuery) (*sources.LogResult, error) {
	if l.closed.Load() {
		return nil, &sources.Blind{Why: l.name + " was closed"}
	}
	return l.turns.Search(ctx, q, l.opt.Time, l.search, l.blind)
}

func (l *Loki) search(ctx context.Context, q sources.LogQuery) (*sources.LogResult, error) {
	w, bound, err := l.window(ctx, q.Window)
	if err != nil {
		return nil, err
	}
	s, err := l.look(ctx, w)
	if err != nil {
		return nil, err
	}
	if s.First.IsZero() {
		return nil, l.empty(w)
	}
	if s.First.After(w.To.Add(late)) || s.Last.Before(w.From.Add(-late)) {
		b := l.empty(w)
		b.Why += fmt.Sprintf(": there are some near it, from %s to %s", s.First.Format(time.RFC3339), s.Last.Format(time.RFC3339))
		return nil, b
	}
	r := &run{Loki: l, q: q, window: w, survey: s, seen: map[string]int{}}
	if err := r.collect(ctx); err != nil {
		return nil, err
	}
	return r.result(ctx, bound)
}

// late is how much later than it happened a line may have come to the server and
// is still found by a window.
const late = 30 * time.Second

// window is the stretch that is searched for a query: its own bounds, else the
// case's, else what the server holds. bound is what that left out.
func (l *Loki) window(ctx context.Context, w sources.Window) (out sources.Window, bound string, err error) {
	if w.From.IsZero() {
		w.From = l.opt.Window.From
	}
	if w.To.IsZero() {
		w.To = l.opt.Window.To
	}
	if !w.From.IsZero() && !w.To.IsZero() {
		return sources.Window{From: w.From.UTC(), To: w.To.UTC()}, "", nil
	}
	h, err := l.holds(ctx)
	if err != nil {
		return w, "", err
	}
	if w.From.IsZero() {
		bound = h.bound
		if w.From = h.oldest; h.oldest.IsZero() {
			w.From = h.asked.From
		}
	}
	if w.To.IsZero() {
		w.To = h.asked.To
	}
	if !w.From.Before(w.To) {
		return w, "", l.empty(sources.Window{From: h.asked.From, To: w.To})
	}
	return sources.Window{From: w.From.UTC(), To: w.To.UTC()}, bound, nil
}

// run is one search.
type run struct {
	*Loki
	q      sources.LogQuery
	window sources.Window
	survey *survey

	query   string   // as it was sent
	shown   []string // as a person would send it
	entries []logstore.Entry
	seen    map[string]int // position → place among entries
	bytes   int64
	asked   bool // some of the window was read
	full    bool // no more is taken
	gaps    []sources.Gap
	limits  []string
	done    time.Duration
}

const (
	mostBytes = 64 << 20
	slice     = 24 * time.Hour
)

// collect fetches what may be a hit, the newest day first: when time runs out,
// the oldest was not read.
func (r *run) collect(ctx context.Context) error {
	queries := []string{r.inLines(r.q.Needles)}
	names := r.survey.metadata()
	if beside := r.inMetadata(r.q.Needles, names); beside != "" {
		queries = append(queries, beside)
	}
	if len(r.q.Needles) > 0 {
		r.limits = append(r.limits, told(names))
	}
	r.query, r.shown = queries[0], make([]string, len(queries))
	for i, query := range queries {
		r.shown[i] = r.command(query, r.window)
	}
	w := sources.Window{From: r.window.From.Add(-late), To: r.window.To.Add(late)}
	for end := w.To; end.After(w.From); end = end.Add(-slice) {
		part := sources.Window{From: end.Add(-slice), To: end}
		if part.From.Before(w.From) {
			part.From = w.From
		}
		for i, query := range queries {
			err := r.fetch(ctx, query, part, i > 0)
			var refused *logstore.Refused
			if i > 0 && errors.As(err, &refused) {
				r.limits = append(r.limits, "structured metadata was not searched: "+r.blind(err).Error())
				queries = queries[:1]
				break
			}
			if err != nil {
				return r.stopped(err, sources.Window{From: w.From, To: part.To})
			}
		}
		if r.full {
			if part.From.After(w.From) {
				r.gap(sources.Window{From: w.From, To: part.From}, "not searched: there were more lines than are taken at once")
			}
			break
		}
		r.progress(part)
	}
	if len(r.q.Needles) > 0 && !r.full {
		if err := r.neighbours(ctx); err != nil && ctx.Err() == nil {
			r.limits = append(r.limits, "lines beside the hits could not be read: "+r.blind(err).Error())
		}
	}
	return nil
}

func (r *run) progress(part sources.Window) {
	r.done += part.To.Sub(part.From)
	if r.q.Progress != nil {
		all := r.window.To.Sub(r.window.From) + 2*late
		r.q.Progress(min(int64(r.done/time.Second), int64(all/time.Second)), int64(all/time.Second))
	}
}

// stopped decides what an error leaves: nothing, or what was read until then.
func (r *run) stopped(err error, rest sources.Window) error {
	if errors.Is(err, context.Canceled) || !r.asked {
		return err
	}
	why := r.blind(err).Error()
	if errors.Is(err, context.DeadlineExceeded) {
		why = fmt.Sprintf("the time for one search (%s) was over", r.opt.Time)
	}
	r.gap(rest, "not searched: "+why)
	return nil
}

func (r *run) gap(w sources.Window, reason string) {
	r.gaps = append(r.gaps, sources.Gap{From: w.From, To: w.To, Reason: reason})
}

func (r *run) reading() logstore.Reading {
	q := r.q
	q.Window = r.window
	return logstore.Reading{Name: r.name, Store: "Loki", Options: r.opt.Options, Query: q, Samples: r.survey.samples}
}

// result reads the hits and says what was looked at.
func (r *run) result(ctx context.Context, bound string) (*sources.LogResult, error) {
	if len(r.q.Needles) == 0 {
		for i := range r.entries {
			r.entries[i].Run = 1
		}
	}
	res := r.reading().Events(r.entries)
	res.Query = strings.Join(r.shown, "; ")
	if r.full {
		if n, err := r.total(ctx, r.query, r.window); err == nil {
			res.Dropped += max(0, n-int64(len(r.entries)))
		}
	}
	v := &res.Coverage
	v.Source = r.name
	if err := r.survey.Cover(ctx, v, r.window, r.edge); err != nil && ctx.Err() == nil {
		v.Limits = append(v.Limits, "where silences begin and end is known to "+r.survey.Counts.Width.String()+" only")
	}
	if v.Gaps = append(v.Gaps, r.gaps...); len(r.gaps) == 0 && ctx.Err() == nil {
		defer r.turns.Keep(r.q, res)
	}
	slices.SortFunc(v.Gaps, func(a, b sources.Gap) int { return a.From.Compare(b.From) })
	v.Limits = append(v.Limits, r.limits...)
	r.learn(func() { v.Limits = append(v.Limits, r.warnings...) })
	if bound != "" {
		v.Limits = append(v.Limits, bound)
	}
	return res, nil
}
