package loki

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"inquest/sources"
	"inquest/sources/logstore"
	"inquest/sources/logstore/logstoretest"
)

// lokiVersion is the version that tools/loki builds; a test compares the two.
const lokiVersion = "v3.7.8"

// program is where tools/loki/build puts the server.
func program() string {
	dir := os.Getenv("INQUEST_LOKI_CACHE")
	if dir == "" {
		cache := os.Getenv("XDG_CACHE_HOME")
		home := os.Getenv("HOME")
		switch {
		case runtime.GOOS == "darwin" && os.Geteuid() == 0:
			cache = "/Library/Caches"
		case runtime.GOOS == "darwin":
			cache = filepath.Join(home, "Library", "Caches")
		case os.Geteuid() == 0:
			cache = "/var/cache"
		case cache == "":
			cache = filepath.Join(home, ".cache")
		}
		dir = filepath.Join(cache, "inquest", "loki")
	}
	return filepath.Join(dir, lokiVersion, "loki")
}

// settings is a server with a tenant for each test. Structured metadata, tenants
// and small limits are what a large installation has.
const settings = `
auth_enabled: true
server:
  http_listen_address: 127.0.0.1
  http_listen_port: %[2]d
  grpc_listen_address: 127.0.0.1
  grpc_listen_port: %[3]d
  log_level: error
common:
  instance_addr: 127.0.0.1
  path_prefix: %[1]s/data
  storage:
    filesystem: {chunks_directory: %[1]s/data/chunks, rules_directory: %[1]s/data/rules}
  replication_factor: 1
  ring: {kvstore: {store: inmemory}}
ingester:
  lifecycler: {min_ready_duration: 0s}
schema_config:
  configs:
    - {from: 2020-01-01, store: tsdb, object_store: filesystem, schema: v13, index: {prefix: index_, period: 24h}}
limits_config:
  reject_old_samples: false
  allow_structured_metadata: true
  ingestion_rate_mb: 100
  ingestion_burst_size_mb: 100
  per_stream_rate_limit: 100MB
  per_stream_rate_limit_burst: 100MB
runtime_config:
  file: %[1]s/tenants.yaml
analytics: {reporting_enabled: false}
`

// tenants are those with limits of their own.
const tenants = `
overrides:
  short:
    max_query_length: 6h
  few:
    max_entries_limit_per_query: 100
  forgetful:
    max_query_lookback: 2h
    retention_period: 720h
`

var shared struct {
	once sync.Once
	url  string
	err  error
	stop func()
}

func TestMain(m *testing.M) {
	code := m.Run()
	if shared.stop != nil {
		shared.stop()
	}
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// server returns the address of a real Loki that all tests share.
func server(t *testing.T) string {
	t.Helper()
	if _, err := os.Stat(program()); err != nil {
		if os.Getenv("INQUEST_REQUIRE_LOKI") != "" {
			t.Fatalf("there is no Loki at %s: tools/loki/build builds it", program())
		}
		t.Skipf("SKIPPED: there is no Loki at %s: tools/loki/build builds it", program())
	}
	shared.once.Do(func() { shared.url, shared.stop, shared.err = start() })
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.url
}

// start runs a server. Another program may take a port that was just free.
func start() (address string, stop func(), err error) {
	for range 3 {
		if address, stop, err = startOnce(); !errors.Is(err, errPortTaken) {
			return address, stop, err
		}
	}
	return "", nil, err
}

var errPortTaken = errors.New("a port of the tests' Loki was taken by another program")

// startOnce runs a server that ends with this process, however that ends: its
// keeper waits for the end of its standard input.
func startOnce() (address string, stop func(), err error) {
	dir, err := os.MkdirTemp("", "inquest-loki-*")
	if err != nil {
		return "", nil, err
	}
	ports, err := freePorts(2)
	if err != nil {
		return "", nil, err
	}
	config, log := filepath.Join(dir, "loki.yaml"), filepath.Join(dir, "log")
	err = errors.Join(
		os.WriteFile(config, fmt.Appendf(nil, settings, dir, ports[0], ports[1]), 0o600),
		os.WriteFile(filepath.Join(dir, "tenants.yaml"), []byte(tenants), 0o600))
	if err != nil {
		return "", nil, err
	}
	cmd := exec.Command("sh", "-c", `"$0" -config.file="$1" </dev/null >"$3" 2>&1 & read -r x; kill -9 $! 2>/dev/null; wait; rm -rf "$2"`, program(), config, dir, log)
	in, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return "", nil, err
	}
	stop = func() {
		in.Close()
		_ = cmd.Wait()
		http.DefaultClient.CloseIdleConnections()
	}
	address = fmt.Sprintf("http://127.0.0.1:%d", ports[0])
	var said []byte
	for range 600 {
		res, err := http.Get(address + "/ready")
		if err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return address, stop, nil
			}
		}
		if said, _ = os.ReadFile(log); bytes.Contains(said, []byte("address already in use")) {
			stop()
			return "", nil, errPortTaken
		}
		time.Sleep(200 * time.Millisecond)
	}
	stop()
	return "", nil, fmt.Errorf("the Loki of the tests is not ready after two minutes: %s", said)
}

