package loki

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"inquest/sources"
	"inquest/sources/logscan"
	"inquest/sources/logstore"
	"inquest/sources/logstore/logstoretest"
)

// nowait does not sleep before a request is sent again.
func nowait(context.Context, time.Duration) error { return nil }

// fake is a server that answers as told: what a real one does only when it is
// unwell.
func fake(t *testing.T, answer func(w http.ResponseWriter, r *http.Request)) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(answer))
	t.Cleanup(s.Close)
	return s.URL
}

var noon = time.Date(2025, 11, 27, 12, 0, 0, 0, time.UTC)

// steady answers as a server that holds a line a minute around noon, with the
// lines that hit beside them; query is what it was asked and how.
func steady(hits func(w http.ResponseWriter, r *http.Request)) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) {
		query := r.FormValue("query")
		switch {
		case !strings.HasSuffix(r.URL.Path, "/query_range"):
			http.NotFound(w, r)
		case strings.Contains(query, "count_over_time"):
			start, end, step := number(r, "start")/1e9, number(r, "end")/1e9, number(r, "step")
			var points [][]any
			for at := start; at <= end; at += step {
				points = append(points, []any{at, "6"})
			}
			reply(w, "matrix", []any{map[string]any{"metric": map[string]string{}, "values": points}})
		case strings.Contains(query, "|~"):
			hits(w, r)
		default:
			start, end := number(r, "start"), number(r, "end")
			at := (start/6e10 + 1) * 6e10
			if r.FormValue("direction") == "backward" {
				at = (end - 1) / 6e10 * 6e10
			}
			reply(w, "streams", []any{streamOf(at, `{"msg":"tick"}`)})
		}
	}
}

func number(r *http.Request, name string) int64 {
	n, _ := strconv.ParseInt(r.FormValue(name), 10, 64)
	return n
}

func streamOf(at int64, line string) any {
	return map[string]any{"stream": map[string]string{"app": "x"}, "values": [][]any{{strconv.FormatInt(at, 10), line}}}
}

func reply(w http.ResponseWriter, kind string, result []any) {
	_ = json.NewEncoder(w).Encode(map[string]any{"status": "success", "data": map[string]any{"resultType": kind, "result": result}})
}

func hour() sources.LogQuery {
	return sources.LogQuery{Needles: needles(), Window: sources.Window{From: noon, To: noon.Add(time.Hour)}}
}

func then() time.Time { return noon.Add(24 * time.Hour) }

func TestPatience(t *testing.T) {
	var asked atomic.Int32
	busy := steady(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) < 3 {
			w.Header().Set("Retry-After", "7")
			http.Error(w, "too many outstanding requests", http.StatusTooManyRequests)
			return
		}
		reply(w, "streams", []any{streamOf(noon.Add(time.Minute).UnixNano(), "a "+id)})
	})
	var waited []time.Duration
	opt := Options{HTTP: logstore.Options{Wait: func(_ context.Context, d time.Duration) error {
		waited = append(waited, d)
		return nil
	}}}
	opt.Now = then
	r := logstoretest.Search(t, open(t, fake(t, busy), `{app="x"}`, opt), hour())
	if len(r.Events) != 1 || len(waited) != 2 || waited[0] != 7*time.Second || len(r.Coverage.Gaps) != 0 {
		t.Fatalf("%+v, waited %v", r, waited)
	}

	// One that stays busy is asked three times and no more.
	asked.Store(-1000)
	logstoretest.Blind(t, open(t, fake(t, busy), `{app="x"}`, opt), hour(), "has less to do")
	if n := asked.Load() + 1000; n != 3 {
		t.Errorf("asked %d times", n)
	}
	// One that wants more patience than there is is not asked again.
	long := steady(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.Header().Set("Retry-After", "3600")
		http.Error(w, "later", http.StatusServiceUnavailable)
	})
	asked.Store(0)
	logstoretest.Blind(t, open(t, fake(t, long), `{app="x"}`, opt), hour(), "when the server is well")
	if asked.Load() != 1 {
		t.Errorf("asked %d times", asked.Load())
	}
}

