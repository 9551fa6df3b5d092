package loki

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"strconv"
	"strings"
	"time"

	"inquest/sources"
	"inquest/sources/logstore"
)

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
