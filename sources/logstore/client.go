package logstore

import (
	"bytes"
	"cmp"
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"inquest/sources"
	"inquest/sources/web"
)

// Options are how a store is asked; the zero value is good.
type Options struct {
	// Headers are sent to the store's own host and nowhere else; credentials among
	// them are cut out of whatever is answered.
	Headers map[string]string
	// Proxy chooses the proxy of a request; nil: none.
	Proxy func(*http.Request) (*url.URL, error)
	// Roots are the certificate authorities that are trusted; nil: the system's.
	Roots *x509.CertPool
	// Agent is the User-Agent, by which requests are known in the store's log.
	Agent string
	// Timeout of one request; zero: a minute.
	Timeout time.Duration
	// Most bytes of one answer; zero: 32 MiB.
	Most int64
	// Wait sleeps before a request is sent again; nil: it really does.
	Wait func(context.Context, time.Duration) error
}

const (
	defaultTimeout = time.Minute
	defaultMost    = 32 << 20
	tries          = 3
	longestWait    = 15 * time.Second
	maxReason      = 300 // bytes of a refusal that are shown
)

// Client asks one store. It may be used from several goroutines.
type Client struct {
	base    *url.URL
	flag    string
	opt     Options
	client  *http.Client
	headers map[string]string
	secrets web.Secrets
}

// NewClient returns a client for the store at address; flag is where it was
// given, such as "--loki". It does no I/O, and an error quotes nothing of the address.
func NewClient(address, flag string, opt Options) (*Client, error) {
	u, err := url.Parse(strings.TrimSpace(address))
	switch {
	case err != nil:
		return nil, fmt.Errorf("the URL of %s cannot be read: write it as https://host:port", flag)
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("the URL of %s begins with neither http:// nor https://", flag)
	case u.Hostname() == "":
		return nil, fmt.Errorf("the URL of %s names no host", flag)
	case u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("the URL of %s has a part behind its path: give the address alone", flag)
	}
	if err := web.CheckHeaders(opt.Headers); err != nil {
		return nil, err
	}
	opt.Timeout, opt.Most = cmp.Or(opt.Timeout, defaultTimeout), cmp.Or(opt.Most, defaultMost)
	if opt.Wait == nil {
		opt.Wait = wait
	}
	c := &Client{base: u, flag: flag, opt: opt, headers: maps.Clone(opt.Headers)}
	if u.User != nil {
		c.authorize(u.User)
	}
	u.User = nil
	c.secrets = append(c.secrets, web.SecretsOf(credentials(c.headers))...)
	c.client = web.Client(web.Options{Timeout: opt.Timeout, Proxy: opt.Proxy, Roots: opt.Roots, KeepAlive: true})
	return c, nil
}

// authorize takes over a name and password that stood in the address, unless a
// header has one.
func (c *Client) authorize(who *url.Userinfo) {
	for name := range c.headers {
		if strings.EqualFold(name, "Authorization") {
			return
		}
	}
	password, _ := who.Password()
	if c.headers == nil {
		c.headers = map[string]string{}
	}
	c.headers["Authorization"] = "Basic " + base64.StdEncoding.EncodeToString([]byte(who.Username()+":"+password))
	if len(password) >= 4 {
		c.secrets = append(c.secrets, password)
	}
}

// credentials are the headers whose values are secrets: a tenant's name is none.
func credentials(headers map[string]string) map[string]string {
	out := maps.Clone(headers)
	maps.DeleteFunc(out, func(name, _ string) bool {
		return strings.EqualFold(name, "X-Scope-OrgID") || strings.EqualFold(name, "Accept")
	})
	return out
}

// wait sleeps unless the context ends first.
func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// Host is the store's host and port, as configured headers name it.
func (c *Client) Host() string { return c.base.Host }

// Address is the store's URL without credentials.
func (c *Client) Address() string { return strings.TrimRight(c.base.String(), "/") }

// Close lets go of idle connections.
func (c *Client) Close() { c.client.CloseIdleConnections() }

// Call is one request to a store.
type Call struct {
	Method string // empty: GET
	Path   string // below the store's address, escaped
	Query  url.Values
	Body   []byte
	Type   string // media type of Body
	Header map[string]string
}

// Refused is an answer that is none: the store, or what stands before it, said
// no.
type Refused struct {
	Status int
	Reason string // what the body says, in one line
	Body   []byte // its beginning
}

// Error returns the status and what the store said.
func (r *Refused) Error() string {
	return strings.TrimSuffix(fmt.Sprintf("HTTP %d: %s", r.Status, r.Reason), ": ")
}

// ErrTooLarge is an answer beyond Options.Most: ask for less at once.
var ErrTooLarge = errors.New("the answer is larger than what is taken at once")

// ErrSlow is an answer that did not come within Options.Timeout.
var ErrSlow = errors.New("no answer in time")

// ErrGarbled is an answer that is not what its interface says.
var ErrGarbled = errors.New("the answer is not understood")

