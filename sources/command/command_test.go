package command

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"inquest/sources"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const id = "e7a4bff2-adc7-4847-a9d8-25734601b405"

var start = time.Date(2025, 11, 27, 14, 0, 0, 0, time.UTC)

// program puts a shell script on PATH under a name.
func program(t *testing.T, name, script string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
}

func search(t *testing.T, s *Source, q sources.LogQuery) *sources.LogResult {
	t.Helper()
	r, err := s.SearchLogs(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func blind(t *testing.T, s *Source, q sources.LogQuery, want string) (opens string) {
	t.Helper()
	_, err := s.SearchLogs(t.Context(), q)
	var b *sources.Blind
	if !errors.As(err, &b) || !strings.Contains(b.Why, want) {
		t.Fatalf("%v, want %q", err, want)
	}
	return b.Opens
}

func ofID() sources.LogQuery { return sources.LogQuery{Needles: sources.Spellings(id)} }

func closed(t *testing.T, s *Source) {
	t.Helper()
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Error(err)
	}
}

func positions(r *sources.LogResult) []string {
	var out []string
	for _, e := range r.Events {
		out = append(out, e.Position)
	}
	return out
}

func TestOutputIsALog(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	count := filepath.Join(t.TempDir(), "runs")
	s := New("app", `echo run >> `+count+`; for i in 1 2 3; do echo '{"time":"2025-11-27T14:58:1'$i'Z","msg":"made","id":"`+id+`"}'; echo '{"time":"2025-11-27T14:59:00Z"}'; done`, Options{ID: id})
	if st := s.Check(t.Context()); st.State != sources.StateReady {
		t.Errorf("%+v", st)
	}
	for range 3 {
		r := search(t, s, ofID())
		if diff := cmp.Diff([]string{"app:1", "app:3", "app:5"}, positions(r)); diff != "" {
			t.Fatal(diff)
		}
		if v := r.Coverage; v.Format != "json" || v.Lines != 6 || v.From.IsZero() || !strings.HasPrefix(r.Query, "echo run") || r.Events[0].Source != "cmd:app" {
			t.Errorf("%+v %s", v, r.Query)
		}
	}
	search(t, s, sources.LogQuery{Window: sources.Around(start, time.Hour)})
	if b, _ := os.ReadFile(count); string(b) != "run\n" {
		t.Errorf("it ran %q", b)
	}
	st, err := filepath.Glob(filepath.Join(os.TempDir(), "inquest-scratch-*", "*"))
	if err != nil || len(st) != 1 {
		t.Fatal(st, err)
	}
	if fi, _ := os.Stat(st[0]); fi.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", fi.Mode())
	}
	closed(t, s)
	if left, _ := os.ReadDir(os.TempDir()); len(left) > 0 {
		t.Errorf("left behind %v", left)
	}
	blind(t, s, ofID(), "closed")
}

func TestPlaceholders(t *testing.T) {
	s := New("app", `printf '%s\n' "2025-11-27T14:58:12Z from={from}" to={to} '{id}' "a{id}b" {id} x{id}`, Options{ID: id})
	defer closed(t, s)
	w := sources.Window{From: start.Add(300 * time.Millisecond), To: start.Add(time.Hour + time.Millisecond)}
	r := search(t, s, sources.LogQuery{Needles: sources.Spellings(id), Window: w})
	want := `printf '%s\n' "2025-11-27T14:58:12Z from=2025-11-27T14:00:00Z" to=2025-11-27T15:00:01Z '` + id + `' "a` + id + `b" ` + id + ` x` + id
	if r.Query != want || len(r.Events) == 0 {
		t.Errorf("%s\n%+v", r.Query, r.Events)
	}
	if raw := r.Events[0].Raw; !strings.Contains(raw, "from=2025-11-27T14:00:00Z\nto=2025-11-27T15:00:01Z\n"+id+"\na"+id+"b\n"+id+"\nx"+id) {
		t.Errorf("%q", raw)
	}
	// Another needle cannot be absent from lines that were chosen by the id.
	r = search(t, s, sources.LogQuery{Needles: []sources.Needle{{Text: "from="}}, Window: w})
	if len(r.Events) != 1 || !r.Coverage.From.IsZero() || !strings.Contains(strings.Join(r.Coverage.Limits, ";"), "asked for the id") {
		t.Errorf("%+v", r)
	}
}

