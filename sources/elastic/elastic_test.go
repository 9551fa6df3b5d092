package elastic

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"inquest/sources"
	"inquest/sources/logstore"
	"inquest/sources/logstore/logstoretest"
)

func TestHitsAndCoverage(t *testing.T) {
	at := noon.Add(10 * time.Minute)
	c := &cluster{shardDoc: true, mapping: `{"logs-1":{"mappings":{"properties":{"url":{"properties":{"path":{"ignore_above":1024}}},"blob":{"enabled":false}}}}}`}
	c.docs = append(steady(),
		doc("created", at, `"message":"order created","trace.id":"4bf92f3577b34da6a3ce929d0e0e4736","http":{"request":{"method":"POST"},"response":{"status_code":201}},"url.path":"/orders/`+id+`"`),
		doc("glued", at.Add(time.Second), `"message":"worker took order_`+id+`_v2"`),
		doc("other", at.Add(2*time.Second), `"message":"adc7-4847-a9d8 but of another id"`),
		doc("later", at.Add(70*time.Minute), `"message":"too late `+id+`"`))
	x := open(t, c.start(t), "logs-*", Options{})
	r := logstoretest.Search(t, x, hour())
	if len(r.Events) != 2 {
		t.Fatalf("%+v", r.Events)
	}
	e := r.Events[0]
	if e.Status != 201 || e.Method != http.MethodPost || e.RequestID != "4bf92f3577b34da6a3ce929d0e0e4736" || e.Position != "logs-1/created" || e.Why != "names the id" || !e.Time.Equal(at) {
		t.Errorf("%+v", e)
	}
	v := r.Coverage
	if !v.Covers(hour().Window) || v.Lines < 360 || v.Format != "json" || !v.From.Equal(noon) {
		t.Errorf("%+v", v)
	}
	for _, want := range []string{"event.original", "ignore_above", "above 1024", "blob", "2 documents have no @timestamp", "host.name", "searched by words"} {
		if !strings.Contains(limits(r), want) {
			t.Errorf("the limits do not tell of %s: %s", want, limits(r))
		}
	}
	if !strings.Contains(r.Query, "/logs-%2A/_search") || !strings.Contains(r.Query, "adc7-4847-a9d8") {
		t.Error(r.Query)
	}
	if st := x.Check(t.Context()); st.State != sources.StateReady || !strings.Contains(st.Summary, "Elasticsearch 8.15.1") || !strings.Contains(st.Summary, "from 2025-11-27T11:00:00Z") {
		t.Errorf("%+v", st)
	}
	// The same request.
	r = logstoretest.Search(t, x, sources.LogQuery{Needles: []sources.Needle{{Text: e.RequestID, How: "the request of " + e.Position, Whole: true}}, Window: sources.Around(at, 10*time.Minute)})
	if len(r.Events) != 1 || r.Events[0].Position != e.Position {
		t.Errorf("%+v", r.Events)
	}
	// Every document of a moment.
	r = logstoretest.Search(t, x, sources.LogQuery{Window: sources.Around(at, 2*time.Second), Limit: 2000})
	if len(r.Events) != 3 {
		t.Errorf("%d events", len(r.Events))
	}
}

func TestWithoutAWindow(t *testing.T) {
	c := &cluster{docs: append(traffic(noon, 1200), traffic(noon.Add(50*time.Minute), 1200)...)}
	r := logstoretest.Search(t, open(t, c.start(t), "logs", Options{}), sources.LogQuery{Needles: needles()})
	if len(r.Events) != 0 || !r.Coverage.From.Equal(noon) || !r.Coverage.To.Equal(noon.Add(50*time.Minute+1199*time.Second)) || r.Coverage.Lines != 2400 {
		t.Fatalf("%+v", r)
	}
	if g := r.Coverage.Gaps; len(g) != 1 || !g[0].From.Equal(noon.Add(1199*time.Second)) || !g[0].To.Equal(noon.Add(50*time.Minute)) {
		t.Errorf("silences: %+v", g)
	}
	x := open(t, c.start(t), "logs", Options{})
	logstoretest.Blind(t, x, sources.LogQuery{Needles: needles(), Window: sources.Window{From: noon.Add(-48 * time.Hour), To: noon.Add(-47 * time.Hour)}}, "it holds them from 2025-11-27T12:00:00Z")
	early := sources.Window{From: noon.Add(-10 * time.Minute), To: noon.Add(10 * time.Minute)}
	if r := logstoretest.Search(t, x, sources.LogQuery{Needles: needles(), Window: early}); r.Coverage.Covers(early) || !r.Coverage.From.Equal(noon) {
		t.Errorf("what was rolled over is covered: %+v", r.Coverage)
	}
}

