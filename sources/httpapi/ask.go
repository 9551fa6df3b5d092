package httpapi

import (
	"context"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"time"

	"inquest/sources"
	"inquest/sources/web"
)

// Ask sends one GET for the record and returns whatever was answered.
func (a *API) Ask(ctx context.Context, id string, parts map[string]string) (*sources.Answer, error) {
	target, err := a.template.fill(id, parts)
	if err != nil {
		return nil, err
	}
	limited, cancel := context.WithTimeout(ctx, a.opt.Timeout)
	defer cancel()
	t := &times{now: a.opt.Now}
	req, err := http.NewRequestWithContext(httptrace.WithClientTrace(limited, t.trace()), http.MethodGet, target, http.NoBody)
	if err != nil {
		return nil, &sources.Blind{Why: "the API's URL cannot be asked for this id", Opens: "check --api"}
	}
	req.Header.Set("Accept", "application/json, */*;q=0.5")
	if a.opt.Agent != "" {
		req.Header.Set("User-Agent", a.opt.Agent)
	}
	for name, value := range a.opt.Headers {
		req.Header.Set(name, value)
	}
	res, err := a.client.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, a.blind(limited, err)
	}
	defer res.Body.Close()
	out := &sources.Answer{URL: a.secrets.Cut(target), Status: res.StatusCode}
	out.Sent, out.Received = t.span()
	if final := res.Request.URL.String(); final != req.URL.String() {
		out.Final = a.secrets.Cut(web.Visible(final))
	}
	if loc, err := res.Location(); err == nil && res.StatusCode/100 == 3 {
		out.Location = a.secrets.Cut(web.Visible(loc.String()))
	}
	out.Type, _, _ = mime.ParseMediaType(res.Header.Get("Content-Type"))
	out.Date = dateOf(res.Header)
	out.Body, out.BodyNote = a.body(res, out.Type)
	return out, ctx.Err()
}

// dateOf is the Date header of an answer that no cache has kept.
func dateOf(h http.Header) time.Time {
	if age := h.Get("Age"); age != "" && age != "0" || strings.Contains(strings.ToLower(h.Get("X-Cache")), "hit") {
		return time.Time{}
	}
	t, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

// body reads the beginning of the body. What is no text is described.
func (a *API) body(res *http.Response, kind string) (text, note string) {
	b, err := io.ReadAll(io.LimitReader(res.Body, maxBody+1))
	if len(b) > maxBody {
		b, note = b[:maxBody], fmt.Sprintf("cut after %d KiB", maxBody>>10)
	}
	if err != nil {
		note = fmt.Sprintf("broke off after %d bytes", len(b))
	}
	if !textual(kind, b) {
		return "", fmt.Sprintf("%d bytes that are no text", len(b))
	}
	return a.secrets.Cut(web.Visible(string(b))), note
}

func textual(kind string, b []byte) bool {
	for _, prefix := range []string{"image/", "audio/", "video/", "font/", "application/zip", "application/gzip", "application/pdf"} {
		if strings.HasPrefix(kind, prefix) {
			return false
		}
	}
	head := b[:min(len(b), 512)]
	for _, c := range head {
		if c == 0 {
			return false
		}
	}
	return true
}

// blind says in words why no answer came. It quotes no URL: a query may hold a key.
func (a *API) blind(ctx context.Context, err error) *sources.Blind {
	b := web.Reason(ctx, err, "--api")
	b.Why = fmt.Sprintf("%s %s", a.template.base.Host, web.Visible(a.secrets.Cut(b.Why)))
	return b
}

// times notes when a request began to be written and when the first byte of its
// answer came; of a redirected one the last counts.
type times struct {
	now func() time.Time

	mu             sync.Mutex
	sent, received time.Time
}

func (t *times) trace() *httptrace.ClientTrace {
	note := func(at *time.Time) {
		t.mu.Lock()
		defer t.mu.Unlock()
		*at = t.now().UTC()
	}
	return &httptrace.ClientTrace{
		GotConn:              func(httptrace.GotConnInfo) { note(&t.sent) },
		GotFirstResponseByte: func() { note(&t.received) },
	}
}

func (t *times) span() (sent, received time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.received.IsZero() { // HTTP/1.0 without a trace of it
		return t.sent, t.now().UTC()
	}
	return t.sent, t.received
}
