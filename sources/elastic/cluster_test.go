package elastic

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"inquest/sources"
	"inquest/sources/logstore/logstoretest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const id = "e7a4bff2-adc7-4847-a9d8-25734601b405"

var noon = time.Date(2025, 11, 27, 12, 0, 0, 0, time.UTC)

// document is one of the cluster's.
type document struct {
	id     string
	at     time.Time
	source string
}

// cluster answers in the form that Elasticsearch documents: _search with filters,
// sort, search_after, points in time and the aggregations that are asked for, _field_caps,
// _mapping and errors. It compares texts more simply than the real one does.
type cluster struct {
	docs    []document
	caps    string // fields of _field_caps
	mapping string
	// before may answer a request itself.
	before func(w http.ResponseWriter, r *http.Request, body map[string]any) bool
	// edit changes an answer of _search.
	edit func(body, answer map[string]any)

	mu    sync.Mutex
	asked []map[string]any // bodies of searches for needles
	paths []string
	open  int // points in time
	// Points in time by Elasticsearch's paths, or by OpenSearch's.
	shardDoc, openSearch bool
}

const plainCaps = `{
	"@timestamp": {"date": {"searchable": true, "aggregatable": true}},
	"message": {"text": {"searchable": true, "aggregatable": false}},
	"message.keyword": {"keyword": {"searchable": true, "aggregatable": true}},
	"trace.id": {"keyword": {"searchable": true, "aggregatable": true}},
	"url.path": {"keyword": {"searchable": true, "aggregatable": true}},
	"host.name": {"keyword": {"searchable": true, "aggregatable": true}},
	"order_id": {"long": {"searchable": true, "aggregatable": true}},
	"event.original": {"keyword": {"searchable": false, "aggregatable": false}},
	"_id": {"_id": {"searchable": true, "metadata_field": true}}}`

// start serves the cluster.
func (c *cluster) start(t *testing.T) string {
	t.Helper()
	c.caps = cmp.Or(c.caps, plainCaps)
	c.mapping = cmp.Or(c.mapping, `{}`)
	slices.SortStableFunc(c.docs, func(a, b document) int { return a.at.Compare(b.at) })
	s := httptest.NewServer(http.HandlerFunc(c.serve))
	t.Cleanup(func() {
		s.Close()
		if c.open != 0 {
			t.Errorf("%d points in time are left open", c.open)
		}
	})
	return s.URL
}

func (c *cluster) serve(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	body := map[string]any{}
	dec := json.NewDecoder(r.Body)
	dec.UseNumber()
	_ = dec.Decode(&body)
	c.paths = append(c.paths, r.Method+" "+r.URL.Path)
	if c.before != nil && c.before(w, r, body) {
		return
	}
	switch {
	case r.URL.Path == "/":
		if c.openSearch {
			fmt.Fprint(w, `{"name":"n1","version":{"distribution":"opensearch","number":"3.3.0"},"tagline":"The OpenSearch Project: https://opensearch.org/"}`)
			return
		}
		fmt.Fprint(w, `{"name":"n1","version":{"number":"8.15.1","build_flavor":"default"},"tagline":"You Know, for Search"}`)
	case strings.HasSuffix(r.URL.Path, "/_field_caps"):
		fmt.Fprintf(w, `{"indices":["logs-1"],"fields":%s}`, c.caps)
	case strings.HasSuffix(r.URL.Path, "/_mapping"):
		fmt.Fprint(w, c.mapping)
	case strings.HasSuffix(r.URL.Path, "/_pit") && r.Method == http.MethodPost && c.shardDoc:
		c.open++
		fmt.Fprint(w, `{"id":"point-1"}`)
	case r.URL.Path == "/_pit" && r.Method == http.MethodDelete:
		c.open--
		fmt.Fprint(w, `{"succeeded":true,"num_freed":1}`)
	case strings.HasSuffix(r.URL.Path, "/_search/point_in_time") && r.Method == http.MethodPost && c.openSearch:
		c.open++
		fmt.Fprint(w, `{"pit_id":"point-1","_shards":{"total":1,"successful":1,"skipped":0,"failed":0},"creation_time":1658146050064}`)
	case r.URL.Path == "/_search/point_in_time" && r.Method == http.MethodDelete && c.openSearch:
		c.open--
		fmt.Fprint(w, `{"pits":[{"successful":true,"pit_id":"point-1"}]}`)
	case strings.HasSuffix(r.URL.Path, "/_search"):
		c.search(w, body)
	default:
		refuse(w, 405, "illegal_argument_exception", "Incorrect HTTP method for uri ["+r.URL.Path+"]")
	}
}

func refuse(w http.ResponseWriter, status int, kind, reason string) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(object{"error": object{"root_cause": []any{object{"type": kind, "reason": reason}}, "type": kind, "reason": reason}, "status": status})
}

func (c *cluster) search(w http.ResponseWriter, body map[string]any) {
	var match map[string]any
	from, to := int64(-1<<62), int64(1<<62)
	for _, f := range dig[[]any](body, "query", "bool", "filter") {
		part := f.(map[string]any)
		if bounds := dig[map[string]any](part, "range", "@timestamp"); bounds != nil {
			from, to = bound64(bounds, "gte", from), bound64(bounds, "lt", to)
		} else {
			match = part
		}
	}
	if match != nil {
		c.asked = append(c.asked, body)
	}
	var found []int
	for i, d := range c.docs {
		if ms := d.at.UnixMilli(); ms >= from && ms < to && (match == nil || matches(d, match)) {
			found = append(found, i)
		}
	}
	answer := object{
		"took": 3, "timed_out": false, "_shards": object{"total": 3, "successful": 3, "skipped": 0, "failed": 0},
		"hits": object{"total": object{"value": len(found), "relation": "eq"}, "hits": c.hits(body, found)},
	}
	if aggs := dig[map[string]any](body, "aggs"); aggs != nil {
		answer["aggregations"] = c.aggregate(aggs, found)
	}
	if body["pit"] != nil {
		answer["pit_id"] = "point-1"
	}
	if c.edit != nil {
		c.edit(body, answer)
	}
	_ = json.NewEncoder(w).Encode(answer)
}