// TestAHostileIDRunsNothing gives ids that would run a program, wherever the
// placeholder stands: the id arrives as one argument or is refused.
func TestAHostileIDRunsNothing(t *testing.T) {
	mark := filepath.Join(t.TempDir(), "mark")
	program(t, "touchit", "touch "+mark)
	program(t, "ssh", `shift; exec sh -c "$*"`)
	program(t, "show", `for a; do printf '2025-11-27T14:58:12Z <%s>\n' "$a"; done`)
	ids := []string{
		"$(touchit)", "`touchit`", "x'; touchit; '", `x"; touchit; "`, "a\ntouchit\n", "; touchit", "&& touchit #", "| touchit", "$IFS", "a b", "*", "\\", "'", `"`, `'"'"'`, "{from}", "${HOME}", "é; touchit",
	}
	commands := []string{
		"show {id}", "show x={id}y", "show '{id}'", `show "{id}"`, `show "a 'b {id} c' d"`, `show 'a "b {id} c" d'`, `show "$(show {id})"`, `show "$(show "{id}")"`, "show `show {id}`",
		"show a # it's\nshow {id}", "show \"it's\" {id}", `show \'{id}\'`, `show $(echo ')') {id}`, "cat <<EOF\n{id}\nEOF", "cat <<'EOF'\n{id}\nEOF", "ssh host show {id}", "sh -c 'show {id}'", `sh -c "show {id}"`,
		`eval "show {id}"`, "eval show {id}", "show ${x:-{id}}", `show "${x:-{id}}"`, `bash -c 'show '{id}`, `show $'a\'{id}'`, `case x in x) show {id};; esac`, `show "$( (show ")") ; show {id} )" {id}`,
	}
	for _, text := range commands {
		for _, hostile := range ids {
			s := New("x", text, Options{ID: hostile, Timeout: 10 * time.Second})
			r, err := s.SearchLogs(t.Context(), sources.LogQuery{Needles: []sources.Needle{{Text: hostile}}})
			var b *sources.Blind
			if err != nil && !errors.As(err, &b) {
				t.Errorf("%q with %q: %v", text, hostile, err)
			}
			if err == nil && text == "show {id}" && (len(r.Events) == 0 || !strings.Contains(r.Events[0].Raw, "<"+hostile+">")) {
				t.Errorf("%q: %+v", hostile, r)
			}
			closed(t, s)
			if _, err := os.Stat(mark); err == nil {
				t.Fatalf("%q with %q ran a program", text, hostile)
			}
		}
	}
	s := New("x", "show {id}", Options{ID: "-rf"})
	defer closed(t, s)
	blind(t, s, ofID(), "hyphen")
}

func TestACommandThatFails(t *testing.T) {
	for name, c := range map[string]struct{ text, why, opens string }{
		"not found": {"nosuchprogram-x {id}", "nosuchprogram-x", "full path"},
		"status":    {"echo one >&2; echo 'no such pod' >&2; exit 3", "ended with exit status 3: one; no such pod", "by hand"},
		"nothing":   {"exit 1", "exit status 1", "|| true"},
		"slow":      {"sleep 60", "still running after 300ms", "{from}"},
		"killed":    {"kill -9 $$", "signal: killed", ""},
		"floods":    {"while :; do echo 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'; done", "more than 1 MiB", "{from}"},
		"no end":    {"yes | head -c 4000000 | tr -d '\\n'", "more than 1 MiB", ""},
	} {
		t.Run(name, func(t *testing.T) {
			o := Options{ID: id, Timeout: 20 * time.Second, Most: 1 << 20}
			if name == "slow" {
				o.Timeout = 300 * time.Millisecond
			}
			s := New("x", c.text, o)
			defer closed(t, s)
			if opens := blind(t, s, ofID(), c.why); !strings.Contains(opens, c.opens) {
				t.Error(opens)
			}
		})
	}
	s := New("x", "nosuchprogram-x a", Options{})
	if st := s.Check(t.Context()); st.State != sources.StateFailed || !strings.Contains(st.Problem, "nosuchprogram-x was not found") {
		t.Errorf("%+v", st)
	}
	if st := New("x", "echo 'a", Options{}).Check(t.Context()); st.State != sources.StateFailed || !strings.Contains(st.Problem, "cannot read the command") {
		t.Errorf("%+v", st)
	}
}

