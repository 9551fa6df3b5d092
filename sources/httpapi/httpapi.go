package httpapi

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"inquest/sources"
	"inquest/sources/web"
)

// Limits of one request.
const (
	defaultTimeout = 15 * time.Second
	maxBody        = 64 << 10
)

// Options are how an API is asked.
type Options struct {
	// Headers are sent with the request to the API's own host and nowhere else.
	// Their values are cut out of whatever is answered.
	Headers map[string]string
	// Timeout bounds the whole request; zero: 15 s.
	Timeout time.Duration
	// Proxy chooses the proxy of a request; nil: none. cmd passes
	// http.ProxyFromEnvironment.
	Proxy func(*http.Request) (*url.URL, error)
	// Roots are the certificate authorities that are trusted; nil: the system's.
	Roots *x509.CertPool
	// Agent is the User-Agent, by which the request is known in the API's log.
	Agent string
	Now   func() time.Time // default time.Now
}

// API is one API that can be asked for a record.
type API struct {
	name     string
	template template
	opt      Options
	client   *http.Client
	secrets  web.Secrets
}

// Open returns the source for a URL template. It does no I/O; a template that
// cannot be asked is an error that does not quote it.
func Open(urlTemplate string, opt Options) (*API, error) {
	t, err := parseTemplate(urlTemplate)
	if err != nil {
		return nil, err
	}
	if err := web.CheckHeaders(opt.Headers); err != nil {
		return nil, err
	}
	if opt.Timeout <= 0 {
		opt.Timeout = defaultTimeout
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	a := &API{name: "api:" + t.base.Host, template: t, opt: opt, secrets: web.SecretsOf(opt.Headers)}
	a.client = web.Client(web.Options{Timeout: opt.Timeout, Proxy: opt.Proxy, Roots: opt.Roots})
	return a, nil
}

// Name returns "api:" and the host.
func (a *API) Name() string { return a.name }

// Kind returns KindHTTP.
func (a *API) Kind() sources.Kind { return sources.KindHTTP }

// Close lets go of idle connections.
func (a *API) Close() error {
	a.client.CloseIdleConnections()
	return nil
}

// shown is the template without its query, which may hold a key.
func (a *API) shown() string {
	s, query, cut := strings.Cut(a.template.text, "?")
	if cut && query != "" {
		s += "?…"
	}
	return s
}

// Check connects to the host, or to the proxy that leads to it, and asks for
// nothing: a request could make the application read the row, which comes last.
func (a *API) Check(ctx context.Context) sources.Status {
	st := sources.Status{Source: a.name, Kind: sources.KindHTTP, State: sources.StateReady, Summary: "GET " + a.shown() + ", asked last"}
	ctx, cancel := context.WithTimeout(ctx, a.opt.Timeout)
	defer cancel()
	if err := a.connect(ctx); err != nil {
		st.State, st.Problem = sources.StateFailed, a.blind(ctx, err).Error()
	}
	return st
}

func (a *API) connect(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.template.base.String(), http.NoBody)
	if err != nil {
		return err
	}
	to := a.template.base
	if a.opt.Proxy != nil {
		proxy, err := a.opt.Proxy(req)
		if err != nil {
			return err
		}
		if proxy != nil {
			return dial(ctx, proxy, nil)
		}
	}
	return dial(ctx, to, &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: a.opt.Roots, ServerName: to.Hostname()})
}

func dial(ctx context.Context, u *url.URL, cfg *tls.Config) error {
	addr := net.JoinHostPort(u.Hostname(), web.Port(u))
	var conn net.Conn
	var err error
	if u.Scheme == "https" && cfg != nil {
		conn, err = (&tls.Dialer{Config: cfg}).DialContext(ctx, "tcp", addr)
	} else {
		conn, err = (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	}
	if err != nil {
		return err
	}
	return conn.Close()
}

var _ sources.Asker = (*API)(nil)
