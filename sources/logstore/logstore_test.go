package logstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"inquest/sources"
	"inquest/sources/logscan"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2025, 11, 27, 12, 0, 0, 0, time.UTC)

func client(t *testing.T, address string, opt Options) *Client {
	t.Helper()
	c, err := NewClient(address, "--store", opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestRequests(t *testing.T) {
	var got *http.Request
	var body string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got, body = r, string(b)
		fmt.Fprint(w, `{}`)
	}))
	t.Cleanup(s.Close)
	c := client(t, s.URL+"/under/a%2Fpath/", Options{Agent: "inquest/test", Headers: map[string]string{"X-Scope-OrgID": "team"}})
	var v any
	call := Call{Method: http.MethodPost, Path: "/a%2Cb/_search", Query: url.Values{"q": {"a b"}}, Body: []byte("{}"), Type: "application/json", Header: map[string]string{"X-Extra": "1"}}
	if err := c.JSON(t.Context(), call, &v); err != nil {
		t.Fatal(err)
	}
	if got.RequestURI != "/under/a%2Fpath/a%2Cb/_search?q=a+b" || body != "{}" || got.UserAgent() != "inquest/test" || got.Header.Get("X-Scope-OrgID") != "team" || got.Header.Get("X-Extra") != "1" {
		t.Errorf("%s %q %v", got.RequestURI, body, got.Header)
	}
	if c.Address() != s.URL+"/under/a%2Fpath" {
		t.Error(c.Address())
	}
}

func TestCredentialsOfTheAddressGiveWayToAHeader(t *testing.T) {
	c := client(t, "https://ann:hunter2@store.example:9200", Options{Headers: map[string]string{"authorization": "Bearer swordfish9"}})
	if len(c.headers) != 1 || c.Address() != "https://store.example:9200" || c.Host() != "store.example:9200" {
		t.Errorf("%v %s", c.headers, c.Address())
	}
	if got := c.secrets.Cut("swordfish9 team"); got != sources.Mask+" team" {
		t.Error(got)
	}
	if _, err := NewClient("https://h", "--store", Options{Headers: map[string]string{"A": "b\r\nC: d"}}); err == nil {
		t.Error("a header with a line break was taken")
	}
}

func TestRetryAfter(t *testing.T) {
	for text, want := range map[string]time.Duration{"": 0, "7": 7 * time.Second, "-7": 0, "soon": 0, "Mon, 01 Jan 2001 00:00:00 GMT": 0} {
		if got := retryAfter(http.Header{"Retry-After": {text}}); got != want {
			t.Errorf("%q: %s", text, got)
		}
	}
	later := time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)
	if got := retryAfter(http.Header{"Retry-After": {later}}); got < 50*time.Minute || got > time.Hour {
		t.Error(got)
	}
}

func TestCancelWhileWaiting(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "10")
		w.WriteHeader(http.StatusTooManyRequests)
	}))
	t.Cleanup(s.Close)
	ctx, cancel := context.WithCancel(t.Context())
	c := client(t, s.URL, Options{Wait: func(ctx context.Context, d time.Duration) error {
		cancel()
		return wait(ctx, d)
	}})
	var v any
	if err := c.JSON(ctx, Call{}, &v); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

func entries(group string, run int, lines ...string) []Entry {
	var out []Entry
	for i, l := range lines {
		at := noon.Add(time.Duration(i) * time.Second)
		out = append(out, Entry{Time: at, Line: l, Group: group, Run: run, Position: fmt.Sprint(group, i)})
	}
	return out
}

func TestEntriesOfOneRecordAreReadTogether(t *testing.T) {
	needle := []sources.Needle{{Text: "id-77", How: "the id"}}
	lines := []string{"2025-11-27 12:00:00,000 ERROR worker - boom", "\tat Store.save(Store.java:7)", "\tcaused by id-77", "2025-11-27 12:00:03,000 INFO worker - ok"}
	r := Reading{Name: "s", Store: "S", Query: sources.LogQuery{Needles: needle}}
	got := r.Events(entries("a", 1, lines...))
	if len(got.Events) != 1 || got.Events[0].Position != "a0" || !got.Events[0].Time.Equal(noon) || !strings.Contains(got.Events[0].Raw, "Store.save") {
		t.Errorf("%+v", got.Events)
	}
	// Without knowing that nothing is missing between them they stand alone.
	got = r.Events(entries("a", 0, lines...))
	if len(got.Events) != 1 || got.Events[0].Position != "a2" || got.Events[0].NoTime || !got.Events[0].Time.Equal(noon.Add(2*time.Second)) {
		t.Errorf("%+v", got.Events)
	}
}