func TestNothingPrintedIsNotBlind(t *testing.T) {
	s := New("x", "true", Options{})
	defer closed(t, s)
	r := search(t, s, ofID())
	if len(r.Events) != 0 || r.Coverage.Lines != 0 || !r.Coverage.From.IsZero() || r.Coverage.Limits[0] != "the command printed nothing" || r.Query != "true" {
		t.Errorf("%+v", r)
	}
}

// TestAFailureHalfWay keeps what was found and covers nothing.
func TestAFailureHalfWay(t *testing.T) {
	s := New("x", `echo '2025-11-27T14:58:12Z made `+id+`'; echo '2025-11-27T14:58:13Z x'; echo 'connection reset' >&2; exit 1`, Options{})
	defer closed(t, s)
	r := search(t, s, ofID())
	if len(r.Events) != 1 || len(r.Coverage.Gaps) != 1 || !strings.Contains(r.Coverage.Gaps[0].Reason, "connection reset") || r.Coverage.Covers(sources.Around(start.Add(58*time.Minute+12*time.Second), time.Millisecond)) {
		t.Errorf("%+v", r)
	}
	blind(t, s, sources.LogQuery{Needles: []sources.Needle{{Text: "other"}}}, "connection reset")
}

// TestCancelEndsTheWholeGroup starts a child of a child and cancels.
func TestCancelEndsTheWholeGroup(t *testing.T) {
	pid := filepath.Join(t.TempDir(), "pid")
	s := New("x", `(sh -c 'echo $$ > `+pid+`; exec sleep 300') | cat`, Options{})
	defer closed(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	var ended time.Time
	go func() {
		for range 500 {
			if b, _ := os.ReadFile(pid); len(b) > 0 {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		ended = time.Now()
		cancel()
	}()
	_, err := s.SearchLogs(ctx, ofID())
	if took := time.Since(ended); !errors.Is(err, context.Canceled) || took > 2*time.Second {
		t.Errorf("%v after %v", err, took)
	}
	b, err := os.ReadFile(pid)
	if err != nil {
		t.Fatal(err)
	}
	for range 100 { // gone, or dead and not yet collected by whoever collects orphans
		st, err := os.ReadFile(fmt.Sprintf("/proc/%s/stat", strings.TrimSpace(string(b))))
		if err != nil || strings.Contains(string(st), ") Z ") {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Error("the child of the child lives on")
}

func TestWindowsAreAskedForOnce(t *testing.T) {
	log := filepath.Join(t.TempDir(), "runs")
	s := New("x", `echo {from} {to} >> `+log+`; echo "2025-11-27T14:30:00Z hi"`, Options{Window: sources.Window{From: start, To: start.Add(time.Hour)}})
	defer closed(t, s)
	for _, w := range []sources.Window{
		{}, {From: start.Add(time.Minute), To: start.Add(time.Hour)}, {From: start.Add(-time.Hour), To: start.Add(time.Minute)}, {From: start.Add(time.Minute)}, {To: start.Add(time.Minute)},
	} {
		search(t, s, sources.LogQuery{Window: w})
	}
	b, _ := os.ReadFile(log)
	if want := "2025-11-27T14:00:00Z 2025-11-27T15:00:00Z\n2025-11-27T13:00:00Z 2025-11-27T14:01:00Z\n"; string(b) != want {
		t.Errorf("%s", b)
	}
}