// Told turns an error of JSON that is no refusal into what was found and what to
// do; a refusal, whose meaning is the store's own, is returned as such. server is
// what the store is, such as "a Loki server"; narrower is what would select less.
func (c *Client) Told(err error, server, narrower string) (refused *Refused, told error) {
	var b *sources.Blind
	host := c.base.Host
	less := "give a shorter window (--from, --to) or " + narrower
	switch {
	case errors.As(err, &b):
		return nil, b
	case errors.Is(err, context.Canceled):
		return nil, err
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, ErrSlow):
		return nil, &sources.Blind{Why: host + " did not answer in time", Opens: less}
	case errors.Is(err, ErrTooLarge):
		return nil, &sources.Blind{Why: host + " sends more than is taken at once", Opens: less}
	case !errors.As(err, &refused):
		return nil, &sources.Blind{Why: host + ": " + err.Error(), Opens: fmt.Sprintf("check that the URL in %s is that of %s", c.flag, server)}
	}
	return refused, nil
}

// JSON sends a call and decodes its answer into v. It sends it again, twice at
// most, when the store asks for patience (429, 503). Errors: *Refused, ErrTooLarge,
// ErrSlow, ErrGarbled, a *sources.Blind when there was no answer, and the
// context's own.
func (c *Client) JSON(ctx context.Context, call Call, v any) error {
	for try := 1; ; try++ {
		err := c.once(ctx, call, v)
		var refused *later
		if !errors.As(err, &refused) {
			return err
		}
		if try == tries || refused.after > longestWait {
			return &refused.Refused
		}
		if err := c.opt.Wait(ctx, cmp.Or(refused.after, time.Duration(try)*time.Second)); err != nil {
			return err
		}
	}
}

// later is a refusal that asks for patience.
type later struct {
	Refused
	after time.Duration
}

func (c *Client) once(ctx context.Context, call Call, v any) error {
	limited, cancel := context.WithTimeout(ctx, c.opt.Timeout)
	defer cancel()
	req, err := c.request(limited, call)
	if err != nil {
		return err
	}
	res, err := c.client.Do(req)
	if err != nil {
		return c.failed(ctx, limited, err)
	}
	defer res.Body.Close()
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return c.refused(res)
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, c.opt.Most+1))
	if err != nil {
		return c.failed(ctx, limited, err)
	}
	if int64(len(body)) > c.opt.Most {
		return ErrTooLarge
	}
	if err := json.Unmarshal(body, v); err != nil {
		return fmt.Errorf("%w: %s", ErrGarbled, c.what(body))
	}
	return nil
}

func (c *Client) request(ctx context.Context, call Call) (*http.Request, error) {
	target := *c.base
	target.Path, target.RawPath = strings.TrimRight(target.Path, "/")+unescaped(call.Path), strings.TrimRight(target.EscapedPath(), "/")+call.Path
	target.RawQuery = call.Query.Encode()
	req, err := http.NewRequestWithContext(ctx, cmp.Or(call.Method, http.MethodGet), target.String(), bytes.NewReader(call.Body))
	if err != nil {
		return nil, &sources.Blind{Why: c.base.Host + " cannot be asked for this", Opens: "check " + c.flag}
	}
	req.Header.Set("Accept", "application/json")
	if c.opt.Agent != "" {
		req.Header.Set("User-Agent", c.opt.Agent)
	}
	if call.Type != "" {
		req.Header.Set("Content-Type", call.Type)
	}
	for _, headers := range []map[string]string{c.headers, call.Header} {
		for name, value := range headers {
			req.Header.Set(name, value)
		}
	}
	return req, nil
}

func unescaped(p string) string {
	if s, err := url.PathUnescape(p); err == nil {
		return s
	}
	return p
}

// failed tells an answer that was slow from one that cannot come.
func (c *Client) failed(ctx, limited context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case limited.Err() != nil, isTimeout(err):
		return ErrSlow
	}
	b := web.Reason(ctx, err, c.flag)
	b.Why = c.base.Host + " " + web.Visible(c.secrets.Cut(b.Why))
	return b
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}

// refused reads why the store said no.
func (c *Client) refused(res *http.Response) error {
	body, _ := io.ReadAll(io.LimitReader(res.Body, 64<<10)) // what came of it will do
	r := Refused{Status: res.StatusCode, Reason: c.what(body), Body: body}
	if to, err := res.Location(); err == nil && res.StatusCode/100 == 3 {
		r.Reason = "it redirects to " + to.Host + path.Clean("/"+to.Path) + ", which is not followed"
	}
	if res.StatusCode == http.StatusTooManyRequests || res.StatusCode == http.StatusServiceUnavailable {
		return &later{Refused: r, after: retryAfter(res.Header)}
	}
	return &r
}

// what puts the beginning of a body into one line.
func (c *Client) what(body []byte) string {
	text := strings.Join(strings.Fields(web.Visible(c.secrets.Cut(string(body[:min(len(body), 8<<10)])))), " ")
	lower := strings.ToLower(text[:min(len(text), 200)])
	if strings.HasPrefix(lower, "<!doctype html") || strings.HasPrefix(lower, "<html") {
		return "a web page came, as a login or a proxy sends it"
	}
	return Short(text)
}

// Short cuts a text of the store for a message.
func Short(s string) string {
	if len(s) <= maxReason {
		return s
	}
	return strings.ToValidUTF8(s[:maxReason], "") + "…"
}

// retryAfter reads the header in seconds or as a date; zero: not said.
func retryAfter(h http.Header) time.Duration {
	text := h.Get("Retry-After")
	if n, err := strconv.Atoi(text); err == nil && n > 0 {
		return time.Duration(min(n, 1<<20)) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, time.Until(at))
	}
	return 0
}
