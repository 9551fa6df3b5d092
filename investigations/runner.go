package investigations

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"inquest/sources"
)

// Runner runs probes for a case and appends what they bring. The headless run
// and the terminal UI use the same one.
type Runner struct {
	Case    *Case
	Engine  Engine
	Sources []sources.Source
	Redact  Redactor
	Now     func() time.Time
	Version string
	// Update, when set, is told of every start, progress and end. It is called
	// from several goroutines and must not block.
	Update func(Update)

	mu      sync.Mutex
	running map[string]context.CancelFunc
	// companions are what Sources opened beside themselves.
	companions []sources.Source

	sentMu sync.Mutex
	sent   map[string]int // statements already recorded, by source
}

// Update is one sign of life of a running probe.
type Update struct {
	Probe       string
	State       RunState
	Done, Total int64
	Note        string
	Elapsed     time.Duration
	// Hits are what its searches came upon so far. They are for showing: evidence
	// is what the probe keeps when it ends.
	Hits Hits
}

// RunState is where a probe's run stands.
type RunState string

// The states of a run.
const (
	RunStarted  RunState = "started"
	RunProgress RunState = "progress"
	RunEnded    RunState = "ended"
)

// companionLimit is the time that opening further sources may take.
const companionLimit = 15 * time.Second

// CheckSources asks every source what it can answer and records it. Sources are
// asked at the same time; each has the given time at most. What they open on
// the way, such as a server's own log, joins the sources.
func (r *Runner) CheckSources(ctx context.Context, limit time.Duration) ([]sources.Status, error) {
	known := r.all()
	out := checkAll(ctx, known, limit)
	r.openCompanions(ctx, limit)
	out = append(out, checkAll(ctx, r.all()[len(known):], limit)...)
	for i := range out {
		if err := r.Case.Record(EntryChecked, out[i]); err != nil {
			return out, err
		}
	}
	return out, nil
}

func checkAll(ctx context.Context, list []sources.Source, limit time.Duration) []sources.Status {
	out := make([]sources.Status, len(list))
	var wg sync.WaitGroup
	for i, s := range list {
		wg.Go(func() { out[i] = checkOne(ctx, s, limit) })
	}
	wg.Wait()
	return out
}

// all returns the sources with what they opened beside themselves.
func (r *Runner) all() []sources.Source {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Concat(r.Sources, r.companions)
}

// openCompanions opens what the sources offer beside themselves and is not
// among them yet.
func (r *Runner) openCompanions(ctx context.Context, limit time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for _, s := range r.all() {
		opener, ok := s.(sources.Companions)
		if !ok {
			continue
		}
		c := opener.Companion(ctx)
		if c == nil || slices.ContainsFunc(r.all(), func(s sources.Source) bool { return s.Name() == c.Name() }) {
			continue
		}
		r.mu.Lock()
		r.companions = append(r.companions, c)
		r.mu.Unlock()
	}
}

func checkOne(ctx context.Context, s sources.Source, limit time.Duration) (st sources.Status) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			st = sources.Status{Source: s.Name(), Kind: s.Kind(), State: sources.StateFailed, Problem: fmt.Sprintf("the check of %s broke: %v", s.Name(), p)}
		}
	}()
	return s.Check(ctx)
}

// Run runs the chosen probes, phase by phase, and judges what they brought. A
// nil choose means all. Running a probe of a later phase runs the earlier
// phases' probes first where they have not run yet, so that reading never
// destroys evidence. It returns ctx's error when interrupted; whatever was
// collected until then is kept, and probes that had not started stay not run.
func (r *Runner) Run(ctx context.Context, choose func(Probe) bool) error {
	picked := r.pick(choose)
	r.openCompanions(ctx, companionLimit)
	for phase := PhaseCatalogue; phase <= PhaseRows && ctx.Err() == nil; phase++ {
		if err := r.runPhase(ctx, phase, picked); err != nil {
			return err
		}
		if err := r.deriveWindow(); err != nil {
			return err
		}
	}
	if err := r.recordSent(); err != nil {
		return err
	}
	if err := r.judge(); err != nil {
		return err
	}
	return ctx.Err()
}

// Cancel cancels one running probe. It reports whether it was running.
func (r *Runner) Cancel(probe string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	cancel, ok := r.running[probe]
	if ok {
		cancel()
	}
	return ok
}

func (r *Runner) pick(choose func(Probe) bool) map[string]bool {
	picked := map[string]bool{}
	highest := Phase(-1)
	for _, p := range r.Engine.Probes {
		if choose == nil || choose(p) {
			picked[p.ID] = true
			highest = max(highest, p.Phase)
		}
	}
	runs := r.Case.State().Runs
	for _, p := range r.Engine.Probes {
		if _, ran := runs[p.ID]; !ran && p.Phase < highest {
			picked[p.ID] = true
		}
	}
	return picked
}

