package command

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"inquest/sources"
	"inquest/sources/logfile"
)

// fakeSSH speaks as OpenSSH does, and runs the script on this host.
const fakeSSH = `
printf '%s\n' "$*" >> "$SSH_LOG"
case "$*" in
*away*) echo "ssh: Could not resolve hostname away: Name or service not known" >&2; exit 255;;
*locked*) echo "me@locked: Permission denied (publickey,password)." >&2; exit 255;;
*unknown*) echo "Host key verification failed." >&2; exit 255;;
*cut*) head -c 100000 | sh | head -c 900; echo "Connection to cut closed by remote host." >&2; exit 255;;
esac
while [ "$1" != -- ]; do shift; done
shift 2
exec sh -c "$*"
`

func remoteHost(t *testing.T) (dir string, calls func() string) {
	t.Helper()
	log := filepath.Join(t.TempDir(), "calls")
	t.Setenv("SSH_LOG", log)
	program(t, "ssh", fakeSSH)
	dir = filepath.Join(t.TempDir(), "it's a $(folder)")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir, func() string {
		b, _ := os.ReadFile(log)
		return string(b)
	}
}

func put(t *testing.T, dir, name, content string, changed time.Time) string {
	t.Helper()
	p := filepath.Join(dir, name)
	if strings.HasSuffix(name, ".gz") {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		if _, err := w.Write([]byte(content)); err != nil || w.Close() != nil {
			t.Fatal(err)
		}
		content = b.String()
	}
	if err := os.WriteFile(p, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(p, changed, changed); err != nil {
		t.Fatal(err)
	}
	return p
}

// lines writes n JSON lines a second apart; every each'th names the id.
func lines(from time.Time, n, each int) string {
	var b strings.Builder
	for i := range n {
		who := fmt.Sprintf("%08x", i)
		if each > 0 && i%each == each-1 {
			who = id
		}
		fmt.Fprintf(&b, `{"time":%q,"level":"info","msg":"served","id":%q}`+"\n", from.Add(time.Duration(i)*time.Second).Format(time.RFC3339), who)
	}
	return b.String()
}

func over(t *testing.T, target string, opt Options) *Source {
	t.Helper()
	opt.ID = id
	s, err := SSH(target, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, s) })
	return s
}

