package wal

import (
	"bytes"
	"slices"
	"testing"
)

// without returns a copy of a shelf without some of its segments.
func (s *shelf) without(drop ...int) *shelf {
	out := &shelf{files: map[Segment][]byte{}}
	for i, g := range s.list {
		if !slices.Contains(drop, i) {
			out.list, out.files[g] = append(out.list, g), bytes.Clone(s.files[g])
		}
	}
	return out
}

// TestSourcesThatAgree compares copies that are older, cut short or not yet whole with their server, and histories that parted.
func TestSourcesThatAgree(t *testing.T) {
	t.Parallel()
	m := newMade(8, 1<<20)
	for len(m.b) < 4<<20+300<<10 {
		m.step()
	}
	server := m.shelf()
	// Another history: the same up to somewhere in the third segment, then others.
	fork := *m
	fork.b = bytes.Clone(m.b[:2<<20+400<<10])
	fork.rnd.IntN(10)
	for len(fork.b) < 4<<20+300<<10 {
		fork.step()
	}
	other := fork.shelf()

	half := server.without(3, 4)
	last := half.list[2]
	clear(half.files[last][600<<10+100:]) // copied while it was written
	old := server.without(3, 4)
	copy(old.files[old.list[2]][600<<10:], server.files[server.list[0]][600<<10:]) // and over what the file held before
	short := server.without(4)
	g := short.list[3]
	b := short.files[g][:300<<10+11]
	delete(short.files, g)
	g.Avail = int64(len(b))
	short.list[3], short.files[g] = g, b
	fresh := server.without(3, 4)
	clear(fresh.files[fresh.list[2]][PageSize:]) // only begun

	start := m.start
	for _, c := range []struct {
		name            string
		a, b            *shelf
		common          int
		from, to        LSN // Same lies between
		differs, beyond bool
	}{
		{"the same", server, server.without(), 5, start + 4<<20, start + 5<<20, false, false},
		{"an older copy", server, server.without(3, 4), 3, start + 3<<20 - PageSize, start + 3<<20, false, false},
		{"copied while written", server, half, 3, start + 2<<20 + 590<<10, start + 2<<20 + 600<<10, false, false},
		{"over older WAL", server, old, 3, start + 2<<20 + 590<<10, start + 2<<20 + 600<<10, false, false},
		{"cut short", server, short, 4, start + 3<<20 + 280<<10, start + 3<<20 + 300<<10, false, false},
		{"only begun", server, fresh, 3, start + 2<<20 - PageSize, start + 2<<20, false, false},
		{"segments from before", server.without(0, 1), server.without(2, 3, 4), 0, 0, 0, false, false},
		{"set back", server.without(3, 4), server, 3, start + 3<<20 - PageSize, start + 3<<20, false, true},
		{"another history", server, other, 5, start, start + 2<<20, true, false},
		{"another history before it parted", server, other.without(2, 3, 4), 2, start + 2<<20 - PageSize, start + 2<<20, false, false},
	} {
		got, err := Agree(t.Context(), c.a, c.b)
		if err != nil {
			t.Fatal(err)
		}
		if got.Common != c.common || got.Same < c.from || got.Same > c.to || (got.Differ != 0) != c.differs || got.Beyond != c.beyond {
			t.Errorf("%s: %+v", c.name, got)
		}
		if c.differs && (got.Differ < start+2<<20 || got.Differ%PageSize != 0) {
			t.Errorf("%s: they part at %s", c.name, got.Differ)
		}
	}
	broken := server.without()
	broken.broken = broken.list[4].Name
	if _, err := Agree(t.Context(), broken, server); err == nil {
		t.Error("a segment that cannot be read is told")
	}
}
