package command

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"inquest/sources"
)

// fakeKubectl speaks as kubectl 1.31 does and writes down how it was called.
const fakeKubectl = `
printf '%s\n' "$*" >> "$KUBECTL_LOG"
case "$*" in
*missing*) echo 'Error from server (NotFound): pods "missing" not found' >&2; exit 1;;
*secret*) echo 'Error from server (Forbidden): pods "secret" is forbidden: User "me" cannot get resource "pods/log" in API group "" in the namespace "prod"' >&2; exit 1;;
*away*) echo 'The connection to the server 10.0.0.1:6443 was refused - did you specify the right host or port?' >&2; exit 1;;
*--tail=1*) echo '[pod/api-1/app] 2025-11-27T14:58:12.104321987Z hi'; exit 0;;
*--previous*)
	echo '[pod/api-1/app] 2025-11-27T13:00:00.000000001Z {"level":"info","msg":"made","id":"ID"}'
	echo 'error: previous terminated container "db" in pod "api-1" not found'
	exit 0;;
esac
echo '[pod/api-1/app] 2025-11-27T14:58:12.104321987Z {"level":"error","msg":"gone","id":"ID","request_id":"r1"}'
echo '[pod/api-1/db] 2025-11-27T14:58:12.100000000Z 2025-11-27 14:58:12.100 UTC [42] ann@app ERROR:  duplicate key value'
echo '[pod/api-1/app] 2025-11-27T14:59:12.104321987Z plain [pod/x/y] line'
echo '[pod/api-1/db] 2025-11-27T14:58:12.100000001Z 2025-11-27 14:58:12.100 UTC [42] ann@app DETAIL:  Key (id)=(ID) already exists.'
echo '[pod/api-1/db] 2025-11-27T14:58:13.100000001Z 2025-11-27 14:58:13.100 UTC [42] ann@app LOG:  statement: SELECT 1'
`

func kube(t *testing.T, args string) (s *Source, calls func() []string) {
	t.Helper()
	log := filepath.Join(t.TempDir(), "calls")
	t.Setenv("KUBECTL_LOG", log)
	program(t, "kubectl", strings.ReplaceAll(fakeKubectl, "ID", id))
	s, err := Kubectl(args, Options{ID: id, Window: sources.Window{From: start}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, s) })
	return s, func() []string {
		b, _ := os.ReadFile(log)
		return strings.Split(strings.TrimSpace(string(b)), "\n")
	}
}

func TestKubectl(t *testing.T) {
	s, calls := kube(t, "-n prod -l 'app=api, tier=web'")
	if st := s.Check(t.Context()); st.State != sources.StateReady {
		t.Errorf("%+v", st)
	}
	var r *sources.LogResult
	for range 2 {
		r = search(t, s, ofID())
	}
	if diff := cmp.Diff([]string{"api-1/app:1", "api-1/app (previous):1", "api-1/db:1"}, positions(r)); diff != "" {
		t.Fatal(diff)
	}
	app, previous, db := r.Events[0], r.Events[1], r.Events[2]
	if app.Level != sources.LevelError || app.RequestID != "r1" || app.Message != "gone" || !app.Time.Equal(time.Date(2025, 11, 27, 14, 58, 12, 104321987, time.UTC)) {
		t.Errorf("%+v", app)
	}
	if previous.Message != "made" || previous.Time.Hour() != 13 {
		t.Errorf("%+v", previous)
	}
	if db.Format != "postgres" || db.Fields["detail"] != "Key (id)=("+id+") already exists." || db.Fields["pid"] != "42" {
		t.Errorf("%+v", db)
	}
	want := []string{
		"logs --timestamps --prefix --all-containers --tail=1 --max-log-requests=100 -n prod -l app=api, tier=web",
		"logs --timestamps --prefix --all-containers --tail=-1 --max-log-requests=100 --since-time=2025-11-27T14:00:00Z --previous --ignore-errors -n prod -l app=api, tier=web",
		"logs --timestamps --prefix --all-containers --tail=-1 --max-log-requests=100 --since-time=2025-11-27T14:00:00Z -n prod -l app=api, tier=web",
	}
	if diff := cmp.Diff(want, calls()); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(r.Query, "; kubectl logs --timestamps") || !strings.Contains(r.Query, "'app=api, tier=web'") {
		t.Error(r.Query)
	}
	if v := r.Coverage; v.Lines != 6 || !strings.Contains(v.Format, "postgres in timestamped") || !strings.Contains(strings.Join(v.Limits, ";"), "deleted pod") {
		t.Errorf("%+v", v)
	}
}