// runPhase starts the phase's probes together; sources that can do one thing at
// a time queue them. Every probe gets the facts of the phases before.
func (r *Runner) runPhase(ctx context.Context, phase Phase, picked map[string]bool) error {
	known := r.Engine.Assess(r.Case.State()).Facts
	var wg sync.WaitGroup
	errs := make(chan error, len(r.Engine.Probes))
	for _, p := range r.Engine.Probes {
		if p.Phase == phase && picked[p.ID] {
			wg.Go(func() { errs <- r.runProbe(ctx, p, known) })
		}
	}
	wg.Wait()
	close(errs)
	var all []error
	for err := range errs {
		all = append(all, err)
	}
	return errors.Join(all...)
}

// errOwnLimit tells a probe's own time limit from that of the whole run.
var errOwnLimit = errors.New("the probe's time limit")

// runProbe returns an error only when the result could not be recorded.
func (r *Runner) runProbe(ctx context.Context, p Probe, known Facts) error {
	ctx, cancel := context.WithTimeoutCause(ctx, p.Timeout, errOwnLimit)
	defer cancel()
	r.register(p.ID, cancel)
	defer r.register(p.ID, nil)

	start := r.Now()
	c := r.collector(p, known, start)
	r.tell(Update{Probe: p.ID, State: RunStarted})
	err := collect(ctx, p, c)
	if err != nil {
		c.blindFor(ctx, p, err)
	}
	took := r.Now().Sub(start)
	err = r.Case.Record(EntryCollected, c.collected(p.ID, start, took))
	r.tell(Update{Probe: p.ID, State: RunEnded, Elapsed: took})
	return err
}

func (r *Runner) collector(p Probe, known Facts, start time.Time) *Collector {
	s := r.Case.State()
	return &Collector{
		Record: s.Record, Window: s.Window, Options: s.Options, Sources: r.all(), Statuses: s.Sources, Facts: known, Runs: s.Runs,
		redact: r.Redact, now: r.Now,
		tell: func(u Update) {
			u.Probe, u.State, u.Elapsed = p.ID, RunProgress, r.Now().Sub(start)
			r.tell(u)
		},
	}
}

// collect runs the probe and turns a panic into an error with its place.
func collect(ctx context.Context, p Probe, c *Collector) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("the probe broke: %v\n%s", v, firstFrames(debug.Stack()))
		}
	}()
	return p.Collect(ctx, c)
}

func firstFrames(stack []byte) []byte {
	const most = 2 << 10
	return stack[:min(len(stack), most)]
}

func (c *Collector) blindFor(ctx context.Context, p Probe, err error) {
	var blind *sources.Blind
	switch {
	case errors.As(err, &blind):
		c.Blind(blind.Why, blind.Opens)
	case errors.Is(context.Cause(ctx), errOwnLimit):
		c.Blind(fmt.Sprintf("stopped at its limit of %s", p.Timeout), "run the step again with --budget large, or narrow it with --table or --from")
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		c.Blind("the time for the whole run ended before it did", "run the step again with a longer --timeout")
	case ctx.Err() != nil:
		c.Blind("cancelled before it ended", "run the step again")
	default:
		c.Blind(err.Error(), "")
	}
}

func (c *Collector) collected(probe string, start time.Time, took time.Duration) Collected {
	c.mu.Lock()
	defer c.mu.Unlock()
	return Collected{
		Probe: probe, Started: start.UTC(), TookMS: took.Milliseconds(),
		Evidence: c.items, Coverage: c.coverage, Blind: c.blind,
	}
}

func (r *Runner) register(probe string, cancel context.CancelFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.running == nil {
		r.running = map[string]context.CancelFunc{}
	}
	if cancel == nil {
		delete(r.running, probe)
		return
	}
	r.running[probe] = cancel
}

func (r *Runner) tell(u Update) {
	if r.Update != nil {
		r.Update(u)
	}
}

func (r *Runner) deriveWindow() error {
	s := r.Case.State()
	if !s.Window.IsZero() {
		return nil
	}
	w, why, ok := DeriveWindow(s.Record, r.Engine.Assess(s).Facts)
	if !ok {
		return nil
	}
	return r.Case.Record(EntryWindowed, Windowed{Window: w, From: why})
}

func (r *Runner) judge() error {
	a := r.Engine.Assess(r.Case.State())
	j := Judged{Fate: a.Fate, Version: r.Version, Done: a.Done()}
	if lead, ok := a.Leading(); ok {
		j.Leading, j.Cause = lead.Mechanism, lead.Cause
	}
	return r.Case.Record(EntryJudged, j)
}

// recordSent appends the statements sent since the last time.
func (r *Runner) recordSent() error {
	r.sentMu.Lock()
	defer r.sentMu.Unlock()
	var all []sources.Statement
	now := map[string]int{}
	for _, s := range r.Sources {
		l, ok := s.(sources.StatementLogger)
		if !ok {
			continue
		}
		list := l.Statements()
		all = append(all, list[min(r.sent[s.Name()], len(list)):]...)
		now[s.Name()] = len(list)
	}
	if len(all) == 0 {
		return nil
	}
	if err := r.Case.Record(EntrySent, Sent{Statements: all}); err != nil {
		return err // they stay to be recorded
	}
	r.sent = now
	return nil
}
