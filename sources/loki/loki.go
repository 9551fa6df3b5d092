// Package loki is the driver for a Grafana Loki server. The search runs there:
// the id goes out as a line filter, the hits come back, and the server's own counts
// say what it holds of the log from when to when.
//
// Its HTTP interface is that of Loki 2.4 and later (loki/api/v1); structured
// metadata is told from labels since 2.9.4.
package loki

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"inquest/sources"
	"inquest/sources/logscan"
	"inquest/sources/logstore"
)

// Options tells how the server is asked; the zero value is good.
type Options struct {
	logscan.Options
	HTTP logstore.Options
	// Window bounds what is asked for where a query has no bounds of its own.
	Window sources.Window
	// Time bounds one search; zero: two minutes. What was not read by then is a gap.
	Time time.Duration
	// Page is how many lines are asked for at once; zero: 5,000, which is also
	// what the server allows by default.
	Page int
	// Most lines that one search may look at more closely; zero: 20,000. A query
	// with a larger limit may have as many as it asks for.
	Most int
	// Back is how far back a search without a window goes; zero: 400 days.
	Back time.Duration
}

var (
	_ sources.Source      = (*Loki)(nil)
	_ sources.LogSearcher = (*Loki)(nil)
)

// Loki is what one selector of one server selects.
type Loki struct {
	name     string
	selector string
	client   *logstore.Client
	opt      Options

	closed atomic.Bool
	turns  *logstore.Turns

	mu     sync.Mutex
	page   int           // lines at once that the server was found to allow
	length time.Duration // the longest stretch that it takes; zero: not met
	held   *held
	kept   []*survey

	warnings []string
}

// Open returns the log that selector, such as {app="api"}, selects at address.
// Line filters may stand behind it; what changes lines may not. It does no I/O.
func Open(address, selector string, opt Options) (*Loki, error) {
	selector = strings.TrimSpace(selector)
	if !strings.HasPrefix(selector, "{") || !strings.Contains(selector, "}") {
		return nil, errors.New(`--loki has no selector: write it behind the URL and a comma, such as 'http://loki:3100,{app="api"}'`)
	}
	for _, stage := range []string{"line_format", "decolorize", "unpack"} {
		if strings.Contains(selector, stage) {
			return nil, fmt.Errorf("--loki's selector changes lines (%s): evidence is what was logged; leave it out", stage)
		}
	}
	client, err := logstore.NewClient(address, "--loki", opt.HTTP)
	if err != nil {
		return nil, err
	}
	opt.Time, opt.Page, opt.Most = cmp.Or(opt.Time, 2*time.Minute), cmp.Or(opt.Page, 5000), cmp.Or(opt.Most, 20_000)
	opt.Back = cmp.Or(opt.Back, 400*24*time.Hour)
	if opt.Now == nil {
		opt.Now = time.Now
	}
	return &Loki{name: "loki:" + client.Host() + selector, selector: selector, client: client, opt: opt, page: opt.Page, turns: logstore.NewTurns()}, nil
}

// Name is "loki:", the host and the selector.
func (l *Loki) Name() string { return l.name }

// Kind returns sources.KindLog.
func (l *Loki) Kind() sources.Kind { return sources.KindLog }

// Close lets go of connections.
func (l *Loki) Close() error {
	l.closed.Store(true)
	l.client.Close()
	return nil
}

// Check asks for a line of the last hour, which shows whether the server answers
// and understands the selector, and then for the oldest and the newest line.
func (l *Loki) Check(ctx context.Context) sources.Status {
	st := sources.Status{Source: l.name, Kind: l.Kind(), State: sources.StateReady, Summary: "Loki"}
	now := l.opt.Now().UTC()
	if _, err := l.edge(ctx, sources.Window{From: now.Add(-time.Hour), To: now.Add(time.Minute)}, true); err != nil {
		st.State, st.Summary, st.Problem = sources.StateFailed, "not readable", l.blind(err).Error()
		return st
	}
	if v := l.version(ctx); v != "" {
		st.Summary += " " + v
	}
	h, err := l.holds(ctx)
	if err == nil && h.oldest.IsZero() {
		st.State, st.Summary, st.Problem = sources.StateFailed, "no line", l.empty(h.asked).Error()
		return st
	}
	if err != nil {
		st.State, st.Problem = sources.StatePartial, "how far back it goes was not found out: "+l.blind(err).Error()
		return st
	}
	st.Summary += fmt.Sprintf(", lines from %s to %s", h.oldest.Format(time.RFC3339), h.newest.Format(time.RFC3339))
	if keeps := h.limits.keeps(); keeps > 0 && h.oldest.Add(keeps).After(h.asked.To) {
		st.Expires = append(st.Expires, sources.Expiry{
			What: fmt.Sprintf("the oldest lines of %s", l.name), At: h.oldest.Add(keeps),
			Why: fmt.Sprintf("the server keeps lines for %s (retention_period)", logDays(keeps)),
		})
	}
	return st
}

// logDays writes a length of time in days where it is one.
func logDays(d time.Duration) string {
	const day = 24 * time.Hour
	if d >= 2*day && d%day == 0 {
		return fmt.Sprintf("%d days", d/day)
	}
	return d.String()
}

// empty is the reason when the selector selects nothing in w.
func (l *Loki) empty(w sources.Window) *sources.Blind {
	return &sources.Blind{
		Why:   fmt.Sprintf("%s has no line of %s from %s to %s", l.client.Host(), l.selector, w.From.Format(time.RFC3339), w.To.Format(time.RFC3339)),
		Opens: "check the selector in --loki against the labels there (logcli labels, or Explore in Grafana), the tenant (X-Scope-OrgID), and how long the server keeps lines",
	}
}

// blind turns the server's errors into what was tried, what was found and what
// to do.
func (l *Loki) blind(err error) error {
	r, told := l.client.Told(err, "a Loki server", "a narrower selector")
	if r == nil {
		return told
	}
	host := l.client.Host()
	configured := fmt.Sprintf("give them to %s in the configuration, under api-headers", host)
	why := host + " answered " + r.Error()
	switch {
	case strings.Contains(r.Reason, "no org id"):
		return &sources.Blind{Why: why, Opens: fmt.Sprintf("it wants a tenant: give X-Scope-OrgID to %s in the configuration, under api-headers, or set LOKI_ADDR and LOKI_ORG_ID", host)}
	case r.Status == 401:
		return &sources.Blind{Why: why, Opens: "it wants credentials (Authorization, X-Scope-OrgID): " + configured}
	case r.Status == 403:
		return &sources.Blind{Why: why, Opens: "it wants other credentials (Authorization, X-Scope-OrgID): " + configured}
	case r.Status == 404:
		return &sources.Blind{Why: why, Opens: "check the URL in --loki: Loki answers below /loki/api/v1"}
	case r.Status == 429:
		return &sources.Blind{Why: why, Opens: "run the step again when the server has less to do, or give a shorter window"}
	case r.Status/100 == 3:
		return &sources.Blind{Why: why, Opens: "name the address that it redirects to, or the credentials that it wants"}
	case r.Status == 400:
		return &sources.Blind{Why: why, Opens: "check the selector in --loki: it is LogQL, such as {app=\"api\"}"}
	}
	return &sources.Blind{Why: why, Opens: "run the step again when the server is well"}
}