func TestPages(t *testing.T) {
	burst := noon.Add(5 * time.Minute)
	docs := traffic(noon, 600)
	for i := range 250 {
		docs = append(docs, doc(fmt.Sprintf("b%d", i), burst, fmt.Sprintf(`"message":"burst %d %s"`, i, id)))
	}
	for i := range 90 {
		docs = append(docs, doc(fmt.Sprintf("a%d", i), burst.Add(time.Duration(i+1)*time.Second), fmt.Sprintf(`"message":"after %d %s"`, i, id)))
	}
	for name, mode := range map[string]struct{ elastic, open bool }{"with a point in time": {elastic: true}, "OpenSearch": {open: true}, "without": {}} {
		t.Run(name, func(t *testing.T) {
			points := mode.elastic || mode.open
			c := &cluster{docs: slices.Clone(docs), shardDoc: mode.elastic, openSearch: mode.open}
			x := open(t, c.start(t), "logs", Options{Page: 100})
			r := logstoretest.Search(t, x, hour())
			if len(r.Events) != 340 || len(r.Coverage.Gaps) != 0 || r.Dropped != 0 {
				t.Errorf("%d events, %d dropped, %+v", len(r.Events), r.Dropped, r.Coverage.Gaps)
			}
			if st := x.Check(t.Context()); mode.open != strings.Contains(st.Summary, "OpenSearch 3.3.0") {
				t.Errorf("%+v", st)
			}
			q := hour()
			q.Limit = 50
			if r := logstoretest.Search(t, x, q); len(r.Events) != 50 || r.Dropped != 290 {
				t.Errorf("%d events, %d dropped", len(r.Events), r.Dropped)
			}
			x = open(t, c.start(t), "logs", Options{Page: 100, Most: 150})
			if r := logstoretest.Search(t, x, q); r.Dropped < 290 || points && (len(r.Coverage.Gaps) != 1 || !strings.Contains(r.Coverage.Gaps[0].Reason, "had come before")) {
				t.Errorf("%d dropped, %+v", r.Dropped, r.Coverage.Gaps)
			}
		})
	}
}

func TestAPointInTimeThatIsLost(t *testing.T) {
	c := &cluster{shardDoc: true}
	for i := range 350 {
		c.docs = append(c.docs, doc(fmt.Sprint(i), noon.Add(time.Duration(i)*time.Second), fmt.Sprintf(`"message":"%d %s"`, i, id)))
	}
	c.before = func(w http.ResponseWriter, _ *http.Request, body map[string]any) bool {
		if body["pit"] != nil {
			refuse(w, 400, "query_shard_exception", "No mapping found for [_shard_doc] in order to sort on")
			return true
		}
		return false
	}
	r := logstoretest.Search(t, open(t, c.start(t), "logs", Options{Page: 100}), hour())
	if len(r.Events) != 350 || len(r.Coverage.Gaps) != 0 {
		t.Errorf("%d events, %+v", len(r.Events), r.Coverage.Gaps)
	}
}

func TestAnswersInPart(t *testing.T) {
	for name, edit := range map[string]func(object){
		"failed": func(a object) {
			a["_shards"] = object{"total": 3, "successful": 2, "failed": 1, "failures": []any{object{"shard": 1, "index": "logs-1", "reason": object{"type": "es_rejected_execution_exception", "reason": "rejected execution"}}}}
		},
		"not available": func(a object) { a["_shards"] = object{"total": 3, "successful": 2, "failed": 0} },
		"timed out":     func(a object) { a["timed_out"] = true },
	} {
		t.Run(name, func(t *testing.T) {
			c := &cluster{docs: append(steady(), doc("hit", noon.Add(time.Minute), `"message":"`+id+`"`))}
			c.edit = func(body, a map[string]any) {
				if len(dig[[]any](body, "query", "bool", "filter")) > 1 {
					edit(a)
				}
			}
			r := logstoretest.Search(t, open(t, c.start(t), "logs", Options{}), hour())
			if len(r.Events) != 1 || len(r.Coverage.Gaps) == 0 || r.Coverage.Covers(hour().Window) {
				t.Errorf("%d events, %+v", len(r.Events), r.Coverage)
			}
			// In the survey too.
			c.edit = func(_, a map[string]any) { edit(a) }
			x := open(t, c.start(t), "logs", Options{})
			if r := logstoretest.Search(t, x, hour()); r.Coverage.Covers(hour().Window) {
				t.Errorf("%+v", r.Coverage)
			}
			if st := x.Check(t.Context()); st.State != sources.StatePartial || st.Problem == "" {
				t.Errorf("%+v", st)
			}
		})
	}
}

