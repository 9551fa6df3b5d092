package loki

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"inquest/sources"
	"inquest/sources/logstore"
)

// answer is what query_range and query answer.
type answer struct {
	Data struct {
		ResultType string            `json:"resultType"`
		Result     []json.RawMessage `json:"result"`
	} `json:"data"`
	Warnings []string `json:"warnings"`
}

// stream is one stream's part of an answer. A value is the time in nanoseconds,
// the line, and what was asked to be told apart from the labels.
type stream struct {
	Labels map[string]string `json:"stream"`
	Values []value           `json:"values"`
}

type value struct {
	at       int64
	line     string
	metadata map[string]string
}

// UnmarshalJSON reads ["1764255492104321000", "line", {"structuredMetadata": {…}}].
func (v *value) UnmarshalJSON(b []byte) error {
	var parts []json.RawMessage
	if err := json.Unmarshal(b, &parts); err != nil {
		return err
	}
	if len(parts) < 2 {
		return fmt.Errorf("a value of %d parts", len(parts))
	}
	var text string
	if err := json.Unmarshal(parts[0], &text); err != nil {
		return err
	}
	at, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return fmt.Errorf("a time that is no number: %q", text)
	}
	v.at = at
	if err := json.Unmarshal(parts[1], &v.line); err != nil {
		return err
	}
	if len(parts) > 2 {
		var more struct {
			Structured map[string]string `json:"structuredMetadata"`
		}
		if err := json.Unmarshal(parts[2], &more); err != nil {
			return err
		}
		v.metadata = more.Structured
	}
	return nil
}

// get asks an endpoint. A long query goes as a form, which all Loki's query
// endpoints take.
func (l *Loki) get(ctx context.Context, path string, q url.Values, header map[string]string, v any) error {
	call := logstore.Call{Path: path, Query: q, Header: header}
	if text := q.Encode(); len(text) > 4<<10 {
		call = logstore.Call{Method: http.MethodPost, Path: path, Body: []byte(text), Type: "application/x-www-form-urlencoded", Header: header}
	}
	return l.client.JSON(ctx, call, v)
}

func span(w sources.Window) url.Values {
	return url.Values{"start": {strconv.FormatInt(w.From.UnixNano(), 10)}, "end": {strconv.FormatInt(w.To.UnixNano(), 10)}}
}

// apart asks for structured metadata apart from the labels.
var apart = map[string]string{"X-Loki-Response-Encoding-Flags": "categorize-labels"}

// lines asks for at most limit lines of w, whose end is not part of it; the
// oldest, or the newest with newest set. They come in the order of time, with
// the limit that was really asked for: the server may allow less.
func (l *Loki) lines(ctx context.Context, query string, w sources.Window, limit int, newest bool) (list []logstore.Entry, asked int, err error) {
	for {
		asked = min(limit, l.pageSize())
		list, err = l.once(ctx, query, w, asked, newest)
		allowed := allowedEntries(err, asked)
		if allowed == 0 {
			return list, asked, err
		}
		l.learn(func() { l.page = min(l.page, allowed) })
	}
}

// allowedEntries is how many entries a server takes that refused to give that
// many; zero when that is not what was wrong.
func allowedEntries(err error, asked int) int {
	var refused *logstore.Refused
	if !errors.As(err, &refused) || !strings.Contains(refused.Reason, "max entries limit") || asked < 2 {
		return 0
	}
	_, n, _ := strings.Cut(refused.Reason, fmt.Sprintf("(%d > ", asked))
	n, _, _ = strings.Cut(n, ")")
	if v, err := strconv.Atoi(n); err == nil && v > 0 && v < asked {
		return v
	}
	return asked / 2
}

func (l *Loki) once(ctx context.Context, query string, w sources.Window, limit int, newest bool) ([]logstore.Entry, error) {
	q := span(w)
	q.Set("query", query)
	q.Set("limit", strconv.Itoa(limit))
	q.Set("direction", "forward")
	if newest {
		q.Set("direction", "backward")
	}
	var a answer
	if err := l.get(ctx, "/loki/api/v1/query_range", q, apart, &a); err != nil {
		return nil, err
	}
	l.warned(a.Warnings)
	if a.Data.ResultType != "streams" {
		return nil, fmt.Errorf("%w: it should be streams and is %q", logstore.ErrGarbled, a.Data.ResultType)
	}
	var out []logstore.Entry
	for _, raw := range a.Data.Result {
		var s stream
		if err := json.Unmarshal(raw, &s); err != nil {
			return nil, fmt.Errorf("%w: %w", logstore.ErrGarbled, err)
		}
		group := labels(s.Labels)
		for _, v := range s.Values {
			fields := maps.Clone(s.Labels)
			if fields == nil {
				fields = map[string]string{}
			}
			maps.Copy(fields, v.metadata)
			at := time.Unix(0, v.at).UTC()
			out = append(out, logstore.Entry{
				Time: at, Line: v.line, Group: group, Fields: fields, Position: position(group, at, v.line),
			})
		}
	}
	slices.SortStableFunc(out, func(a, b logstore.Entry) int { return a.Time.Compare(b.Time) })
	return out, nil
}

