package investigations

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	"inquest/sources"
)

// Engine turns a State into an Assessment: the list of probes, whose Read
// functions give facts, and the judge that weighs them. It does no I/O.
type Engine struct {
	Probes []Probe
	Judge  Judge

	memory *memory // nil: every assessment is made from the ground up
}

// Remembering returns the engine for one case that is judged many times: what it
// read is kept, and an assessment costs what is new since the last. The answers are
// the same; it may be used from several goroutines.
func (e Engine) Remembering() Engine {
	e.memory = &memory{}
	return e
}

// Judge weighs facts and says what became of the record. It must be a pure
// function: the same deliberation always gives the same judgement.
type Judge func(Deliberation) Judgement

// Deliberation is all that a judge is given.
type Deliberation struct {
	Record   Record
	Options  Options
	Facts    Facts
	Outcomes map[string]Outcome // by probe id; a probe that has not run is missing
	Coverage []sources.Coverage
	Answers  map[string]Answered
	// Timing says in what order events of different clocks can be told.
	Timing Timing
}

// Judgement is a judge's answer. Hypotheses are ranked, the likeliest first.
type Judgement struct {
	Fate       Fate
	Hypotheses []Hypothesis
	// Table is the table that the record was taken to belong to, "" when that is not
	// known; Parts are its partitions.
	Table string
	Parts []string
}

// Leading returns the first hypothesis when it leads.
func (j Judgement) Leading() (Hypothesis, bool) {
	if len(j.Hypotheses) > 0 && j.Hypotheses[0].Standing == Leading {
		return j.Hypotheses[0], true
	}
	return Hypothesis{}, false
}

// Assessment is everything that can be said about a State.
type Assessment struct {
	Judgement
	Steps     []StepResult
	Facts     Facts
	Timeline  []Moment
	Coverage  []sources.Coverage
	Expiring  []sources.Expiry
	Recovered *Recovered
	// Clocks says how far clocks differ; no time is corrected by it.
	Clocks []Clock
	// Bounds limits how far clocks differ where only the order of events is known.
	Bounds []ClockBound
}

// Done counts the steps that have a verdict.
func (a Assessment) Done() int {
	n := 0
	for _, s := range a.Steps {
		if s.Verdict != VerdictOpen {
			n++
		}
	}
	return n
}

// StepResult is a step with what its probes and the person said.
type StepResult struct {
	Step    Step
	Verdict Verdict
	// Signed is true when a person gave the verdict.
	Signed bool
	Note   string
	Probes []ProbeResult
}

// ProbeResult is a probe's outcome in this State.
type ProbeResult struct {
	Probe   Probe
	Ran     bool
	Reading Reading
	Took    time.Duration
	// Evidence lists the ids of what the probe collected.
	Evidence []string
}