func TestWhatTheIndexCannotFind(t *testing.T) {
	docs := append(steady(), doc("hit", noon.Add(time.Minute), `"message":"`+id+`"`))
	deaf := &cluster{docs: docs, caps: `{"@timestamp":{"date":{"searchable":true}},"message":{"text":{"searchable":false}},"host.name":{"keyword":{"searchable":true}}}`}
	x := open(t, deaf.start(t), "logs", Options{})
	logstoretest.Blind(t, x, hour(), "not indexed: message")
	if st := x.Check(t.Context()); st.State != sources.StatePartial {
		t.Errorf("%+v", st)
	}
	logstoretest.Blind(t, open(t, (&cluster{docs: docs, caps: `{"message":{"text":{"searchable":true}}}`}).start(t), "logs", Options{}), hour(), "no field of type date")
	logstoretest.Blind(t, open(t, (&cluster{docs: docs, caps: `{}`}).start(t), "logs-x*", Options{}), hour(), "matches no index")

	none := &cluster{docs: docs, edit: func(_, a map[string]any) { a["_shards"] = object{"total": 0, "successful": 0, "failed": 0} }}
	logstoretest.Blind(t, open(t, none.start(t), "logs-x*", Options{}), hour(), "matches no index")
	logstoretest.Blind(t, open(t, (&cluster{}).start(t), "logs", Options{}), hour(), "has no document")

	// What the cluster refuses is left out, and that is said.
	strict := &cluster{docs: docs, before: func(w http.ResponseWriter, r *http.Request, body map[string]any) bool {
		if b := fmt.Sprint(body["query"]); strings.Contains(b, "wildcard") {
			refuse(w, 400, "illegal_argument_exception", "[wildcard] queries cannot be executed when 'search.allow_expensive_queries' is set to false.")
			return true
		}
		if strings.HasSuffix(r.URL.Path, "_mapping") {
			refuse(w, 403, "security_exception", "action [indices:admin/mappings/get] is unauthorized")
			return true
		}
		return false
	}}
	r := logstoretest.Search(t, open(t, strict.start(t), "logs", Options{}), hour())
	if len(r.Events) != 1 || !strings.Contains(limits(r), "allow_expensive_queries") || !strings.Contains(limits(r), "not known: HTTP 403") {
		t.Errorf("%d events; %s", len(r.Events), limits(r))
	}
	// Without positions there are no phrases: all words of it will do.
	unplaced := &cluster{docs: docs, before: func(w http.ResponseWriter, _ *http.Request, body map[string]any) bool {
		if strings.Contains(fmt.Sprint(body["query"]), "phrase") {
			refuse(w, 400, "query_shard_exception", "failed to create query: field:[message] was indexed without position data; cannot run PhraseQuery")
			return true
		}
		return false
	}}
	if r := logstoretest.Search(t, open(t, unplaced.start(t), "logs", Options{}), hour()); len(r.Events) != 1 {
		t.Errorf("%+v", r.Events)
	}
	few := &cluster{docs: docs, before: func(w http.ResponseWriter, _ *http.Request, body map[string]any) bool {
		if dig[[]any](body, "query", "bool", "filter") != nil && strings.Count(fmt.Sprint(body["query"]), "wildcard") > 3 {
			refuse(w, 400, "too_many_nested_clauses", "Query contains too many nested clauses; maxClauseCount is set to 1024")
			return true
		}
		return false
	}}
	r = logstoretest.Search(t, open(t, few.start(t), "logs", Options{}), hour())
	if len(r.Events) != 1 || !strings.Contains(limits(r), "so large a query") {
		t.Errorf("%d events; %s", len(r.Events), limits(r))
	}
}

func TestNumbers(t *testing.T) {
	c := &cluster{docs: append(steady(),
		doc("number", noon.Add(time.Minute), `"order_id":48213`),
		doc("text", noon.Add(2*time.Minute), `"message":"order 48213 is gone"`),
		doc("other", noon.Add(3*time.Minute), `"message":"order 148213 is another"`))}
	q := hour()
	q.Needles = sources.Spellings("48213")
	if r := logstoretest.Search(t, open(t, c.start(t), "logs", Options{}), q); len(r.Events) != 2 {
		t.Errorf("%+v", r.Events)
	}
}

