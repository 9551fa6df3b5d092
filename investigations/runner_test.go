package investigations_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	inv "inquest/investigations"
	"inquest/sources"
)

// server is a source that sent some statements; it may break on its check.
type server struct {
	name string
	mu   sync.Mutex
	sent []sources.Statement
	bad  bool
}

func (s *server) Name() string       { return s.name }
func (s *server) Kind() sources.Kind { return sources.KindPostgres }
func (s *server) Close() error       { return nil }
func (s *server) Check(ctx context.Context) sources.Status {
	if s.bad {
		panic("nil map")
	}
	<-ctx.Done()
	return sources.Status{Source: s.name, State: sources.StateReady}
}

func (s *server) Statements() []sources.Statement {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.sent)
}

func (s *server) send(sql string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent = append(s.sent, sources.Statement{Source: s.name, SQL: sql})
}

func TestPhasesRunInOrder(t *testing.T) {
	var mu sync.Mutex
	var order []string
	var probes []inv.Probe
	for phase := inv.PhaseRows; phase >= inv.PhaseCatalogue; phase-- {
		for i := range 2 {
			p := probe(fmt.Sprintf("database.p%d-%d", phase, i), inv.StepDatabase, phase)
			p.Collect = func(context.Context, *inv.Collector) error {
				mu.Lock()
				defer mu.Unlock()
				order = append(order, fmt.Sprint(int(phase)))
				return nil
			}
			probes = append(probes, p)
		}
	}
	r, _ := runner(t, recordID, probes...)
	last := func(p inv.Probe) bool { return p.ID == "database.p4-0" }
	if err := r.Run(t.Context(), last); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(order, ""); got != "001122334" {
		t.Error("lower phases first, and only the chosen probe of the last:", got)
	}
	order = nil
	if err := r.Run(t.Context(), last); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(order, ""); got != "4" {
		t.Error("what has run is not run again:", got)
	}
}

func TestFactsReachLaterPhases(t *testing.T) {
	first := probe("database.a", inv.StepDatabase, inv.PhaseWAL)
	first.Read = func(inv.Input) inv.Reading {
		return inv.Reading{Outcome: inv.Found, Facts: []inv.Fact{{Kind: inv.TupleInserted, Time: t0, Says: "inserted"}}}
	}
	first.Collect = func(_ context.Context, c *inv.Collector) error { return c.Keep(inv.EvidenceText, "s", "q", "", "x") }
	second := probe("logs.b", inv.StepLogs, inv.PhaseLogs)
	var got inv.Facts
	var window sources.Window
	second.Collect = func(_ context.Context, c *inv.Collector) error {
		got, window = c.Facts, c.Window
		return nil
	}
	r, _ := runner(t, recordID, second, first)
	if err := r.Run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || got[0].ID != "database.a#1" || got[0].Probe != "database.a" {
		t.Errorf("%+v", got)
	}
	if window != sources.Around(t0, 30*time.Minute) || !strings.Contains(r.Case.State().WindowWhy, "inserted") {
		t.Error(window, r.Case.State().WindowWhy)
	}
}

