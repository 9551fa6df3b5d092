package loki

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"inquest/sources"
	"inquest/sources/logscan"
	"inquest/sources/logstore"
)

// held is what the server holds of the log, as it was when first asked.
type held struct {
	asked          sources.Window // where lines were looked for
	oldest, newest time.Time      // zero: there is no line
	limits         tenantLimits
	bound          string // what was not looked for; empty: nothing
}

// survey is what is known of a stretch of the log.
type survey struct {
	logstore.Survey
	window  sources.Window
	samples map[string][]string

	mu    sync.Mutex
	names map[string]bool // of structured metadata
}

// metadata returns the names of structured metadata that were seen.
func (s *survey) metadata() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.names))
}

const (
	piece      = 30 * 24 * time.Hour // below the server's default max_query_length of 30d1h
	sampled    = 200                 // lines by which formats are told
	mostNames  = 40
	mostCount  = 32 << 30 // bytes of lines above which they are not counted
	leastSplit = time.Second
)

// holds finds the oldest and the newest line. It goes back until there was none
// for three pieces; a piece without lines costs the server a look at its index.
func (l *Loki) holds(ctx context.Context) (*held, error) {
	l.mu.Lock()
	h := l.held
	l.mu.Unlock()
	if h != nil {
		return h, nil
	}
	to := l.opt.Now().UTC().Add(time.Minute).Truncate(time.Second)
	h = &held{limits: l.tenantLimits(ctx), asked: sources.Window{From: to.Add(-l.opt.Back), To: to}}
	if back := h.limits.lookback(); back > 0 && back < l.opt.Back {
		h.asked.From = to.Add(-back)
		h.bound = fmt.Sprintf("the server answers for the last %s only (max_query_lookback)", logDays(back))
	}
	if n := h.limits.Entries; n > 0 {
		l.learn(func() { l.page = min(l.page, n) })
	}
	none := 0
	for end := to; end.After(h.asked.From); end = end.Add(-piece) {
		w := sources.Window{From: end.Add(-piece), To: end}
		if w.From.Before(h.asked.From) {
			w.From = h.asked.From
		}
		var first time.Time
		if l.some(ctx, w) {
			var err error
			if first, err = l.edge(ctx, w, false); err != nil {
				return nil, err
			}
		}
		if first.IsZero() {
			if none++; none == 3 {
				h.asked.From = w.From
				break
			}
			continue
		}
		none, h.oldest = 0, first
		if h.newest.IsZero() {
			var err error
			if h.newest, err = l.edge(ctx, w, true); err != nil {
				return nil, err
			}
		}
	}
	if h.bound == "" && h.oldest.Sub(h.asked.From) < piece {
		h.bound = "nothing older than " + h.asked.From.Format(time.RFC3339) + " was looked for"
	}
	l.mu.Lock()
	l.held = h
	l.mu.Unlock()
	return h, nil
}

func (l *Loki) learn(what func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	what()
}

// edge finds the first, or the last, line in w.
func (l *Loki) edge(ctx context.Context, w sources.Window, last bool) (time.Time, error) {
	list, _, err := l.lines(ctx, l.selector, w, 1, last)
	if err == nil && len(list) > 0 {
		return list[0].Time, nil
	}
	if split(err) && w.To.Sub(w.From) > leastSplit {
		mid := middle(w)
		halves := []sources.Window{{From: w.From, To: mid}, {From: mid, To: w.To}}
		if last {
			slices.Reverse(halves)
		}
		for _, h := range halves {
			if t, err := l.edge(ctx, h, last); err != nil || !t.IsZero() {
				return t, err
			}
		}
		return time.Time{}, nil
	}
	return time.Time{}, err
}

// middle is half-way through w, on a whole second where it can be.
func middle(w sources.Window) time.Time {
	mid := w.From.Add(w.To.Sub(w.From) / 2)
	if t := mid.Truncate(time.Second); t.After(w.From) {
		return t
	}
	return mid
}