func TestNanoseconds(t *testing.T) {
	m := &mapped{time: "ts", nanos: true}
	w := sources.Window{From: noon.Add(1), To: noon.Add(2)}
	if got := fmt.Sprint(m.within(w)); !strings.Contains(got, "12:00:00.000000001Z") || !strings.Contains(got, "nanos") {
		t.Error(got)
	}
	if !m.moment(noon.UnixNano() + 7).Equal(noon.Add(7)) {
		t.Error("a nanosecond is lost")
	}
	m.nanos = false
	// The end of a millisecond is not cut off.
	if got := fmt.Sprint(m.within(w)); !strings.Contains(got, "lt:"+fmt.Sprint(noon.UnixMilli()+1)) || !strings.Contains(got, "gte:"+fmt.Sprint(noon.UnixMilli())) {
		t.Error(got)
	}
}

func TestOddAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		answer func(w http.ResponseWriter, r *http.Request)
		want   string
	}{
		"no index": {func(w http.ResponseWriter, _ *http.Request) {
			refuse(w, 404, "index_not_found_exception", "no such index [logs]")
		}, "check the index in --elastic"},
		"no user": {func(w http.ResponseWriter, _ *http.Request) {
			refuse(w, 401, "security_exception", "missing authentication credentials for REST request [/_search]")
		}, "api-headers"},
		"no right": {func(w http.ResponseWriter, _ *http.Request) {
			refuse(w, 403, "security_exception", "action [indices:data/read/search] is unauthorized for user [ann]")
		}, "view_index_metadata"},
		"busy": {func(w http.ResponseWriter, _ *http.Request) {
			refuse(w, 429, "es_rejected_execution_exception", "rejected execution of coordinating operation")
		}, "less to do"},
		"unwell": {func(w http.ResponseWriter, _ *http.Request) {
			refuse(w, 503, "cluster_block_exception", "blocked by: [SERVICE_UNAVAILABLE/1/state not recovered / initialized]")
		}, "_cluster/health"},
		"broken":     {func(w http.ResponseWriter, _ *http.Request) { refuse(w, 500, "null_pointer_exception", "") }, "null_pointer"},
		"bad":        {func(w http.ResponseWriter, _ *http.Request) { refuse(w, 400, "parsing_exception", "unknown field") }, "parsing_exception: unknown field"},
		"a web page": {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html><title>Kibana") }, "a web page"},
		"garbage":    {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "\x1b[2J\x07{") }, "not understood"},
		"an echo": {func(w http.ResponseWriter, r *http.Request) {
			http.Error(w, r.Header.Get("Authorization"), http.StatusBadRequest)
		}, sources.Mask},
		"elsewhere": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://sso.example/login", http.StatusFound)
		}, "sso.example"},
		"never answers": {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "did not answer in time"},
		"endless": {func(w http.ResponseWriter, _ *http.Request) {
			for range 4096 {
				if _, err := w.Write([]byte(strings.Repeat(" ", 1024))); err != nil {
					return
				}
			}
		}, "more than is taken at once"},
	} {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(c.answer))
			t.Cleanup(s.Close)
			opt := Options{HTTP: logstore.Options{Most: 1 << 20, Headers: map[string]string{"Authorization": "ApiKey swordfish-9"}}}
			if name == "never answers" {
				opt.Time = 300 * time.Millisecond
			}
			x := open(t, s.URL, "logs", opt)
			logstoretest.Blind(t, x, hour(), c.want)
			if st := x.Check(t.Context()); st.State != sources.StateFailed || strings.Contains(st.Problem, "swordfish") || strings.ContainsAny(st.Problem, "\x1b\x07") {
				t.Errorf("%+v", st)
			}
		})
	}
}

func TestWhatFailsHalfWayIsAGap(t *testing.T) {
	c := &cluster{docs: append(steady(), doc("hit", noon.Add(time.Minute), `"message":"`+id+`"`))}
	fails := 0
	c.before = func(w http.ResponseWriter, _ *http.Request, body map[string]any) bool {
		filters := dig[[]any](body, "query", "bool", "filter")
		if len(filters) < 2 {
			return false
		}
		bounds := dig[map[string]any](filters[0].(map[string]any), "range", "@timestamp")
		switch from, to := bound64(bounds, "gte", 0), bound64(bounds, "lt", 0); {
		case to-from > int64(40*60*1000):
			refuse(w, 429, "circuit_breaking_exception", "[parent] Data too large")
		case from < noon.Add(20*time.Minute).UnixMilli():
			return false
		default:
			fails++
			refuse(w, 500, "search_phase_execution_exception", "all shards failed")
		}
		return true
	}
	r := logstoretest.Search(t, open(t, c.start(t), "logs", Options{}), hour())
	if len(r.Events) != 1 || len(r.Coverage.Gaps) != 1 || !strings.Contains(r.Coverage.Gaps[0].Reason, "all shards failed") || fails != 1 || r.Coverage.Covers(hour().Window) {
		t.Errorf("%d events, failed %d times, %+v", len(r.Events), fails, r.Coverage)
	}
}