func TestBlindErrors(t *testing.T) {
	for name, c := range map[string]struct {
		collect func(context.Context, *inv.Collector) error
		says    string
	}{
		"blind": {func(context.Context, *inv.Collector) error {
			return fmt.Errorf("probe: %w", &sources.Blind{Why: "permission denied", Opens: "GRANT x"})
		}, "permission denied"},
		"plain":    {func(context.Context, *inv.Collector) error { return errors.New("connection reset") }, "connection reset"},
		"panic":    {func(context.Context, *inv.Collector) error { panic("index out of range") }, "the probe broke: index out of range"},
		"time-out": {func(ctx context.Context, _ *inv.Collector) error { <-ctx.Done(); return ctx.Err() }, "stopped at its limit of 20ms"},
	} {
		t.Run(name, func(t *testing.T) {
			p := probe("database.x", inv.StepDatabase, inv.PhaseCatalogue)
			p.Collect = func(ctx context.Context, col *inv.Collector) error {
				if err := col.Keep(inv.EvidenceText, "s", "q", "", "before"); err != nil {
					return err
				}
				return c.collect(ctx, col)
			}
			p.Timeout = 20 * time.Millisecond
			p.Read = func(in inv.Input) inv.Reading { return inv.BlindReading(in.Blind) }
			r, _ := runner(t, recordID, p)
			if err := r.Run(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			a := r.Engine.Assess(r.Case.State())
			res := a.Steps[0].Probes[0]
			if res.Reading.Outcome != inv.BlindOutcome || !strings.Contains(res.Reading.Summary, c.says) || len(res.Evidence) != 1 {
				t.Errorf("%+v", res)
			}
			if a.Steps[0].Verdict != inv.VerdictCannotTell {
				t.Error(a.Steps[0].Verdict)
			}
		})
	}
}

func TestTheRunsOwnDeadlineIsNotTheProbes(t *testing.T) {
	p := probe("database.x", inv.StepDatabase, inv.PhaseCatalogue)
	p.Collect = func(ctx context.Context, _ *inv.Collector) error { <-ctx.Done(); return ctx.Err() }
	r, _ := runner(t, recordID, p)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := r.Run(ctx, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	if b := r.Case.State().Runs[p.ID].Blind; len(b) != 1 || !strings.Contains(b[0].Why, "whole run") {
		t.Errorf("%+v", b)
	}
}

func TestCancelOneProbe(t *testing.T) {
	started := make(chan struct{})
	slow := probe("database.slow", inv.StepDatabase, inv.PhaseCatalogue)
	slow.Collect = func(ctx context.Context, _ *inv.Collector) error {
		close(started)
		<-ctx.Done()
		return ctx.Err()
	}
	after := probe("database.after", inv.StepDatabase, inv.PhaseRows)
	r, _ := runner(t, recordID, slow, after)
	go func() {
		<-started
		if !r.Cancel("database.slow") || r.Cancel("database.after") {
			t.Error("cancelled the wrong probe")
		}
	}()
	if err := r.Run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	runs := r.Case.State().Runs
	if b := runs["database.slow"].Blind; len(b) != 1 || !strings.Contains(b[0].Why, "cancelled") || runs["database.after"].Probe == "" {
		t.Errorf("%+v", runs)
	}
}

func TestInterruptedRunLeavesTheRestOpen(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	first := probe("database.first", inv.StepDatabase, inv.PhaseCatalogue)
	first.Collect = func(_ context.Context, c *inv.Collector) error {
		cancel()
		return c.Keep(inv.EvidenceText, "s", "q", "", "kept")
	}
	later := probe("database.later", inv.StepDatabase, inv.PhaseWAL)
	r, j := runner(t, recordID, first, later)
	if err := r.Run(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	s := replays(t, j)
	if _, ran := s.Runs["database.later"]; ran || len(s.Evidence) != 1 || s.Judged == nil {
		t.Errorf("%+v", s.Runs)
	}
}

func TestStatementsAreRecordedOnce(t *testing.T) {
	db := &server{name: "db:a"}
	p := probe("database.x", inv.StepDatabase, inv.PhaseCatalogue)
	p.Collect = func(context.Context, *inv.Collector) error {
		db.send("SELECT 1")
		db.send("SELECT $1 /* password=hunter2 */")
		return nil
	}
	r, _ := runner(t, recordID, p)
	r.Sources = []sources.Source{db}
	for range 3 {
		if err := r.Run(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
	}
	got := r.Case.State().Statements
	if len(got) != len(db.sent) || len(got) != 6 || strings.Contains(got[1].SQL, "hunter2") {
		t.Errorf("%d recorded of %d: %+v", len(got), len(db.sent), got)
	}
}

func TestCheckSources(t *testing.T) {
	r, _ := runner(t, recordID)
	r.Sources = []sources.Source{&server{name: "db:a"}, &server{name: "db:b", bad: true}}
	got, err := r.CheckSources(t.Context(), 20*time.Millisecond)
	if err != nil || got[0].State != sources.StateReady || got[1].State != sources.StateFailed || !strings.Contains(got[1].Problem, "nil map") {
		t.Fatalf("%+v %v", got, err)
	}
	if len(r.Case.State().Sources) != 2 {
		t.Error(r.Case.State().Sources)
	}
}

func TestUpdates(t *testing.T) {
	p := probe("database.x", inv.StepDatabase, inv.PhaseCatalogue)
	p.Collect = func(_ context.Context, c *inv.Collector) error { c.Progress(1, 2, "half"); return nil }
	r, _ := runner(t, recordID, p)
	var got []inv.RunState
	r.Update = func(u inv.Update) { got = append(got, u.State) }
	if err := r.Run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, []inv.RunState{inv.RunStarted, inv.RunProgress, inv.RunEnded}) {
		t.Error(got)
	}
}
