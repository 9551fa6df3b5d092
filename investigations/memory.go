package investigations

import (
	"maps"
	"reflect"
	"slices"
	"sync"
	"time"

	"inquest/sources"
)

// memory keeps what an engine read off one case, so that judging it again costs
// what is new in it. Nothing in it is anything but a function of the State: a
// memory that was lost changes no assessment. Its zero value remembers nothing.
type memory struct {
	mu sync.Mutex

	basis    basis
	read     map[string]remembered // by probe id
	gathered *gathered
	compared *compared

	judged    Judgement
	judgedOn  *compared
	judgedFor map[string]Answered
}

// basis is what every reading depends on beside its own run.
type basis struct {
	record  Record
	window  sources.Window
	options Options
	opened  time.Time
}

// remembered is the result of one probe's Read and the run that it was read off.
type remembered struct {
	seq     int
	started time.Time
	result  ProbeResult
}

// gathered is what all probes that ran have told.
type gathered struct {
	results   map[string]ProbeResult
	outcomes  map[string]Outcome
	facts     Facts
	timeline  []Moment
	expiring  []sources.Expiry
	coverage  []sources.Coverage
	recovered []Recovered
}

// compared is what the evidence tells of clocks.
type compared struct {
	of     *gathered
	items  int // so many items of evidence; it is only ever added
	clocks []Clock
	bounds []ClockBound
	timing Timing
}

// forget drops everything when the case is no longer about the same.
func (m *memory) forget(s State) {
	b := basis{record: s.Record, window: s.Window, options: s.Options, opened: s.OpenedAt}
	if m.read != nil && reflect.DeepEqual(b, m.basis) {
		return
	}
	m.basis, m.read, m.gathered, m.compared, m.judgedOn = b, map[string]remembered{}, nil, nil, nil
}

// gather reads the probes in order. A reading is taken from memory when its run is
// the same and no reading before it, whose facts it was given, has changed.
func (m *memory) gather(e Engine, s State, bodies decodedBodies) *gathered {
	order := e.ordered()
	if m.gathered != nil && !slices.ContainsFunc(order, func(p Probe) bool { return m.stale(p, s) }) {
		return m.gathered
	}
	g := &gathered{results: map[string]ProbeResult{}, outcomes: map[string]Outcome{}}
	known := true // the facts so far are as they were
	for _, p := range order {
		run, ran := s.Runs[p.ID]
		if !ran {
			g.results[p.ID] = ProbeResult{Probe: p}
			continue
		}
		if !known || m.stale(p, s) {
			old := m.read[p.ID].result.Reading.Facts
			r := e.read(p, s, run, g.facts, bodies)
			m.read[p.ID] = remembered{seq: run.Seq, started: run.Started, result: r}
			known = known && len(r.Reading.Facts)+len(old) == 0
		}
		g.add(m.read[p.ID].result, run)
	}
	g.timeline = uniqueMoments(g.timeline)
	slices.SortStableFunc(g.timeline, byTime)
	m.gathered = g
	return g
}

// stale reports whether a probe has a run that was not read yet.
func (m *memory) stale(p Probe, s State) bool {
	run, ran := s.Runs[p.ID]
	old, had := m.read[p.ID]
	return ran && (!had || old.seq != run.Seq || !old.started.Equal(run.Started))
}

func (g *gathered) add(r ProbeResult, run Run) {
	g.results[r.Probe.ID] = r
	g.outcomes[r.Probe.ID] = r.Reading.Outcome
	g.facts = append(g.facts, r.Reading.Facts...)
	g.timeline = append(g.timeline, r.Reading.Moments...)
	g.expiring = append(g.expiring, r.Reading.Expires...)
	g.coverage = append(g.coverage, run.Coverage...)
	g.recovered = append(g.recovered, r.Reading.Recovered...)
}

// compare compares the clocks, unless evidence and facts are those of the last time.
func (m *memory) compare(s State, g *gathered, bodies decodedBodies) *compared {
	if c := m.compared; c != nil && c.of == g && c.items == len(s.Evidence) {
		return c
	}
	s.Evidence = bodies.attach(s.Evidence)
	c := &compared{of: g, items: len(s.Evidence), clocks: MeasureClocks(s, g.facts)}
	order := precedences(s, g.facts)
	c.bounds, c.timing = BoundClocks(c.clocks, order), NewTiming(c.clocks, order)
	m.compared = c
	return c
}

// judge weighs the facts, unless they and the answers are those of the last time.
func (m *memory) judge(e Engine, s State, g *gathered, c *compared) Judgement {
	if e.Judge == nil {
		return Judgement{}
	}
	if m.judgedOn != c || !maps.Equal(m.judgedFor, s.Answers) {
		m.judged = e.Judge(Deliberation{
			Record: s.Record, Options: s.Options, Facts: g.facts, Outcomes: g.outcomes,
			Coverage: g.coverage, Answers: s.Answers, Timing: c.timing,
		})
		m.judgedOn, m.judgedFor = c, s.Answers
	}
	return m.judged
}