func TestWhatFailsHalfWayIsAGap(t *testing.T) {
	var asked atomic.Int32
	half := steady(func(w http.ResponseWriter, r *http.Request) {
		switch from := time.Unix(0, number(r, "start")); {
		case number(r, "end")-number(r, "start") > int64(40*time.Minute):
			http.Error(w, "the query would read too many bytes (query: 9TB, limit: 1TB)", http.StatusBadRequest)
		case from.Before(noon.Add(20 * time.Minute)):
			reply(w, "streams", []any{streamOf(noon.Add(time.Minute).UnixNano(), "a "+id)})
		default:
			asked.Add(1)
			http.Error(w, "ingester is gone", http.StatusInternalServerError)
		}
	})
	opt := Options{HTTP: logstore.Options{Wait: nowait}}
	opt.Now = then
	r := logstoretest.Search(t, open(t, fake(t, half), `{app="x"}`, opt), hour())
	if len(r.Events) != 1 || len(r.Coverage.Gaps) != 1 || !strings.Contains(r.Coverage.Gaps[0].Reason, "ingester is gone") || asked.Load() != 1 {
		t.Fatalf("%+v", r)
	}
	if r.Coverage.Covers(hour().Window) {
		t.Error("covers what failed")
	}
}

func TestAnAnswerThatIsTooLargeIsAskedForInParts(t *testing.T) {
	big := strings.Repeat("x", 40<<10) + id
	server := steady(func(w http.ResponseWriter, r *http.Request) {
		var out []any
		for i := range int64(50) {
			at := noon.Add(time.Duration(i) * time.Second).UnixNano()
			if at >= number(r, "start") && at < number(r, "end") && int64(len(out)) < number(r, "limit") {
				out = append(out, streamOf(at, big))
			}
		}
		reply(w, "streams", out)
	})
	opt := Options{HTTP: logstore.Options{Most: 1 << 20}}
	opt.Now = then
	r := logstoretest.Search(t, open(t, fake(t, server), `{app="x"}`, opt), hour())
	if len(r.Events) != 50 || len(r.Coverage.Gaps) != 0 {
		t.Fatalf("%d events, %+v", len(r.Events), r.Coverage.Gaps)
	}
}

func TestOddAnswers(t *testing.T) {
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"a web page":   {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<!DOCTYPE html><title>Sign in") }, "a web page"},
		"no JSON":      {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "\x1b]0;owned\x07 no") }, "not understood"},
		"another kind": {func(w http.ResponseWriter, _ *http.Request) { reply(w, "matrix", nil) }, "should be streams"},
		"a bad time": {func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"data":{"resultType":"streams","result":[{"stream":{},"values":[["soon","x"]]}]}}`)
		}, "no number"},
		"elsewhere": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://sso.example/login?t=1", http.StatusFound)
		}, "redirects to sso.example/login"},
		"forbidden": {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusForbidden) }, "api-headers"},
		"gone":      {func(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }, "/loki/api/v1"},
		"echoes": {func(w http.ResponseWriter, r *http.Request) {
			http.Error(w, r.Header.Get("Authorization"), http.StatusUnauthorized)
		}, sources.Mask},
		"never answers": {func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-release:
			case <-r.Context().Done():
			}
		}, "did not answer in time"},
	} {
		t.Run(name, func(t *testing.T) {
			opt := Options{Time: 300 * time.Millisecond, HTTP: logstore.Options{Wait: nowait, Headers: map[string]string{"Authorization": "Bearer swordfish-9"}}}
			opt.Now = then
			l := open(t, fake(t, c.answer), `{app="x"}`, opt)
			logstoretest.Blind(t, l, hour(), c.want)
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			if st := l.Check(ctx); st.State != sources.StateFailed || strings.Contains(st.Problem, "swordfish") || strings.ContainsAny(st.Problem, "\x1b\x07") {
				t.Errorf("%+v", st)
			}
		})
	}
}

func TestCancelWithinARequest(t *testing.T) {
	arrived := make(chan struct{}, 1)
	address := fake(t, func(_ http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-arrived
		cancel()
	}()
	if _, err := open(t, address, `{app="x"}`, Options{}).SearchLogs(ctx, hour()); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

func TestCheckOfASlowServer(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	s := steady(nil)
	address := fake(t, func(w http.ResponseWriter, r *http.Request) {
		if number(r, "end")-number(r, "start") > int64(2*time.Hour) {
			cancel(context.DeadlineExceeded) // the caller's patience ends
			<-r.Context().Done()
			return
		}
		s(w, r)
	})
	opt := Options{}
	opt.Now = then
	if st := open(t, address, `{app="x"}`, opt).Check(ctx); st.State != sources.StatePartial || !strings.Contains(st.Problem, "how far back") {
		t.Errorf("%+v", st)
	}
}

func TestWhatTheServerWarnsOf(t *testing.T) {
	server := steady(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"status":"success","warnings":["maximum number of series (500) reached for a single query; returning partial results"],"data":{"resultType":"streams","result":[]}}`)
	})
	opt := Options{}
	opt.Now = then
	r := logstoretest.Search(t, open(t, fake(t, server), `{app="x"}`, opt), hour())
	if !strings.Contains(strings.Join(r.Coverage.Limits, ";"), "returning partial results") {
		t.Errorf("%q", r.Coverage.Limits)
	}
}

