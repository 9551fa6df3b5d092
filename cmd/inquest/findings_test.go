package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// findings is the findings document as somebody outside reads it: the names of section "Findings document" in the
// README, written down here again so that renaming a field in the program fails a test.
type findings struct {
	Schema string `json:"schema"`
	Record string `json:"record"`
	Table  string `json:"table"`
	Window struct {
		From *time.Time `json:"from"`
		To   *time.Time `json:"to"`
	} `json:"window"`
	Fate struct {
		Kind     string   `json:"kind"`
		Standing string   `json:"standing"`
		Summary  string   `json:"summary"`
		Evidence []string `json:"evidence"`
		Settles  []string `json:"settles"`
	} `json:"fate"`
	Hypotheses []struct {
		Cause       string   `json:"cause"`
		Mechanism   string   `json:"mechanism"`
		Standing    string   `json:"standing"`
		Summary     string   `json:"summary"`
		Supports    []string `json:"supports"`
		Contradicts []string `json:"contradicts"`
	} `json:"hypotheses"`
	Steps []struct {
		ID      string `json:"id"`
		Verdict string `json:"verdict"`
		Probes  []struct {
			ID       string   `json:"id"`
			Outcome  string   `json:"outcome"`
			Summary  string   `json:"summary"`
			Opens    string   `json:"opens"`
			Evidence []string `json:"evidence"`
			TookMS   *int64   `json:"took_ms"`
		} `json:"probes"`
	} `json:"steps"`
	Timeline []struct {
		Time     time.Time `json:"time"`
		Source   string    `json:"source"`
		Summary  string    `json:"summary"`
		Evidence string    `json:"evidence"`
	} `json:"timeline"`
	Coverage []struct {
		Source string     `json:"source"`
		From   *time.Time `json:"from"`
		To     *time.Time `json:"to"`
		Gaps   []struct {
			From   time.Time `json:"from"`
			To     time.Time `json:"to"`
			Reason string    `json:"reason"`
		} `json:"gaps"`
	} `json:"coverage"`
	Expiring []struct {
		What    string     `json:"what"`
		Expires *time.Time `json:"expires"`
		Why     string     `json:"why"`
	} `json:"expiring"`
	Recovered *struct {
		Table  string             `json:"table"`
		Row    map[string]*string `json:"row"`
		Origin string             `json:"origin"`
	} `json:"recovered"`
	Evidence []struct {
		ID          string    `json:"id"`
		Source      string    `json:"source"`
		Query       string    `json:"query"`
		CollectedAt time.Time `json:"collected_at"`
		SHA256      string    `json:"sha256"`
		Excerpt     string    `json:"excerpt"`
	} `json:"evidence"`
}

// parseFindings reads a findings document, which must be all there is in the text, and checks its promises.
func parseFindings(text []byte) (findings, error) {
	var f findings
	d := json.NewDecoder(bytes.NewReader(text))
	if err := d.Decode(&f); err != nil {
		return f, fmt.Errorf("read the findings document: %w", err)
	}
	if rest, err := io.ReadAll(io.MultiReader(d.Buffered())); err != nil || strings.TrimSpace(string(rest)) != "" {
		return f, fmt.Errorf("something stands behind the findings document: %q", rest)
	}
	return f, errors.Join(f.check(), noNullLists(text))
}

// leading is the mechanism that leads and its cause; both are empty when none does.
func (f findings) leading() (mechanism, cause string) {
	for _, h := range f.Hypotheses {
		if h.Standing == "leading" {
			return h.Mechanism, h.Cause
		}
	}
	return "", ""
}

// outcome is how a probe ended, or "" when it did not run.
func (f findings) outcome(probe string) string {
	for _, st := range f.Steps {
		for _, p := range st.Probes {
			if p.ID == probe {
				return p.Outcome
			}
		}
	}
	return ""
}

var (
	stepIDs      = []string{"database", "system", "logs", "retention", "code", "concurrency", "integrity", "auditing", "rollback", "versions"}
	fateKinds    = []string{"present", "hidden", "deleted", "lost", "never-committed", "never-written", "rekeyed", "undetermined"}
	fateStanding = []string{"established", "probable", "undetermined"}
	causeIDs     = []string{"database", "system", "retention", "accidental", "concurrency", "application"}
	standings    = []string{"leading", "possible", "ruled-out", "untested"}
	verdicts     = []string{"finding", "clean", "cannot-tell", "skipped", "open"}
	outcomes     = []string{"found", "absent", "blind", "n/a"}
	origins      = []string{"wal", "heap", "history", "log"}
)

