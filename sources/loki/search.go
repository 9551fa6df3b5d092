package loki

import (
	"cmp"
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
	done, err := l.turns.Take(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	if res := l.turns.Known(q); res != nil {
		return res, nil
	}
	limited, cancel := context.WithTimeout(ctx, l.opt.Time)
	defer cancel()
	res, err := l.search(limited, q)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, l.blind(err)
	}
	return res, nil
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

// split reports whether an error may be mended by asking for less at once.
func split(err error) bool {
	if errors.Is(err, logstore.ErrSlow) || errors.Is(err, logstore.ErrTooLarge) {
		return true
	}
	var r *logstore.Refused
	if !errors.As(err, &r) {
		return false
	}
	for _, s := range []string{
		"time range exceeds the limit", "too many bytes", "too large to execute", "deadline exceeded", "timed out", "timeout", "received message larger than max", "chunks fetched", "context canceled",
	} {
		if strings.Contains(r.Reason, s) {
			return true
		}
	}
	return r.Status == 504
}

// fetch reads all lines of a query in w, page after page.
func (r *run) fetch(ctx context.Context, query string, w sources.Window, beside bool) error {
	most := r.most()
	from, limit := w.From, 0
	for from.Before(w.To) && !r.full {
		rest := sources.Window{From: from, To: w.To}
		if longest := r.longest(); longest > 0 && rest.To.Sub(rest.From) > longest {
			return r.halves(ctx, query, rest, beside)
		}
		list, got, err := r.lines(ctx, query, rest, cmp.Or(limit, most-len(r.entries)+1), false)
		switch {
		case err == nil:
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, logstore.ErrTooLarge) && got > 1:
			limit = max(1, got/8)
			continue
		case split(err) && rest.To.Sub(rest.From) > leastSplit:
			if tooLong(err) {
				r.learn(func() { r.length = rest.To.Sub(rest.From) * 3 / 4 })
			}
			return r.halves(ctx, query, rest, beside)
		case split(err):
			r.gap(rest, "not searched: "+r.blind(err).Error())
			return nil
		default:
			return err
		}
		r.asked = true
		for _, e := range list {
			if e.Time.Before(rest.From) || !e.Time.Before(rest.To) {
				return fmt.Errorf("%w: it holds lines of %s, which was not asked for", logstore.ErrGarbled, e.Time.Format(time.RFC3339))
			}
			e.Beside = beside
			r.add(e)
		}
		if len(list) < got {
			return nil
		}
		last := list[len(list)-1].Time
		if len(r.entries) > most || r.bytes > mostBytes {
			r.full = true
			r.gap(sources.Window{From: last, To: w.To}, fmt.Sprintf("not searched: %d lines that may be hits had come before", len(r.entries)))
			return nil
		}
		from, limit = r.further(from, last, got)
	}
	return nil
}

// further is where a page that was cut goes on: at its last line's time, whose
// other lines may be missing. When one nanosecond alone fills the page, the page
// grows as far as the server allows, and what is beyond it is a gap.
func (r *run) further(from, last time.Time, limit int) (next time.Time, size int) {
	if last.After(from) {
		return last, 0
	}
	if largest := r.pageSize(); limit < largest {
		return from, largest
	}
	end := last.Add(1)
	r.gap(sources.Window{From: last, To: end}, fmt.Sprintf("more than %d lines of one nanosecond: the server shows no more of them (max_entries_limit_per_query)", limit))
	return end, 0
}

func (r *run) halves(ctx context.Context, query string, w sources.Window, beside bool) error {
	mid := middle(w)
	if err := r.fetch(ctx, query, sources.Window{From: w.From, To: mid}, beside); err != nil || r.full {
		return err
	}
	return r.fetch(ctx, query, sources.Window{From: mid, To: w.To}, beside)
}

func tooLong(err error) bool { return strings.Contains(err.Error(), "time range exceeds the limit") }

// most is how many lines are looked at: more than are asked for, because the
// server finds what may be a hit.
func (r *run) most() int {
	return max(r.opt.Most, cmp.Or(r.q.Limit, 1000))
}

func (l *Loki) pageSize() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.page
}

func (l *Loki) longest() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.length
}

func (r *run) add(e logstore.Entry) {
	if i, ok := r.seen[e.Position]; ok {
		if e.Run != 0 {
			r.entries[i].Run = e.Run
		}
		return
	}
	r.seen[e.Position] = len(r.entries)
	r.bytes += int64(len(e.Line))
	r.survey.note(e)
	r.entries = append(r.entries, e)
}

const (
	nearHits  = 40
	nearLines = 300
	nearTime  = 2 * time.Second
)

// neighbours fetches the lines beside hits that may be part of a record of
// several lines; of a line of JSON none is.
func (r *run) neighbours(ctx context.Context) error {
	type known struct {
		group string
		w     sources.Window
	}
	var have []known
	for _, e := range slices.Clone(r.entries) {
		inside := slices.ContainsFunc(have, func(k known) bool { return k.group == e.Group && k.w.Contains(e.Time) })
		if inside || e.Beside || strings.HasPrefix(e.Line, "{") {
			continue
		}
		if len(have) == nearHits {
			r.limits = append(r.limits, fmt.Sprintf("records of several lines were put together for the first %d hits; of later ones the line alone is shown", nearHits))
			return nil
		}
		w := sources.Around(e.Time, nearTime)
		list, got, err := r.lines(ctx, e.Group, w, nearLines, false)
		if err != nil {
			return err
		}
		have = append(have, known{e.Group, w})
		if len(list) == got {
			continue // too many to know them without a hole
		}
		for _, n := range list {
			n.Run = len(have)
			r.add(n)
		}
	}
	return nil
}

// result reads the hits and says what was looked at.
func (r *run) result(ctx context.Context, bound string) (*sources.LogResult, error) {
	if len(r.q.Needles) == 0 {
		for i := range r.entries {
			r.entries[i].Run = 1
		}
	}
	q := r.q
	q.Window = r.window
	res := logstore.Reading{Name: r.name, Store: "Loki", Options: r.opt.Options, Query: q, Samples: r.survey.samples}.Events(r.entries)
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
	if bound != "" {
		v.Limits = append(v.Limits, bound)
	}
	return res, nil
}
