package investigations_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	inv "inquest/investigations"
	"inquest/sources"
)

func item(t *testing.T, id, kind, source string, v any) inv.Evidence {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return inv.Evidence{ID: id, Kind: kind, Source: source, Body: string(b), CollectedAt: t0.Add(400 * time.Millisecond)}
}

// line is an event of a request, so many milliseconds after t0.
func line(source, request string, ms int) sources.Event {
	return sources.Event{Source: source, RequestID: request, Time: t0.Add(time.Duration(ms) * time.Millisecond), Position: fmt.Sprint(source, ":", ms)}
}

func within(t *testing.T, c inv.Clock, want time.Duration) {
	t.Helper()
	if (c.Offset - want).Abs() > c.Error {
		t.Errorf("%+v does not hold %s", c, want)
	}
}

func TestClocksByRequest(t *testing.T) {
	var gateway, app, worker []sources.Event
	for i := range 5 {
		id := fmt.Sprintf("request-%d", i)
		at := i * 1000
		gateway = append(gateway, line("log:gateway", id, at+91_300+i*10)) // 91.3 s ahead, and its line is written at the end
		app = append(app, line("log:app", id, at+20), line("log:app", id, at+180+i*10))
	}
	worker = append(worker, line("log:worker", "request-2", 5_000), line("log:worker", "short", 9), line("log:worker", "12345678", 9))
	s := inv.State{Evidence: []inv.Evidence{
		item(t, "E1", inv.EvidenceEvents, "log:gateway", gateway), item(t, "E2", inv.EvidenceEvents, "log:app", app), item(t, "E3", inv.EvidenceEvents, "log:worker", worker),
	}}
	got := inv.MeasureClocks(s, nil)
	if len(got) != 2 || got[0].Source != "log:gateway" || got[0].Against != "log:app" || got[1].Source != "log:worker" || got[1].Against != "log:app" {
		t.Fatalf("%+v", got)
	}
	within(t, got[0], 91_100*time.Millisecond)
	if !got[0].Differs() || got[0].Error > time.Second || got[0].From != "5 requests that both name" || !slices.Equal(got[0].Evidence, []string{"E1", "E2"}) {
		t.Errorf("%+v", got[0])
	}
	if got[1].Error < time.Second {
		t.Errorf("one request alone is as sure as %s", got[1].Error)
	}
	again := inv.MeasureClocks(s, nil)
	for i := range got {
		if got[i].Offset != again[i].Offset || got[i].From != again[i].From {
			t.Error("not the same twice")
		}
	}
}

func TestClocksLeaveOutWhatTellsNothing(t *testing.T) {
	zoneless := line("log:b", "request-1", 500)
	zoneless.ZoneUnknown = true
	untimed := line("log:c", "request-1", 500)
	untimed.NoTime = true
	server := line("log:pg", "request-1", 500)
	server.Format = "postgres-csv"
	s := inv.State{Evidence: []inv.Evidence{item(t, "E1", inv.EvidenceEvents, "x", []sources.Event{
		line("log:a", "request-1", 0), zoneless, untimed, server,
		line("log:d", "long-job-1", 0), line("log:d", "long-job-1", 7_200_000), line("log:e", "long-job-1", 100),
	})}}
	if got := inv.MeasureClocks(s, nil); len(got) != 0 {
		t.Errorf("%+v", got)
	}
	// A log in whole seconds is less sure.
	whole := []sources.Event{line("log:a", "request-1", 0), line("log:a", "request-2", 3000), line("log:b", "request-1", 130), line("log:b", "request-2", 3190)}
	got := inv.MeasureClocks(inv.State{Evidence: []inv.Evidence{item(t, "E1", inv.EvidenceEvents, "x", whole)}}, nil)
	if len(got) != 1 || got[0].Error < time.Second || got[0].Differs() {
		t.Errorf("%+v", got)
	}
}