func (f findings) check() error {
	var errs []error
	known := map[string]bool{}
	must := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	must(f.Schema == "inquest.findings/1", "schema %q", f.Schema)
	must(f.Record != "", "no record")
	for _, e := range f.Evidence {
		known[e.ID] = true
		must(len(e.SHA256) == 64, "evidence %s has hash %q", e.ID, e.SHA256)
		must(e.Source != "" && e.Query != "" && !e.CollectedAt.IsZero(), "evidence %s lacks source, query or time", e.ID)
	}
	cited := func(where string, ids []string) {
		for _, id := range ids {
			must(known[id], "%s cites %q, which is no evidence", where, id)
		}
	}
	must(slices.Contains(fateKinds, f.Fate.Kind), "fate %q", f.Fate.Kind)
	must(slices.Contains(fateStanding, f.Fate.Standing), "standing %q", f.Fate.Standing)
	must(f.Fate.Summary != "", "the fate has no summary")
	must((f.Fate.Kind == "undetermined") == (f.Fate.Standing == "undetermined"), "fate %s is %s", f.Fate.Kind, f.Fate.Standing)
	cited("the fate", f.Fate.Evidence)
	must(f.Fate.Standing != "established" || len(f.Fate.Evidence) > 0, "an established fate without evidence")
	for i, h := range f.Hypotheses {
		must(slices.Contains(standings, h.Standing), "%s is %q", h.Mechanism, h.Standing)
		must(slices.Contains(causeIDs, h.Cause), "%s has cause %q", h.Mechanism, h.Cause)
		must(h.Standing != "leading" || i == 0, "%s leads from place %d", h.Mechanism, i+1)
		must(h.Standing != "leading" || f.Fate.Kind != "undetermined", "%s leads an undetermined case", h.Mechanism)
		cited(h.Mechanism, append(slices.Clone(h.Supports), h.Contradicts...))
	}
	must(len(f.Steps) == len(stepIDs), "%d steps", len(f.Steps))
	for i, st := range f.Steps {
		must(i < len(stepIDs) && st.ID == stepIDs[i], "step %d is %q", i+1, st.ID)
		must(slices.Contains(verdicts, st.Verdict), "step %s has verdict %q", st.ID, st.Verdict)
		for _, p := range st.Probes {
			must(slices.Contains(outcomes, p.Outcome), "probe %s ended %q", p.ID, p.Outcome)
			must(strings.HasPrefix(p.ID, st.ID+"."), "probe %s in step %s", p.ID, st.ID)
			must(p.Summary != "" && p.TookMS != nil, "probe %s lacks summary or duration", p.ID)
			cited(p.ID, p.Evidence)
		}
	}
	for _, m := range f.Timeline {
		must(m.Source != "" && m.Summary != "", "a moment without source or summary")
		if m.Evidence != "" {
			cited("the timeline", []string{m.Evidence})
		}
	}
	if r := f.Recovered; r != nil {
		must(r.Row != nil && slices.Contains(origins, r.Origin), "recovered from %q: %v", r.Origin, r.Row)
	}
	return errors.Join(errs...)
}

// noNullLists reports a list that is null instead of empty, or not there.
func noNullLists(text []byte) error {
	var doc map[string]any
	if err := json.Unmarshal(text, &doc); err != nil {
		return err
	}
	var errs []error
	lists := func(where string, at any, names ...string) {
		m, ok := at.(map[string]any)
		for _, name := range names {
			if _, isList := m[name].([]any); !ok || !isList {
				errs = append(errs, fmt.Errorf("%s.%s is no list", where, name))
			}
		}
	}
	each := func(name string, names ...string) {
		items, _ := doc[name].([]any)
		for i, item := range items {
			lists(fmt.Sprintf("%s[%d]", name, i), item, names...)
		}
	}
	lists("findings", doc, "hypotheses", "steps", "timeline", "coverage", "expiring", "evidence")
	lists("fate", doc["fate"], "evidence")
	each("hypotheses", "supports", "contradicts")
	each("steps", "probes")
	each("coverage", "gaps")
	for _, name := range []string{"window", "recovered", "table"} {
		if _, ok := doc[name]; !ok {
			errs = append(errs, fmt.Errorf("%s is missing", name))
		}
	}
	return errors.Join(errs...)
}

// checkFindings reads the findings document from a file or stdout and compares what it says:
// findings stdout fate=deleted/established leading=manual-delete outcome:database.row=absent.
func checkFindings(ts *testscript.TestScript, _ bool, args []string) {
	f, err := parseFindings([]byte(ts.ReadFile(args[0])))
	ts.Check(err)
	mechanism, _ := f.leading()
	for _, want := range args[1:] {
		name, value, _ := strings.Cut(want, "=")
		got := ""
		probe, isOutcome := strings.CutPrefix(name, "outcome:")
		switch {
		case isOutcome:
			got = f.outcome(probe)
		case name == "fate":
			got = f.Fate.Kind + "/" + f.Fate.Standing
		case name == "leading":
			got = mechanism
		case name == "record":
			got = f.Record
		case name == "table":
			got = f.Table
		default:
			ts.Fatalf("findings: nothing is called %q", name)
		}
		if got != value {
			ts.Fatalf("%s is %q, want %q\n%s", name, got, value, f.Fate.Summary)
		}
	}
}

// testContext bounds what a script's verb does.
func testContext() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), time.Minute)
}
