package logfile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	diff "github.com/google/go-cmp/cmp"

	"inquest/sources"
)

// told is a hit with the bytes that were done when it was told.
type told struct {
	position, raw string
	done          int64
}

// watched searches and returns what was told meanwhile.
func watched(t *testing.T, s sources.Source, q sources.LogQuery) (*sources.LogResult, []told) {
	t.Helper()
	var done atomic.Int64
	var got []told
	q.Progress = func(n, _ int64) { done.Store(n) }
	q.Found = func(e sources.Event) { got = append(got, told{e.Position, e.Raw, done.Load()}) }
	return search(t, s, q), got
}

func TestHitsAreToldBeforeTheSearchEnds(t *testing.T) {
	line := strings.Repeat("x", 200)
	var b strings.Builder
	for i := 0; b.Len() < 12<<20; i++ {
		what := line
		if i%9000 == 300 {
			what = id
		}
		fmt.Fprintf(&b, `{"time":%q,"level":"info","msg":%q}`+"\n", start.Add(time.Duration(i)*time.Second).Format(time.RFC3339), what)
	}
	p := write(t, t.TempDir(), "app.log", b.String())
	res, got := watched(t, open(t, p, Options{})[0], sources.LogQuery{Needles: sources.Spellings(id)})
	if len(res.Events) < 4 || len(got) != len(res.Events) {
		t.Fatalf("%d told, %d found", len(got), len(res.Events))
	}
	for i, e := range res.Events {
		if got[i].position != e.Position || got[i].raw != e.Raw {
			t.Errorf("told %+v, found %s", got[i], e.Position)
		}
	}
	if got[0].done > int64(b.Len())/4 {
		t.Errorf("the first hit, at the start, was told after %d of %d bytes", got[0].done, b.Len())
	}
}

func TestOnlyWhatIsKeptIsTold(t *testing.T) {
	p := write(t, t.TempDir(), "app.log", jsonLog(start, 1000, 10)+"no time "+id+"\n")
	res, got := watched(t, open(t, p, Options{})[0], sources.LogQuery{Needles: sources.Spellings(id), Limit: 7})
	if len(got) != 7 || res.Dropped != 94 {
		t.Errorf("%d told, %d dropped", len(got), res.Dropped)
	}
	q := sources.LogQuery{Needles: sources.Spellings(id), Window: sources.Around(start.Add(500*time.Second), 50*time.Second)}
	res, got = watched(t, open(t, p, Options{})[0], q)
	if len(res.Events) == 0 || len(got) != len(res.Events) {
		t.Errorf("%d told, %d in the window", len(got), len(res.Events))
	}
}

// TestHitsOfRotationsAreToldOnce has compressed files, of which two are searched at a time.
func TestHitsOfRotationsAreToldOnce(t *testing.T) {
	dir := t.TempDir()
	for i := range 4 {
		from := start.Add(-time.Duration(i) * time.Hour)
		write(t, dir, fmt.Sprintf("app.log.%d.gz", i+1), pack(t, "gz", jsonLog(from, 3000, 100+i)))
	}
	write(t, dir, "app.log", jsonLog(start.Add(time.Hour), 3000, 500))
	res, got := watched(t, open(t, dir, Options{})[0], sources.LogQuery{Needles: sources.Spellings(id)})
	byFile := func(list []string) map[string][]string {
		m := map[string][]string{}
		for _, p := range list {
			file, _, _ := strings.Cut(p, ":")
			m[file] = append(m[file], p)
		}
		return m
	}
	var positionsTold []string
	for _, g := range got {
		positionsTold = append(positionsTold, g.position)
	}
	if d := diff.Diff(byFile(positions(res)), byFile(positionsTold)); d != "" {
		t.Error(d)
	}
}

// TestARestartedSearchTellsOnce has a file that looks sorted wherever it is probed
// and is not: it is sought first and then read whole.
func TestARestartedSearchTellsOnce(t *testing.T) {
	lines := strings.SplitAfter(jsonLog(start, 150_000, 1000), "\n")
	at := 75_031
	early := lines[1000:1010]
	lines = slices.Concat(lines[:at], early, lines[at:])
	p := write(t, t.TempDir(), "app.log", strings.Join(lines, ""))
	q := sources.LogQuery{Needles: sources.Spellings(id), Window: sources.Around(start.Add(75_000*time.Second), 5000*time.Second)}
	res, got := watched(t, open(t, p, Options{})[0], q)
	if strings.Contains(strings.Join(res.Coverage.Limits, ""), "only around the window") {
		t.Fatal("it was not read whole", res.Coverage.Limits)
	}
	raws := func(list []told) (out []string) {
		for _, g := range list {
			out = append(out, g.raw)
		}
		slices.SortFunc(out, cmp.Compare[string])
		return out
	}
	var want []told
	for _, e := range res.Events {
		want = append(want, told{raw: e.Raw})
	}
	if d := diff.Diff(raws(want), raws(got)); d != "" || len(want) == 0 {
		t.Error(len(want), d)
	}
}