func dig[T any](m map[string]any, path ...string) T {
	var none T
	for i, k := range path {
		if i == len(path)-1 {
			v, _ := m[k].(T)
			return v
		}
		next, ok := m[k].(map[string]any)
		if !ok {
			return none
		}
		m = next
	}
	return none
}

func bound64(bounds map[string]any, name string, none int64) int64 {
	s, ok := bounds[name].(string)
	if !ok {
		return none
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return none
	}
	return n
}

func matches(d document, match map[string]any) bool {
	words := strings.ToLower(d.source)
	for _, clause := range dig[[]any](match, "bool", "should") {
		c := clause.(map[string]any)
		if q := dig[string](c, "multi_match", "query"); q != "" && strings.Contains(words, q) && strings.Contains(words, `"message"`) {
			return true
		}
		for f, v := range dig[map[string]any](c, "wildcard") {
			if t := strings.Trim(dig[string](v.(map[string]any), "value"), "*"); strings.Contains(d.source, t) && strings.Contains(d.source, strconv.Quote(f)) {
				return true
			}
		}
		for f, v := range dig[map[string]any](c, "terms") {
			for _, t := range v.([]any) {
				if strings.Contains(d.source, fmt.Sprintf("%q:%q", f, t)) {
					return true
				}
			}
		}
		for f, v := range dig[map[string]any](c, "term") {
			if strings.Contains(d.source, fmt.Sprintf("%q:%s", f, v)) {
				return true
			}
		}
	}
	return false
}

func (c *cluster) hits(body map[string]any, found []int) []any {
	size, _ := strconv.Atoi(fmt.Sprint(body["size"]))
	sorts := dig[[]any](body, "sort")
	if len(sorts) > 0 && dig[string](sorts[0].(map[string]any), "@timestamp", "order") == "desc" {
		found = slices.Clone(found)
		slices.Reverse(found)
	}
	if after := dig[[]any](body, "search_after"); len(after) == 2 {
		shard, _ := strconv.Atoi(fmt.Sprint(after[1]))
		found = slices.DeleteFunc(slices.Clone(found), func(i int) bool { return i <= shard })
	}
	out := []any{}
	for _, i := range found[:min(len(found), size)] {
		d := c.docs[i]
		h := object{"_index": "logs-1", "_id": d.id, "sort": []any{d.at.UnixMilli()}}
		if len(sorts) == 2 {
			h["sort"] = []any{d.at.UnixMilli(), i}
		}
		if body["_source"] != false {
			h["_source"] = json.RawMessage(d.source)
		}
		out = append(out, h)
	}
	return out
}

func (c *cluster) aggregate(aggs map[string]any, found []int) object {
	out := object{"first": object{"value": nil}, "last": object{"value": nil}, "without": object{"doc_count": 2}, "ignored": object{"doc_count": 0}}
	if len(found) > 0 {
		out["first"] = object{"value": float64(c.docs[found[0]].at.UnixMilli())}
		out["last"] = object{"value": float64(c.docs[found[len(found)-1]].at.UnixMilli())}
	}
	text := dig[string](aggs, "over", "date_histogram", "fixed_interval")
	if step, err := time.ParseDuration(text); err == nil {
		counts, buckets := map[int64]int{}, []any{}
		for _, i := range found {
			counts[c.docs[i].at.Truncate(step).UnixMilli()]++
		}
		for at, n := range counts {
			buckets = append(buckets, object{"key": at, "doc_count": n})
		}
		out["over"] = object{"buckets": buckets}
	}
	return out
}

// steady is a document every ten seconds from an hour before noon to two after.
func steady() []document { return every(10*time.Second, noon.Add(-time.Hour), 3*360) }

// traffic is a document a second about other things.
func traffic(from time.Time, n int) []document { return every(time.Second, from, n) }

func every(pause time.Duration, from time.Time, n int) []document {
	out := make([]document, 0, n)
	for i := range n {
		at := from.Add(time.Duration(i) * pause)
		out = append(out, document{fmt.Sprintf("t%d-%d", from.Unix(), i), at, fmt.Sprintf(`{"@timestamp":%q,"log.level":"info","message":"tick %d"}`, at.Format(time.RFC3339Nano), i)})
	}
	return out
}

func doc(name string, at time.Time, fields string) document {
	return document{name, at, fmt.Sprintf(`{"@timestamp":%q,%s}`, at.Format(time.RFC3339Nano), fields)}
}

func then() time.Time { return noon.Add(6 * time.Hour) }

func open(t *testing.T, address, index string, opt Options) *Index {
	t.Helper()
	opt.Now = then
	if opt.HTTP.Wait == nil {
		opt.HTTP.Wait = func(context.Context, time.Duration) error { return nil }
	}
	x, err := Open(address, index, opt)
	return logstoretest.Opened(t, x, err)
}

func needles() []sources.Needle { return sources.Spellings(id) }

func hour() sources.LogQuery {
	return sources.LogQuery{Needles: needles(), Window: sources.Window{From: noon, To: noon.Add(time.Hour)}}
}

func limits(r *sources.LogResult) string { return strings.Join(r.Coverage.Limits, "\n") }
