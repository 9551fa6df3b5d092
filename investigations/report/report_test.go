package report_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	inv "inquest/investigations"
	"inquest/investigations/report"
	"inquest/sources"
)

var update = flag.Bool("update", false, "write the golden files anew")

type sample struct {
	s inv.State
	a inv.Assessment
}

func samples() map[string]sample {
	s, a := filled()
	rec := s
	rec.Recording = "made by the drill vanished-dtro on a throwaway server"
	return map[string]sample{
		"filled": {s, a}, "recording": {rec, a}, "empty": {inv.State{}, inv.Assessment{}}, "blind": blindEverything(),
		"hostile": hostile(),
	}
}

// blindEverything is a case in which no probe could look.
func blindEverything() sample {
	s := inv.State{Record: inv.Record{ID: "42"}, Runs: map[string]inv.Run{}}
	a := inv.Assessment{Judgement: inv.Judgement{
		Fate:       inv.Fate{Kind: inv.FateUndetermined, Standing: inv.Undetermined, Summary: "Nothing that was read settles it.", Settles: []string{"read the table by its key: --db"}},
		Hypotheses: []inv.Hypothesis{{Mechanism: "rolled-back", Cause: inv.CauseApplication, Standing: inv.Untested}},
	}}
	for _, st := range inv.Steps() {
		id := string(st.ID) + ".any"
		s.Runs[id] = inv.Run{Blind: []sources.Blind{{Why: "no database is connected", Opens: "--db DSN"}}}
		a.Steps = append(a.Steps, inv.StepResult{Step: st, Verdict: inv.VerdictCannotTell, Probes: []inv.ProbeResult{{
			Probe: inv.Probe{ID: id, Title: "Any " + string(st.ID)}, Ran: true,
			Reading: inv.Reading{Outcome: inv.BlindOutcome, Summary: "could not look: no database is connected", Opens: "--db DSN"},
		}}})
	}
	return sample{s, a}
}

func TestGoldens(t *testing.T) {
	for name, c := range samples() {
		golden(t, name+".md", report.Markdown(c.s, c.a))
		page, err := report.HTML(c.s, c.a)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, name+".html", page)
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("%s differs (go test ./investigations/report -update writes it anew):\n%s", name, d)
	}
}

func TestDeterministic(t *testing.T) {
	s, a := filled()
	md := report.Markdown(s, a)
	page, err := report.HTML(s, a)
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		s, a := filled()
		again, err := report.HTML(s, a)
		if err != nil || !bytes.Equal(md, report.Markdown(s, a)) || !bytes.Equal(page, again) {
			t.Fatal("the same case gave another report", err)
		}
	}
}

func TestSaysWhatCannotBeSaid(t *testing.T) {
	b := blindEverything()
	md := string(report.Markdown(b.s, b.a))
	for _, want := range []string{
		"What became of the record is undetermined", "**The cause is undetermined:**", "1 thing could not be looked at",
		"read the table by its key", "\\-\\-db", "No source vouches",
	} {
		if !strings.Contains(md, strings.ReplaceAll(want, `\-\-db`, "--db")) {
			t.Errorf("missing %q", want)
		}
	}
	if strings.Contains(md, "Nothing that was asked for stayed unseen") {
		t.Error("a blind case claims to have seen everything")
	}
	if empty := string(report.Markdown(inv.State{}, inv.Assessment{})); !strings.Contains(empty, "no probe has run yet") {
		t.Error(empty)
	}
}

func TestTamperedEvidenceIsSaid(t *testing.T) {
	s, a := filled()
	s.Evidence[0].Body = "{}"
	if md := string(report.Markdown(s, a)); !strings.Contains(md, "does not have this hash") {
		t.Error("changed evidence is shown as if it were whole")
	}
}

func TestLongEvidenceIsCut(t *testing.T) {
	s, a := filled()
	s.Evidence = []inv.Evidence{{ID: "E1", Kind: inv.EvidenceText, Body: strings.Repeat("é", 200_000)}}
	if md := report.Markdown(s, a); len(md) > 40_000 || !bytes.Contains(md, []byte("the case file has all of it")) {
		t.Error(len(md))
	}
}