func TestDocumentsWithoutSource(t *testing.T) {
	c := &cluster{docs: append(steady(), doc("hit", noon.Add(time.Minute), `"message":"`+id+`"`))}
	c.edit = func(body, a map[string]any) {
		for _, h := range a["hits"].(object)["hits"].([]any) {
			hit := h.(object)
			delete(hit, "_source")
			if body["fields"] != nil {
				hit["fields"] = object{"message": []string{"about " + id}, "@timestamp": []string{"2025-11-27T12:01:00.000Z"}, "tags": []string{"a", "b"}}
			}
		}
	}
	r := logstoretest.Search(t, open(t, c.start(t), "logs", Options{}), hour())
	if len(r.Events) != 1 || r.Events[0].Message != "about "+id {
		t.Errorf("%+v", r.Events)
	}
}

func TestOpenAndClose(t *testing.T) {
	for _, bad := range [][2]string{{"", "logs"}, {"es:9200", "logs"}, {"https://es:9200", ""}, {"https://es:9200", "_search"}, {"https://es:9200", "a/b"}, {"https://u:hunter2@:9200", "logs"}, {"https://es?a=b", "logs"}} {
		if _, err := Open(bad[0], bad[1], Options{}); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	c := &cluster{docs: traffic(noon, 10)}
	x := open(t, c.start(t), "logs-*,-logs-old", Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := x.SearchLogs(ctx, hour()); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	logstoretest.Search(t, x, hour())
	if !slices.Contains(c.paths, "POST /logs-*,-logs-old/_search") {
		t.Errorf("%q", c.paths)
	}
	x.Close()
	logstoretest.Blind(t, x, hour(), "was closed")
}

func TestCancelWithinARequest(t *testing.T) {
	arrived := make(chan struct{}, 1)
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		<-r.Context().Done()
	}))
	t.Cleanup(s.Close)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-arrived
		cancel()
	}()
	if _, err := open(t, s.URL, "logs", Options{}).SearchLogs(ctx, hour()); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add([]byte(`{"took":1,"timed_out":false,"_shards":{"total":1,"successful":1,"failed":0},"hits":{"total":{"value":1,"relation":"eq"},"hits":[{"_index":"l","_id":"1","_source":{"message":"` + id + `"},"sort":[1764244800000]}]},
		"aggregations":{"first":{"value":1.7642448e12},"last":{"value":1.7642484e12},"over":{"buckets":[{"key":1764244800000,"doc_count":9}]}},"fields":{"@timestamp":{"date":{"searchable":true}},"message":{"text":{"searchable":true}}}}`))
	f.Add([]byte(`{"_shards":{"total":1},"hits":{"total":7,"hits":[{"sort":[]}]},"fields":{"t":{"date_nanos":{"searchable":true}}},"a":{"properties":{"ignore_above":5,"dynamic":"false"}}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) }))
		defer s.Close()
		opt := Options{Time: 2 * time.Second, Page: 3, Most: 10}
		opt.Now = then
		x, err := Open(s.URL, "logs", opt)
		if err != nil {
			t.Fatal(err)
		}
		defer x.Close()
		r, err := x.SearchLogs(t.Context(), hour())
		if err == nil && r.Coverage.From.After(r.Coverage.To) {
			t.Errorf("%+v", r.Coverage)
		}
	})
}

func TestProbesThatAskTheSameAskOnce(t *testing.T) {
	c := &cluster{docs: append(steady(), doc("hit", noon.Add(time.Minute), `"message":"`+id+`"`))}
	x := open(t, c.start(t), "logs", Options{})
	errs := make(chan error)
	for range 4 {
		go func() {
			r, err := x.SearchLogs(context.Background(), sources.LogQuery{Needles: needles()})
			if err == nil && len(r.Events) != 1 {
				err = fmt.Errorf("%d events", len(r.Events))
			}
			if err == nil {
				r.Events[0].Fields["message"] = "changed" // theirs is their own
			}
			errs <- err
		}()
	}
	for range 4 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if r := logstoretest.Search(t, x, sources.LogQuery{Needles: needles()}); r.Events[0].Fields["message"] != id {
		t.Errorf("%+v", r.Events)
	}
	if len(c.asked) != 1 || slices.Index(c.paths, "GET /logs/_field_caps") != 0 || slices.Contains(c.paths[1:], "GET /logs/_field_caps") {
		t.Errorf("asked %d times; %q", len(c.asked), c.paths)
	}
}
