package investigations

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"inquest/sources"
)

// Limits of what is taken for one request in two logs.
const (
	requestFloor  = 250 * time.Millisecond // lines of one request differ by what it took
	requestSingle = time.Second            // by one request alone
	requestVague  = time.Minute            // a larger error than the offset and than this tells nothing
)

// seen is when one source saw a request, from its first line to its last.
type seen struct {
	from, to time.Time
	evidence []string
}

func (s seen) centre() time.Time   { return s.from.Add(s.to.Sub(s.from) / 2) }
func (s seen) span() time.Duration { return s.to.Sub(s.from) }

// requestClocks compare logs by the requests that both name. Every log is
// compared with the one that shares most requests.
func requestClocks(evidence []Evidence) []Clock {
	bySource, coarse := requestsBySource(evidence)
	names := slices.Sorted(maps.Keys(bySource))
	shared := sharedRequests(names, bySource)
	var out []Clock
	linked := map[string]bool{}
	for len(linked) < len(names) {
		best, most := "", 0
		for _, a := range names {
			total := 0
			for b, n := range shared[a] {
				if !linked[b] {
					total += n
				}
			}
			if !linked[a] && total > most {
				best, most = a, total
			}
		}
		if best == "" {
			break
		}
		linked[best] = true
		for _, b := range slices.Sorted(maps.Keys(shared[best])) {
			if linked[b] {
				continue
			}
			linked[b] = true
			c, ok := compare(bySource[b], bySource[best])
			if !ok {
				continue
			}
			c.Source, c.Against = b, best
			for _, n := range []string{b, best} {
				if coarse[n] {
					c.Error += time.Second
				}
			}
			out = append(out, c)
		}
	}
	return out
}

// sharedRequests counts, for each log by each other, the requests that both name.
// Every request is looked at once: most logs share nothing.
func sharedRequests(names []string, bySource map[string]map[string]seen) map[string]map[string]int {
	logs := map[string][]string{} // by request
	out := map[string]map[string]int{}
	for _, name := range names {
		out[name] = map[string]int{}
		for id := range bySource[name] {
			logs[id] = append(logs[id], name)
		}
	}
	for _, together := range logs {
		for _, a := range together {
			for _, b := range together {
				if a != b {
					out[a][b]++
				}
			}
		}
	}
	return out
}

// compare measures one log against another by the requests in both.
func compare(a, b map[string]seen) (Clock, bool) {
	var diffs, spans []time.Duration
	var evidence []string
	ids := make([]string, 0, len(a))
	for id := range a {
		if _, ok := b[id]; ok {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	for _, id := range ids {
		x, y := a[id], b[id]
		diffs = append(diffs, x.centre().Sub(y.centre()))
		spans = append(spans, (x.span()+y.span())/2)
		evidence = append(evidence, slices.Concat(x.evidence, y.evidence)...)
	}
	if c, ok := steps(diffs); ok {
		c.Evidence = distinct(evidence)
		return c, true
	}
	offset, spread := middle(diffs)
	span, _ := middle(spans)
	within := max(spread, requestFloor) + span
	if len(diffs) == 1 {
		within = requestSingle + span
	}
	if within > requestVague && within > offset.Abs() {
		return Clock{}, false
	}
	return Clock{Offset: offset, Error: within, From: count(len(diffs), "request") + " that both name", Evidence: distinct(evidence)}, true
}

// Limits of what is taken for a clock that was set between requests: a step this
// large, between groups of at least two requests each that agree among themselves.
const (
	stepLeast = 30 * time.Second
	stepAgree = 5 * time.Second
)

// steps finds two offsets where one explains nothing: the requests of before and
// after a clock was set, or of two hosts that write under one name. That a request
// took long does not look like this: such times are scattered.
func steps(diffs []time.Duration) (Clock, bool) {
	sorted := slices.Sorted(slices.Values(diffs))
	for i := 2; i <= len(sorted)-2; i++ {
		low, high := sorted[:i], sorted[i:]
		if high[0]-low[len(low)-1] < stepLeast || low[len(low)-1]-low[0] > stepAgree || high[len(high)-1]-high[0] > stepAgree {
			continue
		}
		a, _ := middle(low)
		b, _ := middle(high)
		return Clock{
			Offset: (a + b) / 2, Error: (high[len(high)-1]-low[0])/2 + requestFloor, Unsteady: true,
			From: fmt.Sprintf("%s that both name, which contradict each other: by %d of them it is %s, by %d %s; a clock was set in between, or several clocks write under one name",
				count(len(diffs), "request"), len(low), signed(a), len(high), signed(b)),
		}, true
	}
	return Clock{}, false
}

// signed prints an offset with its sign.
func signed(d time.Duration) string {
	if d >= 0 {
		return "+" + d.Round(time.Millisecond).String()
	}
	return d.Round(time.Millisecond).String()
}

// requestsBySource gathers the requests of each log, and which logs tell times in
// whole seconds only.
func requestsBySource(evidence []Evidence) (by map[string]map[string]seen, coarse map[string]bool) {
	by, coarse = map[string]map[string]seen{}, map[string]bool{}
	for _, item := range evidence {
		var events []sources.Event
		if item.Kind != EvidenceEvents || item.Decode(&events) != nil {
			continue
		}
		for _, e := range events {
			if e.Time.IsZero() || e.ZoneUnknown || e.NoTime || !telling(e.RequestID) || strings.HasPrefix(e.Format, "postgres") {
				continue
			}
			if by[e.Source] == nil {
				by[e.Source], coarse[e.Source] = map[string]seen{}, true
			}
			coarse[e.Source] = coarse[e.Source] && e.Time.Nanosecond() == 0
			s, ok := by[e.Source][e.RequestID]
			if !ok {
				s = seen{from: e.Time, to: e.Time}
			}
			if e.Time.Before(s.from) {
				s.from = e.Time
			}
			if e.Time.After(s.to) {
				s.to = e.Time
			}
			if !slices.Contains(s.evidence, item.ID) {
				s.evidence = append(s.evidence, item.ID)
			}
			by[e.Source][e.RequestID] = s
		}
	}
	return by, coarse
}

// telling reports whether a request id is long enough not to be met by chance in
// two logs: counters of two programs meet.
func telling(id string) bool {
	return len(id) >= 16 || len(id) >= 8 && strings.Trim(id, "0123456789") != ""
}
