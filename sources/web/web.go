// Package web is how drivers ask over HTTP: credentials go to the host that they
// are for and do not come back, redirects stay within the host, and an answer
// that does not come has a reason in words.
package web

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"sort"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"inquest/sources"
)

const (
	maxHeader    = 64 << 10
	maxRedirects = 5
)

// Options are how a client connects.
type Options struct {
	// Timeout bounds the connection, the handshake and the wait for an answer's
	// first line, each; the whole request is bounded by its context.
	Timeout time.Duration
	// Proxy chooses the proxy of a request; nil: none. cmd passes
	// http.ProxyFromEnvironment.
	Proxy func(*http.Request) (*url.URL, error)
	// Roots are the certificate authorities that are trusted; nil: the system's.
	Roots *x509.CertPool
	// KeepAlive lets several requests share a connection.
	KeepAlive bool
}

// Client returns a client that follows redirects within the host only; another
// one is its answer.
func Client(opt Options) *http.Client {
	return &http.Client{
		CheckRedirect: redirect,
		Transport: &http.Transport{
			Proxy:       opt.Proxy,
			DialContext: (&net.Dialer{Timeout: opt.Timeout}).DialContext,
			TLSClientConfig: &tls.Config{
				MinVersion: tls.VersionTLS12, RootCAs: opt.Roots,
			},
			TLSHandshakeTimeout: opt.Timeout, ResponseHeaderTimeout: opt.Timeout,
			MaxResponseHeaderBytes: maxHeader, DisableKeepAlives: !opt.KeepAlive, ForceAttemptHTTP2: true,
		},
	}
}

// redirect follows a redirect within the host, also from http to https, and
// leaves any other to be reported.
func redirect(next *http.Request, via []*http.Request) error {
	from := via[len(via)-1].URL
	upgrade := from.Scheme == "http" && next.URL.Scheme == "https" && Port(from) == "80" && Port(next.URL) == "443"
	same := from.Scheme == next.URL.Scheme && Port(from) == Port(next.URL)
	if !strings.EqualFold(from.Hostname(), next.URL.Hostname()) || !same && !upgrade || len(via) >= maxRedirects {
		return http.ErrUseLastResponse
	}
	return nil
}

// Port returns the port of a URL, that of its scheme when it names none.
func Port(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "https":
		return "443"
	case u.Scheme == "socks5", u.Scheme == "socks5h":
		return "1080"
	}
	return "80"
}

var headerName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")

// CheckHeaders reports a header that cannot be sent, without its value.
func CheckHeaders(headers map[string]string) error {
	for name, value := range headers {
		if !headerName.MatchString(name) {
			return fmt.Errorf("%q is no name of an HTTP header", name)
		}
		if strings.ContainsFunc(value, unicode.IsControl) {
			return fmt.Errorf("the value of the HTTP header %s holds a control character", name)
		}
	}
	return nil
}

// Secrets are texts that must not come back, the longest first.
type Secrets []string

// SecretsOf are the header values, and what follows the scheme in one such as
// "Bearer x"; what is too short to be told from other text is left out.
func SecretsOf(headers map[string]string) Secrets {
	const shortest = 6
	var out Secrets
	for _, v := range headers {
		_, after, _ := strings.Cut(v, " ")
		for _, s := range []string{v, after} {
			if len(s) >= shortest {
				out = append(out, s)
			}
		}
	}
	sort.Slice(out, func(i, j int) bool { return len(out[i]) > len(out[j]) })
	return out
}

// Cut returns s with a mask in place of every secret.
func (list Secrets) Cut(s string) string {
	for _, secret := range list {
		s = strings.ReplaceAll(s, secret, sources.Mask)
	}
	return s
}

// Visible replaces what is no character or would steer a terminal.
func Visible(s string) string {
	s = strings.ToValidUTF8(s, string(utf8.RuneError))
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || !unicode.IsControl(r) {
			return r
		}
		if r == '\r' {
			return -1
		}
		return utf8.RuneError
	}, s)
}
