package investigations

import (
	"cmp"
	"fmt"
	"slices"
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
	// Unsteady says that one offset does not explain what was measured: a clock was
	// set in between, or several clocks write under one name. Error then spans it all.
	Unsteady bool
}

// Differs reports whether the clocks disagree by more than the error, or do not
// keep one distance.
func (c Clock) Differs() bool { return c.Unsteady || c.Offset.Abs() > c.Error }

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
