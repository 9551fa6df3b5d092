package wal

import (
	"context"
	"fmt"
)

// Fork is WAL of an older timeline past the point where the newer one left it: what it holds was discarded by a failover or a
// point-in-time recovery.
type Fork struct {
	TLI  uint32 `json:"tli"`
	From LSN    `json:"from"`
	To   LSN    `json:"to"` // end of the last segment there is
}

// Plan says which segments are walked, in order, and what is missing between them.
type Plan struct {
	TLI      uint32    `json:"tli"` // the timeline whose history is walked
	Segments []Segment `json:"segments"`
	Switches []Switch  `json:"switches,omitempty"` // ancestors of TLI, oldest first
	Forks    []Fork    `json:"forks,omitempty"`
	Size     int64     `json:"size"` // segment size in bytes
	limits   map[LSN]LSN
}

// MakePlan lists the source and picks the segments along the history of a timeline; tli 0 means the newest. Without history files the
// newest timeline that has a segment wins at every position. An empty source gives an empty plan.
func MakePlan(ctx context.Context, src Source, tli uint32) (Plan, error) {
	segs, err := src.List(ctx)
	if err != nil {
		return Plan{}, fmt.Errorf("list wal segments: %w", err)
	}
	segs = distinct(segs)
	p := Plan{TLI: tli, limits: map[LSN]LSN{}}
	for _, s := range segs {
		p.Size = max(p.Size, s.Size)
		if tli == 0 {
			p.TLI = max(p.TLI, s.TLI)
		}
	}
	if h, ok := src.(HistorySource); ok {
		if err := p.readHistories(ctx, h, tli == 0); err != nil {
			return Plan{}, err
		}
	}
	p.pick(segs)
	p.findForks(segs)
	return p, nil
}

func (p *Plan) readHistories(ctx context.Context, h HistorySource, newest bool) error {
	files, err := h.Histories(ctx)
	if err != nil {
		return fmt.Errorf("read timeline histories: %w", err)
	}
	if newest {
		for t := range files {
			p.TLI = max(p.TLI, t)
		}
	}
	if b, ok := files[p.TLI]; ok {
		if p.Switches, err = ParseHistory(b); err != nil {
			return err
		}
	}
	return nil
}

// span returns the range of positions that belong to a timeline along the plan's history.
func (p *Plan) span(tli uint32) (from, to LSN, ok bool) {
	for _, s := range p.Switches {
		if s.TLI == tli {
			return from, s.At, true
		}
		from = s.At
	}
	if tli == p.TLI {
		return from, ^LSN(0), true
	}
	// Without a history file nothing is known of the ancestors: let any older timeline fill in.
	return 0, ^LSN(0), len(p.Switches) == 0 && tli < p.TLI
}

func (p *Plan) pick(segs []Segment) {
	for _, s := range segs {
		from, to, ok := p.span(s.TLI)
		if !ok || s.Start >= to || s.End() <= from || s.Size != p.Size {
			continue
		}
		if n := len(p.Segments); n > 0 && p.Segments[n-1].Start == s.Start {
			p.Segments = p.Segments[:n-1] // sorted by timeline: the newer one holds a copy of the older's pages
			delete(p.limits, s.Start)
		}
		p.Segments = append(p.Segments, s)
		if to < s.End() {
			p.limits[s.Start] = to
		}
	}
}

func (p *Plan) findForks(segs []Segment) {
	used := map[segmentKey]bool{}
	for _, s := range p.Segments {
		used[segmentKey{s.TLI, s.Start}] = true
	}
	ends := map[uint32]LSN{}
	starts := map[uint32]LSN{}
	for _, s := range segs {
		_, to, ok := p.span(s.TLI)
		if used[segmentKey{s.TLI, s.Start}] || s.TLI >= p.TLI || !ok {
			continue
		}
		at := to
		if at == ^LSN(0) {
			at = s.Start // no history: the fork lies somewhere in the first segment that both have
		}
		if s.End() <= at {
			continue
		}
		if old, seen := starts[s.TLI]; !seen || at < old {
			starts[s.TLI] = at
		}
		ends[s.TLI] = max(ends[s.TLI], s.End())
	}
	for t := uint32(1); len(ends) > 0 && t < p.TLI; t++ {
		if to, ok := ends[t]; ok {
			p.Forks = append(p.Forks, Fork{TLI: t, From: starts[t], To: to})
		}
	}
}