func TestALinesOwnTimeStandsWhenItHasAZone(t *testing.T) {
	own := noon.Add(-5 * time.Minute)
	list := []Entry{
		{Time: noon, Group: "a", Position: "1", Line: `{"time":"` + own.Format(time.RFC3339Nano) + `","msg":"id-77"}`},
		{Time: noon.Add(time.Hour), Group: "a", Position: "2", Line: `{"msg":"id-77"}`},
		{Time: noon.Add(time.Hour), Group: "a", Position: "2", Line: `{"msg":"id-77"}`},
	}
	r := Reading{Name: "s", Store: "S", Query: sources.LogQuery{Needles: []sources.Needle{{Text: "id-77", How: "the id"}}, Window: sources.Window{From: noon.Add(-time.Hour), To: noon.Add(2 * time.Hour)}}}
	got := r.Events(list)
	if len(got.Events) != 2 || !got.Events[0].Time.Equal(own) || !got.Events[1].Time.Equal(noon.Add(time.Hour)) {
		t.Fatalf("%+v", got.Events)
	}
	if l := strings.Join(got.Coverage.Limits, ";"); !strings.Contains(l, "up to 5m0s from the one S keeps them under") || strings.Contains(l, "no line carries") {
		t.Error(l)
	}
	// The window is one of events, not of arrivals.
	r.Query.Window = sources.Window{From: noon.Add(-time.Minute), To: noon.Add(time.Minute)}
	if got := r.Events(list[:1]); len(got.Events) != 0 {
		t.Errorf("%+v", got.Events)
	}
	r.Query = sources.LogQuery{Limit: 1}
	if got := r.Events(list); len(got.Events) != 1 || got.Dropped != 1 {
		t.Errorf("%d events, %d dropped", len(got.Events), got.Dropped)
	}
}

func TestWhatStandsBesideALine(t *testing.T) {
	list := []Entry{
		{Time: noon, Group: "a", Position: "1", Line: `{"msg":"x","level":"info","pod":"of the line"}`, Beside: true, Fields: map[string]string{"trace_id": "id-77", "level": "error", "pod": "api-1"}},
		{Time: noon, Group: "a", Position: "2", Line: "nothing here", Beside: true, Fields: map[string]string{"trace_id": "id-778"}},
	}
	r := Reading{Name: "s", Store: "S", Query: sources.LogQuery{Needles: []sources.Needle{{Text: "id-77", How: "the request of x", Whole: true}}}}
	got := r.Events(list)
	if len(got.Events) != 1 {
		t.Fatalf("%+v", got.Events)
	}
	if e := got.Events[0]; e.RequestID != "id-77" || e.Level != sources.LevelInfo || e.Field("pod") != "of the line" || e.Why != "names the request of x" {
		t.Errorf("%+v", e)
	}
}

func TestFormatsOfAMixedSelection(t *testing.T) {
	if got := formats("postgres (log_line_prefix %m), json"); !strings.HasPrefix(got, "json, postgres") {
		t.Error(got)
	}
	if got := formats("postgres (log_line_prefix %m)"); !strings.HasPrefix(got, "postgres") {
		t.Error(got)
	}
}

func TestCoverIsNoMoreThanWhatWasSeen(t *testing.T) {
	w := sources.Window{From: noon, To: noon.Add(time.Hour)}
	edge := func(_ context.Context, w sources.Window, last bool) (time.Time, error) {
		if last {
			return w.To.Add(-time.Second), nil
		}
		return w.From.Add(time.Second), nil
	}
	counts := logscan.Counts{Start: noon.Add(-30 * time.Minute), Width: time.Minute, Lines: make([]int64, 120)}
	for i := range counts.Lines {
		if i < 60 || i > 80 {
			counts.Lines[i] = 10
		}
	}
	for _, c := range []struct {
		name        string
		first, last time.Duration
		covers      bool
	}{
		{"lines on both sides", -30 * time.Minute, 90 * time.Minute, true},
		{"it begins within", time.Minute, 90 * time.Minute, false},
		{"it ends within", -time.Minute, 59 * time.Minute, false},
	} {
		s := Survey{First: noon.Add(c.first), Last: noon.Add(c.last)}
		var v sources.Coverage
		if err := s.Cover(t.Context(), &v, w, edge); err != nil || v.Covers(w) != c.covers {
			t.Errorf("%s: %v %+v", c.name, err, v)
		}
		s.Counts, s.Exact = counts, true
		v = sources.Coverage{}
		if err := s.Cover(t.Context(), &v, w, edge); err != nil || len(v.Gaps) != 1 || !v.Gaps[0].From.Equal(noon.Add(30*time.Minute-time.Second+1)) || v.Covers(w) {
			t.Errorf("%s: %v %+v", c.name, err, v)
		}
		v = sources.Coverage{}
		failing := func(context.Context, sources.Window, bool) (time.Time, error) { return time.Time{}, errors.New("no") }
		if err := s.Cover(t.Context(), &v, w, failing); err == nil || len(v.Gaps) != 1 {
			t.Errorf("%s: %v %+v", c.name, err, v)
		}
	}
}

func TestAround(t *testing.T) {
	now := noon.Add(3 * time.Hour)
	for _, w := range []sources.Window{
		{From: noon, To: noon.Add(time.Second)},
		{From: noon, To: noon.Add(time.Hour)},
		{From: noon, To: now},
		{From: now.Add(-time.Second), To: now.Add(time.Hour)},
		{From: noon.AddDate(-1, 0, 0), To: now},
	} {
		a := Around(w, now)
		if a.From.After(w.From.Add(-15*time.Minute)) || a.To.After(now.Add(2*time.Minute)) || a.To.Before(w.To) && a.To.Before(now) || !a.From.Before(a.To) {
			t.Errorf("%v: %v", w, a)
		}
		if n := a.To.Sub(a.From) / Width(a); n > 2000 {
			t.Errorf("%v: %d counts", w, n)
		}
	}
	if a := Around(sources.Window{From: now.Add(24 * time.Hour), To: now.Add(25 * time.Hour)}, now); !a.From.Before(a.To) {
		t.Errorf("the future: %v", a)
	}
}