func TestKubectlThatCannotLook(t *testing.T) {
	for args, want := range map[string][2]string{
		"missing":        {`pods "missing" not found`, "-n"},
		"-n prod secret": {"cannot get resource", "pods/log"},
		"away":           {"was refused", "context"},
	} {
		s, _ := kube(t, args)
		if opens := blind(t, s, ofID(), want[0]); !strings.Contains(opens, want[1]) {
			t.Error(opens)
		}
		if st := s.Check(t.Context()); st.State != sources.StateFailed || !strings.Contains(st.Problem, want[0]) {
			t.Errorf("%+v", st)
		}
	}
	for _, args := range []string{"", "-f pod", "pod --follow", "'open"} {
		if _, err := Kubectl(args, Options{}); err == nil {
			t.Errorf("%q was taken", args)
		}
	}
	t.Setenv("PATH", t.TempDir())
	s, err := Kubectl("pod", Options{})
	if err != nil {
		t.Fatal(err)
	}
	blind(t, s, ofID(), "kubectl was not found on PATH")
}

func TestWordsAreSplitAndNotRead(t *testing.T) {
	got, err := words(`-n "a b" 'c'"d" $(x) \;  e\ f ''`)
	if diff := cmp.Diff([]string{"-n", "a b", "cd", "$(x)", ";", "e f", ""}, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

const fakeDocker = `
printf '%s\n' "$*" >> "$DOCKER_LOG"
case "$*" in
*gone*) echo "Error response from daemon: No such container: gone" >&2; exit 1;;
*denied*) echo "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock" >&2; exit 1;;
*syslogged*) echo "Error response from daemon: configured logging driver does not support reading" >&2; exit 1;;
inspect*) echo "running, log driver json-file"; exit 0;;
esac
echo '2025-11-27T14:58:12.104321987Z {"level":"info","msg":"made","id":"ID"}'
echo '2025-11-27T14:58:13.104321987Z {"level":"warn","msg":"x","id":"ID"}' >&2
echo 'WARNING: from docker itself' >&2
`

func TestDocker(t *testing.T) {
	log := filepath.Join(t.TempDir(), "calls")
	t.Setenv("DOCKER_LOG", log)
	program(t, "docker", strings.ReplaceAll(fakeDocker, "ID", id))
	s, err := Docker("api", Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, s)
	if st := s.Check(t.Context()); st.State != sources.StateReady || st.Summary != "container api, running, log driver json-file" {
		t.Errorf("%+v", st)
	}
	q := ofID()
	q.Window = sources.Window{From: start, To: start.Add(time.Hour)}
	r := search(t, s, q)
	if diff := cmp.Diff([]string{"api stderr:1", "api stdout:1"}, positions(r)); diff != "" {
		t.Fatal(diff)
	}
	if r.Query != "docker logs --timestamps --since 2025-11-27T14:00:00Z --until 2025-11-27T15:00:00Z api" || r.Coverage.Lines != 2 || r.Events[0].Level != sources.LevelWarning {
		t.Errorf("%+v", r)
	}
	for name, want := range map[string]string{"gone": "docker ps -a", "denied": "docker group", "syslogged": "log driver"} {
		s, err := Docker(name, Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer closed(t, s)
		if opens := blind(t, s, ofID(), "docker logs ended with exit status 1: "); !strings.Contains(opens, want) {
			t.Error(opens)
		}
		if st := s.Check(t.Context()); st.State != sources.StateFailed {
			t.Errorf("%+v", st)
		}
	}
	if _, err := Docker("--rm", Options{}); err == nil {
		t.Error("an option was taken for a name")
	}
	if b, _ := os.ReadFile(log); slices.Contains(strings.Fields(string(b)), id) {
		t.Errorf("the id was sent: %s", b)
	}
}
