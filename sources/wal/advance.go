package wal

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
)

var (
	errEnd     = errors.New("end of valid WAL")
	errMissing = errors.New("segment missing")
	errLimit   = errors.New("byte limit reached")
	errTo      = errors.New("end of the asked range")
	errFound   = errors.New("records that were found before come next")

	errAbandoned = errors.New("record was given up in a crash")
)

// segment returns the current segment.
func (r *Reader) segment() *Segment { return &r.plan.Segments[r.seg] }

func (r *Reader) segmentEnd() LSN {
	s := r.segment()
	if to, ok := r.plan.limits[s.Start]; ok {
		return to
	}
	return s.End()
}

// nextSegment moves to the segment after the current one; jump says that reading starts anew there, at its first whole record.
func (r *Reader) nextSegment(jump bool) bool {
	for r.seg++; r.seg < len(r.plan.Segments); r.seg++ {
		if r.segmentEnd() > r.opt.From {
			break
		}
	}
	if r.seg >= len(r.plan.Segments) {
		return false
	}
	if r.opt.Progress != nil {
		r.opt.Progress(int64(r.seg)*r.plan.Size, int64(len(r.plan.Segments))*r.plan.Size)
	}
	if jump {
		r.pos, r.prev, r.runFrom = r.segment().Start, 0, 0
		if r.opt.seek {
			r.pos = max(r.pos, r.opt.From.page())
		}
	}
	return true
}

// load makes the page that holds lsn current. It returns errEnd when the bytes there are not that page, errMissing when no segment has
// it.
func (r *Reader) load(ctx context.Context, lsn LSN) error {
	at := lsn.page()
	if at == r.pageAt && r.page != nil {
		return nil
	}
	for at >= r.segment().End() {
		if r.seg+1 >= len(r.plan.Segments) || r.plan.Segments[r.seg+1].Start > at {
			return errMissing
		}
		if r.seg+1 < len(r.plan.Segments) {
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		r.nextSegment(false)
	}
	if r.chunk == nil || at < r.chunkAt || at >= r.chunkAt+LSN(len(r.chunk)) {
		if err := r.fill(ctx, at); err != nil {
			return err
		}
	}
	b := r.chunk[at-r.chunkAt:]
	if len(b) > PageSize {
		b = b[:PageSize]
	}
	return r.enter(at, b)
}

func (r *Reader) fill(ctx context.Context, at LSN) error {
	s := r.segment()
	off := int64(at - s.Start)
	n := r.opt.chunkFrom(s, off)
	if r.opt.sieve.active() {
		n = r.opt.sieve.room(r.seg, off)
	}
	if r.opt.MaxBytes > 0 && r.Bytes >= r.opt.MaxBytes {
		return errLimit
	}
	b, err := r.read(ctx, part{seg: r.seg, off: off, n: n})
	if err != nil {
		return fmt.Errorf("read wal at %s: %w", at, err)
	}
	r.chunk, r.chunkAt = b, at
	r.Bytes += int64(len(b))
	if len(b) == 0 {
		return errEnd
	}
	return nil
}

// read reads a part of a segment, which may have been read and looked through already.
func (r *Reader) read(ctx context.Context, at part) ([]byte, error) {
	r.found = taking{}
	if r.ahead != nil {
		if p := r.ahead.take(ctx, at); p != nil {
			if p.scouted.records > 0 {
				r.found = taking{scouted: &p.scouted, from: p.scouted.from}
			}
			return p.b, p.err
		}
	}
	return r.src.ReadAt(ctx, r.plan.Segments[at.seg], at.off, int(at.n))
}

func (r *Reader) enter(at LSN, b []byte) error {
	r.page = nil
	h, err := DecodePageHeader(b)
	if err != nil || h.Addr != at {
		return errEnd
	}
	r.page, r.pageAt, r.pageHead, r.magic, r.tli = b, at, h.size(), h.Magic, h.TLI
	return nil
}

func (r *Reader) pageInfo() (info uint16, remaining uint32) {
	return binary.LittleEndian.Uint16(r.page[2:]), binary.LittleEndian.Uint32(r.page[16:])
}

// pass goes on behind WAL that need not be read, when the next record begins in such.
func (r *Reader) pass() {
	if r.pos < r.passAt || r.runFrom == 0 || r.pos < r.segment().Start || r.opt.hold != nil && r.opt.hold() {
		return
	}
	v := r.opt.sieve
	seg := r.seg
	for r.pos >= r.plan.Segments[seg].End() {
		if seg++; seg == len(r.plan.Segments) || r.plan.Segments[seg].Start > r.pos {
			return
		}
	}
	if r.passAt = v.nextQuiet(seg, r.pos); r.pos < r.passAt {
		return
	}
	to, at, ok := v.resume(seg, r.pos)
	if !ok {
		return
	}
	for r.seg < to {
		r.nextSegment(false)
	}
	r.pos, r.prev, r.page = at, 0, nil
	r.passes++
	r.resumed = resumption{to, at}
	// What is read before the next page that has to be read is read for its own sake.
	if ls, lp, ok := v.nextLoud(to, int64(at-r.plan.Segments[to].Start)/PageSize); ok {
		r.passAt = v.nextQuiet(ls, r.plan.Segments[ls].Start+LSN(lp*PageSize))
	}
}

func (r *Reader) segmentLimit() LSN {
	if len(r.plan.limits) == 0 {
		return ^LSN(0)
	}
	return r.segmentEnd()
}