// Assess reads the facts off every run of a probe and judges them. What it returns
// is shared and must not be changed.
func (e Engine) Assess(s State) Assessment {
	m := e.memory
	if m == nil {
		m = &memory{}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.forget(s)
	bodies := decodedBodies{}
	g := m.gather(e, s, bodies)
	c := m.compare(s, g, bodies)
	a := Assessment{
		Judgement: m.judge(e, s, g, c), Steps: e.steps(s, g.results), Facts: g.facts, Timeline: g.timeline,
		Coverage: g.coverage, Expiring: expiring(g.expiring, s.Sources), Clocks: c.clocks, Bounds: c.bounds,
	}
	a.Recovered = a.lastContent(g.recovered)
	return a
}

// lastContent chooses among what was recovered: a row of the record's own table,
// and the one of which most is known. A row that is there now is not recovered.
func (a Assessment) lastContent(list []Recovered) *Recovered {
	switch a.Fate.Kind {
	case FatePresent, FateHidden:
		return nil
	}
	own := func(r Recovered) bool {
		return a.Table == "" || r.Table == a.Table || slices.Contains(a.Parts, r.Table)
	}
	there := func(r Recovered) bool {
		return r.Standing && slices.ContainsFunc(a.Facts.Of(RowVisible).With("table", r.Table), func(f Fact) bool { return f.Attr("as") == "" })
	}
	var best *Recovered
	for i, r := range list {
		switch {
		case !own(r) || there(r):
		case a.Table == "" && best != nil && best.Table != r.Table:
			return nil // which of the tables is meant is not told
		case best == nil || r.betterThan(*best):
			best = &list[i]
		}
	}
	return best
}

// ordered returns the probes by phase, in list order within a phase.
func (e Engine) ordered() []Probe {
	out := slices.Clone(e.Probes)
	slices.SortStableFunc(out, func(a, b Probe) int { return cmp.Compare(a.Phase, b.Phase) })
	return out
}

// read has the probe read what its run brought.
func (e Engine) read(p Probe, s State, run Run, known Facts, bodies decodedBodies) (res ProbeResult) {
	res = ProbeResult{Probe: p, Ran: true, Took: run.Took}
	evidence := bodies.attach(run.Evidence)
	ahead(evidence)
	for _, ev := range evidence {
		res.Evidence = append(res.Evidence, ev.ID)
	}
	defer func() {
		if r := recover(); r != nil {
			res.Reading = Reading{Outcome: BlindOutcome, Summary: fmt.Sprintf("its evidence could not be read: %v", r)}
		}
	}()
	res.Reading = p.Read(Input{
		Record: s.Record, Window: s.Window, Settings: s.Options,
		Evidence: evidence, Coverage: run.Coverage, Blind: run.Blind, Facts: slices.Clip(known),
	})
	// Nothing may be called absent by a probe that read nothing.
	if res.Reading.Outcome == Absent && len(run.Evidence) == 0 && len(run.Coverage) == 0 {
		res.Reading.Outcome = BlindOutcome
		res.Reading.Summary = "nothing was read: " + res.Reading.Summary
	}
	for i := range res.Reading.Facts {
		f := &res.Reading.Facts[i]
		f.Probe = p.ID
		f.ID = p.ID + "#" + strconv.Itoa(i+1)
	}
	return res
}

// origins ranks where content comes from: WAL tells the last version, a page one
// of them, a log what was given to the server.
var origins = []string{"wal", "heap", "history", "log"}

// betterThan prefers the content of which more is known, and then the one from the
// better origin.
func (r Recovered) betterThan(o Recovered) bool {
	if len(r.Unknown) != len(o.Unknown) {
		return len(r.Unknown) < len(o.Unknown)
	}
	return slices.Index(origins, r.Origin) < slices.Index(origins, o.Origin)
}

// expiring lists what probes and sources say will be gone, the soonest first, each
// once.
func expiring(read []sources.Expiry, statuses []sources.Status) []sources.Expiry {
	out := slices.Clone(read)
	for _, st := range statuses {
		out = append(out, st.Expires...)
	}
	slices.SortStableFunc(out, func(x, y sources.Expiry) int {
		return cmp.Or(x.At.Compare(y.At), cmp.Compare(x.What, y.What), cmp.Compare(x.Why, y.Why))
	})
	return slices.CompactFunc(out, func(x, y sources.Expiry) bool {
		return x.At.Equal(y.At) && x.What == y.What && x.Why == y.Why
	})
}

// byTime orders moments; those of which no time is known come last.
func byTime(x, y Moment) int {
	if x.Time.IsZero() != y.Time.IsZero() {
		if x.Time.IsZero() {
			return 1
		}
		return -1
	}
	return x.Time.Compare(y.Time)
}

func uniqueMoments(in []Moment) []Moment {
	type key struct {
		at              int64
		source, summary string
	}
	seen := map[key]bool{}
	out := in[:0:0]
	for _, m := range in {
		k := key{m.Time.UnixMicro(), m.Source, m.Summary}
		if !seen[k] {
			seen[k] = true
			out = append(out, m)
		}
	}
	return out
}

func (e Engine) steps(s State, results map[string]ProbeResult) []StepResult {
	var out []StepResult
	for _, step := range Steps() {
		r := StepResult{Step: step}
		for _, p := range e.Probes {
			if p.Step == step.ID {
				r.Probes = append(r.Probes, results[p.ID])
			}
		}
		r.Verdict = verdictOf(r.Probes)
		if signed, ok := s.Verdicts[step.ID]; ok {
			r.Verdict, r.Signed, r.Note = signed.Verdict, true, signed.Note
		}
		out = append(out, r)
	}
	return out
}

// verdictOf sums up the probes of a step: one finding makes it a finding, one
// blind probe without a finding makes it cannot-tell, and clean needs at least
// one probe that looked and saw nothing.
func verdictOf(probes []ProbeResult) Verdict {
	ran, blind, absent := 0, 0, 0
	for _, p := range probes {
		if !p.Ran {
			continue
		}
		ran++
		switch p.Reading.Outcome {
		case Found:
			return VerdictFinding
		case BlindOutcome:
			blind++
		case Absent:
			absent++
		}
	}
	switch {
	case ran == 0:
		return VerdictOpen
	case blind > 0:
		return VerdictCannotTell
	case absent > 0:
		return VerdictClean
	default:
		return VerdictOpen
	}
}
