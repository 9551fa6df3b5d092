package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"inquest/investigations/drills"
)

// TestRecording opens the case that ships in the program: it is judged now, comes out right, and says what it is.
func TestRecording(t *testing.T) {
	var out, errs bytes.Buffer
	p := &program{in: strings.NewReader(""), out: &out, err: &errs, now: time.Now, getenv: func(string) string { return "" }}
	d, ok := drills.Find(defaultDrill)
	if !ok {
		t.Fatalf("there is no drill %s", defaultDrill)
	}
	f := runFlags{json: true, report: filepath.Join(t.TempDir(), "report.md")}
	if err := p.headlessRecording(d, f); err != nil {
		t.Fatalf("%v\n%s", err, errs.String())
	}
	got, err := parseFindings(out.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	lead, cause := got.leading()
	if got.Fate.Kind != "never-committed" || got.Fate.Standing != "established" || lead != "rolled-back" || cause != "application" {
		t.Errorf("judged %s, %s, %s (%s)", got.Fate.Kind, got.Fate.Standing, lead, cause)
	}
	if !strings.Contains(errs.String(), "this is a recording") {
		t.Errorf("it does not say that it is a recording:\n%s", errs.String())
	}
	report, err := os.ReadFile(f.report)
	if err != nil {
		t.Fatal(err)
	}
	// The real incident's cause was never published: the drill is one supposition, and the report says so.
	for _, want := range []string{"supposition", "never published"} {
		if !bytes.Contains(report, []byte(want)) {
			t.Errorf("the report does not hold %q", want)
		}
	}
}

// TestRecordingTakesNotesInMemory answers in the recorded case as in any other, without a file.
func TestRecordingTakesNotesInMemory(t *testing.T) {
	p := &program{now: time.Now, getenv: func(string) string { return "" }}
	s, err := openRecording(p)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if s.Path() != "" || s.ReadOnly() != "" {
		t.Errorf("path %q, read-only %q", s.Path(), s.ReadOnly())
	}
	before := s.State().Entries
	if err := s.Run(t.Context(), nil, nil); err == nil {
		t.Error("the probes of a recording ran again")
	}
	if ok, err := s.Undo(); err != nil || ok {
		t.Errorf("undo without an answer: %v, %v", ok, err)
	}
	if s.State().Entries != before {
		t.Error("opening the recording added an entry")
	}
}
