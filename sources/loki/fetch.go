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
		had := len(r.entries)
		for _, e := range list {
			if e.Time.Before(rest.From) || !e.Time.Before(rest.To) {
				return fmt.Errorf("%w: it holds lines of %s, which was not asked for", logstore.ErrGarbled, e.Time.Format(time.RFC3339))
			}
			e.Beside = beside
			r.add(e)
		}
		r.reading().Tell(r.entries[had:])
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
