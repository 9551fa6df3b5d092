package investigations_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	inv "inquest/investigations"
	"inquest/sources"
)

func TestKeep(t *testing.T) {
	run, _ := collectOnce(t, func(_ context.Context, c *inv.Collector) error {
		return c.Keep(inv.EvidenceTable, "db:a", "psql postgres://u:hunter2@h/d", "tag", map[string]any{
			"password": "correct 'horse' battery", "id": recordID, "when": "2025-11-27T14:58:03Z", "n": 12345678901234567890.0, "note": "token=abcdefghijkl123",
		})
	})
	e := run.Evidence[0]
	if e.ID != "E1" || !e.Intact() || e.Redacted != 2 || e.Tag != "tag" || e.CollectedAt.IsZero() {
		t.Errorf("%+v", e)
	}
	for _, secret := range []string{"horse", "battery", "abcdefghijkl123"} {
		if strings.Contains(e.Body, secret) {
			t.Errorf("%q is in %s", secret, e.Body)
		}
	}
	if strings.Contains(e.Query, "hunter2") || !strings.Contains(e.Body, recordID) {
		t.Error(e.Query, e.Body)
	}
	var v map[string]any
	if err := e.Decode(&v); err != nil || v["when"] != "2025-11-27T14:58:03Z" {
		t.Error(v, err)
	}
}

func TestKeepRefusesWhatIsTooLarge(t *testing.T) {
	run, _ := collectOnce(t, func(_ context.Context, c *inv.Collector) error {
		err := c.Keep(inv.EvidenceText, "db:a", "q", "", strings.Repeat("x", inv.MaxEvidence))
		var blind *sources.Blind
		if !errors.As(err, &blind) {
			t.Error(err)
		}
		return err
	})
	if len(run.Evidence) != 0 || len(run.Blind) != 1 || run.Blind[0].Opens == "" {
		t.Errorf("%+v", run)
	}
}

func TestKeepEventsCutsAndSaysSo(t *testing.T) {
	var many []sources.Event
	for i := range 9000 {
		many = append(many, sources.Event{Raw: strings.Repeat("x", 300), Position: fmt.Sprintf("a.log:%d", i)})
	}
	run, _ := collectOnce(t, func(_ context.Context, c *inv.Collector) error {
		return errors.Join(c.KeepEvents("log:a", "q", "", many), c.KeepEvents("log:a", "q", "", many[:3]), c.KeepEvents("log:a", "q", "", nil))
	})
	var kept []sources.Event
	total, last := 0, len(run.Evidence)-3
	for _, e := range run.Evidence[:last+1] {
		if err := e.Decode(&kept); err != nil || len(e.Body) > inv.MaxEvidence || kept[0].Position != fmt.Sprintf("a.log:%d", total) {
			t.Error(err, len(e.Body), len(kept), e.Partial)
		}
		total += len(kept)
	}
	e := run.Evidence[last]
	if want := fmt.Sprintf("%d of %d lines left out", 9000-total, 9000-total+len(kept)); !strings.Contains(e.Partial, want) || !strings.Contains(e.Partial, "a.log:8999") || total < 4000 {
		t.Errorf("%s, want %s", e.Partial, want)
	}
	for i, e := range run.Evidence {
		if i != last && e.Partial != "" {
			t.Errorf("%d: said to be partial, but is whole", i)
		}
	}
	few, _ := collectOnce(t, func(_ context.Context, c *inv.Collector) error { return c.KeepEvents("log:a", "q", "", many[:2000]) })
	if n := len(few.Evidence); n < 2 || few.Evidence[n-1].Partial != "" {
		t.Errorf("%d items", n)
	}
}

// TestOneHugeLineDoesNotTakeTheOthers: a line above the limit is shortened
// around the record's id.
func TestOneHugeLineDoesNotTakeTheOthers(t *testing.T) {
	huge := strings.Repeat("é", 300<<10) + recordID + strings.Repeat("z", 300<<10)
	events := []sources.Event{{Raw: huge, Message: huge, Position: "a.log:1", Fields: map[string]string{"body": huge}}, {Raw: "small", Position: "a.log:2"}}
	run, _ := collectOnce(t, func(_ context.Context, c *inv.Collector) error { return c.KeepEvents("log:a", "q", "", events) })
	var kept []sources.Event
	if err := run.Evidence[0].Decode(&kept); err != nil || len(kept) != 2 {
		t.Fatal(err, len(kept))
	}
	if !strings.Contains(kept[0].Raw, recordID) || len(kept[0].Raw) > 20<<10 || !strings.Contains(run.Evidence[0].Partial, "shortened") {
		t.Error(len(kept[0].Raw), run.Evidence[0].Partial)
	}
	if !strings.HasPrefix(events[0].Raw, "éé") || len(events[0].Raw) != len(huge) {
		t.Error("the caller's events were changed")
	}
	many := map[string]string{}
	for i := range 5000 {
		many[fmt.Sprint(i)] = strings.Repeat("v", 100)
	}
	run, _ = collectOnce(t, func(_ context.Context, c *inv.Collector) error {
		return c.KeepEvents("log:a", "q", "", []sources.Event{{Raw: "r", Fields: many}})
	})
	if err := run.Evidence[0].Decode(&kept); err != nil || len(kept) != 1 {
		t.Error(err, len(kept))
	}
}

func TestCoverageAndReasonsAreRedacted(t *testing.T) {
	run, _ := collectOnce(t, func(_ context.Context, c *inv.Collector) error {
		c.Cover(sources.Coverage{Source: "a", Limits: []string{"password=hunter2"}, Gaps: []sources.Gap{{Reason: "password=hunter2"}}})
		c.Blind("password=hunter2", "password=hunter2")
		return errors.New("password=hunter2")
	})
	if s := fmt.Sprintf("%+v", run); strings.Contains(s, "hunter2") || len(run.Blind) != 2 {
		t.Error(s)
	}
}
