package investigations_test

import (
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	inv "inquest/investigations"
	"inquest/investigations/journal"
	"inquest/sources"
)

func TestStateIsAFold(t *testing.T) {
	c, j, _ := newCase(t, recordID)
	record(t, c, inv.EntryChecked, sources.Status{Source: "db:a", State: sources.StateFailed})
	record(t, c, inv.EntryChecked, sources.Status{Source: "db:a", State: sources.StateReady})
	record(t, c, inv.EntryCollected, inv.Collected{Probe: "database.row", Evidence: []inv.Evidence{{Kind: "text"}}})
	record(t, c, inv.EntryCollected, inv.Collected{Probe: "database.row", Evidence: []inv.Evidence{{Kind: "text"}, {Kind: "text"}}})
	record(t, c, inv.EntryWindowed, inv.Windowed{Window: sources.Around(t0, time.Hour), From: "test"})
	record(t, c, inv.EntryJudged, inv.Judged{Fate: inv.Fate{Kind: inv.FateDeleted}})
	record(t, c, inv.EntrySent, inv.Sent{Statements: []sources.Statement{{SQL: "SELECT 1"}}})
	record(t, c, inv.EntryExported, inv.Exported{Path: "r.md"})
	record(t, c, "of-a-newer-version", map[string]any{"x": 1})
	s := replays(t, j)
	if d := cmp.Diff(c.State(), s, cmpopts.IgnoreUnexported(inv.State{}, inv.Evidence{})); d != "" {
		t.Fatal(d)
	}
	if len(s.Sources) != 1 || s.Sources[0].State != sources.StateReady || len(s.Evidence) != 3 || len(s.Runs["database.row"].Evidence) != 2 {
		t.Errorf("%+v", s)
	}
	if _, ok := s.EvidenceByID("E3"); !ok || s.Entries != 10 || s.WindowWhy != "test" || s.Judged.Fate.Kind != inv.FateDeleted {
		t.Errorf("%+v", s)
	}
}

func TestUndo(t *testing.T) {
	c, j, _ := newCase(t, recordID)
	if did, err := c.Undo(); did || err != nil {
		t.Fatal("undid nothing", did, err)
	}
	record(t, c, inv.EntryAnswered, inv.Answered{Question: "q", Answer: "no"})
	record(t, c, inv.EntryAnswered, inv.Answered{Question: "q", Answer: "yes"})
	record(t, c, inv.EntrySigned, inv.Signed{Step: inv.StepCode, Verdict: inv.VerdictSkipped})
	record(t, c, inv.EntryNoted, inv.Noted{Text: "n"})
	before := c.State()
	check := func(answer string, verdicts, notes int) {
		t.Helper()
		for _, s := range []inv.State{c.State(), replays(t, j)} {
			if s.Answers["q"].Answer != answer || len(s.Verdicts) != verdicts || len(s.Notes) != notes {
				t.Errorf("answer %q, %d verdicts, %d notes", s.Answers["q"].Answer, len(s.Verdicts), len(s.Notes))
			}
		}
	}
	for _, want := range []struct {
		answer          string
		verdicts, notes int
	}{{"yes", 1, 0}, {"yes", 0, 0}, {"no", 0, 0}, {"", 0, 0}} {
		if did, err := c.Undo(); !did || err != nil {
			t.Fatal(did, err)
		}
		check(want.answer, want.verdicts, want.notes)
	}
	if did, _ := c.Undo(); did {
		t.Error("undid more than there was")
	}
	if before.Answers["q"].Answer != "yes" || len(before.Notes) != 1 {
		t.Error("a State that was handed out changed")
	}
	record(t, c, inv.EntryUndone, inv.Undone{Seq: 2})
	check("", 0, 0)
}

func TestFoldNamesTheBadEntry(t *testing.T) {
	_, err := inv.Fold([]inv.Entry{{Seq: 1, Kind: inv.EntryOpened, Body: json.RawMessage(`{}`)}, {Seq: 2, Kind: inv.EntryNoted, Body: json.RawMessage(`{"text":1}`)}})
	if err == nil || !strings.Contains(err.Error(), "entry 2 (noted)") {
		t.Error(err)
	}
}

// failing refuses every second append.
type failing struct {
	journal.Memory
	n int
}

var errDisk = errors.New("disk full")

func (f *failing) Append(e inv.Entry) (inv.Entry, error) {
	if f.n++; f.n%2 == 0 {
		return e, errDisk
	}
	return f.Memory.Append(e)
}

func TestEvidenceNumbersStayUniqueWhenAppendFails(t *testing.T) {
	j := &failing{}
	c, err := inv.NewCase(j, nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 6 {
		err := c.Record(inv.EntryCollected, inv.Collected{Probe: "p", Evidence: []inv.Evidence{{}, {}}})
		if (i%2 == 1) != errors.Is(err, errDisk) {
			t.Fatal(i, err)
		}
	}
	again, err := inv.NewCase(&journal.Memory{}, j.Entries(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	record(t, again, inv.EntryCollected, inv.Collected{Probe: "p", Evidence: []inv.Evidence{{}}})
	seen := map[string]bool{}
	for _, e := range again.State().Evidence {
		if seen[e.ID] {
			t.Errorf("%s twice", e.ID)
		}
		seen[e.ID] = true
	}
	if len(seen) != 7 || !seen["E7"] {
		t.Error(seen)
	}
}

func TestEntriesAreRedactedAndStillReplay(t *testing.T) {
	c, j, _ := newCase(t, recordID, `\d{4}`)
	record(t, c, inv.EntryNoted, inv.Noted{Text: "password=hunter2 for " + recordID + " pin 1234"})
	record(t, c, inv.EntryWindowed, inv.Windowed{Window: sources.Around(t0, time.Hour), From: "x"})
	s := replays(t, j)
	if n := s.Notes[0].Text; strings.Contains(n, "hunter2") || strings.Contains(n, "1234 ") || !strings.Contains(n, recordID) {
		t.Error(n)
	}
	if !s.Window.From.Equal(t0.Add(-time.Hour)) {
		t.Error("a pattern cut digits out of a time", s.Window)
	}
}

func TestBodyThatWouldNotReplayIsRefused(t *testing.T) {
	c, j, _ := newCase(t, recordID)
	if err := c.Record(inv.EntryNoted, map[string]int{"text": 1}); err == nil {
		t.Error("recorded")
	}
	replays(t, j)
}

func TestWatchAndFollow(t *testing.T) {
	c, j, _ := newCase(t, recordID)
	reader, err := inv.NewCase(&journal.Memory{}, j.Entries(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	seen, followed := 0, 0
	stop := c.Watch(func(inv.State) { mu.Lock(); seen++; mu.Unlock() })
	reader.Watch(func(s inv.State) { followed = len(s.Notes) })
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() { record(t, c, inv.EntryNoted, inv.Noted{Text: "x"}) })
	}
	wg.Wait()
	stop()
	record(t, c, inv.EntryNoted, inv.Noted{Text: "x"})
	for _, e := range j.Entries()[1:] {
		if err := reader.Follow(e); err != nil {
			t.Fatal(err)
		}
	}
	if seen != 10 || followed != 11 {
		t.Error(seen, followed)
	}
}
