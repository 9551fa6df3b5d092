package logfile

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"inquest/sources"
	"inquest/sources/logformat"
)

// checkAgainstNaive searches a file in small and in large chunks, plain and
// packed: every line that holds the id must be in an event, every event must
// hold it, and all ways must give the same.
func checkAgainstNaive(t *testing.T, content string) {
	t.Helper()
	dir := t.TempDir()
	var first *sources.LogResult
	for _, how := range []string{"plain", "small", "gz"} {
		name, data := "a.log", content
		if how == "gz" {
			name, data = "b.log.gz", pack(t, "gz", content)
		}
		all, err := Open(write(t, dir, name, data), Options{})
		if err != nil {
			t.Fatal(err)
		}
		s := all[0].(*Stream)
		if how == "small" {
			s.log.Chunk = 700
		}
		r, err := s.SearchLogs(t.Context(), sources.LogQuery{Needles: []sources.Needle{{Text: id, How: "the id"}}, Limit: 1 << 20})
		if err != nil {
			if first == nil {
				return // not a text at all
			}
			t.Fatal(how, err)
		}
		if first == nil {
			first = r
			naive(t, content, r)
			continue
		}
		for i := range r.Events {
			r.Events[i].Source = "log:a.log"
			r.Events[i].Position = strings.Replace(r.Events[i].Position, "b.log.gz", "a.log", 1)
		}
		if how == "gz" {
			// Only the head of a packed file is sampled, so its format may be read otherwise.
			if len(content) < 192<<10 && len(r.Events) != len(first.Events) {
				t.Fatalf("gz: %d events, plain %d", len(r.Events), len(first.Events))
			}
			continue
		}
		if diff := cmp.Diff(positions(first), positions(r)); diff != "" {
			t.Fatal(how, diff)
		}
		if a, b := first.Coverage, r.Coverage; a.Lines != b.Lines || a.Unparsed != b.Unparsed || !a.From.Equal(b.From) || !a.To.Equal(b.To) || !cmp.Equal(a.Buckets, b.Buckets) {
			t.Fatalf("%s: coverage\n%+v\n%+v", how, a, b)
		}
	}
}

func naive(t *testing.T, content string, r *sources.LogResult) {
	t.Helper()
	var all strings.Builder
	for _, e := range r.Events {
		if !strings.Contains(e.Raw, id) {
			t.Fatalf("%s does not hold the id", e.Position)
		}
		all.WriteString(e.Raw + "\n")
	}
	lines := strings.Count(all.String(), id)
	if want := strings.Count(content, id); lines < want {
		t.Fatalf("the id stands %d times in the events, %d in the file", lines, want)
	}
}

func TestMixedFilesAgainstNaive(t *testing.T) {
	var samples []string
	for _, f := range logformat.All() {
		for _, s := range f.Samples {
			samples = append(samples, s.Text)
		}
	}
	samples = append(samples, "\tat x.y(Z.java:1)", "", "Caused by: "+id, strings.Repeat("z", 3000), "\x00\xff", "   "+id)
	r := rand.New(rand.NewPCG(9, 9))
	for range 25 {
		var b strings.Builder
		from, n := r.IntN(len(samples)), 1+r.IntN(5)
		for range 20 + r.IntN(400) {
			s := samples[(from+r.IntN(n))%len(samples)]
			if r.IntN(12) == 0 {
				at := r.IntN(len(s) + 1)
				s = s[:at] + " " + id + " " + s[at:]
			}
			b.WriteString(s + []string{"\n", "\n", "\r\n"}[r.IntN(3)])
		}
		checkAgainstNaive(t, b.String())
	}
}

func FuzzSearch(f *testing.F) {
	f.Add("2025-11-27 14:58:12 "+id+"\n\tmore "+id+"\n", "x")
	f.Add(`{"time":"2025-11-27T14:58:12Z","id":"`+id+`"}`, "\n")
	f.Fuzz(func(t *testing.T, a, b string) {
		if len(a)+len(b) < 1<<12 {
			checkAgainstNaive(t, strings.Repeat(a+"\n"+b+"\n"+id+b, 3))
		}
	})
}

func TestOpenManyFilesAndLoops(t *testing.T) {
	dir := t.TempDir()
	if err := os.Symlink(dir, filepath.Join(dir, "loop")); err != nil {
		t.Skip(err)
	}
	for i := range 25 {
		write(t, dir, "app-"+strings.Repeat("x", i%7)+".log."+string(rune('1'+i%9)), "2025-11-27 14:58:12 x\n")
	}
	if got := open(t, dir, Options{}); len(got) != 7 {
		t.Errorf("%d streams", len(got))
	}
}
