package loki

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"inquest/sources"
	"inquest/sources/logstore/logstoretest"
)

const id = "e7a4bff2-adc7-4847-a9d8-25734601b405"

var recent = time.Now().UTC().Add(-2 * time.Hour).Truncate(time.Minute)

func needles() []sources.Needle { return sources.Spellings(id) }

// traffic is a line a second about other things.
func traffic(from time.Time, n int) []said {
	out := make([]said, 0, n)
	for i := range n {
		at := from.Add(time.Duration(i) * time.Second)
		out = append(out, said{at: at, line: fmt.Sprintf(`{"time":%q,"level":"info","msg":"tick","n":%d}`, at.Format(time.RFC3339Nano), i)})
	}
	return out
}

func around(q sources.LogQuery, from time.Time, d time.Duration) sources.LogQuery {
	q.Window = sources.Window{From: from, To: from.Add(d)}
	return q
}

func TestHitsWithLabelsAndMetadata(t *testing.T) {
	address := server(t)
	at := recent.Add(10 * time.Minute)
	push(t, address, "hits", map[string]string{"app": "api", "pod": "api-7f9c"}, append(traffic(recent, 1800),
		said{at, fmt.Sprintf(`{"time":%q,"level":"info","msg":"created","method":"POST","path":"/orders","status":201,"order":%q}`, at.Format(time.RFC3339Nano), id), map[string]string{"trace_id": "4bf92f3577b34da6a3ce929d0e0e4736"}},
		said{at.Add(time.Millisecond), `{"level":"error","msg":"insert failed"}`, map[string]string{"trace_id": "4bf92f3577b34da6a3ce929d0e0e4736"}},
		said{at.Add(time.Second), strings.ReplaceAll(id, "-", ""), nil},
		said{at.Add(2 * time.Second), "the order", map[string]string{"order_id": id}},
		said{at.Add(24 * time.Minute), "too late: " + id, map[string]string{"order_id": "other", "trace_id": "x"}})...)
	l := of(t, "hits", `{app="api"}`, Options{})

	r := logstoretest.Search(t, l, around(sources.LogQuery{Needles: needles()}, recent, 20*time.Minute))
	if len(r.Events) != 3 {
		t.Fatalf("%d events: %+v", len(r.Events), r.Events)
	}
	first := r.Events[0]
	if first.Status != 201 || first.RequestID != "4bf92f3577b34da6a3ce929d0e0e4736" || first.Field("pod") != "api-7f9c" || first.Level != sources.LevelInfo || first.Why != "names the id" || first.Format != "json" {
		t.Errorf("%+v", first)
	}
	if e := r.Events[1]; e.Why != "names the id without hyphens" || e.NoTime || !e.Time.Equal(at.Add(time.Second)) {
		t.Errorf("%+v", e)
	}
	if e := r.Events[2]; e.Message != "the order" || e.Why != "names the id" || e.Field("order_id") != id {
		t.Errorf("found by metadata alone: %+v", e)
	}
	v := r.Coverage
	if !v.Covers(sources.Window{From: recent, To: recent.Add(20 * time.Minute)}) || v.Lines < 1800 || len(v.Gaps) != 0 || v.ZoneUnknown || !strings.HasPrefix(v.Format, "json") {
		t.Errorf("%+v", v)
	}
	if !strings.Contains(r.Query, "logcli query") || !strings.Contains(r.Query, `{app="api"} |~`) {
		t.Error(r.Query)
	}

	// The same request, by the trace id that stands beside the lines only.
	follow := sources.LogQuery{Needles: []sources.Needle{{Text: first.RequestID, How: "the request of " + first.Position, Whole: true}}}
	r = logstoretest.Search(t, l, around(follow, at.Add(-10*time.Minute), 20*time.Minute))
	if len(r.Events) != 2 || r.Events[1].Message != "insert failed" || r.Events[1].RequestID != first.RequestID || r.Events[0].Position != first.Position {
		t.Fatalf("%+v", r.Events)
	}
}