func TestClocksByXid(t *testing.T) {
	abort := func(xid string, ms int) inv.Fact {
		return inv.Fact{Kind: inv.XactAborted, Time: t0.Add(time.Duration(ms) * time.Millisecond), Evidence: []string{"E1"}, Attrs: map[string]string{"xid": xid, "record": "true", "server": "db:prod"}}
	}
	failed := func(source, xid string, ms int) inv.Fact {
		return inv.Fact{Kind: inv.LogError, Time: t0.Add(time.Duration(ms) * time.Millisecond), Evidence: []string{"E2"}, Attrs: map[string]string{"xid": xid, "joins": "xid", "source": source}}
	}
	facts := inv.Facts{
		abort("764", 0), failed("log:pg", "764", -2), abort("765", 1000), failed("log:pg", "765", 997),
		failed("log:zone", "764", 3_600_000-3), // an hour: another zone
		failed("log:other", "764", -40_000),    // an error long before the rollback
		{Kind: inv.LogError, Time: t0, Attrs: map[string]string{"xid": "764", "joins": "time", "source": "log:near"}},
	}
	got := inv.MeasureClocks(inv.State{}, facts)
	if len(got) != 2 || got[0].Source != "log:pg" || got[1].Source != "log:zone" || got[0].Against != "db:prod" {
		t.Fatalf("%+v", got)
	}
	within(t, got[0], 0)
	within(t, got[1], time.Hour)
	if got[0].Differs() || got[0].From != "2 transactions: the error in the log and the ABORT in WAL" || !got[1].Differs() {
		t.Errorf("%+v", got)
	}
}

func TestClocksOfServers(t *testing.T) {
	now := t0.Add(90*time.Second + 200*time.Millisecond).Format("2006-01-02T15:04:05.000000Z")
	identity := item(t, "E1", inv.EvidenceTable, "db:prod", sources.Table{Columns: []string{"now"}, Rows: [][]*string{{&now}}})
	identity.Tag = "identity"
	answer := item(t, "E2", inv.EvidenceAnswer, "api:h", sources.Answer{Status: 404, Sent: t0, Received: t0.Add(100 * time.Millisecond), Date: t0.Add(-30 * time.Second)})
	s := inv.State{
		Evidence: []inv.Evidence{identity, answer},
		Runs:     map[string]inv.Run{"database.server": {Started: t0, Evidence: []inv.Evidence{identity}}},
	}
	got := inv.MeasureClocks(s, nil)
	if len(got) != 2 || got[0].Source != "api:h" || got[1].Source != "db:prod" || got[1].Against != inv.OwnClock {
		t.Fatalf("%+v", got)
	}
	within(t, got[0], -30*time.Second)
	within(t, got[1], 90*time.Second)
	if got[1].Error != 200*time.Millisecond {
		t.Errorf("%+v", got[1])
	}

	doc := inv.NewFindings(s, inv.Engine{}.Assess(s))
	b, err := json.Marshal(doc.Clocks)
	if err != nil || len(doc.Clocks) != 2 || doc.Clocks[1].OffsetMS != 90000 || doc.Clocks[1].ErrorMS != 200 || doc.Clocks[1].From == "" {
		t.Errorf("%s %v", b, err)
	}
	if empty := inv.NewFindings(inv.State{}, inv.Engine{}.Assess(inv.State{})); empty.Clocks == nil {
		t.Error("clocks is null")
	}
}

func TestShared(t *testing.T) {
	told := func(id string, xid string, at time.Time, fate inv.FateKind) inv.Told {
		a := inv.Assessment{Facts: inv.Facts{
			{Kind: inv.TupleDeleted, Attrs: map[string]string{"xid": xid, "server": "db:prod"}},
			{Kind: inv.XactCommitted, Time: at, Attrs: map[string]string{"xid": xid, "server": "db:prod"}},
			{Kind: inv.XactCommitted, Time: at.Add(time.Hour), Attrs: map[string]string{"xid": xid, "server": "db:other"}},
		}}
		a.Fate.Kind = fate
		return inv.Told{Record: id, Assessment: a}
	}
	got := inv.Shared([]inv.Told{
		told("1", "764", t0, inv.FateDeleted), told("2", "764", t0, inv.FateDeleted), told("3", "765", t0.Add(10*time.Second), inv.FateDeleted), told("4", "900", t0.Add(time.Hour), inv.FatePresent),
	})
	want := []string{"the fate deleted 1 2 3", "deleted in the minute 2025-11-27 14:58 UTC 1 2 3", "deleted by xid 764 on db:prod 1 2"}
	for i, w := range want {
		if i >= len(got) || fmt.Sprint(got[i].What, got[i].Records) != fmt.Sprint(w[:len(w)-2*len(got[i].Records)], got[i].Records) {
			t.Fatalf("%+v", got)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%+v", got)
	}
	if got := inv.Shared(nil); got != nil {
		t.Error(got)
	}
}
