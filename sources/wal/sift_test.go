package wal

import (
	"encoding/json"
	"math/rand/v2"
	"testing"
)

// TestGlanceAgreesWithKind asks both of records that may be anything.
func TestGlanceAgreesWithKind(t *testing.T) {
	t.Parallel()
	s, err := newSetup([]Target{madeTarget()}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(5, 6))
	m := newMade(3, 1<<20)
	settled := [3]int{}
	f := newSift(s)
	rounds := 300000
	if Raced {
		rounds = 50000
	}
	for range rounds {
		m.b = m.b[:0]
		m.step()
		raw := m.b[len(m.b)-len(m.b)%PageSize:] // of a record over several pages, the rest of it: as good as any
		if len(raw) > longHeader+RecordHeaderSize {
			raw = raw[longHeader:]
		}
		raw = append(raw, make([]byte, glimpse)...)[:max(len(raw), RecordHeaderSize)]
		for range rnd.IntN(3) {
			raw[4+rnd.IntN(min(len(raw), glimpse)-4)] ^= byte(rnd.Uint32())
		}
		n := uint32(len(raw))
		raw[0], raw[1], raw[2], raw[3] = byte(n), byte(n>>8), byte(n>>16), byte(n>>24)
		before := *f
		ask, end := f.glance((*[glimpse]byte)(append(raw[:n:n], make([]byte, glimpse)...)))
		if *f != before {
			t.Fatal("a glance changes nothing")
		}
		kind := f.kind(raw, m.magic)
		if ask == 0 && kind != []uint8{dull, plainEnd}[end] || ask != 0 && end != 0 {
			t.Fatalf("kind %d, a glance says %d, %d of %x", kind, ask, end, raw)
		}
		if ask == 0 {
			settled[kind]++
		}
	}
	if settled[dull] < rounds/30 || settled[plainEnd] < rounds/30 {
		t.Errorf("a glance was enough for %v only", settled)
	}
}

// TestEntriesThatArePassedOverTellNothing compares a walk that looks at every index entry.
func TestEntriesThatArePassedOverTellNothing(t *testing.T) {
	t.Parallel()
	found := 0
	for seed := range uint64(10) {
		m := newMade(seed, 1<<20)
		for len(m.b) < 1<<20 {
			m.step()
		}
		src := m.shelf()
		plan, err := MakePlan(t.Context(), src, 0)
		if err != nil {
			t.Fatal(err)
		}
		var told [2]string
		for i := range told {
			s, err := newSetup([]Target{madeTarget()}, Options{})
			if err != nil {
				t.Fatal(err)
			}
			ix := s.rels[madeIndex].index
			if len(ix.needle) != 16 {
				t.Fatalf("needle of %d bytes", len(ix.needle))
			}
			if i == 1 {
				ix.needle = nil
			}
			tr, _, err := s.forward(t.Context(), src, plan, &Lineage{}, nil)
			if err != nil {
				t.Fatal(err)
			}
			b, err := json.Marshal(tr.events)
			if err != nil {
				t.Fatal(err)
			}
			told[i] = string(b)
			for _, e := range tr.events {
				if e.Op == OpIndexLeaf {
					found++
				}
			}
		}
		if told[0] != told[1] {
			t.Fatalf("seed %d:\n%s", seed, difference(told[0], told[1]))
		}
	}
	if found == 0 {
		t.Error("no history shows the key in an index entry")
	}
}
