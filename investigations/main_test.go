package investigations_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"go.uber.org/goleak"

	inv "inquest/investigations"
	"inquest/investigations/journal"
	"inquest/sources"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const recordID = "e7a4bff2-adc7-4847-a9d8-25734601b405"

var t0 = time.Date(2025, 11, 27, 14, 58, 3, 0, time.UTC)

// newCase returns an opened case in memory, its redactor keeping the record's id.
func newCase(t *testing.T, id string, patterns ...string) (*inv.Case, *journal.Memory, inv.Redactor) {
	t.Helper()
	r, err := sources.NewRedactor([]string{id}, patterns...)
	if err != nil {
		t.Fatal(err)
	}
	j := &journal.Memory{}
	c, err := inv.NewCase(j, nil, r, func() time.Time { return t0 })
	if err != nil {
		t.Fatal(err)
	}
	record(t, c, inv.EntryOpened, inv.Opened{Schema: inv.CaseSchema, Record: inv.Record{ID: id}, Version: "test"})
	return c, j, r
}

func record(t *testing.T, c *inv.Case, kind inv.EntryKind, body any) {
	t.Helper()
	if err := c.Record(kind, body); err != nil {
		t.Fatal(err)
	}
}

// probe returns one that passes CheckProbes, collects nothing and is absent.
func probe(id string, step inv.StepID, phase inv.Phase) inv.Probe {
	return inv.Probe{
		ID: id, Step: step, Phase: phase, Title: id, Asks: "?", Why: "why", Negative: "not", Needs: "nothing", Timeout: 5 * time.Second,
		Collect: func(context.Context, *inv.Collector) error { return nil },
		Read:    func(inv.Input) inv.Reading { return inv.Reading{Outcome: inv.Absent, Summary: "nothing there"} },
	}
}

// runner returns a runner over the probes, with a case of its own.
func runner(t *testing.T, id string, probes ...inv.Probe) (*inv.Runner, *journal.Memory) {
	t.Helper()
	c, j, redact := newCase(t, id)
	return &inv.Runner{Case: c, Engine: inv.Engine{Probes: probes}, Redact: redact, Now: time.Now, Version: "test"}, j
}

// collectOnce runs one collecting function and returns what it brought.
func collectOnce(t *testing.T, collect func(context.Context, *inv.Collector) error) (inv.Run, *inv.Runner) {
	t.Helper()
	p := probe("database.x", inv.StepDatabase, inv.PhaseCatalogue)
	p.Collect = collect
	r, j := runner(t, recordID, p)
	if err := r.Run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	replays(t, j)
	return r.Case.State().Runs[p.ID], r
}

// replays demands that the journal, written and read back, folds.
func replays(t *testing.T, j *journal.Memory) inv.State {
	t.Helper()
	var b bytes.Buffer
	if _, err := j.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	entries, _, err := journal.Read(&b)
	if err != nil {
		t.Fatal(err)
	}
	s, err := inv.Fold(entries)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
