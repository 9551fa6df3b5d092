package investigations_test

import (
	"context"
	"reflect"
	"strings"
	"testing"
	"time"

	inv "inquest/investigations"
	"inquest/sources"
)

func TestAbsentNeedsSomethingRead(t *testing.T) {
	p := probe("database.x", inv.StepDatabase, inv.PhaseCatalogue)
	r, _ := runner(t, recordID, p)
	if err := r.Run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if res := r.Engine.Assess(r.Case.State()).Steps[0]; res.Probes[0].Reading.Outcome != inv.BlindOutcome || res.Verdict != inv.VerdictCannotTell {
		t.Errorf("%+v", res)
	}
	p.Collect = func(_ context.Context, c *inv.Collector) error {
		c.Cover(sources.Coverage{Source: "a", From: t0, To: t0.Add(time.Hour)})
		return nil
	}
	r, _ = runner(t, recordID, p)
	if err := r.Run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if res := r.Engine.Assess(r.Case.State()).Steps[0]; res.Probes[0].Reading.Outcome != inv.Absent || res.Verdict != inv.VerdictClean {
		t.Errorf("%+v", res)
	}
}

func TestReadThatPanicsIsBlind(t *testing.T) {
	p := probe("database.x", inv.StepDatabase, inv.PhaseCatalogue)
	p.Read = func(in inv.Input) inv.Reading { return inv.Reading{Summary: in.Evidence[7].ID} }
	r, _ := runner(t, recordID, p)
	if err := r.Run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if res := r.Engine.Assess(r.Case.State()).Steps[0].Probes[0]; res.Reading.Outcome != inv.BlindOutcome || !strings.Contains(res.Reading.Summary, "could not be read") {
		t.Errorf("%+v", res.Reading)
	}
}

func TestAssessIsPureAndOrdered(t *testing.T) {
	p := probe("database.x", inv.StepDatabase, inv.PhaseCatalogue)
	p.Read = func(inv.Input) inv.Reading {
		m := inv.Moment{Time: t0, Source: "a", Summary: "same"}
		x, y := sources.Expiry{What: "x", At: t0}, sources.Expiry{What: "y", At: t0}
		return inv.Reading{
			Outcome: inv.Found, Moments: []inv.Moment{{Time: t0.Add(time.Second), Source: "a", Summary: "later"}, m, m},
			Expires: []sources.Expiry{x, y, x}, Recovered: []inv.Recovered{{Unknown: []string{"a", "b"}}},
		}
	}
	better := probe("rollback.y", inv.StepRollback, inv.PhaseCatalogue)
	better.Read = func(inv.Input) inv.Reading {
		return inv.Reading{Outcome: inv.NotApplicable, Recovered: []inv.Recovered{{Unknown: []string{"a"}}}}
	}
	r, _ := runner(t, recordID, p, better)
	if err := r.Run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	s := r.Case.State()
	a := r.Engine.Assess(s)
	if len(a.Timeline) != 2 || a.Timeline[0].Summary != "same" || len(a.Expiring) != 2 || len(a.Recovered.Unknown) != 1 {
		t.Errorf("%+v", a)
	}
	record(t, r.Case, inv.EntrySigned, inv.Signed{Step: inv.StepDatabase, Verdict: inv.VerdictClean, Note: "n"})
	if st := r.Engine.Assess(r.Case.State()).Steps[0]; !st.Signed || st.Verdict != inv.VerdictClean || st.Note != "n" {
		t.Errorf("%+v", st)
	}
	if again := r.Engine.Assess(s); !reflect.DeepEqual(a.Timeline, again.Timeline) || again.Steps[0].Signed {
		t.Error("an old state gives another assessment")
	}
}

func TestDeriveWindow(t *testing.T) {
	v7 := "017F22E2-79B0-7CC3-98C4-DC0C0C07398F"
	facts := inv.Facts{
		{Kind: inv.Setting, Time: t0.Add(-time.Hour)},
		{Kind: inv.APIAnswer, Time: t0.Add(time.Minute), Says: "later"},
		{Kind: inv.IDIssued, Time: t0, Says: "first"},
		{Kind: inv.TupleInserted},
	}
	if w, why, ok := inv.DeriveWindow(inv.Record{ID: recordID}, facts); !ok || w != sources.Around(t0, 30*time.Minute) || !strings.Contains(why, "first") {
		t.Error(w, why, ok)
	}
	if w, why, ok := inv.DeriveWindow(inv.Record{ID: v7}, facts); !ok || w.From.Year() != 2022 || !strings.Contains(why, "UUIDv7") {
		t.Error(w, why, ok)
	}
	if _, _, ok := inv.DeriveWindow(inv.Record{ID: "42"}, facts[:1]); ok {
		t.Error("derived from nothing")
	}
}

func TestGivenWindowStays(t *testing.T) {
	r, _ := runner(t, "017F22E2-79B0-7CC3-98C4-DC0C0C07398F", probe("database.x", inv.StepDatabase, inv.PhaseCatalogue))
	given := sources.Window{From: t0}
	record(t, r.Case, inv.EntryWindowed, inv.Windowed{Window: given, From: "--from"})
	if err := r.Run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if s := r.Case.State(); s.Window != given || s.WindowWhy != "--from" {
		t.Error(s.Window, s.WindowWhy)
	}
}

func TestCheckProbes(t *testing.T) {
	good := probe("database.x", inv.StepDatabase, inv.PhaseCatalogue)
	if err := inv.CheckProbes([]inv.Probe{good}); err != nil {
		t.Fatal(err)
	}
	for want, spoil := range map[string]func(*inv.Probe){
		"has no id": func(p *inv.Probe) { p.ID = "" }, "unknown step": func(p *inv.Probe) { p.Step = "x" },
		"does not start": func(p *inv.Probe) { p.ID = "logs.x" }, `start with "database."`: func(p *inv.Probe) { p.ID = "database." },
		"no Collect": func(p *inv.Probe) { p.Collect = nil }, "no Read": func(p *inv.Probe) { p.Read = nil },
		"question": func(p *inv.Probe) { p.Asks = "" }, "needs missing": func(p *inv.Probe) { p.Needs = "" },
		"time limit": func(p *inv.Probe) { p.Timeout = 0 }, "unknown phase": func(p *inv.Probe) { p.Phase = 9 },
		"used twice": func(*inv.Probe) {},
	} {
		bad := good
		spoil(&bad)
		list := []inv.Probe{bad}
		if want == "used twice" {
			list = append(list, bad)
		}
		if err := inv.CheckProbes(list); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}
