package journald

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"inquest/sources"
	"inquest/sources/logscan"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	id   = "e7a4bff2-adc7-4847-a9d8-25734601b405"
	boot = "0123456789abcdef0123456789abcdef"
)

var start = time.Date(2025, 11, 27, 14, 0, 0, 0, time.UTC)

// entry is one entry in the journal's export format.
func entry(after time.Duration, fields ...string) string {
	var b bytes.Buffer
	fmt.Fprintf(&b, "__REALTIME_TIMESTAMP=%d\n__MONOTONIC_TIMESTAMP=%d\n_BOOT_ID=%s\n_HOSTNAME=db1\n", start.Add(after).UnixMicro(), after.Microseconds(), boot)
	for i := 0; i < len(fields); i += 2 {
		name, value := fields[i], fields[i+1]
		if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0xFFFD }) {
			b.WriteString(name + "\n")
			_ = binary.Write(&b, binary.LittleEndian, uint64(len(value)))
			b.WriteString(value + "\n")
			continue
		}
		b.WriteString(name + "=" + value + "\n")
	}
	b.WriteString("\n")
	return b.String()
}

// journal writes a real journal file and returns its folder.
func journal(t *testing.T, entries ...string) string {
	t.Helper()
	tool := "/lib/systemd/systemd-journal-remote"
	if _, err := os.Stat(tool); err != nil {
		if os.Getenv("INQUEST_REQUIRE_SERVER") != "" {
			t.Fatal("systemd-journal-remote is not installed (.ci/install does it)")
		}
		t.Skip("*** SKIPPED, NOT PASSED: systemd-journal-remote is not installed: apt-get install systemd-journal-remote")
	}
	dir := t.TempDir()
	in := filepath.Join(t.TempDir(), "export")
	if err := os.WriteFile(in, []byte(strings.Join(entries, "")), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(tool, "--output="+filepath.Join(dir, "test.journal"), in).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return dir
}

func open(t *testing.T, what string, opt Options) *Journal {
	t.Helper()
	j, err := Open(what, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(j.Close(), j.Close()); err != nil {
			t.Error(err)
		}
	})
	return j
}

