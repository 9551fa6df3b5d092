package command

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"inquest/sources"
)

// TestHitsAreToldWhileTheProgramRuns has programs that print a hit and then wait
// for it to be seen.
func TestHitsAreToldWhileTheProgramRuns(t *testing.T) {
	seen := filepath.Join(t.TempDir(), "seen")
	script := func(line string) string {
		return strings.NewReplacer("LINE", strings.ReplaceAll(line, "ID", id), "SEEN", seen).Replace(`
echo 'LINE'
while [ ! -e 'SEEN' ]; do sleep 0.02; done
echo 'LINE'
`)
	}
	json := `{"time":"2025-11-27T14:58:12.104Z","msg":"made","id":"ID"}`
	stamp := "2025-11-27T14:58:12.104321987Z "
	program(t, "kubectl", script("[pod/api-1/app] "+stamp+json))
	program(t, "docker", script(stamp+json))
	kubectl, err := Kubectl("pod", Options{})
	if err != nil {
		t.Fatal(err)
	}
	docker, err := Docker("api", Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		s    *Source
		want []string
	}{
		{New("app", script(json), Options{}), []string{"app:1", "app:2"}},
		{docker, []string{"api stdout:1", "api stdout:2"}},
		{kubectl, []string{"api-1/app (previous):1", "api-1/app (previous):2", "api-1/app:1", "api-1/app:2"}},
	} {
		os.Remove(seen)
		var got []string
		q := ofID()
		q.Found = func(e sources.Event) {
			got = append(got, e.Position)
			if e.Message != "made" || e.Source != c.s.Name() || e.Time.Minute() != 58 {
				t.Errorf("%+v", e)
			}
			if err := os.WriteFile(seen, nil, 0o600); err != nil {
				t.Error(err)
			}
		}
		r := search(t, c.s, q)
		if diff := cmp.Diff(c.want, got); diff != "" || len(r.Events) != len(c.want) {
			t.Errorf("%s: %d events, told %s", c.s.Name(), len(r.Events), diff)
		}
		got = nil
		search(t, c.s, q) // of what was kept
		if len(got) != len(c.want) {
			t.Errorf("%s: told %v the second time", c.s.Name(), got)
		}
		closed(t, c.s)
	}
}

// TestHitsOfARemoteHostAreToldWhereTheyStand compares what is told while the far
// side searches with the result, also for a query that wants whole files.
func TestHitsOfARemoteHostAreToldWhereTheyStand(t *testing.T) {
	dir, _ := remoteHost(t)
	put(t, dir, "app.log.1", lines(start, 500, 100), start)
	put(t, dir, "app.log.2.gz", lines(start, 500, 200), start)
	s := over(t, "host:"+dir, Options{})
	var got []string
	q := ofID()
	q.Found = func(e sources.Event) {
		got = append(got, e.Position)
		if e.NoTime || e.Message != "served" {
			t.Errorf("%+v", e)
		}
	}
	want := positions(search(t, s, q))
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" || len(want) != 7 {
		t.Errorf("%d: %s", len(want), diff)
	}
}
