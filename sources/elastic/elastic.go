// Package elastic is the driver for logs in Elasticsearch (7.2 and later) or
// OpenSearch. The search runs there: the id goes out as a query over the fields that
// are indexed, the hits come back, and what the index cannot find by the way it is
// mapped is said.
package elastic

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"

	"inquest/sources"
	"inquest/sources/logscan"
	"inquest/sources/logstore"
)

// Options tells how the cluster is asked; the zero value is good.
type Options struct {
	logscan.Options
	HTTP logstore.Options
	// Window bounds what is asked for where a query has no bounds of its own.
	Window sources.Window
	// Time bounds one search; zero: two minutes. What was not read by then is a gap.
	Time time.Duration
	// Page is how many documents are asked for at once; zero: 1,000.
	Page int
	// Most documents that one search may look at more closely; zero: 20,000. A
	// query with a larger limit may have as many as it asks for.
	Most int
}

var (
	_ sources.Source      = (*Index)(nil)
	_ sources.LogSearcher = (*Index)(nil)
)

// Index is an index, a data stream, an alias or a pattern of them.
type Index struct {
	name   string
	index  string // as it was given
	path   string // escaped, with a slash before it
	client *logstore.Client
	opt    Options

	closed atomic.Bool
	turns  *logstore.Turns

	mu     sync.Mutex
	mapped *mapped
	held   *held
	kept   []*survey
	points bool // a point in time was refused
}

// Open returns the documents of index, which may be a pattern or a list, at
// address. It does no I/O.
func Open(address, index string, opt Options) (*Index, error) {
	index = strings.TrimSpace(index)
	switch {
	case index == "":
		return nil, errors.New("--elastic has no index: write it behind the URL and a comma, such as https://es:9200,logs-*")
	case strings.ContainsAny(index, "/?# \"\\") || strings.ContainsFunc(index, unicode.IsControl) || strings.HasPrefix(index, "_") && index != "_all":
		return nil, errors.New("--elastic's index is no name of an index, a data stream, an alias or a pattern such as logs-*")
	}
	client, err := logstore.NewClient(address, "--elastic", opt.HTTP)
	if err != nil {
		return nil, err
	}
	parts := strings.Split(index, ",")
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	opt.Time, opt.Page, opt.Most = cmp.Or(opt.Time, 2*time.Minute), cmp.Or(opt.Page, 1000), cmp.Or(opt.Most, 20_000)
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Format == "" {
		opt.Format = "json" // a document is one
	}
	return &Index{name: "elastic:" + client.Host() + "/" + index, index: index, path: "/" + strings.Join(parts, ","), client: client, opt: opt, turns: logstore.NewTurns()}, nil
}

// Name is "elastic:", the host and the index.
func (x *Index) Name() string { return x.name }

// Kind returns sources.KindLog.
func (x *Index) Kind() sources.Kind { return sources.KindLog }

// Close lets go of connections.
func (x *Index) Close() error {
	x.closed.Store(true)
	x.client.Close()
	return nil
}

// Check asks for the version, how fields are mapped, and for the oldest and the
// newest document.
func (x *Index) Check(ctx context.Context) sources.Status {
	st := sources.Status{Source: x.name, Kind: x.Kind(), State: sources.StateReady}
	ctx, cancel := context.WithTimeout(ctx, x.opt.Time)
	defer cancel()
	m, h, err := x.know(ctx)
	if err != nil {
		st.State, st.Summary, st.Problem = sources.StateFailed, "not readable", x.blind(err).Error()
		return st
	}
	st.Summary = fmt.Sprintf("%s, %d documents from %s to %s by %s", cmp.Or(x.version(ctx), "Elasticsearch"), h.total,
		h.oldest.Format(time.RFC3339), h.newest.Format(time.RFC3339), m.time)
	if m.unsearchable() || h.partial != "" {
		st.State = sources.StatePartial
		st.Problem = cmp.Or(h.partial, m.blindness().Error())
	}
	return st
}

func (x *Index) version(ctx context.Context) string {
	var a struct {
		Version struct {
			Number       string `json:"number"`
			Distribution string `json:"distribution"`
		} `json:"version"`
	}
	if x.client.JSON(ctx, logstore.Call{Path: "/"}, &a) != nil || len(a.Version.Number) > 40 || a.Version.Number == "" {
		return ""
	}
	if strings.EqualFold(a.Version.Distribution, "opensearch") {
		return "OpenSearch " + a.Version.Number
	}
	return "Elasticsearch " + a.Version.Number
}

// empty is the reason when there is no document in w.
func (x *Index) empty(w sources.Window) *sources.Blind {
	return &sources.Blind{
		Why:   fmt.Sprintf("%s has no document from %s to %s", x.name, bound(w.From), bound(w.To)),
		Opens: "check the index in --elastic (GET _cat/indices, or Discover in Kibana), the window, and for how long documents are kept",
	}
}

func bound(t time.Time) string {
	if t.IsZero() {
		return "any time"
	}
	return t.Format(time.RFC3339)
}

// trouble is the body of an error.
type trouble struct {
	Error struct {
		Type      string `json:"type"`
		Reason    string `json:"reason"`
		RootCause []struct {
			Type   string `json:"type"`
			Reason string `json:"reason"`
		} `json:"root_cause"`
	} `json:"error"`
}

// cause is what the cluster says was wrong: a type and a sentence, or two empty
// texts when it is none of its errors.
func cause(err error) (kind, reason string) {
	var r *logstore.Refused
	var t trouble
	if !errors.As(err, &r) || json.Unmarshal(r.Body, &t) != nil {
		return "", ""
	}
	kind, reason = t.Error.Type, t.Error.Reason
	if len(t.Error.RootCause) > 0 {
		kind, reason = t.Error.RootCause[0].Type, t.Error.RootCause[0].Reason
	}
	return kind, reason
}

// blind turns the cluster's errors into what was tried, what was found and what
// to do.
func (x *Index) blind(err error) error {
	r, told := x.client.Told(err, "Elasticsearch or OpenSearch", "a narrower index")
	if r == nil {
		return told
	}
	host := x.client.Host()
	why := host + " answered " + r.Error()
	kind, reason := cause(err)
	if kind != "" {
		why = fmt.Sprintf("%s answered HTTP %d: %s: %s", host, r.Status, logstore.Short(kind), logstore.Short(reason))
	}
	configured := fmt.Sprintf("give Authorization (Basic or ApiKey) to %s in the configuration, under api-headers", host)
	switch {
	case r.Status == 401:
		return &sources.Blind{Why: why, Opens: "it wants credentials: " + configured}
	case r.Status == 403:
		return &sources.Blind{Why: why, Opens: fmt.Sprintf("the user needs the privileges read and view_index_metadata on %s, or another user is given: %s", x.index, configured)}
	case r.Status == 404 && kind == "index_not_found_exception":
		return &sources.Blind{Why: why, Opens: "check the index in --elastic (GET _cat/indices)"}
	case r.Status == 404:
		return &sources.Blind{Why: why, Opens: "check the URL in --elastic"}
	case r.Status == 429:
		return &sources.Blind{Why: why, Opens: "run the step again when the cluster has less to do, or give a shorter window"}
	case r.Status/100 == 3:
		return &sources.Blind{Why: why, Opens: "name the address that it redirects to, or the credentials that it wants"}
	case r.Status == 400:
		return &sources.Blind{Why: why, Opens: "check the index in --elastic; a mapping that the cluster cannot search is its administrator's to mend"}
	}
	return &sources.Blind{Why: why, Opens: "run the step again when the cluster is well (GET _cluster/health)"}
}
