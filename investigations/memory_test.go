package investigations_test

import (
	"context"
	"fmt"
	"reflect"
	"testing"
	"time"

	inv "inquest/investigations"
	"inquest/sources"
)

// counted is a probe that counts its readings and tells of what it was given.
func counted(id string, step inv.StepID, phase inv.Phase, reads map[string]int) inv.Probe {
	p := probe(id, step, phase)
	p.Collect = func(_ context.Context, c *inv.Collector) error {
		for i := range 9 {
			at := t0.Add(time.Duration(i) * time.Second)
			if err := c.KeepEvents(id, "q", fmt.Sprint(i), []sources.Event{{Source: id, Time: at, Message: "m", RequestID: "req-12345678"}}); err != nil {
				return err
			}
		}
		return nil
	}
	p.Read = func(in inv.Input) inv.Reading {
		reads[id]++
		var events []sources.Event
		r := inv.Reading{Outcome: inv.Found, Summary: fmt.Sprint(len(in.Facts))}
		for _, e := range in.Evidence {
			if e.Decode(&events) == nil && len(events) == 1 {
				r.Facts = append(r.Facts, inv.Fact{Kind: inv.APIAnswer, Says: fmt.Sprint(len(in.Facts)), Evidence: []string{e.ID}})
				events[0].Message = "changed by its reader"
			}
		}
		return r
	}
	return p
}

func TestMemoryReadsOnlyWhatIsNew(t *testing.T) {
	reads := map[string]int{}
	first := counted("database.a", inv.StepDatabase, inv.PhaseCatalogue, reads)
	second := counted("logs.b", inv.StepLogs, inv.PhaseLogs, reads)
	r, _ := runner(t, recordID, first, second)
	judged := 0
	r.Engine.Judge = func(d inv.Deliberation) inv.Judgement {
		judged++
		return inv.Judgement{Fate: inv.Fate{Summary: fmt.Sprint(len(d.Facts), len(d.Answers))}}
	}
	fresh := r.Engine
	r.Engine = r.Engine.Remembering()
	same := func(step string, a, b, j int) {
		t.Helper()
		until := judged
		got := r.Engine.Assess(r.Case.State())
		if reads["database.a"] != a || reads["logs.b"] != b || judged-until != j {
			t.Errorf("%s: read %v, judged %d, want %d %d %d", step, reads, judged-until, a, b, j)
		}
		before, was := map[string]int{"database.a": reads["database.a"], "logs.b": reads["logs.b"]}, judged
		want := fresh.Assess(r.Case.State())
		reads["database.a"], reads["logs.b"], judged = before["database.a"], before["logs.b"], was
		for i := range got.Steps { // functions are never equal
			for _, list := range [][]inv.ProbeResult{got.Steps[i].Probes, want.Steps[i].Probes} {
				for k := range list {
					list[k].Probe = inv.Probe{ID: list[k].Probe.ID}
				}
			}
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: remembered\n%+v\nanew\n%+v", step, got, want)
		}
	}
	run := func(ids ...string) {
		t.Helper()
		for _, id := range ids {
			if err := r.Run(t.Context(), func(p inv.Probe) bool { return p.ID == id }); err != nil {
				t.Fatal(err)
			}
		}
	}
	note := func(kind inv.EntryKind, body any) {
		t.Helper()
		if err := r.Case.Record(kind, body); err != nil {
			t.Fatal(err)
		}
	}
	note(inv.EntryWindowed, inv.Windowed{Window: sources.Around(t0, time.Hour)})
	same("empty", 0, 0, 1)
	run("database.a", "logs.b")
	same("both ran", 1, 1, 0)
	note(inv.EntryNoted, inv.Noted{Text: "a note"})
	same("a note changes nothing", 1, 1, 0)
	note(inv.EntryAnswered, inv.Answered{Question: "database.other-place", Answer: "no"})
	same("an answer is weighed", 1, 1, 1)
	run("logs.b")
	same("the later one again", 1, 2, 0)
	run("database.a")
	same("the earlier one again: the later is given its facts", 2, 3, 0)
	note(inv.EntryWindowed, inv.Windowed{Window: sources.Around(t0, time.Minute)})
	same("another window", 3, 4, 1)
}
