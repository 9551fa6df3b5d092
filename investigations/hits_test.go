package investigations_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	inv "inquest/investigations"
	"inquest/sources"
)

// hitsOf runs one probe and returns what was told while it ran.
func hitsOf(t *testing.T, collect func(c *inv.Collector)) []inv.Update {
	t.Helper()
	p := probe("logs.x", inv.StepLogs, inv.PhaseLogs)
	p.Collect = func(_ context.Context, c *inv.Collector) error { collect(c); return nil }
	r, _ := runner(t, recordID, p)
	var got []inv.Update
	r.Update = func(u inv.Update) {
		if u.State == inv.RunProgress {
			got = append(got, u)
		}
	}
	if err := r.Run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestHitsAreToldWhileTheProbeRuns(t *testing.T) {
	got := hitsOf(t, func(c *inv.Collector) {
		c.Progress(10, 100, "log:app.log")
		for range 2 { // by two searches
			for i := range 30 {
				c.Found(sources.Event{Source: "log:app.log", Position: fmt.Sprintf("app.log:%d", i+1), Message: "made"})
			}
		}
		c.Progress(20, 100, "log:app.log")
	})
	if len(got) != 10 {
		t.Fatalf("%d updates: %+v", len(got), got)
	}
	if u := got[1]; u.Probe != "logs.x" || u.Done != 10 || u.Note != "log:app.log" || u.Hits.Count != 1 || len(u.Hits.First) != 1 {
		t.Errorf("%+v", u)
	}
	if u := got[9]; u.Done != 20 || u.Hits.Count != 30 || len(u.Hits.First) != 8 || u.Hits.First[0].Position != "app.log:1" || u.Hits.First[7].Position != "app.log:8" {
		t.Errorf("%+v", u)
	}
}

func TestHitsAreRedactedBeforeTheyAreClipped(t *testing.T) {
	secret := strings.Repeat("s3cr3t", 40)
	got := hitsOf(t, func(c *inv.Collector) {
		c.Found(sources.Event{Position: "a:1", Raw: strings.Repeat("é", 190) + " password=" + secret + " " + recordID})
		c.Found(sources.Event{Position: "a:2", Message: "\n first\nsecond", NoTime: true})
		c.Found(sources.Event{Position: "a:3", Method: "GET", Path: "/x?token=abcdefghijkl123", Status: 404, Message: "no"})
	})
	first := got[len(got)-1].Hits.First
	if len(first) != 3 {
		t.Fatalf("%+v", first)
	}
	for _, h := range first {
		if strings.Contains(h.Text, "s3cr") || strings.Contains(h.Text, "abcdefghijkl123") || !utf8.ValidString(h.Text) || len(h.Text) > 400 {
			t.Errorf("%q", h.Text)
		}
	}
	if first[1].Text != " first" || !first[1].Unclear || !strings.HasPrefix(first[2].Text, "GET /x?") || !strings.HasSuffix(first[2].Text, "→ 404") {
		t.Errorf("%+v", first[1:])
	}
}