// look surveys a stretch that has room for w, or returns a survey that is kept.
func (l *Loki) look(ctx context.Context, w sources.Window) (*survey, error) {
	around := logstore.Around(w, l.opt.Now())
	step := logstore.Width(around)
	l.mu.Lock()
	for _, s := range l.kept {
		// A minute may have passed since it was made.
		if !s.window.From.After(around.From) && !s.window.To.Before(around.To.Add(-10*time.Minute)) && !s.window.To.Before(w.To.Add(-10*time.Minute)) && s.Counts.Width <= 8*step {
			l.mu.Unlock()
			return s, nil
		}
	}
	l.mu.Unlock()
	s := &survey{window: around, samples: map[string][]string{}, names: map[string]bool{}}
	if err := l.sample(ctx, s); err != nil {
		return nil, err
	}
	if s.Last.IsZero() {
		return s, nil
	}
	var err error
	if s.First, err = l.edge(ctx, around, false); err != nil {
		return nil, err
	}
	if err := l.count(ctx, s, step); err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.kept = append(l.kept, s); len(l.kept) > 12 {
		l.kept = slices.Delete(l.kept, 0, 1)
	}
	return s, nil
}

// sample reads the newest lines of the stretch, which tell the last line's time,
// the formats, and which metadata there is.
func (l *Loki) sample(ctx context.Context, s *survey) error {
	list, _, err := l.lines(ctx, l.selector, s.window, sampled, true)
	if split(err) {
		if s.Last, err = l.edge(ctx, s.window, true); err == nil && !s.Last.IsZero() {
			list, _, err = l.lines(ctx, l.selector, sources.Window{From: s.Last, To: s.Last.Add(1)}, 1, true)
		}
	}
	if err != nil {
		return err
	}
	for _, e := range list {
		s.Last = e.Time
		s.samples[e.Group] = append(s.samples[e.Group], strings.Split(e.Line, "\n")...)
		s.note(e)
	}
	for _, name := range l.detected(ctx, s.window) {
		s.know(name)
	}
	return nil
}

// note remembers which metadata an entry has beside its labels.
func (s *survey) note(e logstore.Entry) {
	for name := range e.Fields {
		if !strings.Contains(e.Group, name+"=") {
			s.know(name)
		}
	}
}

// know adds a name of structured metadata. What Loki derives itself is none.
func (s *survey) know(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.names) < mostNames && labelName.MatchString(name) && name != "detected_level" && name != "service_name" {
		s.names[name] = true
	}
}

// told says where ids beside the lines were looked for.
func told(names []string) string {
	if len(names) == 0 {
		return "structured metadata was not searched: a sample of the lines has none"
	}
	return "structured metadata was searched under the names that a sample of the lines has: " + strings.Join(names, ", ")
}

// count lets the server count lines over time. Where there are too many of them,
// or it will not, silences are not known, and that is said.
func (l *Loki) count(ctx context.Context, s *survey, step time.Duration) error {
	w := sources.Window{From: s.First.Add(-1).Truncate(step), To: s.Last.Truncate(step).Add(step)}
	s.Counts = logscan.Counts{Start: w.From, Width: step}
	if bytes, ok := l.volume(ctx, w); ok && bytes > mostCount {
		s.Limits = append(s.Limits, fmt.Sprintf("silences were not looked for: the server would read %s to count the lines; a narrower selector or window lets it", logscan.ByteCount(bytes)))
		return nil
	}
	lines, err := l.countIn(ctx, w, step)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		s.Limits = append(s.Limits, "silences were not looked for: the server did not count the lines: "+l.blind(err).Error())
		return nil
	}
	s.Counts.Lines, s.Exact = lines, true
	return nil
}

func (l *Loki) countIn(ctx context.Context, w sources.Window, step time.Duration) ([]int64, error) {
	lines, err := l.counted(ctx, l.selector, w, step)
	n := w.To.Sub(w.From) / step
	if !split(err) || n < 2 || ctx.Err() != nil {
		return lines, err
	}
	mid := w.From.Add(w.To.Sub(w.From) / 2).Truncate(step)
	first, err := l.countIn(ctx, sources.Window{From: w.From, To: mid}, step)
	if err != nil {
		return nil, err
	}
	second, err := l.countIn(ctx, sources.Window{From: mid, To: w.To}, step)
	return append(first, second...), err
}