func freePorts(n int) ([]int, error) {
	var out []int
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		out = append(out, l.Addr().(*net.TCPAddr).Port)
	}
	return out, nil
}

// said is a line with its time and what stands beside it.
type said struct {
	at   time.Time
	line string
	meta map[string]string
}

// push sends lines to a tenant, and waits until the last can be read.
func push(t *testing.T, address, tenant string, stream map[string]string, lines ...said) {
	t.Helper()
	for chunk := lines; len(chunk) > 0; {
		n := min(len(chunk), 5000)
		values := make([][]any, 0, n)
		for _, s := range chunk[:n] {
			v := []any{strconv.FormatInt(s.at.UnixNano(), 10), s.line}
			if s.meta != nil {
				v = append(v, s.meta)
			}
			values = append(values, v)
		}
		chunk = chunk[n:]
		body, err := json.Marshal(map[string]any{"streams": []any{map[string]any{"stream": stream, "values": values}}})
		if err != nil {
			t.Fatal(err)
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address+"/loki/api/v1/push", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("X-Scope-OrgID", tenant)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		answer, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode != http.StatusNoContent {
			t.Fatalf("push: %d %s", res.StatusCode, answer)
		}
	}
	flush(t, address, tenant, stream, lines)
}

// flush writes lines to chunks whose time is older than what Loki looks for in
// memory, and waits until the first and the last are found.
func flush(t *testing.T, address, tenant string, stream map[string]string, lines []said) {
	t.Helper()
	if lines[0].at.After(time.Now().Add(-150 * time.Minute)) {
		return
	}
	res, err := http.Post(address+"/flush", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	l := open(t, address, labels(stream), Options{HTTP: logstore.Options{Headers: map[string]string{"X-Scope-OrgID": tenant}}})
	if tenant == "forgetful" {
		return // it does not show them by design
	}
	for _, s := range []said{lines[0], lines[len(lines)-1]} {
		for try := 0; ; try++ {
			list, _, err := l.lines(t.Context(), l.selector, sources.Window{From: s.at, To: s.at.Add(1)}, 1, false)
			if err == nil && len(list) > 0 {
				break
			}
			if try == 300 {
				t.Fatalf("the line of %s is not found a minute after it was written: %v", s.at, err)
			}
			time.Sleep(200 * time.Millisecond)
		}
	}
}

// of opens a selector of a tenant of the real server.
func of(t *testing.T, tenant, selector string, opt Options) *Loki {
	t.Helper()
	opt.HTTP.Headers = map[string]string{"X-Scope-OrgID": tenant}
	return open(t, server(t), selector, opt)
}

func open(t *testing.T, address, selector string, opt Options) *Loki {
	t.Helper()
	l, err := Open(address, selector, opt)
	return logstoretest.Opened(t, l, err)
}

func TestTheProgramsPlace(t *testing.T) {
	out, err := exec.Command("bash", "../../tools/loki/build", "--where").Output()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(string(out)); got != program() {
		t.Fatalf("tools/loki/build keeps the server at %s, the tests look at %s", got, program())
	}
}
