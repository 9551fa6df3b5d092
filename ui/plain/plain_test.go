package plain_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"inquest/ui/plain"
	"inquest/ui/uitest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// walk types the lines into a walk over the fake backend and returns what it
// printed.
func walk(t *testing.T, f *uitest.Fake, lines ...string) string {
	t.Helper()
	var out bytes.Buffer
	o := plain.Options{Backend: f, In: strings.NewReader(strings.Join(lines, "\n") + "\n"), Out: &out, Folder: "~/cases", Now: func() time.Time { return uitest.Now }, Zone: time.UTC}
	if err := plain.Run(context.Background(), o); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	return out.String()
}

func want(t *testing.T, out string, all ...string) {
	t.Helper()
	for _, s := range all {
		if !strings.Contains(out, s) {
			t.Errorf("%q is not in\n%s", s, out)
		}
	}
}

func TestFromHomeToTheReport(t *testing.T) {
	f := uitest.NewFake()
	out := walk(t, f, "1", "run", "walk", "yes it was staging", "clean saw it myself", "stop", "step 1", "undo", "note E1 look here", "mark E1",
		"timeline 404", "causes", "record", "restore", "evidence E1", "coverage", "statements", "sql 1", "export /tmp/r.md", "help", "back", "quit")
	want(t, out, "case 1: "+uitest.RecordID, "next:      type run", "looking:   Row lineage (WAL)", "fate:      never committed, established",
		"question:  Is there another database", "saved:     yes", "saved:     Database logs clean", "verdict:   clean, yours saw it myself", "undone:",
		"events:    1 of 5", "cause 1: rolled back, leading", "changed:   Name: was Temporary closure", "INSERT INTO", "ROLLBACK;",
		"sha256:", "gap:", "opens it:  CREATE EXTENSION", "statement 1:", "sends:     SELECT", "report:    written to /tmp/r.md", "be asked (or w)")
	if len(f.Exported) != 1 || f.Closed != 1 {
		t.Errorf("exported %v, closed %d", f.Exported, f.Closed)
	}
}

func TestHostileTextIsShownAndNotSent(t *testing.T) {
	f := uitest.NewFake()
	f.Hostile = true
	f.Summaries[0].Record = "a\x1b[31mb"
	out := walk(t, f, "1", "run", "walk", "stop", "timeline", "causes", "record", "restore", "evidence E1", "coverage")
	if i := strings.IndexFunc(out, func(r rune) bool { return r < ' ' && r != '\n' || r == 0x202e || r == 0x9b }); i >= 0 {
		t.Errorf("a control character came out: %q", out[max(i-40, 0):i+20])
	}
}

func TestMistakesAreSaid(t *testing.T) {
	out := walk(t, uitest.NewFake(), "9", "what", "drill nothing", "1", "frobnicate", "step 12", "verdict 1 maybe", "mark E99", "note", "undo")
	want(t, out, "there is no case 9", "help:", "there is no drill nothing", `no command "frobnicate"`, "from 1 to 10", "a verdict is", "say which evidence", "write the note", "nothing to undo")
}

func TestNewCaseAndDrill(t *testing.T) {
	f := uitest.NewFake()
	out := walk(t, f, `new "42",`, "orders", "", "host=db1 ; host=db2", "/var/log/a /var/log/b", "", "--ssh gw1:/var/log/x", "", "03/04/2025", "27/11/2025 14:58", "back", "drill", "1", "back")
	want(t, out, "source:    db:prod, partial", "write it as 2025-11-27", "time:      Thu 27 Nov 2025 14:58:00 UTC", "drill 2: failover", "building:  making the incident happen")
	if len(f.Created) != 1 || len(f.Created[0].Logs) != 2 || len(f.Created[0].Databases) != 2 || f.Created[0].Places[0] != "ssh gw1:/var/log/x" || f.Created[0].Record != "42" {
		t.Errorf("%+v", f.Created)
	}
}

func TestSourcesAreNamedForACaseThatHasNone(t *testing.T) {
	f := uitest.NewFake()
	f.Apart = "no source is connected"
	out := walk(t, f, "1", "sources", "", "host=db1", "", "", "journal", "", "run", "back", "quit")
	want(t, out, "next:      type sources: no source is connected", "source:    db:prod", "looked:    Row lineage")
	if len(f.Connected) != 1 || f.Connected[0].Databases[0] != "host=db1" || f.Connected[0].Places[0] != "journal" || f.Connected[0].Record != uitest.RecordID || f.Closed != 2 {
		t.Errorf("%+v, closed %d", f.Connected, f.Closed)
	}
}

func TestTheFirstHitIsSaidBeforeTheEnd(t *testing.T) {
	f := uitest.NewFake()
	f.Slow, f.Found = true, 300
	f.Release()
	out := walk(t, f, "1", "run", "back", "quit")
	said, ended := strings.Index(out, "found:     Siblings, so far: app.log:1042 POST /v1/dtros/"+uitest.RecordID+" answered 201"), strings.Index(out, "looked:    Siblings")
	if said < 0 || ended < said || strings.Count(out, "so far:") != 1 {
		t.Error(out)
	}
}

func TestItEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	in, typed := io.Pipe()
	time.AfterFunc(20*time.Millisecond, cancel)
	err := plain.Run(ctx, plain.Options{Backend: uitest.NewFake(), In: in, Out: io.Discard, Now: time.Now, Zone: time.UTC})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	_ = typed.Close()
}
