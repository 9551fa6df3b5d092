package main

import (
	"strings"
	"testing"
	"time"

	"inquest/investigations"
	"inquest/ui/text"
)

func TestHitsAreOneRowOfTheTerminal(t *testing.T) {
	var b strings.Builder
	g := newProgress(&b, false)
	at := time.Date(2025, 11, 27, 14, 58, 12, 0, time.UTC)
	sign := func(after time.Duration, count int) {
		hits := investigations.Hits{Count: count, First: []investigations.Hit{{
			Time: at, Position: "app.log:123", Text: "\x1b]0;owned\a 漢字 \u202e" + strings.Repeat("long ", 90),
		}}}
		g.update(investigations.Update{Probe: "logs.mentions", State: investigations.RunProgress, Elapsed: after, Done: 1, Total: 10, Note: "log:app.log", Hits: hits})
	}
	sign(time.Millisecond, 1)
	if b.Len() > 0 {
		t.Errorf("without a terminal: %q", b.String())
	}
	g = newProgress(&b, false)
	g.width = func() int { return 100 }
	sign(time.Millisecond, 1) // at once
	sign(time.Second, 2)      // too soon
	sign(3*time.Second, 3)
	sign(6*time.Second, 3) // nothing new
	var hits []string
	for _, l := range strings.Split(b.String(), "\n") {
		if strings.Contains(l, " hits ") {
			hits = append(hits, l)
		}
	}
	if len(hits) != 2 || !strings.Contains(hits[0], "logs.mentions: 1 line so far, the first app.log:123 2025-11-27T14:58:12Z") || !strings.Contains(hits[1], "3 lines so far") {
		t.Fatalf("%q", hits)
	}
	for _, l := range hits {
		if text.Width(l) > 99 || strings.ContainsAny(l, "\x1b\a\u202e") {
			t.Errorf("%d cells: %q", text.Width(l), l)
		}
	}
}