func TestPastTheLimitAndOneNanosecond(t *testing.T) {
	address := server(t)
	burst := recent.Add(5 * time.Minute)
	lines := traffic(recent, 600)
	for i := range 250 {
		lines = append(lines, said{at: burst, line: fmt.Sprintf(`{"burst":%d,"id":%q}`, i, id)})
	}
	for i := range 90 {
		lines = append(lines, said{at: burst.Add(time.Duration(i+1) * time.Second), line: fmt.Sprintf(`{"after":%d,"id":%q}`, i, id)})
	}
	slices.SortStableFunc(lines, func(a, b said) int { return a.at.Compare(b.at) })
	push(t, address, "burst", map[string]string{"app": "x"}, lines...)
	push(t, address, "few", map[string]string{"app": "x"}, lines...)
	q := around(sources.LogQuery{Needles: needles()}, recent, 10*time.Minute)

	for _, page := range []int{7, 100, 5000} {
		l := of(t, "burst", `{app="x"}`, Options{Page: page})
		r := logstoretest.Search(t, l, q)
		gap := slices.ContainsFunc(r.Coverage.Gaps, func(g sources.Gap) bool {
			return strings.Contains(g.Reason, "one nanosecond") && g.From.Equal(burst)
		})
		if want := 250 + 90; page == 5000 && (len(r.Events) != want || gap) {
			t.Errorf("page of %d: %d events, want %d; %+v", page, len(r.Events), want, r.Coverage.Gaps)
		}
		if page < 250 && (len(r.Events) != page+90 || !gap) {
			t.Errorf("page of %d: %d events, gaps %+v", page, len(r.Events), r.Coverage.Gaps)
		}
	}

	// The server itself allows 100, and says so.
	r := logstoretest.Search(t, of(t, "few", `{app="x"}`, Options{}), q)
	if len(r.Events) != 190 || len(r.Coverage.Gaps) != 1 || !strings.Contains(r.Coverage.Gaps[0].Reason, "more than 100 lines") {
		t.Errorf("%d events, gaps %+v", len(r.Events), r.Coverage.Gaps)
	}

	// Fewer are wanted than there are: the rest is counted.
	q.Limit = 50
	r = logstoretest.Search(t, of(t, "burst", `{app="x"}`, Options{}), q)
	if len(r.Events) != 50 || r.Dropped != 290 {
		t.Errorf("%d events, %d dropped", len(r.Events), r.Dropped)
	}
	r = logstoretest.Search(t, of(t, "burst", `{app="x"}`, Options{Most: 60}), q)
	if len(r.Events) != 50 || r.Dropped < 290 || len(r.Coverage.Gaps) == 0 || !strings.Contains(r.Coverage.Gaps[0].Reason, "not searched") {
		t.Errorf("%d events, %d dropped, %+v", len(r.Events), r.Dropped, r.Coverage.Gaps)
	}
}

func TestALongStretchIsSplit(t *testing.T) {
	address := server(t)
	old := recent.Add(-60 * time.Hour)
	lines := []said{{at: old, line: "first " + id}}
	for i := range 60 {
		lines = append(lines, said{at: old.Add(time.Duration(i) * time.Hour), line: "tick"})
	}
	lines = append(lines, said{at: recent, line: "last " + id})
	push(t, address, "short", map[string]string{"app": "x"}, lines...)
	l := of(t, "short", `{app="x"}`, Options{Back: 10 * 24 * time.Hour})
	r := logstoretest.Search(t, l, sources.LogQuery{Needles: needles()})
	if len(r.Events) != 2 || r.Events[0].Message != "first "+id || !r.Coverage.From.Equal(old) || !r.Coverage.To.Equal(recent) || r.Coverage.Lines != 62 {
		t.Fatalf("%+v", r)
	}
	if !strings.Contains(strings.Join(r.Coverage.Limits, "; "), "nothing older than") {
		t.Errorf("the bound is not told: %q", r.Coverage.Limits)
	}
	if st := l.Check(t.Context()); st.State != sources.StateReady || !strings.Contains(st.Summary, old.Format(time.RFC3339)) {
		t.Errorf("%+v", st)
	}
}

