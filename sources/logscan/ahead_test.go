package logscan

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"

	"inquest/sources"
)

// rotated writes compressed files of one log: some in order, some that overlap,
// with silences, lines without a time, a missing rotation and a broken end.
func rotated(t *testing.T, seed uint64) *Log {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 7))
	l := &Log{Name: "log:app", Chunk: 4 << 10, Options: Options{Location: time.UTC}}
	now := time.Date(2025, 11, 27, 10, 0, 0, 0, time.UTC)
	dir := t.TempDir()
	for i := range 7 {
		var b bytes.Buffer
		for range 300 + rng.IntN(900) {
			switch now = now.Add(time.Duration(rng.IntN(3000)) * time.Millisecond); rng.IntN(60) {
			case 0:
				now = now.Add(time.Duration(rng.IntN(60)) * time.Minute)
			case 1:
				b.WriteString("\tat com.example.Service.run(Service.java:17) id=needle-7\n")
				continue
			case 2:
				fmt.Fprintf(&b, "%s INFO order needle-7 seen\n", now.Format("2006-01-02 15:04:05.000"))
				continue
			case 3:
				now = now.Add(-time.Duration(rng.IntN(90)) * time.Second)
			}
			fmt.Fprintf(&b, "%s INFO request %d served\n", now.Format("2006-01-02 15:04:05.000"), rng.IntN(1e6))
		}
		path := filepath.Join(dir, fmt.Sprintf("app.log.%d", 7-i))
		var out bytes.Buffer
		if i == 5 && seed%2 == 0 {
			out = b // one that is not compressed
		} else {
			z := gzip.NewWriter(&out)
			if _, err := z.Write(b.Bytes()); err != nil {
				t.Fatal(err)
			}
			if err := z.Close(); err != nil {
				t.Fatal(err)
			}
		}
		data := out.Bytes()
		if i == 2 {
			data = data[:len(data)*2/3]
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		st, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		f := NewFile(path, st)
		f.ModTime = now
		if i == 4 {
			f.Hole = "app.log.9 is missing"
		}
		l.Files = append(l.Files, f)
	}
	gone := *l.Files[3]
	gone.Path = filepath.Join(dir, "gone.gz")
	l.Files = append(l.Files[:4], append([]*File{&gone}, l.Files[4:]...)...)
	return l
}

func TestAheadGivesTheSame(t *testing.T) {
	for seed := range uint64(12) {
		for _, q := range []sources.LogQuery{
			{Needles: []sources.Needle{{Text: "needle-7", How: "the id"}}},
			{Needles: []sources.Needle{{Text: "needle-7", How: "the id"}}, Limit: 9},
			{Needles: []sources.Needle{{Text: "nowhere-7", How: "the id"}}},
			{Window: sources.Window{From: time.Date(2025, 11, 27, 11, 0, 0, 0, time.UTC), To: time.Date(2025, 11, 27, 11, 20, 0, 0, time.UTC)}, Limit: 50},
		} {
			want, errOne := rotated(t, seed).search(t.Context(), q, true)
			var told int64
			q.Progress = func(done, _ int64) { told = done }
			got, errTwo := rotated(t, seed).search(t.Context(), q, false)
			if errOne != nil || errTwo != nil {
				t.Fatalf("seed %d: %v, %v", seed, errOne, errTwo)
			}
			for _, r := range []*sources.LogResult{want, got} {
				for i, l := range r.Coverage.Limits { // they name a folder of the test's own
					r.Coverage.Limits[i] = filepath.Base(l)
				}
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("seed %d, %+v: one by one (-), two at a time (+)\n%s", seed, q.Needles, d)
			}
			if told == 0 {
				t.Error("no progress was told")
			}
		}
	}
}

func TestAheadIsCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	l := rotated(t, 3)
	q := sources.LogQuery{Needles: []sources.Needle{{Text: "needle-7", How: "the id"}}, Progress: func(int64, int64) { cancel() }}
	if _, err := l.Search(ctx, q); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
