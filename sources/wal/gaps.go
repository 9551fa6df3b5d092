package wal

import (
	"errors"
	"fmt"
)

// Gap is a stretch of WAL that was not read, and why. Nothing may be called absent that could have happened in it.
type Gap struct {
	TLI    uint32 `json:"tli"`
	From   LSN    `json:"from"`
	To     LSN    `json:"to"`
	Reason string `json:"reason"`
}

// Range is a stretch of WAL that was read without a hole.
type Range struct {
	TLI  uint32 `json:"tli"`
	From LSN    `json:"from"`
	To   LSN    `json:"to"`
}

// recover ends the current run and finds where to go on; it returns false when the walk is over.
func (r *Reader) recover(err error) bool {
	if errors.Is(err, errAbandoned) {
		// Crash recovery went on at a page start; the record never took effect, so this is no hole.
		r.pos, r.prev = r.resume, 0
		return true
	}
	at := r.pos
	r.closeRun(at)
	r.page = nil
	switch {
	case errors.Is(err, errTo):
		return r.finish("end of the asked range")
	case errors.Is(err, errLimit):
		r.gap(at, r.plan.Segments[len(r.plan.Segments)-1].End(), "byte limit reached")
		return r.finish("byte limit reached")
	case !errors.Is(err, errEnd) && !errors.Is(err, errMissing):
		r.err = err
		return r.finish(err.Error())
	}
	// A segment that was entered for the tail of a record may itself begin with whole records.
	if s := r.segment(); s.Start > at {
		r.seg--
	}
	if !r.nextSegment(true) {
		return r.finish(fmt.Sprintf("%s at %s", errEnd, at))
	}
	reason := "no valid record here, though later segments hold WAL"
	if errors.Is(err, errMissing) {
		reason = "segments missing"
	}
	r.gap(at, r.pos, reason)
	return true
}

func (r *Reader) gap(from, to LSN, reason string) {
	if to > from {
		r.gaps = append(r.gaps, Gap{TLI: r.plan.TLI, From: from, To: to, Reason: reason})
	}
}

func (r *Reader) closeRun(at LSN) {
	if r.runFrom != 0 && at > r.runFrom {
		r.covered = append(r.covered, Range{TLI: r.tli, From: r.runFrom, To: at})
	}
	r.runFrom = 0
}
