package httpapi_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"inquest/sources"
	"inquest/sources/httpapi"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const id = "e7a4bff2-adc7-4847-a9d8-25734601b405"

func serve(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

func open(t *testing.T, template string, opt httpapi.Options) *httpapi.API {
	t.Helper()
	a, err := httpapi.Open(template, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return a
}

func ask(t *testing.T, a *httpapi.API, id string) *sources.Answer {
	t.Helper()
	got, err := a.Ask(t.Context(), id, nil)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func blind(t *testing.T, a *httpapi.API, want string) {
	t.Helper()
	_, err := a.Ask(t.Context(), id, nil)
	var b *sources.Blind
	if !errors.As(err, &b) || !strings.Contains(b.Why, want) {
		t.Fatalf("%v, want blind with %q", err, want)
	}
}

func TestAsksOnceWithGET(t *testing.T) {
	var seen []string
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Method+" "+r.RequestURI+" "+r.Header.Get("X-Key")+" "+r.UserAgent())
		w.Header().Set("Content-Type", "Application/Problem+JSON; charset=utf-8")
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"message":"TRO not found"}`)
	})
	a := open(t, s.URL+"/dtros/{id}?full=1", httpapi.Options{Headers: map[string]string{"X-Key": "swordfish"}, Agent: "inquest/test"})
	got := ask(t, a, id)
	if len(seen) != 1 || seen[0] != "GET /dtros/"+id+"?full=1 swordfish inquest/test" {
		t.Fatal(seen)
	}
	if got.Status != 404 || got.Type != "application/problem+json" || got.Body != `{"message":"TRO not found"}` || got.BodyNote != "" || got.Final != "" {
		t.Fatalf("%+v", got)
	}
	if st := a.Check(t.Context()); st.State != sources.StateReady || strings.Contains(st.Summary, "full=1") || len(seen) != 1 {
		t.Fatalf("%+v, %d requests: a check asks for nothing, and shows no query", st, len(seen))
	}
}

func TestIDIsEncoded(t *testing.T) {
	var uri string
	s := serve(t, func(_ http.ResponseWriter, r *http.Request) { uri = r.RequestURI })
	for _, c := range []struct{ template, id, want string }{
		{"/o/{id}", "a/b?c#d &é", "/o/a%2Fb%3Fc%23d%20%26%C3%A9"},
		{"/o?q={id}&x=1", "a&b=c+d", "/o?q=a%26b%3Dc%2Bd&x=1"},
		{"/o?q={id}", "..", "/o?q=.."},
		{"/o/{id}/x/{id}", "7", "/o/7/x/7"},
	} {
		ask(t, open(t, s.URL+c.template, httpapi.Options{}), c.id)
		if uri != c.want {
			t.Errorf("%s with %q: %s, want %s", c.template, c.id, uri, c.want)
		}
	}
	for _, bad := range []string{"..", "."} {
		uri = ""
		if _, err := open(t, s.URL+"/o/{id}", httpapi.Options{}).Ask(t.Context(), bad, nil); err == nil || uri != "" {
			t.Errorf("%q was asked for as a path", bad)
		}
	}
}

func TestCompositeID(t *testing.T) {
	var uri string
	s := serve(t, func(_ http.ResponseWriter, r *http.Request) { uri = r.RequestURI })
	parts := map[string]string{"tenant_id": "7", "doc_id": "4/2"}
	if _, err := open(t, s.URL+"/{tenant_id}/docs/{doc_id}", httpapi.Options{}).Ask(t.Context(), "tenant_id=7,doc_id=4/2", parts); err != nil || uri != "/7/docs/4%2F2" {
		t.Fatal(uri, err)
	}
	var b *sources.Blind
	if _, err := open(t, s.URL+"/docs/{id}", httpapi.Options{}).Ask(t.Context(), "tenant_id=7,doc_id=42", parts); !errors.As(err, &b) {
		t.Fatal("a composite id was put into one place:", err)
	}
	if _, err := open(t, s.URL+"/{tenant}/docs", httpapi.Options{}).Ask(t.Context(), "42", nil); !errors.As(err, &b) {
		t.Fatal(err)
	}
}

func TestRefusedTemplates(t *testing.T) {
	for _, bad := range []string{
		"", "https://h/x", "ftp://h/{id}", "https://{id}/x", "https://{id}.h/x", "https://u:hunter2@h/{id}", "https:///{id}", "h/{id}",
		"https://h/#{id}", "https://h:port/{id}", "file:///{id}", "https://h\x00/{id}",
	} {
		_, err := httpapi.Open(bad, httpapi.Options{})
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for name, value := range map[string]string{"": "x", "a b": "x", "A": "x\r\nB: y", "Host:": "x"} {
		if _, err := httpapi.Open("https://h/{id}", httpapi.Options{Headers: map[string]string{name: value}}); err == nil {
			t.Errorf("header %q: %q was taken", name, value)
		}
	}
}

func TestRedirects(t *testing.T) {
	elsewhere := 0
	other := serve(t, func(http.ResponseWriter, *http.Request) { elsewhere++ })
	var s *httptest.Server
	s = serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/away"):
			http.Redirect(w, r, other.URL+"/x?token=1", http.StatusFound)
		case strings.HasPrefix(r.URL.Path, "/loop"):
			http.Redirect(w, r, s.URL+r.URL.Path, http.StatusFound)
		case strings.HasPrefix(r.URL.Path, "/near"):
			http.Redirect(w, r, "/login", http.StatusSeeOther)
		default:
			fmt.Fprint(w, "sign in")
		}
	})
	got := ask(t, open(t, s.URL+"/away/{id}", httpapi.Options{Headers: map[string]string{"Authorization": "Bearer abcdef"}}), id)
	if got.Status != 302 || elsewhere != 0 || !strings.HasPrefix(got.Location, other.URL) {
		t.Errorf("%+v, other host asked %d times", got, elsewhere)
	}
	if got := ask(t, open(t, s.URL+"/near/{id}", httpapi.Options{}), id); got.Status != 200 || got.Final != s.URL+"/login" {
		t.Errorf("%+v", got)
	}
	if got := ask(t, open(t, s.URL+"/loop/{id}", httpapi.Options{}), id); got.Status != 302 {
		t.Errorf("%+v", got)
	}
}

func TestHostileBodies(t *testing.T) {
	bodies := map[string]func(w http.ResponseWriter){
		"endless": func(w http.ResponseWriter) {
			for range 4096 {
				if _, err := w.Write(bytes.Repeat([]byte("<"), 1024)); err != nil {
					return
				}
			}
		},
		"bomb": func(w http.ResponseWriter) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			for range 1024 {
				if _, err := z.Write(make([]byte, 64<<10)); err != nil {
					return
				}
			}
			z.Close()
		},
		"terminal": func(w http.ResponseWriter) { fmt.Fprint(w, "\x1b]0;owned\x07 \x9b31m \xff\xfe ok\r\nrow") },
		"binary":   func(w http.ResponseWriter) { fmt.Fprint(w, "PNG\x00\x01\x02") },
		"echo":     func(w http.ResponseWriter) { fmt.Fprint(w, `{"you sent":"Bearer swordfish-9","part":"swordfish-9"}`) },
		"cut": func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "1000")
			fmt.Fprint(w, "half")
		},
	}
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		bodies[strings.Split(r.URL.Path, "/")[1]](w)
	})
	for name := range bodies {
		a := open(t, s.URL+"/"+name+"/{id}", httpapi.Options{Headers: map[string]string{"Authorization": "Bearer swordfish-9"}})
		got := ask(t, a, id)
		if len(got.Body) > 64<<10 || strings.ContainsAny(got.Body, "\x1b\x07\r\x00") || strings.Contains(got.Body, "swordfish") {
			t.Errorf("%s: %q", name, got.Body[:min(len(got.Body), 200)])
		}
		if (name == "endless" || name == "cut" || name == "binary") && got.BodyNote == "" {
			t.Errorf("%s: nothing says that something was left out", name)
		}
		if _, err := json.Marshal(got); err != nil {
			t.Error(err)
		}
	}
}

func TestNoAnswerIsBlind(t *testing.T) {
	release := make(chan struct{})
	slow := serve(t, func(http.ResponseWriter, *http.Request) { <-release })
	t.Cleanup(func() { close(release) })
	quick := httpapi.Options{Timeout: 100 * time.Millisecond}
	blind(t, open(t, slow.URL+"/{id}", quick), "did not answer in time")

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := "http://" + l.Addr().String() + "/{id}?key=hunter2"
	l.Close()
	a := open(t, closed, quick)
	blind(t, a, "refuses the connection")
	if st := a.Check(t.Context()); st.State != sources.StateFailed || !strings.Contains(st.Problem, "refuses") || strings.Contains(st.Problem+st.Summary, "hunter2") {
		t.Errorf("%+v", st)
	}

	secure := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(secure.Close)
	a = open(t, secure.URL+"/{id}", httpapi.Options{})
	blind(t, a, "does not trust")
	if st := a.Check(t.Context()); st.State != sources.StateFailed {
		t.Errorf("%+v", st)
	}
	pool := x509.NewCertPool()
	pool.AddCert(secure.Certificate())
	trusted := open(t, secure.URL+"/{id}", httpapi.Options{Roots: pool})
	if got := ask(t, trusted, id); got.Status != 200 {
		t.Errorf("%+v", got)
	}
	if st := trusted.Check(t.Context()); st.State != sources.StateReady {
		t.Errorf("%+v", st)
	}
	_, port, _ := net.SplitHostPort(secure.Listener.Addr().String())
	blind(t, open(t, "https://localhost:"+port+"/{id}", httpapi.Options{Roots: pool}), "another host")
	plain := serve(t, func(http.ResponseWriter, *http.Request) {})
	blind(t, open(t, strings.Replace(plain.URL, "http:", "https:", 1)+"/{id}", httpapi.Options{}), "does not speak TLS")

	hangup := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		c, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			c.Close()
		}
	})
	blind(t, open(t, hangup.URL+"/{id}", httpapi.Options{}), "closed the connection")
}

func TestSlowBodyKeepsTheStatus(t *testing.T) {
	release := make(chan struct{})
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusGone)
		fmt.Fprint(w, "gone")
		w.(http.Flusher).Flush()
		<-release
	})
	t.Cleanup(func() { close(release) })
	got := ask(t, open(t, s.URL+"/{id}", httpapi.Options{Timeout: 300 * time.Millisecond}), id)
	if got.Status != 410 || got.Body != "gone" || !strings.Contains(got.BodyNote, "broke off") {
		t.Fatalf("%+v", got)
	}
}

func TestCancel(t *testing.T) {
	release := make(chan struct{})
	s := serve(t, func(http.ResponseWriter, *http.Request) { <-release })
	t.Cleanup(func() { close(release) })
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	start := time.Now()
	_, err := open(t, s.URL+"/{id}", httpapi.Options{}).Ask(ctx, id, nil)
	if !errors.Is(err, context.Canceled) || time.Since(start) > 5*time.Second {
		t.Fatal(err, time.Since(start))
	}
}

func TestProxyIsUsed(t *testing.T) {
	var seen string
	proxy := serve(t, func(w http.ResponseWriter, r *http.Request) {
		seen = r.RequestURI
		w.WriteHeader(http.StatusTeapot)
	})
	u, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	a := open(t, "http://api.example.test/{id}", httpapi.Options{Proxy: http.ProxyURL(u)})
	if got := ask(t, a, "7"); got.Status != 418 || seen != "http://api.example.test/7" {
		t.Fatal(got, seen)
	}
	if st := a.Check(t.Context()); st.State != sources.StateReady {
		t.Errorf("%+v", st)
	}
}

func TestClockOffset(t *testing.T) {
	ahead := 90 * time.Second
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", time.Now().Add(ahead).UTC().Format(http.TimeFormat))
		if r.URL.Path == "/cached/7" {
			w.Header().Set("Age", "30")
		}
	})
	offset, within, ok := ask(t, open(t, s.URL+"/{id}", httpapi.Options{}), "7").ClockOffset()
	if !ok || (offset-ahead).Abs() > within || within < 500*time.Millisecond || within > 2*time.Second {
		t.Fatal(offset, within, ok)
	}
	if _, _, ok := ask(t, open(t, s.URL+"/cached/{id}", httpapi.Options{}), "7").ClockOffset(); ok {
		t.Error("a cached answer told a clock")
	}
}

func FuzzTemplate(f *testing.F) {
	f.Add("https://h/{id}", "x")
	f.Add("http://h:1/a?b={id}", "../..")
	f.Fuzz(func(t *testing.T, template, id string) {
		a, err := httpapi.Open(template, httpapi.Options{Proxy: func(*http.Request) (*url.URL, error) { return nil, errors.New("no network") }})
		if err != nil {
			return
		}
		defer a.Close()
		if a.Name() == "api:" {
			t.Fatal("no host")
		}
		if _, err := a.Ask(t.Context(), id, nil); err == nil {
			t.Fatal("asked")
		}
	})
}
