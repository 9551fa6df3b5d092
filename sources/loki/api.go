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
	"regexp"
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

// volume is how many bytes of lines the index knows in w.
func (l *Loki) volume(ctx context.Context, w sources.Window) (int64, bool) {
	q := span(w)
	q.Set("query", l.matchers())
	q.Set("limit", "1000")
	var a answer
	if l.get(ctx, "/loki/api/v1/index/volume", q, nil, &a) != nil {
		return 0, false
	}
	var n int64
	for _, raw := range a.Data.Result {
		var series struct {
			Value point `json:"value"`
		}
		if json.Unmarshal(raw, &series) != nil {
			return 0, false
		}
		n += series.Value.n
	}
	return n, true
}

// some reports whether the index may know a stream of the selector in w; that
// nothing is known of the index counts as yes.
func (l *Loki) some(ctx context.Context, w sources.Window) bool {
	var a struct {
		Data []json.RawMessage `json:"data"`
	}
	q := span(w)
	q.Set("match[]", l.matchers())
	return l.get(ctx, "/loki/api/v1/series", q, nil, &a) != nil || len(a.Data) > 0
}

// matchers is the selector without line filters.
func (l *Loki) matchers() string {
	quoted := false
	for i := 0; i < len(l.selector); i++ {
		switch c := l.selector[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"' || c == '`':
			quoted = !quoted
		case c == '}' && !quoted:
			return l.selector[:i+1]
		}
	}
	return l.selector
}

func (l *Loki) version(ctx context.Context) string {
	var v struct {
		Version string `json:"version"`
	}
	if l.get(ctx, "/loki/api/v1/status/buildinfo", nil, nil, &v) != nil || len(v.Version) > 40 {
		return ""
	}
	return v.Version
}

// detected are the names of structured metadata that the server finds in some
// lines of w (Loki 3.1 and later); nil when it does not say.
func (l *Loki) detected(ctx context.Context, w sources.Window) []string {
	var a struct {
		Fields []struct {
			Label   string   `json:"label"`
			Parsers []string `json:"parsers"` // by which it is read off the line; none: it stands beside it
		} `json:"fields"`
	}
	q := span(w)
	q.Set("query", l.selector)
	q.Set("line_limit", "1000")
	q.Set("limit", "200")
	if l.get(ctx, "/loki/api/v1/detected_fields", q, nil, &a) != nil {
		return nil
	}
	var out []string
	for _, f := range a.Fields {
		if len(f.Parsers) == 0 {
			out = append(out, f.Label)
		}
	}
	return out
}

// tenantLimits are the server's limits as Loki 3.5 and later tell them; zero
// where they are not told.
type tenantLimits struct {
	Entries   int    `json:"max_entries_limit_per_query"`
	Length    string `json:"max_query_length"`
	Lookback  string `json:"max_query_lookback"`
	Retention string `json:"retention_period"`
}

func (t tenantLimits) lookback() time.Duration { return duration(t.Lookback) }

func (t tenantLimits) keeps() time.Duration { return duration(t.Retention) }

func (l *Loki) tenantLimits(ctx context.Context) tenantLimits {
	var a struct {
		Limits tenantLimits `json:"limits"`
	}
	const path = "/loki/api/v1/drilldown-limits"
	err := l.get(ctx, path, nil, nil, &a)
	var r *logstore.Refused
	if errors.As(err, &r) && strings.Contains(r.Reason, "no org id") {
		// A server without tenants keeps all under this name, and asks for it here alone.
		err = l.get(ctx, path, nil, map[string]string{"X-Scope-OrgID": "fake"}, &a)
	}
	if err != nil {
		return tenantLimits{}
	}
	return a.Limits
}

var durationPart = regexp.MustCompile(`(\d+)(ms|[ywdhms])`)

// duration reads a length of time as Prometheus writes it, such as 30d1h; zero
// when it is none.
func duration(s string) time.Duration {
	units := map[string]time.Duration{
		"y": 365 * 24 * time.Hour, "w": 7 * 24 * time.Hour, "d": 24 * time.Hour, "h": time.Hour, "m": time.Minute, "s": time.Second, "ms": time.Millisecond,
	}
	const most = 100 * 365 * 24 * time.Hour
	var out time.Duration
	for _, m := range durationPart.FindAllStringSubmatch(s, -1) {
		n, err := strconv.ParseInt(m[1], 10, 32)
		if err != nil || time.Duration(n) > most/units[m[2]] || out > most {
			return 0
		}
		out += time.Duration(n) * units[m[2]]
	}
	return out
}
