package probes

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"inquest/sources/wal"
)

// walUnion is one Source over several that hold WAL of the same cluster: the
// server's own segments and archived ones beside them.
type walUnion struct {
	parts  []wal.Source
	names  []string
	origin map[wal.Segment]int
	own    []bool // by part: it is the running server's own WAL
	notes  []string
}

// qualify adds what a way of reading WAL does not show: where there is such a
// thing, an empty lineage is no proof.
func (u *walUnion) qualify(l *wal.Lineage) {
	for _, p := range u.parts {
		if limited, ok := p.(interface{ Limits() []string }); ok {
			l.Missed = append(l.Missed, limited.Limits()...)
		}
	}
}

// remark takes up what a source says of how it got its WAL.
func (u *walUnion) remark(source any) {
	if n, ok := source.(interface{ Notes() []string }); ok {
		u.notes = append(u.notes, n.Notes()...)
	}
}

func (u *walUnion) add(name string, s wal.Source, own bool) {
	u.parts = append(u.parts, s)
	u.names = append(u.names, name)
	u.own = append(u.own, own)
}

// live reports whether one part is the running server's own WAL.
func (u *walUnion) live() bool { return slices.Contains(u.own, true) }

// only returns the union of the server's own parts, or of the others.
func (u *walUnion) only(own bool) *walUnion {
	out := &walUnion{}
	if !own {
		out.notes = u.notes // the server's own WAL has none
	}
	for i, p := range u.parts {
		if u.own[i] == own {
			out.add(u.names[i], p, own)
		}
	}
	return out
}

func (u *walUnion) name() string { return strings.Join(u.names, " and ") }

// List implements wal.Source.
func (u *walUnion) List(ctx context.Context) ([]wal.Segment, error) {
	u.origin = map[wal.Segment]int{}
	var out []wal.Segment
	for i, p := range u.parts {
		list, err := p.List(ctx)
		if err != nil {
			return nil, err
		}
		for _, s := range list {
			u.origin[s] = i
		}
		out = append(out, list...)
	}
	return out, nil
}

// ReadAt implements wal.Source.
func (u *walUnion) ReadAt(ctx context.Context, seg wal.Segment, off int64, n int) ([]byte, error) {
	i, ok := u.origin[seg]
	if !ok {
		return nil, fmt.Errorf("segment %s is not in the list", seg.Name)
	}
	return u.parts[i].ReadAt(ctx, seg, off, n)
}

// ReadInto implements wal.IntoReader for the parts that do.
func (u *walUnion) ReadInto(ctx context.Context, seg wal.Segment, off int64, b []byte) (n int, ok bool, err error) {
	if i, listed := u.origin[seg]; listed {
		if p, can := u.parts[i].(wal.IntoReader); can {
			return p.ReadInto(ctx, seg, off, b)
		}
	}
	return 0, false, nil
}

// Skim implements wal.Skimmer: parts that can look for byte strings where their
// segments lie do so, and of the others everything is read.
func (u *walUnion) Skim(ctx context.Context, parts []wal.Stretch, patterns []wal.Pattern, heads bool) ([]wal.Skimmed, error) {
	var out []wal.Skimmed
	for i, p := range u.parts {
		sk, ok := p.(wal.Skimmer)
		if !ok {
			continue
		}
		mine := filter(parts, func(s wal.Stretch) bool {
			at, listed := u.origin[s.Segment]
			return listed && at == i
		})
		if len(mine) == 0 {
			continue
		}
		found, err := sk.Skim(ctx, mine, patterns, heads)
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	return out, nil
}

// Histories implements wal.HistorySource.
func (u *walUnion) Histories(ctx context.Context) (map[uint32][]byte, error) {
	out := map[uint32][]byte{}
	for _, p := range u.parts {
		h, ok := p.(wal.HistorySource)
		if !ok {
			continue
		}
		m, err := h.Histories(ctx)
		if err != nil {
			return nil, err
		}
		for tli, text := range m {
			out[tli] = text
		}
	}
	return out, nil
}

// Close closes the parts that want to be closed.
func (u *walUnion) Close() {
	for _, p := range u.parts {
		if c, ok := p.(io.Closer); ok {
			c.Close()
		}
	}
}