func TestOpen(t *testing.T) {
	for _, bad := range [][2]string{
		{"", `{a="b"}`}, {"loki:3100", `{a="b"}`}, {"ftp://h", `{a="b"}`}, {"http://h?x=1", `{a="b"}`}, {"http://h", ""}, {"http://h", "app=x"}, {"http://h", `{a="b"} | line_format "x"`}, {"http://u:hunter2@h:p", `{a="b"}`},
	} {
		if _, err := Open(bad[0], bad[1], Options{}); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	var got string
	address := fake(t, func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		got = user + "/" + password
		http.Error(w, "you said "+password, http.StatusForbidden)
	})
	l := open(t, strings.Replace(address, "http://", "http://ann:hunter2@", 1)+"/loki-gateway/", `{a="b"}`, Options{})
	st := l.Check(t.Context())
	if got != "ann/hunter2" || strings.Contains(fmt.Sprintf("%+v%s", st, l.Name()), "hunter2") {
		t.Errorf("sent %q; %+v", got, st)
	}
}

func TestFiltersAreNoNarrowerThanTheSearch(t *testing.T) {
	if got := filters(sources.Spellings("48213")); len(got) != 2 || got[0] != "48213" || got[1] != before+"(?:48213)"+behind {
		t.Errorf("%q", got)
	}
	if got := filters(sources.Spellings("a.b+c/12345")); len(got) != 1 || !strings.HasPrefix(got[0], `a\.b\+c/12345|`) {
		t.Errorf("%q", got)
	}
	if got := filters(needles()); len(got) != 1 || strings.Contains(got[0], id) || !strings.Contains(got[0], "e7a4bff2-adc7") {
		t.Errorf("the id is found by its first digits: %q", got)
	}
	if got := filters(nil); got != nil {
		t.Errorf("%q", got)
	}
	// What logscan takes for a token of its own, the server must let through.
	all := filters(sources.Spellings("48213"))
	for _, line := range []string{"48213", "id=48213,", `{"id":48213}`, `\n48213`, `\u002748213`, "%2F48213%2F", "é48213", "/48213?x"} {
		for _, re := range all {
			if !regexp.MustCompile(re).MatchString(line) {
				t.Errorf("%q does not let %q through", re, line)
			}
		}
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add([]byte(`{"data":{"resultType":"streams","result":[{"stream":{"app":"x"},"values":[["1764255492104321000","line",{"structuredMetadata":{"a":"b"}}]]}]}}`))
	f.Add([]byte(`{"data":{"resultType":"matrix","result":[{"metric":{},"values":[[1764255492,"17"]]}]}}`))
	f.Add([]byte(`{"data":{"resultType":"vector","result":[{"value":[1764255492.1,"1e99"]}]}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) }))
		defer s.Close()
		opt := Options{Time: 2 * time.Second}
		opt.Now = then
		l, err := Open(s.URL, `{app="x"}`, opt)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		r, err := l.SearchLogs(t.Context(), hour())
		if err == nil && r.Coverage.From.After(r.Coverage.To) {
			t.Errorf("%+v", r.Coverage)
		}
	})
}

func FuzzDuration(f *testing.F) {
	for _, s := range []string{"30d1h", "0s", "744h0m0s", "99999999999y", "1y2w3d4h5m6s7ms"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if duration(s) < 0 {
			t.Fatal(s)
		}
	})
}

// FuzzFilters holds that the server lets through whatever the search here takes for a hit.
func FuzzFilters(f *testing.F) {
	f.Add(id, "order ", " gone")
	f.Add("48213", `{"id":`, "}")
	f.Add("48213", `\u0027`, "%2F")
	f.Add("a/b\"c", "<", ">")
	f.Add("ö-12345", "ö", "")
	f.Fuzz(func(t *testing.T, id, head, tail string) {
		line := head + id + tail
		if strings.ContainsAny(line, "\n\r") || !utf8.ValidString(line) || id == "" || len(line) > 4000 {
			return
		}
		needles := sources.Spellings(id)
		x := (&logscan.Log{Name: "x"}).Excerpts(sources.LogQuery{Needles: needles})
		x.File("x", time.Time{}, []string{line})
		x.Piece([]byte(line+"\n"), 1)
		if len(x.Result().Events) == 0 {
			return
		}
		for _, re := range filters(needles) {
			if !regexp.MustCompile(re).MatchString(line) && utf8.ValidString(id) { // half a character is no id
				t.Fatalf("%q does not let %q through", re, line)
			}
		}
	})
}
