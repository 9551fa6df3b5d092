package wal

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestReadingAheadTellsTheSame walks WAL of all kinds, whole and damaged, with pieces looked through beforehand and without, and compares
// all that a Reader and a trace tell.
func TestReadingAheadTellsTheSame(t *testing.T) {
	t.Parallel()
	taken := 0
	seeds := uint64(30)
	if Raced {
		seeds = 6
	}
	for seed := range seeds {
		size := int64(1 << 20)
		if seed%10 == 9 {
			size = 4 << 20
		}
		m := newMade(seed, size)
		for int64(len(m.b)) < 3*size+int64(m.rnd.IntN(int(size))) {
			if m.step(); seed%3 > 0 && m.rnd.IntN(2500) == 0 {
				m.rare()
			}
		}
		for round := range 5 {
			rnd := rand.New(rand.NewPCG(seed, uint64(round)))
			s := m.shelf()
			if round > 0 {
				s.harm(rnd)
			}
			if len(s.list) == 0 {
				continue
			}
			ahead := &early{shelf: s}
			if rnd.IntN(4) == 0 {
				ahead.but = s.list[rnd.IntN(len(s.list))].Name
			}
			if rnd.IntN(8) == 0 {
				s.broken = s.list[rnd.IntN(len(s.list))].Name
			}
			opt := ReaderOptions{CheckCRC: rnd.IntN(4) > 0, chunk: []int64{PageSize, 3 * PageSize, 64 << 10, readChunk}[rnd.IntN(4)]}
			limits := map[LSN]LSN{}
			if rnd.IntN(3) == 0 {
				opt.From = m.start + LSN(rnd.IntN(len(m.b)))
			}
			if rnd.IntN(3) == 0 {
				opt.To = max(opt.From, m.start) + LSN(rnd.IntN(len(m.b)))
			}
			if rnd.IntN(4) == 0 {
				opt.MaxBytes = int64(rnd.IntN(len(m.b)))
			}
			if g := s.list[rnd.IntN(len(s.list))]; rnd.IntN(4) == 0 {
				limits[g.Start] = g.Start + LSN(rnd.IntN(int(size)))
			}
			want, got := walkOver(t, s, opt, limits), walkOver(t, ahead, opt, limits)
			if got != want {
				t.Fatalf("seed %d round %d, %+v limits %v:\n got %s\nwant %s", seed, round, opt, limits, got, want)
			}
			tr := Options{From: opt.From, To: opt.To, MaxBytes: opt.MaxBytes, SkipCRC: !opt.CheckCRC, chunk: opt.chunk}
			want, got = traced(t, s, tr), traced(t, ahead, tr)
			if got != want {
				t.Fatalf("seed %d round %d, %+v:\n%s", seed, round, tr, difference(got, want))
			}
			if strings.Contains(want, `"op": "insert"`) {
				taken++
			}
		}
	}
	if taken < int(seeds) {
		t.Errorf("only %d of the histories hold the key", taken)
	}
}

func difference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			from := max(i-20, 0)
			return fmt.Sprintf("got\n%s\nwant\n%s", strings.Join(g[from:min(i+10, len(g))], "\n"), strings.Join(w[from:min(i+10, len(w))], "\n"))
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(g), len(w))
}

// TestPiecesAreTaken holds that whole WAL is walked by what was found before, not the slow way.
func TestPiecesAreTaken(t *testing.T) {
	t.Parallel()
	m := newMade(1, 1<<20)
	for len(m.b) < 5<<20 {
		m.step()
	}
	s := &early{shelf: m.shelf()}
	plan, err := MakePlan(t.Context(), s, 0)
	if err != nil {
		t.Fatal(err)
	}
	r := NewReader(s, plan, ReaderOptions{CheckCRC: true, chunk: 128 << 10})
	inside := 0
	for r.Next(t.Context()) {
		if r.found.inside {
			inside++
		}
	}
	if int64(inside) < r.Records*9/10 || r.Records < 1000 {
		t.Errorf("%d of %d records were found before the Reader came to them", inside, r.Records)
	}
}

// TestWalkThatIsGivenUp stops in the middle: by the context, and by not asking for more.
func TestWalkThatIsGivenUp(t *testing.T) {
	t.Parallel()
	m := newMade(2, 1<<20)
	for len(m.b) < 5<<20 {
		m.step()
	}
	s := &early{shelf: m.shelf()}
	plan, err := MakePlan(t.Context(), s, 0)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r := NewReader(s, plan, ReaderOptions{CheckCRC: true})
	for r.Next(ctx) {
		if r.Records > 100 {
			cancel()
		}
	}
	if r.Err() == nil || r.pos > m.start+3<<20 {
		t.Errorf("a walk that was cancelled went on to %s: %v", r.pos, r.Err())
	}
	other := NewReader(s, plan, ReaderOptions{CheckCRC: true})
	for range 10 {
		other.Next(t.Context())
	}
	rec := string(other.Record().Raw)
	for i := 0; walkOver(t, s, ReaderOptions{}, nil) == "" || i < 3; i++ { // uses what the others gave back
		continue
	}
	if string(other.Record().Raw) != rec {
		t.Error("the record of a Reader that waits was overwritten by another's")
	}
}
