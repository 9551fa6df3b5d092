package elastic

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"inquest/sources"
	"inquest/sources/logstore"
)

// answer is what _search answers.
type answer struct {
	TimedOut bool   `json:"timed_out"`
	PointID  string `json:"pit_id"`
	Shards   shards `json:"_shards"`
	Hits     struct {
		Total json.RawMessage `json:"total"`
		Hits  []hit           `json:"hits"`
	} `json:"hits"`
	Aggregations struct {
		First   metric  `json:"first"`
		Last    metric  `json:"last"`
		Without counter `json:"without"`
		Ignored counter `json:"ignored"`
		Over    struct {
			Buckets []bucket `json:"buckets"`
		} `json:"over"`
	} `json:"aggregations"`
}

type hit struct {
	Index  string                     `json:"_index"`
	ID     string                     `json:"_id"`
	Source json.RawMessage            `json:"_source"`
	Fields map[string]json.RawMessage `json:"fields"`
	Sort   []json.RawMessage          `json:"sort"`
}

type metric struct {
	Value *float64 `json:"value"` // milliseconds; null without a document
}

func (m metric) time() time.Time {
	if m.Value == nil {
		return time.Time{}
	}
	return time.UnixMilli(int64(*m.Value)).UTC()
}

type counter struct {
	Count int64 `json:"doc_count"`
}

type bucket struct {
	Key   int64 `json:"key"` // milliseconds
	Count int64 `json:"doc_count"`
}

// shards say how many parts of the index answered.
type shards struct {
	Total      int `json:"total"`
	Successful int `json:"successful"`
	Failed     int `json:"failed"`
	Failures   []struct {
		Index  string `json:"index"`
		Reason struct {
			Type   string `json:"type"`
			Reason string `json:"reason"`
		} `json:"reason"`
	} `json:"failures"`
}

// partial says why an answer is not whole; empty when it is. A shard that is
// not available may be missing from both the successful and the failed.
func (a *answer) partial() string {
	s := a.Shards
	var why string
	if missing := max(s.Failed, s.Total-s.Successful); missing > 0 {
		why = fmt.Sprintf("%d of %d shards did not answer", missing, s.Total)
		if len(s.Failures) > 0 {
			f := s.Failures[0]
			why += fmt.Sprintf(": %s: %s", logstore.Short(f.Reason.Type), logstore.Short(f.Reason.Reason))
			if f.Index != "" {
				why += " (" + logstore.Short(f.Index) + ")"
			}
		}
	}
	if a.TimedOut {
		if why != "" {
			why += ", and "
		}
		why += "the cluster broke off after its time limit"
	}
	return why
}

// total is how many documents matched; least marks a number that is a lower
// bound.
func (a *answer) total() (n int64, least bool) {
	var t struct {
		Value    int64  `json:"value"`
		Relation string `json:"relation"`
	}
	if json.Unmarshal(a.Hits.Total, &t) == nil {
		return t.Value, t.Relation == "gte"
	}
	_ = json.Unmarshal(a.Hits.Total, &n) // a bare number before version 7
	return n, false
}

// post asks with a body. A search only reads; its body does not fit a URL.
func (x *Index) post(ctx context.Context, path string, q url.Values, body, v any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("write a query: %w", err)
	}
	return x.client.JSON(ctx, logstore.Call{Method: http.MethodPost, Path: path, Query: q, Body: b, Type: "application/json"}, v)
}

// search asks the index. A pattern that matches nothing is an answer of no
// shards, and that is blind.
func (x *Index) search(ctx context.Context, body object) (*answer, error) {
	a := &answer{}
	if err := x.post(ctx, x.path+"/_search", url.Values{"allow_no_indices": {"true"}}, body, a); err != nil {
		return nil, err
	}
	if a.Shards.Total == 0 {
		return nil, &sources.Blind{Why: x.name + " matches no index", Opens: "check the index in --elastic (GET _cat/indices)"}
	}
	return a, nil
}

// point is a point in time, by which documents of one time are told apart while
// paging.
type point struct {
	id   string
	open bool // OpenSearch's, which has its own paths
}

// openPoint opens a point in time; the zero point when the cluster will not.
func (x *Index) openPoint(ctx context.Context) point {
	x.mu.Lock()
	refused := x.points
	x.mu.Unlock()
	if refused {
		return point{}
	}
	keep := url.Values{"keep_alive": {"1m"}}
	var a struct {
		ID   string `json:"id"`
		Open string `json:"pit_id"`
	}
	if x.post(ctx, x.path+"/_pit", keep, object{}, &a) == nil && a.ID != "" {
		return point{id: a.ID}
	}
	if x.client.JSON(ctx, logstore.Call{Method: http.MethodPost, Path: x.path + "/_search/point_in_time", Query: keep}, &a) == nil && a.Open != "" {
		return point{id: a.Open, open: true}
	}
	x.refusePoints()
	return point{}
}

// refusePoints remembers that the cluster gives no point in time that can be
// used: OpenSearch tells documents of one time apart since 3.3.
func (x *Index) refusePoints() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.points = true
}

// release lets go of a point in time, also when the search was cancelled.
func (x *Index) release(ctx context.Context, p point) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	path, body := "/_pit", object{"id": p.id}
	if p.open {
		path, body = "/_search/point_in_time", object{"pit_id": []string{p.id}}
	}
	b, err := json.Marshal(body)
	if err != nil {
		return
	}
	var a any
	// It ends by itself after a minute.
	_ = x.client.JSON(ctx, logstore.Call{Method: http.MethodDelete, Path: path, Body: b, Type: "application/json"}, &a)
}

// entry makes an entry of a hit; false when it has no time.
func (x *Index) entry(m *mapped, h hit) (logstore.Entry, bool) {
	e := logstore.Entry{Group: h.Index, Position: h.Index + "/" + h.ID}
	if len(h.Sort) == 0 {
		return e, false
	}
	at, err := strconv.ParseInt(string(h.Sort[0]), 10, 64)
	if err != nil {
		return e, false
	}
	e.Time = m.moment(at)
	e.Line = line(h)
	return e, e.Line != ""
}

// line is the document as one line of JSON: what was sent, else what is indexed.
func line(h hit) string {
	raw := []byte(h.Source)
	if len(raw) == 0 || string(raw) == "null" {
		if len(h.Fields) == 0 {
			return ""
		}
		var err error
		if raw, err = json.Marshal(single(h.Fields)); err != nil {
			return ""
		}
	}
	var out bytes.Buffer
	if json.Compact(&out, raw) != nil {
		return ""
	}
	return out.String()
}

// single takes the values of fields out of their lists where there is one.
func single(fields map[string]json.RawMessage) map[string]json.RawMessage {
	out := map[string]json.RawMessage{}
	for name, raw := range fields {
		var list []json.RawMessage
		if json.Unmarshal(raw, &list) == nil && len(list) == 1 {
			raw = list[0]
		}
		out[name] = raw
	}
	return out
}