func TestNoHitIsAbsentWithCoverage(t *testing.T) {
	address := server(t)
	lines := append(traffic(recent, 1200), traffic(recent.Add(50*time.Minute), 1200)...)
	push(t, address, "quiet", map[string]string{"app": "x"}, lines...)
	l := of(t, "quiet", `{app="x"}`, Options{})
	r := logstoretest.Search(t, l, sources.LogQuery{Needles: needles()})
	if len(r.Events) != 0 || r.Coverage.Lines != 2400 || !r.Coverage.From.Equal(recent) {
		t.Fatalf("%+v", r)
	}
	want := sources.Gap{From: recent.Add(1199 * time.Second), To: recent.Add(50 * time.Minute)}
	if g := r.Coverage.Gaps; len(g) != 1 || !g[0].From.Equal(want.From) || !g[0].To.Equal(want.To) {
		t.Errorf("silences: %+v", g)
	}
	if r.Coverage.Covers(sources.Window{From: recent, To: recent.Add(30 * time.Minute)}) {
		t.Error("a silence is covered")
	}
	if !r.Coverage.Covers(sources.Window{From: recent, To: recent.Add(10 * time.Minute)}) {
		t.Error("a stretch with a line a second is not covered")
	}
	// Before the first line nothing is known.
	r = logstoretest.Search(t, l, around(sources.LogQuery{Needles: needles()}, recent.Add(-10*time.Minute), 20*time.Minute))
	if !r.Coverage.From.Equal(recent) {
		t.Errorf("covered from %s", r.Coverage.From)
	}
	logstoretest.Blind(t, l, around(sources.LogQuery{Needles: needles()}, recent.Add(-30*time.Hour), time.Hour), "has no line of")
	logstoretest.Blind(t, of(t, "quiet", `{app="nobody"}`, Options{}), sources.LogQuery{Needles: needles()}, "check the selector")
}

func TestARecordOfSeveralLines(t *testing.T) {
	address := server(t)
	at := recent.Add(time.Minute)
	stamp := at.Format("2006-01-02 15:04:05.000 MST")
	var lines []said
	for i := range 20 {
		t := recent.Add(time.Duration(i) * time.Second)
		lines = append(lines, said{at: t, line: t.Format("2006-01-02 15:04:05.000 MST") + " [41] LOG:  checkpoint starting: time"})
	}
	lines = append(
		lines,
		said{at: at.Add(300 * time.Millisecond), line: stamp + ` [42] ERROR:  duplicate key value violates unique constraint "orders_pkey"`},
		said{at: at.Add(300*time.Millisecond + 1), line: stamp + ` [42] DETAIL:  Key (id)=(` + id + `) already exists.`},
		said{at: at.Add(300*time.Millisecond + 2), line: stamp + ` [42] STATEMENT:  INSERT INTO orders`},
		said{at: at.Add(300*time.Millisecond + 3), line: "\tVALUES ($1)"})
	push(t, address, "server", map[string]string{"job": "postgres"}, lines...)
	l := of(t, "server", `{job="postgres"}`, Options{})
	r := logstoretest.Search(t, l, sources.LogQuery{Needles: needles()})
	if len(r.Events) != 1 {
		t.Fatalf("%+v", r.Events)
	}
	e := r.Events[0]
	if !strings.HasPrefix(e.Format, "postgres") || e.Field("error_severity") != "ERROR" || !strings.Contains(e.Field("statement"), "VALUES") || !e.Time.Equal(at) {
		t.Errorf("%+v", e)
	}
	if !strings.HasPrefix(r.Coverage.Format, "postgres") {
		t.Error(r.Coverage.Format)
	}
	// Every line of a moment, as the server log is read around a commit.
	r = logstoretest.Search(t, l, sources.LogQuery{Window: sources.Around(at, 2*time.Second), Limit: 2000})
	if len(r.Events) != 1 || r.Events[0].Field("pid") != "42" {
		t.Errorf("%+v", r.Events)
	}
}