// TestSSHFindsWhatALocalSearchFinds compares with the search of the same files
// on this host.
func TestSSHFindsWhatALocalSearchFinds(t *testing.T) {
	dir, calls := remoteHost(t)
	put(t, dir, "app.log.2.gz", lines(start, 1000, 300), start.Add(1000*time.Second))
	put(t, dir, "app.log.1", lines(start.Add(1000*time.Second), 1000, 3), start.Add(2000*time.Second))
	put(t, dir, "app.log", lines(start.Add(2000*time.Second), 500, 500)+`{"time":"2025-11-27T15:00:00Z","level":"error","msg":"no end of line"}`, start.Add(2500*time.Second))
	put(t, dir, "db.log", "2025-11-27 14:58:12.104 UTC [42] a@b ERROR:  bad\n2025-11-27 14:58:12.104 UTC [42] a@b STATEMENT:  DELETE\n\tFROM t WHERE id = '"+id+"'\n2025-11-27 14:58:13.104 UTC [42] a@b LOG:  x\n", start)
	for _, name := range []string{"app.log", "db.log", "app.log*", ""} {
		s := over(t, "me@db1:"+filepath.Join(dir, name), Options{})
		if st := s.Check(t.Context()); st.State != sources.StateReady || !strings.Contains(st.Summary, "on me@db1") {
			t.Fatalf("%+v", st)
		}
		got := search(t, s, ofID())
		var want []sources.Event
		here := name
		if name == "app.log" { // over ssh a file comes with its rotations
			here = "app.log*"
		}
		local, err := logfile.Open(filepath.Join(dir, here), logfile.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var count int64
		for _, l := range local {
			r, err := l.(sources.LogSearcher).SearchLogs(t.Context(), ofID())
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range r.Events {
				e.Source = s.Name()
				want = append(want, e)
			}
			count += r.Coverage.Lines
			if len(local) == 1 && (!got.Coverage.From.Equal(r.Coverage.From) || !got.Coverage.To.Equal(r.Coverage.To)) {
				t.Errorf("%q: %v to %v, here %v to %v", name, got.Coverage.From, got.Coverage.To, r.Coverage.From, r.Coverage.To)
			}
		}
		byPlace := func(list []sources.Event) map[string]sources.Event {
			m := map[string]sources.Event{}
			for _, e := range list {
				m[e.Position] = e
			}
			return m
		}
		if diff := cmp.Diff(byPlace(want), byPlace(got.Events)); diff != "" || len(want) != len(got.Events) || len(want) == 0 {
			t.Fatalf("%q: %d events, here %d: %s", name, len(got.Events), len(want), diff)
		}
		if got.Coverage.Lines != count || len(got.Coverage.Gaps) > 0 {
			t.Errorf("%q: %d lines, here %d, %+v", name, got.Coverage.Lines, count, got.Coverage)
		}
		every := search(t, s, sources.LogQuery{Limit: 1 << 20}) // nothing to look for: the files travel
		if every.Coverage.Lines != count {
			t.Errorf("%q: %d lines travelled of %d", name, every.Coverage.Lines, count)
		}
	}
	if c := calls(); strings.Contains(c, id) || !strings.HasPrefix(c, "-o BatchMode=yes -o ConnectTimeout=15 -T -- me@db1 exec sh\n") {
		t.Error(c)
	}
}

func TestSSHSkipsWhatIsOlderThanTheWindow(t *testing.T) {
	dir, _ := remoteHost(t)
	put(t, dir, "app.log.1", lines(start.Add(-48*time.Hour), 100, 10), start.Add(-47*time.Hour))
	put(t, dir, "app.log", lines(start, 100, 10), start.Add(time.Hour))
	s := over(t, "db1:"+dir+"/app.log", Options{})
	q := ofID()
	q.Window = sources.Window{From: start, To: start.Add(time.Minute)}
	r := search(t, s, q)
	if len(r.Events) != 6 || r.Coverage.Lines != 100 || !strings.Contains(strings.Join(r.Coverage.Limits, ";"), "app.log.1 was not read") {
		t.Errorf("%+v", r.Coverage)
	}
	if !strings.HasPrefix(r.Query, "ssh -o BatchMode=yes -o ConnectTimeout=15 -T -- db1 'exec sh' <<'END'\n") || !strings.Contains(r.Query, "-e '"+id+"'") {
		t.Error(r.Query)
	}
}

func TestSSHThatCannotLook(t *testing.T) {
	dir, _ := remoteHost(t)
	put(t, dir, "app.log", lines(start, 3000, 100), start)
	for host, want := range map[string][2]string{
		"away": {"Could not resolve hostname", "network"}, "locked": {"Permission denied (publickey", "without a password"}, "unknown": {"Host key", "by hand"},
		"db1": {"no such file", "--ssh"}, "cut": {"closed by remote host", ""},
	} {
		p := dir + "/app.log"
		if host == "db1" {
			p = "/nowhere/app.log"
		}
		s := over(t, host+":"+p, Options{})
		q := sources.LogQuery{Needles: []sources.Needle{{Text: "not in there"}}}
		if opens := blind(t, s, q, want[0]); !strings.Contains(opens, want[1]) {
			t.Errorf("%s: %s", host, opens)
		}
		if st := s.Check(t.Context()); st.State != sources.StateFailed {
			t.Errorf("%+v", st)
		}
		if host == "cut" { // what came until then is kept, and covers nothing
			r := search(t, s, sources.LogQuery{})
			if len(r.Events) == 0 || len(r.Coverage.Gaps) != 1 || !strings.Contains(r.Coverage.Gaps[0].Reason, want[0]) {
				t.Errorf("%+v", r.Coverage)
			}
			continue
		}
		if opens := blind(t, s, sources.LogQuery{}, want[0]); opens == "" {
			t.Errorf("%s: no remedy", host)
		}
	}
	for _, target := range []string{"db1", ":/x", "db1:", "-oProxyCommand=x:/y", "a b:/x", "$(x):/y"} {
		if _, err := SSH(target, Options{}); err == nil {
			t.Errorf("%q was taken", target)
		}
	}
	if h, p, ok := cutTarget("me@[fe80::1]:/var/x"); !ok || h != "me@fe80::1" || p != "/var/x" {
		t.Error(h, p, ok)
	}
}

func TestSSHInjectsNothing(t *testing.T) {
	dir, _ := remoteHost(t)
	mark := filepath.Join(t.TempDir(), "mark")
	program(t, "touchit", "touch "+mark)
	put(t, dir, "a.log", "2025-11-27T14:58:12Z x'; touchit; ' $(touchit)\n", start)
	for _, hostile := range []string{"x'; touchit; '", "$(touchit)", "`touchit`", "\ntouchit\n", "END\ntouchit", `\'; touchit`} {
		for _, p := range []string{dir + "/a.log", "/x'; touchit; '", "/$(touchit)", "/`touchit`", "/*; touchit", "~/; touchit"} {
			s := over(t, "db1:"+p, Options{})
			r, err := s.SearchLogs(t.Context(), sources.LogQuery{Needles: []sources.Needle{{Text: hostile}}})
			if p == dir+"/a.log" && (err != nil || len(r.Events) > 1) {
				t.Errorf("%q: %v %v", hostile, r, err)
			}
			if p == dir+"/a.log" && strings.Contains("x'; touchit; ' $(touchit)", hostile) && len(r.Events) != 1 {
				t.Errorf("%q was not found", hostile)
			}
		}
	}
	if _, err := os.Stat(mark); err == nil {
		t.Fatal("a program ran")
	}
}