func search(t *testing.T, j *Journal, q sources.LogQuery) *sources.LogResult {
	t.Helper()
	r, err := j.SearchLogs(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func postgres(after time.Duration, pid, text string) string {
	return entry(after, "PRIORITY", "6", "_PID", pid, "_COMM", "postgres", "_SYSTEMD_UNIT", "postgresql@15-main.service", "SYSLOG_IDENTIFIER", "postgres", "_TRANSPORT", "stdout", "MESSAGE", text)
}

func sample(t *testing.T) string {
	list := []string{
		entry(0, "PRIORITY", "6", "_PID", "1", "_COMM", "systemd", "_SYSTEMD_UNIT", "init.scope", "MESSAGE", "Started PostgreSQL."),
		entry(time.Minute, "PRIORITY", "3", "_PID", "77", "_COMM", "api", "_SYSTEMD_UNIT", "api.service", "MESSAGE", `{"level":"error","msg":"not found","id":"`+id+`","request_id":"r1"}`),
		entry(2*time.Minute, "PRIORITY", "4", "_PID", "77", "_SYSTEMD_UNIT", "api.service", "ORDER_ID", id, "MESSAGE", "bytes \xff\x01 here"),
		postgres(3*time.Minute, "42", "2025-11-27 14:03:00.000 UTC [42] ann@app ERROR:  duplicate key value violates unique constraint"),
		entry(3*time.Minute+1, "PRIORITY", "6", "_PID", "9", "_COMM", "sshd", "_SYSTEMD_UNIT", "ssh.service", "MESSAGE", "Accepted publickey"),
		postgres(3*time.Minute+2, "42", "2025-11-27 14:03:00.000 UTC [42] ann@app DETAIL:  Key (id)=("+id+") already exists."),
		postgres(3*time.Minute+3, "42", "2025-11-27 14:03:00.000 UTC [42] ann@app STATEMENT:  INSERT INTO t"),
		postgres(3*time.Minute+4, "42", "\tVALUES ($1)"),
		entry(4*time.Minute, "PRIORITY", "2", "_TRANSPORT", "kernel", "SYSLOG_IDENTIFIER", "kernel", "MESSAGE", "Out of memory: Killed process 42 (postgres)"),
		entry(5*time.Minute, "PRIORITY", "5", "_TRANSPORT", "driver", "_COMM", "systemd-journal", "MESSAGE_ID", idDropped, "OBJECT_SYSTEMD_UNIT", "api.service", "N_DROPPED", "88", "MESSAGE", "Suppressed 88 messages from api.service"),
		entry(6*time.Minute, "PRIORITY", "6", "_TRANSPORT", "driver", "MESSAGE", "Vacuuming done, freed 128.0M of archived journals from /var/log/journal/x."),
		entry(7*time.Minute, "PRIORITY", "5", "_TRANSPORT", "syslog", "MESSAGE_ID", idDropped, "MESSAGE", "Suppressed 1 messages from liar.service"),
		entry(8*time.Minute, "PRIORITY", "6", "_SYSTEMD_UNIT", "api.service", "MESSAGE", strings.Repeat("long ", 3000)+id),
	}
	return journal(t, list...)
}

func TestARealJournal(t *testing.T) {
	dir := sample(t)
	j := open(t, "dir:"+dir, Options{})
	if st := j.Check(t.Context()); st.State != sources.StateReady || st.Summary != "systemd journal of db1, newest entry 2025-11-27T14:08:00Z" {
		t.Errorf("%+v", st)
	}
	var r *sources.LogResult
	for range 2 { // the second time from what is kept
		r = search(t, j, sources.LogQuery{Needles: sources.Spellings(id)})
	}
	var got []string
	for _, e := range r.Events {
		got = append(got, fmt.Sprintf("%s|%s|%s|%s", e.Position, e.Format, e.Level, e.Message[:min(20, len(e.Message))]))
	}
	want := []string{
		"journal entry 2 boot 01234567|journald|error|not found",
		"journal entry 3 boot 01234567|journald|warning|bytes \uFFFD\x01 here",
		"journal entry 4 boot 01234567|postgres|error|duplicate key value ",
		"journal entry d boot 01234567|journald|info|long long long long ",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatal(diff)
	}
	if e := r.Events[0]; e.RequestID != "r1" || !e.Time.Equal(start.Add(time.Minute)) || e.Fields["_PID"] != "77" || e.Fields["_SYSTEMD_UNIT"] != "api.service" || !strings.HasPrefix(e.Fields["__CURSOR"], "s=") || e.Source != "journal:"+dir {
		t.Errorf("%+v", e)
	}
	if e := r.Events[2]; e.Fields["detail"] != "Key (id)=("+id+") already exists." || e.Fields["statement"] != "INSERT INTO t\nVALUES ($1)" || e.Actor != "ann" || strings.Contains(e.Raw, "publickey") {
		t.Errorf("%+v", e)
	}
	v := r.Coverage
	if !strings.HasPrefix(v.Format, "postgres in journald") || v.Lines != 13 || !v.From.Equal(start) || !v.To.Equal(start.Add(8*time.Minute)) {
		t.Errorf("%+v", v)
	}
	gaps := []sources.Gap{{From: start.Add(2 * time.Minute), To: start.Add(5 * time.Minute), Reason: "journald's rate limit: Suppressed 88 messages from api.service"}}
	if diff := cmp.Diff(gaps, v.Gaps); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(strings.Join(v.Limits, ";"), "Vacuuming done") {
		t.Error(v.Limits)
	}
	if r.Query != "journalctl --output=json --all --no-pager --directory="+dir {
		t.Error(r.Query)
	}
	r = search(t, j, sources.LogQuery{Needles: []sources.Needle{{Text: "Out of memory: Killed process"}}})
	if len(r.Events) != 1 || r.Events[0].Format != "journald" || r.Events[0].Level != sources.LevelFatal {
		t.Errorf("%+v", r.Events)
	}
}

func TestTheWindowIsPushedDown(t *testing.T) {
	dir := sample(t)
	j := open(t, "dir:"+dir, Options{Window: sources.Window{From: start}})
	w := sources.Window{From: start.Add(30 * time.Second), To: start.Add(150*time.Second + time.Millisecond)}
	r := search(t, j, sources.LogQuery{Window: w})
	if len(r.Events) != 2 || r.Coverage.Lines != 2 || !strings.HasSuffix(r.Query, " --since=@1764252030 --until=@1764252151") {
		t.Errorf("%+v", r)
	}
	r = search(t, j, sources.LogQuery{Window: sources.Window{From: start.Add(time.Hour), To: start.Add(2 * time.Hour)}})
	if len(r.Events) != 0 || r.Coverage.Lines != 0 || !strings.Contains(strings.Join(r.Coverage.Limits, ";"), "no entry in that stretch") {
		t.Errorf("%+v", r)
	}
}

// TestALargeJournalIsSearchedByJournalctl sets the limit so low that the test's
// journal is above it.
func TestALargeJournalIsSearchedByJournalctl(t *testing.T) {
	dir := sample(t)
	j := open(t, "dir:"+dir, Options{Whole: 1})
	r := search(t, j, sources.LogQuery{Needles: sources.Spellings(id)})
	var got []string
	for _, e := range r.Events {
		got = append(got, e.Position)
	}
	if diff := cmp.Diff([]string{"journal entry 2 boot 01234567", "journal entry 6 boot 01234567", "journal entry d boot 01234567"}, got); diff != "" {
		t.Error(diff)
	}
	if v := r.Coverage; !v.From.Equal(start) || !v.To.Equal(start.Add(8*time.Minute)) || !strings.Contains(strings.Join(v.Limits, ";"), "journalctl --grep looked at the messages only") {
		t.Errorf("%+v", v)
	}
	if r = search(t, j, sources.LogQuery{Needles: []sources.Needle{{Text: "(nowhere)"}}}); len(r.Events) != 0 || r.Coverage.From.IsZero() {
		t.Errorf("%+v", r)
	}
}

func TestOnlyAServersUnit(t *testing.T) {
	list := []string{}
	for i := range 300 {
		list = append(list, postgres(time.Duration(i)*time.Second, "42", "2025-11-27 14:00:00.000 UTC [42] ann@app LOG:  statement: DELETE FROM t WHERE id = '"+id+"'"))
	}
	r := search(t, open(t, "dir:"+filepath.Join(journal(t, list...), "test.journal"), Options{}), sources.LogQuery{Needles: sources.Spellings(id)})
	if len(r.Events) != 300 || r.Events[7].Op != sources.OpDelete || r.Events[7].Format != "postgres" || !r.Events[7].Time.Equal(start.Add(7*time.Second)) {
		t.Errorf("%d %+v", len(r.Events), r.Coverage)
	}
}

func TestWhatCannotBeReadIsBlind(t *testing.T) {
	var b *sources.Blind
	if _, err := Open("dir:/nowhere", Options{}); !errors.As(err, &b) || !strings.Contains(b.Why, "no such file") {
		t.Error(err)
	}
	for name, c := range map[string][3]string{
		"denied":  {`echo "Failed to open /x: Permission denied" >&2; exit 1`, "Permission denied", "systemd-journal"},
		"none":    {`echo "No journal files were found." >&2; exit 0`, "no journal files", "dir:PATH"},
		"no unit": {`exit 0`, "no entry of api.service", "list-units"},
		"slow":    {`exec sleep 30`, "still running after 300ms", "shorter window"},
		"rubbish": {`echo '{"x":1}'`, "not understood", ""},
	} {
		t.Run(name, func(t *testing.T) {
			fake(t, c[0])
			j := open(t, "api.service", Options{Timeout: 300 * time.Millisecond})
			if name == "slow" {
				_, err := j.SearchLogs(t.Context(), sources.LogQuery{Window: sources.Around(start, time.Hour)})
				if !errors.As(err, &b) || !strings.Contains(b.Why, c[1]) || !strings.Contains(b.Opens, c[2]) {
					t.Errorf("%v", err)
				}
				return
			}
			if st := j.Check(t.Context()); st.State != sources.StateFailed || !strings.Contains(st.Problem, c[1]) || !strings.Contains(st.Problem, c[2]) {
				t.Errorf("%+v", st)
			}
			if name == "rubbish" {
				return
			}
			if _, err := j.SearchLogs(t.Context(), sources.LogQuery{}); !errors.As(err, &b) || !strings.Contains(b.Why, c[1]) {
				t.Error(err)
			}
		})
	}
	t.Setenv("PATH", t.TempDir())
	if _, err := open(t, "", Options{}).SearchLogs(t.Context(), sources.LogQuery{}); !errors.As(err, &b) || !strings.Contains(b.Why, "journalctl was not found") {
		t.Error(err)
	}
}

// fake puts a journalctl on PATH.
func fake(t *testing.T, script string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "journalctl"), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
}

// TestRecordedOutput reads what journalctl printed on another machine, with
// what a real one was seen to do: a hint on standard error, null and array fields.
func TestRecordedOutput(t *testing.T) {
	fake(t, `echo "Hint: You are currently not seeing messages from other users and the system." >&2
cat <<'EOF'
{"__CURSOR":"s=1;i=1f;b=abcdef0123;m=1;t=2;x=3","__REALTIME_TIMESTAMP":"1764252000000000","PRIORITY":"6","_SYSTEMD_UNIT":"api.service","MESSAGE":[109,97,100,101,255,`+ints(" "+id)+`]}
{"__CURSOR":"s=1;i=20;b=abcdef0123;m=1;t=2;x=3","__REALTIME_TIMESTAMP":"1764252001000000","PRIORITY":"6","TAG":["a","b"],"_SYSTEMD_UNIT":"api.service","MESSAGE":null}
EOF`)
	j := open(t, "api.service", Options{Options: logscan.Options{}})
	if r := search(t, j, sources.LogQuery{Needles: sources.Spellings(id)}); len(r.Events) != 1 || r.Events[0].Why != "names the id" {
		t.Errorf("%+v", r.Events)
	}
	r := search(t, j, sources.LogQuery{})
	if len(r.Events) != 2 || r.Events[0].Message != "made\uFFFD "+id || r.Events[1].Fields["TAG"] != "a\nb" || r.Events[1].Position != "journal entry 20 boot abcdef01" {
		t.Errorf("%+v", r.Events)
	}
	if !strings.Contains(r.Query, "--unit=api.service") || !strings.Contains(strings.Join(r.Coverage.Limits, ";"), "only this user's entries") {
		t.Errorf("%s %q", r.Query, r.Coverage.Limits)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := open(t, "x.service", Options{}).SearchLogs(ctx, sources.LogQuery{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func ints(s string) string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint([]byte(s)), " ", ","), "[]")
}

// TestHitsAreToldWhileTheJournalIsRead has a journalctl that prints an entry and waits
// for it to be seen.
func TestHitsAreToldWhileTheJournalIsRead(t *testing.T) {
	seen := filepath.Join(t.TempDir(), "seen")
	line := func(i int) string {
		return fmt.Sprintf(`{"__CURSOR":"s=1;i=%x;b=abcdef0123456789","__REALTIME_TIMESTAMP":"17642554921%05d","MESSAGE":"made %s"}`, i, i, id)
	}
	fake(t, `case "$*" in *disk-usage*) exit 0;; esac
echo '`+line(10)+`'
while [ ! -e '`+seen+`' ]; do sleep 0.02; done
echo '`+line(11)+`'
`)
	var got []string
	r := search(t, open(t, "", Options{}), sources.LogQuery{Needles: sources.Spellings(id), Found: func(e sources.Event) {
		got = append(got, e.Position)
		if err := os.WriteFile(seen, nil, 0o600); err != nil {
			t.Error(err)
		}
	}})
	var want []string
	for _, e := range r.Events {
		want = append(want, e.Position)
	}
	if diff := cmp.Diff(want, got); diff != "" || len(got) != 2 || got[0] != "journal entry a boot abcdef01" {
		t.Errorf("%v %s", got, diff)
	}
}