func TestTimesWithoutAZone(t *testing.T) {
	address := server(t)
	var lines []said
	for i := range 30 {
		at := recent.Add(time.Duration(i) * time.Second)
		lines = append(lines, said{at: at.Add(2 * time.Second), line: at.Add(5*time.Hour).Format("2006-01-02 15:04:05,000") + " INFO  worker - " + id})
	}
	push(t, address, "zone", map[string]string{"app": "x"}, lines...)
	l := of(t, "zone", `{app="x"}`, Options{})
	r := logstoretest.Search(t, l, around(sources.LogQuery{Needles: needles()}, recent, time.Minute))
	if len(r.Events) != 30 || r.Events[0].ZoneUnknown || !r.Events[0].Time.Equal(recent.Add(2*time.Second)) || r.Coverage.ZoneUnknown {
		t.Fatalf("%+v", r)
	}
	if !strings.Contains(strings.Join(r.Coverage.Limits, ";"), "lines have a time without a zone") {
		t.Errorf("%q", r.Coverage.Limits)
	}
}

func TestWhatTheServerRefuses(t *testing.T) {
	address := server(t)
	push(t, address, "forgetful", map[string]string{"app": "x"}, append([]said{{at: recent.Add(-10 * time.Hour), line: "old " + id}}, traffic(time.Now().Add(-time.Hour), 100)...)...)
	q := sources.LogQuery{Needles: needles()}

	logstoretest.Blind(t, open(t, address, `{app="x"}`, Options{}), q, "no org id")
	if st := open(t, address, `{app="x"}`, Options{}).Check(t.Context()); st.State != sources.StateFailed || !strings.Contains(st.Problem, "X-Scope-OrgID") {
		t.Errorf("%+v", st)
	}
	logstoretest.Blind(t, of(t, "forgetful", `{app=}`, Options{}), q, "parse error")
	logstoretest.Blind(t, of(t, "forgetful", `{app=~".*"}`, Options{}), q, "check the selector")
	logstoretest.Blind(t, open(t, address+"/nowhere", `{app="x"}`, Options{}), q, "check the URL in --loki")

	// What the server will not look at is not called empty.
	l := of(t, "forgetful", `{app="x"}`, Options{})
	r := logstoretest.Search(t, l, q)
	if len(r.Events) != 0 || r.Coverage.From.Before(time.Now().Add(-3*time.Hour)) || !strings.Contains(strings.Join(r.Coverage.Limits, ";"), "max_query_lookback") {
		t.Errorf("%+v", r)
	}
	logstoretest.Blind(t, l, around(q, recent.Add(-11*time.Hour), 2*time.Hour), "has no line of")
	if st := l.Check(t.Context()); len(st.Expires) != 1 || st.Expires[0].At.Before(time.Now().Add(28*24*time.Hour)) {
		t.Errorf("%+v", st)
	}
}

func TestCancelAndClose(t *testing.T) {
	address := server(t)
	push(t, address, "cancel", map[string]string{"app": "x"}, traffic(recent, 100)...)
	l := of(t, "cancel", `{app="x"}`, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.SearchLogs(ctx, sources.LogQuery{Needles: needles()}); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	l.Close()
	logstoretest.Blind(t, l, sources.LogQuery{}, "was closed")
}

func TestOddIDs(t *testing.T) {
	address := server(t)
	odd := []string{`a"b\c/77`, "日本-ö-7777", "x`y`7777", `50%{}|.*+(77)`, "tenant/42", "$1 {{.}} 77", `\d+\w7777`, "48213"}
	var lines []said
	for i, s := range odd {
		lines = append(lines, said{at: recent.Add(time.Duration(i) * time.Second), line: "order <" + s + "> is here"})
		lines = append(lines, said{at: recent.Add(time.Duration(i)*time.Second + time.Millisecond), line: "x", meta: map[string]string{"order_id": s}})
	}
	push(t, address, "odd", map[string]string{"app": "x"}, lines...)
	l := of(t, "odd", `{app="x"}`, Options{})
	for i, s := range odd {
		r := logstoretest.Search(t, l, sources.LogQuery{Needles: sources.Spellings(s)})
		if len(r.Events) != 2 || !strings.Contains(r.Events[0].Raw, s) || r.Events[1].Field("order_id") != s || !r.Events[0].Time.Equal(lines[2*i].at) {
			t.Errorf("%s: %+v", s, r.Events)
		}
	}
}