// warned remembers what the server says of its own answers, such as that they
// are partial.
func (l *Loki) warned(warnings []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, w := range warnings {
		if w = "the server warns: " + logstore.Short(w); len(l.warnings) < 5 && !slices.Contains(l.warnings, w) {
			l.warnings = append(l.warnings, w)
		}
	}
}

// labels writes a stream's labels as a selector of that stream alone.
func labels(set map[string]string) string {
	parts := make([]string, 0, len(set))
	for _, k := range slices.Sorted(maps.Keys(set)) {
		parts = append(parts, k+"="+strconv.Quote(set[k]))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// position names an entry: its stream, its time, and a sum of its line, for
// several lines may share a nanosecond.
func position(group string, at time.Time, line string) string {
	h := fnv.New32a()
	h.Write([]byte(line))
	return fmt.Sprintf("%s %s %08x", group, at.Format(time.RFC3339Nano), h.Sum32())
}

// point is one value of a metric: seconds, and a number as text.
type point struct {
	at int64
	n  int64
}

// UnmarshalJSON reads [1764255492, "17"].
func (p *point) UnmarshalJSON(b []byte) error {
	var parts []json.RawMessage
	if err := json.Unmarshal(b, &parts); err != nil {
		return err
	}
	if len(parts) != 2 {
		return fmt.Errorf("a point of %d parts", len(parts))
	}
	var at float64
	var text string
	if err := errors.Join(json.Unmarshal(parts[0], &at), json.Unmarshal(parts[1], &text)); err != nil {
		return err
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return err
	}
	p.at, p.n = int64(at), int64(n)
	return nil
}

// counted asks how many lines there are in each step of w, whose bounds are
// whole steps; the result has one number a step.
func (l *Loki) counted(ctx context.Context, query string, w sources.Window, step time.Duration) ([]int64, error) {
	q := span(sources.Window{From: w.From.Add(step), To: w.To})
	seconds := strconv.FormatInt(int64(step/time.Second), 10)
	q.Set("query", fmt.Sprintf("sum(count_over_time(%s [%ss]))", query, seconds))
	q.Set("step", seconds)
	var a answer
	if err := l.get(ctx, "/loki/api/v1/query_range", q, nil, &a); err != nil {
		return nil, err
	}
	if len(a.Warnings) > 0 {
		return nil, fmt.Errorf("the server warns: %s", logstore.Short(a.Warnings[0]))
	}
	out := make([]int64, int(w.To.Sub(w.From)/step))
	for _, raw := range a.Data.Result {
		var series struct {
			Values []point `json:"values"`
		}
		if err := json.Unmarshal(raw, &series); err != nil {
			return nil, fmt.Errorf("%w: %w", logstore.ErrGarbled, err)
		}
		for _, p := range series.Values {
			i := int(time.Unix(p.at, 0).Sub(w.From)/step) - 1 // a point counts what came up to it
			if i >= 0 && i < len(out) {
				out[i] += p.n
			}
		}
	}
	return out, nil
}

// total counts the lines of a query in w.
func (l *Loki) total(ctx context.Context, query string, w sources.Window) (int64, error) {
	length := max(int64(w.To.Sub(w.From)/time.Second), 1)
	q := url.Values{"time": {strconv.FormatInt(w.To.UnixNano(), 10)}, "query": {fmt.Sprintf("sum(count_over_time(%s [%ds]))", query, length)}}
	var a answer
	if err := l.get(ctx, "/loki/api/v1/query", q, nil, &a); err != nil {
		return 0, err
	}
	var n int64
	for _, raw := range a.Data.Result {
		var series struct {
			Value point `json:"value"`
		}
		if err := json.Unmarshal(raw, &series); err != nil {
			return 0, fmt.Errorf("%w: %w", logstore.ErrGarbled, err)
		}
		n += series.Value.n
	}
	return n, nil
}
