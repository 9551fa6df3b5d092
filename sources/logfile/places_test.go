package logfile

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"inquest/sources"
)

type entry struct{ name, content string }

func tarOf(t *testing.T, list []entry) string {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range list {
		h := &tar.Header{Name: e.name, Mode: 0o600, Size: int64(len(e.content)), ModTime: start}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(e.content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func zipOf(t *testing.T, list []entry) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, e := range list {
		f, err := w.Create(e.name)
		if err == nil {
			_, err = f.Write([]byte(e.content))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func names(list []sources.Source) []string {
	var out []string
	for _, s := range list {
		out = append(out, s.Name())
	}
	return out
}

func closeAll(t *testing.T, list []sources.Source) {
	t.Helper()
	for _, s := range list {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestArchivesAreReadLikeFolders(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	list := []entry{
		{"../../etc/passwd.log", jsonLog(start, 5, 0)},
		{"var/log/app.log.2.gz", pack(t, "gz", jsonLog(start, 100, 100))},
		{"var/log/app.log.1", jsonLog(start.Add(100*time.Second), 100, 100)},
		{"var/log/app.log", jsonLog(start.Add(200*time.Second), 100, 100)},
		{"bin/tool", "\x7fELF\x00\x00"},
	}
	for name, data := range map[string]string{
		"b.tar": tarOf(t, list), "b.tgz": pack(t, "gz", tarOf(t, list)), "b.tar.zst": pack(t, "zst", tarOf(t, list)),
		"b.tar.xz": pack(t, "xz", tarOf(t, list)), "b.zip": zipOf(t, list),
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			all := open(t, write(t, dir, name, data), Options{})
			if diff := cmp.Diff([]string{"log:passwd.log", "log:app.log"}, names(all)); diff != "" {
				t.Fatal(diff)
			}
			if st := all[1].Check(t.Context()); st.State != sources.StateReady || !strings.HasPrefix(st.Summary, "3 files") {
				t.Errorf("%+v", st)
			}
			r := search(t, all[1], sources.LogQuery{Needles: sources.Spellings(id)})
			if diff := cmp.Diff([]string{"app.log.2.gz:100", "app.log.1:100", "app.log:100"}, positions(r)); diff != "" {
				t.Error(diff)
			}
			if !strings.Contains(r.Query, "var/log/app.log") || r.Coverage.Lines != 300 {
				t.Errorf("%s, %+v", r.Query, r.Coverage)
			}
			closeAll(t, all)
			closeAll(t, all)
			if left, _ := filepath.Glob(filepath.Join(os.TempDir(), "inquest-scratch-*")); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

func TestABrokenArchiveGivesWhatStandsBeforeTheBreak(t *testing.T) {
	z := tarOf(t, []entry{{"a.log", jsonLog(start, 1000, 100)}, {"b.log", jsonLog(start, 1000, 0)}})
	all := open(t, write(t, t.TempDir(), "b.tar", z[:len(z)-60_000]), Options{})
	defer closeAll(t, all)
	r := search(t, all[1], sources.LogQuery{Needles: sources.Spellings(id)})
	if len(r.Events) != 10 {
		t.Errorf("%d events", len(r.Events))
	}
	var said bool
	for _, s := range all {
		st := s.Check(t.Context())
		said = said || strings.Contains(st.Problem, "what stands behind that place is not read")
	}
	if !said {
		t.Error("the break is not told")
	}
	for _, c := range []string{"", "rubbish", "PK\x03\x04rubbish"} {
		for _, n := range []string{"x.zip", "x.tar", "x.tgz"} {
			all := open(t, write(t, t.TempDir(), n, c), Options{})
			if st := all[0].Check(t.Context()); st.State != sources.StateFailed {
				t.Errorf("%s %q: %+v", n, c, st)
			}
			closeAll(t, all)
		}
	}
}

func TestStandardInputIsReadOnce(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	all := open(t, "-", Options{Stdin: strings.NewReader(pack(t, "gz", jsonLog(start, 100, 50)))})
	for range 3 {
		r := search(t, all[0], sources.LogQuery{Needles: sources.Spellings(id)})
		if diff := cmp.Diff([]string{"stdin:50", "stdin:100"}, positions(r)); diff != "" {
			t.Fatal(diff)
		}
	}
	closeAll(t, all)
	if left, _ := os.ReadDir(os.TempDir()); len(left) > 0 || all[0].Name() != "log:stdin" {
		t.Errorf("left behind: %v, %s", left, all[0].Name())
	}
	var b *sources.Blind
	if _, err := Open("-", Options{}); !errors.As(err, &b) {
		t.Error(err)
	}
	r, w := io.Pipe() // an input that never ends does not hold up a cancelled search
	defer w.Close()
	all = open(t, "-", Options{Stdin: r})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := all[0].(sources.LogSearcher).SearchLogs(ctx, sources.LogQuery{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	w.Close()
	search(t, all[0], sources.LogQuery{})
	closeAll(t, all)
}

func TestSeveralPatternsHaveNamesOfTheirOwn(t *testing.T) {
	dir := t.TempDir()
	for _, d := range []string{"web", "api", "old/api"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, d), "app.log", jsonLog(start, 1, 0))
	}
	at := func(p string) string { return filepath.Join(dir, p) }
	all := OpenAll([]string{at("web"), at("api/app.log"), at("old/api"), at("web/app.log"), at("no.log"), at("no.log")}, func(string) Options { return Options{} })
	want := []string{"log:web/app.log", "log:" + filepath.Base(dir) + "/api/app.log", "log:old/api/app.log", "log:" + at("no.log")}
	if diff := cmp.Diff(want, names(all)); diff != "" {
		t.Error(diff)
	}
	if st := all[3].Check(t.Context()); st.State != sources.StateFailed || !strings.Contains(st.Problem, "no such file") {
		t.Errorf("%+v", st)
	}
}

// TestPermissionDenied runs as another user, because root may read everything.
func TestPermissionDenied(t *testing.T) {
	if dir := os.Getenv("INQUEST_DENIED"); dir != "" {
		for _, p := range []string{"secret.log", "closed", "closed/x.log"} {
			all, err := Open(filepath.Join(dir, p), Options{})
			if err == nil {
				_, err = all[0].(sources.LogSearcher).SearchLogs(t.Context(), sources.LogQuery{})
			}
			var b *sources.Blind
			if !errors.As(err, &b) || !strings.Contains(b.Why, "permission denied") || b.Opens == "" {
				t.Errorf("%s: %v", p, err)
			}
		}
		all := open(t, dir, Options{})
		if st := all[0].Check(t.Context()); len(all) != 1 || st.State != sources.StatePartial || !strings.Contains(st.Problem, "permission denied") {
			t.Errorf("%v %+v", names(all), st)
		}
		r := search(t, all[0], sources.LogQuery{})
		if g := r.Coverage; len(r.Events) != 3 || !strings.Contains(strings.Join(g.Limits, ";"), "not read: log "+filepath.Join(dir, "secret.log")+": permission denied") {
			t.Errorf("%+v", r)
		}
		return
	}
	dir, err := os.MkdirTemp("", "inquest-denied-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	write(t, dir, "secret.log", jsonLog(start.Add(time.Hour), 3, 0))
	write(t, dir, "secret.log.1", jsonLog(start, 3, 0))
	if err := os.Mkdir(filepath.Join(dir, "closed"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "closed"), "x.log", "")
	bin := filepath.Join(dir, "bin.test")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(self)
	if err == nil {
		err = os.WriteFile(bin, data, 0o755)
	}
	if err == nil {
		err = errors.Join(os.Chmod(dir, 0o755), os.Chmod(filepath.Join(dir, "secret.log"), 0), os.Chmod(filepath.Join(dir, "secret.log.1"), 0o644), os.Chmod(filepath.Join(dir, "closed"), 0))
	}
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(bin, "-test.run=^TestPermissionDenied$", "-test.v")
	cmd.Dir, cmd.Env = "/", append(os.Environ(), "INQUEST_DENIED="+dir, "TMPDIR=/tmp")
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := os.Chmod(filepath.Join(dir, "closed"), 0o700); err != nil {
		t.Fatal(err)
	}
}

// TestFilesThatChangeWhileTheyAreRead grows, shrinks, replaces and removes a
// file between its opening and the end of the search.
func TestFilesThatChangeWhileTheyAreRead(t *testing.T) {
	content := jsonLog(start, 60_000, 1000)
	for name, change := range map[string]func(t *testing.T, p string){
		"appended": func(t *testing.T, p string) {
			f, err := os.OpenFile(p, os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if _, err := f.WriteString(jsonLog(start.Add(70_000*time.Second), 500, 100)); err != nil {
				t.Fatal(err)
			}
		},
		"truncated": func(t *testing.T, p string) {
			if err := os.Truncate(p, int64(len(content))/4); err != nil {
				t.Fatal(err)
			}
		},
		"rotated": func(t *testing.T, p string) {
			if err := errors.Join(os.Rename(p, p+".1"), os.WriteFile(p, nil, 0o600)); err != nil {
				t.Fatal(err)
			}
		},
		"removed": func(t *testing.T, p string) {
			if err := os.Remove(p); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := write(t, t.TempDir(), "a.log", content)
			s := open(t, p, Options{})[0]
			s.(*Stream).log.Chunk = 64 << 10 // far more of them than are read ahead of the first that is told
			changed := false
			r := search(t, s, sources.LogQuery{Needles: sources.Spellings(id), Progress: func(int64, int64) {
				if !changed {
					changed = true
					change(t, p)
				}
			}})
			said := strings.Contains(strings.Join(r.Coverage.Limits, ";"), "became shorter while it was read")
			switch {
			case name == "truncated" && (len(r.Events) < 10 || len(r.Events) >= 60 || !said):
				t.Errorf("%d events, %q", len(r.Events), r.Coverage.Limits)
			case name != "truncated" && (len(r.Events) != 60 || said):
				t.Errorf("%d events, %q", len(r.Events), r.Coverage.Limits)
			}
			for _, e := range r.Events {
				if !strings.Contains(e.Raw, id) || e.Time.IsZero() {
					t.Errorf("%s: %q", e.Position, e.Raw)
				}
			}
		})
	}
}
