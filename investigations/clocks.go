package investigations

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"inquest/sources"
)

// EvidenceAnswer is the kind of evidence that holds a sources.Answer.
const EvidenceAnswer = "answer"

// OwnClock is the name of the clock of the computer that inquest runs on.
const OwnClock = "this computer"

// Clock is how far the clock of one source is ahead of another's, as measured
// from events that both saw. Nothing is corrected by it.
type Clock struct {
	Source  string
	Against string
	// Offset is Source's clock less Against's; the truth lies within Error of it.
	Offset time.Duration
	Error  time.Duration
	// From says what it was measured from, in words.
	From     string
	Evidence []string
}

// Differs reports whether the clocks disagree by more than the error.
func (c Clock) Differs() bool { return c.Offset.Abs() > c.Error }

// MeasureClocks compares the clocks of sources by what two of them saw: a request
// by its id, the end of a transaction by its xid, and a question to a server that
// tells its own time. It is a pure function of stored evidence; an event whose
// zone is not known is left out.
func MeasureClocks(s State, facts Facts) []Clock {
	out := slices.Concat(serverClocks(s), answerClocks(s), logClocks(facts), requestClocks(s.Evidence))
	slices.SortStableFunc(out, func(a, b Clock) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Against, b.Against), cmp.Compare(a.Error, b.Error))
	})
	return out
}

// answerClocks compare an API's Date header with this computer's clock.
func answerClocks(s State) []Clock {
	var out []Clock
	for _, e := range s.Evidence {
		var a sources.Answer
		if e.Kind != EvidenceAnswer || e.Decode(&a) != nil {
			continue
		}
		if offset, within, ok := a.ClockOffset(); ok {
			out = append(out, Clock{
				Source: e.Source, Against: OwnClock, Offset: offset, Error: within, Evidence: []string{e.ID},
				From: "the Date header of its answer, in whole seconds, of whoever answered first (a gateway, perhaps)",
			})
		}
	}
	return newest(out)
}

// serverClocks compare a database server's clock_timestamp with this computer's
// clock: it was read between the start of the probe and the answer.
func serverClocks(s State) []Clock {
	const layout = "2006-01-02T15:04:05.000000Z"
	var out []Clock
	run := s.Runs["database.server"]
	for _, e := range run.Evidence {
		var t sources.Table
		if e.Kind != EvidenceTable || e.Tag != "identity" || e.Decode(&t) != nil {
			continue
		}
		now, err := time.Parse(layout, t.Text(0, "now"))
		if err != nil || run.Started.IsZero() || e.CollectedAt.Before(run.Started) {
			continue
		}
		low, high := now.Sub(e.CollectedAt), now.Sub(run.Started)
		out = append(out, Clock{
			Source: e.Source, Against: OwnClock, Offset: (low + high) / 2, Error: max((high-low)/2, time.Millisecond),
			From: "its clock_timestamp(), read between the question and the answer", Evidence: []string{e.ID},
		})
	}
	return newest(out)
}

// newest keeps the last measurement of each source.
func newest(list []Clock) []Clock {
	var out []Clock
	for _, c := range slices.Backward(list) {
		if !slices.ContainsFunc(out, func(o Clock) bool { return o.Source == c.Source }) {
			out = append(out, c)
		}
	}
	slices.Reverse(out)
	return out
}

// Limits of what is taken for one event in a server log and in WAL.
const (
	abortNear  = 2 * time.Second
	abortError = 100 * time.Millisecond
	zoneStep   = 15 * time.Minute
	zoneNear   = 5 * time.Second
)

// logClocks compare a server log with WAL by transactions whose error stands in
// the one and whose ABORT in the other. Both are written by one server, so they
// agree or are a whole zone apart; anything between is not the same event.
func logClocks(facts Facts) []Clock {
	type pair struct{ log, server string }
	diffs := map[pair][]time.Duration{}
	coarse := map[pair]time.Duration{} // half a step of the log's times
	evidence := map[pair][]string{}
	for _, end := range facts.Of(XactAborted) {
		if end.Time.IsZero() || !end.Until.IsZero() || end.Attr("record") != "true" {
			continue
		}
		for _, e := range facts.Of(LogError).With("xid", end.Attr("xid")).With("joins", "xid") {
			if e.Time.IsZero() || e.Attr("source") == "" || e.Attr("server") != "" && e.Attr("server") != end.Attr("server") {
				continue
			}
			half := max(e.Until.Sub(e.Time), 0) / 2
			d := e.Time.Add(half).Sub(end.Time)
			step := d.Round(zoneStep)
			if d.Abs() > abortNear && (step == 0 || step.Abs() > 14*time.Hour || (d-step).Abs() > zoneNear) {
				continue
			}
			k := pair{e.Attr("source"), end.Attr("server")}
			diffs[k], coarse[k] = append(diffs[k], d), max(coarse[k], half)
			evidence[k] = append(evidence[k], Facts{e, end}.Evidence()...)
		}
	}
	var out []Clock
	for k, list := range diffs {
		offset, spread := middle(list)
		from := fmt.Sprintf("%s: the error in the log and the ABORT in WAL", count(len(list), "transaction"))
		if offset.Abs() > abortNear {
			from += "; a whole number of quarter hours apart, as a wrong time zone makes it"
		}
		out = append(out, Clock{
			Source: k.log, Against: cmp.Or(k.server, "the database's WAL"), Offset: offset, Error: max(spread, abortError) + coarse[k], From: from, Evidence: distinct(evidence[k]),
		})
	}
	return out
}

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
	names := make([]string, 0, len(bySource))
	for n := range bySource {
		names = append(names, n)
	}
	slices.Sort(names)
	shared := func(a, b string) int {
		n := 0
		for id := range bySource[a] {
			if _, ok := bySource[b][id]; ok {
				n++
			}
		}
		return n
	}
	var out []Clock
	linked := map[string]bool{}
	for len(linked) < len(names) {
		best, most := "", 0
		for _, a := range names {
			total := 0
			for _, b := range names {
				if a != b && !linked[b] {
					total += shared(a, b)
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
		for _, b := range names {
			if linked[b] || shared(best, b) == 0 {
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

// middle is the median, and the largest distance from it.
func middle(list []time.Duration) (median, spread time.Duration) {
	if len(list) == 0 {
		return 0, 0
	}
	sorted := slices.Sorted(slices.Values(list))
	n := len(sorted)
	median = (sorted[(n-1)/2] + sorted[n/2]) / 2
	return median, max(median-sorted[0], sorted[n-1]-median)
}

func distinct(list []string) []string {
	var out []string
	for _, s := range list {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
