package elastic

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"inquest/sources"
	"inquest/sources/logstore"
)

// pager is where a search stands: at a time, and with a point in time behind a
// document.
type pager struct {
	from  time.Time
	size  int
	point point
	after []json.RawMessage
}

// fetch reads all documents of w, page after page: by time, and where a page was
// cut by a point in time, which tells documents of one time apart.
func (r *run) fetch(ctx context.Context, w sources.Window) error {
	p := &pager{from: w.From, size: r.size}
	defer func() { r.drop(ctx, p) }()
	for p.from.Before(w.To) && !r.full {
		rest := sources.Window{From: p.from, To: w.To}
		a, err := r.page(ctx, rest, p)
		switch {
		case err == nil:
		case ctx.Err() != nil:
			return ctx.Err()
		case r.mend(ctx, err, p):
			continue
		case split(err) && rest.To.Sub(rest.From) > leastSplit:
			return r.halves(ctx, rest)
		default:
			return err
		}
		if a.TimedOut && rest.To.Sub(rest.From) > time.Minute {
			return r.halves(ctx, rest)
		}
		if err := r.take(a, rest); err != nil || len(a.Hits.Hits) < p.size {
			return err
		}
		if err := r.turn(ctx, p, a, w); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) page(ctx context.Context, rest sources.Window, p *pager) (*answer, error) {
	b := r.body(rest, p.size)
	if p.point.id == "" {
		return r.search(ctx, b)
	}
	b["pit"] = object{"id": p.point.id, "keep_alive": "1m"}
	b["sort"] = []any{r.m.byTime(false), object{"_shard_doc": "asc"}}
	b["track_total_hits"] = false
	if p.after != nil {
		b["search_after"] = p.after
	}
	a := &answer{}
	return a, r.post(ctx, "/_search", nil, b, a)
}

// take keeps what came, and says what did not. Documents of another time than
// was asked for are an error: with them a search would have no end.
func (r *run) take(a *answer, rest sources.Window) error {
	r.asked = true
	if why := a.partial(); why != "" {
		r.gap(rest, why)
	}
	if n, least := a.total(); r.matched < n {
		r.matched, r.least = n, least
	}
	unread, had := 0, len(r.entries)
	for _, h := range a.Hits.Hits {
		e, ok := r.entry(r.m, h)
		if e.Time.IsZero() {
			return fmt.Errorf("%w: a document without the time that it was sorted by", logstore.ErrGarbled)
		}
		if e.Time.Before(rest.From.Truncate(time.Millisecond)) || !e.Time.Before(rest.To.Add(time.Millisecond)) {
			return fmt.Errorf("%w: it holds documents of %s, which was not asked for", logstore.ErrGarbled, e.Time.Format(time.RFC3339))
		}
		if !ok {
			unread++
			continue
		}
		if !r.seen[e.Position] {
			r.seen[e.Position] = true
			r.bytes += int64(len(e.Line))
			r.entries = append(r.entries, e)
		}
	}
	r.reading().Tell(r.entries[had:])
	if unread > 0 {
		r.limit(fmt.Sprintf("%d documents that may be hits could not be read: they have no content that is kept (_source)", unread))
	}
	return nil
}

// turn goes on behind a page that was full.
func (r *run) turn(ctx context.Context, p *pager, a *answer, w sources.Window) error {
	last := a.Hits.Hits[len(a.Hits.Hits)-1]
	end, _ := r.entry(r.m, last)
	if most := max(r.opt.Most, cmp.Or(r.q.Limit, 1000)); len(r.entries) > most || r.bytes > mostBytes {
		r.full = true
		r.gap(sources.Window{From: end.Time, To: w.To}, fmt.Sprintf("not searched: %d documents that may be hits had come before", len(r.entries)))
		return nil
	}
	switch {
	case p.point.id != "" && slices.EqualFunc(p.after, last.Sort, func(a, b json.RawMessage) bool { return string(a) == string(b) }):
		return fmt.Errorf("%w: the same page came twice", logstore.ErrGarbled)
	case p.point.id != "":
		p.point.id, p.after = cmp.Or(a.PointID, p.point.id), last.Sort
		return nil
	case r.open(ctx, p):
		p.from = end.Time
		return nil
	case end.Time.After(p.from):
		p.from = end.Time // whose other documents may be missing
		return nil
	case p.size < largest:
		p.size = largest
		return nil
	}
	step := time.Millisecond
	if r.m.nanos {
		step = 1
	}
	next := end.Time.Add(step)
	r.gap(sources.Window{From: end.Time, To: next}, fmt.Sprintf("more than %d documents of one time: without a point in time the cluster shows no more of them", p.size))
	p.from = next
	return nil
}

// open gets a point in time for the pages to come.
func (r *run) open(ctx context.Context, p *pager) bool {
	p.point, p.after = r.openPoint(ctx), nil
	return p.point.id != ""
}

// drop lets go of a point in time.
func (r *run) drop(ctx context.Context, p *pager) {
	if p.point.id != "" {
		r.release(ctx, p.point)
	}
	p.point, p.after = point{}, nil
}

// mend asks in another way where the cluster refused the way; false when that
// is not what was wrong. Each way is left once.
func (r *run) mend(ctx context.Context, err error, p *pager) bool {
	kind, reason := cause(err)
	var refused *logstore.Refused
	bad := errors.As(err, &refused) && refused.Status/100 == 4
	switch {
	case errors.Is(err, logstore.ErrTooLarge) && p.size > 1:
		p.size = max(1, p.size/8)
	case p.point.id != "" && bad && refused.Status != 429:
		// It ran out, or this cluster does not sort by _shard_doc.
		r.drop(ctx, p)
		r.refusePoints()
	case bad && strings.Contains(reason, "Result window is too large") && p.size > 1:
		p.size = max(1, p.size/2)
	case bad && (strings.Contains(kind+reason, "too_many") || strings.Contains(reason, "maxClauseCount") || strings.Contains(reason, "too many") || strings.Contains(reason, "field expansion")) && r.how.clauses > 10:
		r.how.clauses /= 2
	case bad && unphrased(reason) != "" && !slices.Contains(r.how.loose, unphrased(reason)):
		r.how.loose = append(r.how.loose, unphrased(reason))
	case bad && r.how.wildcards && (strings.Contains(reason, "allow_expensive_queries") || strings.Contains(reason, "wildcard")):
		r.how.wildcards = false
		r.limit("keyword fields were not searched inside: the cluster refuses wildcards (search.allow_expensive_queries)")
	default:
		return false
	}
	return true
}

var withoutPositions = regexp.MustCompile(`field:?\s*\[([^\]]+)\] was indexed without position data`)

// unphrased is the field that the cluster cannot look for a phrase in.
func unphrased(reason string) string {
	if m := withoutPositions.FindStringSubmatch(reason); m != nil {
		return m[1]
	}
	return ""
}

// split reports whether an error may be mended by a shorter stretch.
func split(err error) bool {
	kind, reason := cause(err)
	var r *logstore.Refused
	return errors.Is(err, logstore.ErrSlow) || errors.Is(err, logstore.ErrTooLarge) ||
		kind == "circuit_breaking_exception" || strings.Contains(reason, "timed out") || errors.As(err, &r) && r.Status == 504
}

func (r *run) halves(ctx context.Context, w sources.Window) error {
	mid := w.From.Add(w.To.Sub(w.From) / 2).Truncate(time.Millisecond)
	if err := r.fetch(ctx, sources.Window{From: w.From, To: mid}); err != nil || r.full {
		return err
	}
	return r.fetch(ctx, sources.Window{From: mid, To: w.To})
}
