package wal

import (
	"context"
	"runtime"
	"sync"
)

// readChunk is how much WAL is read at once, in bytes.
const readChunk = 512 << 10

// maxAhead bounds how many pieces are read ahead, and so the memory of a walk.
const maxAhead = 8

// part is a place in a plan that is read at once.
type part struct {
	seg    int
	off, n int64
}

// piece is a part of the WAL that is read, and looked through, before the Reader comes to it.
type piece struct {
	part
	room    []byte
	b       []byte // what was read
	ok      bool   // the Source can read the segment this way
	err     error
	done    chan struct{}
	scout   scout
	sift    sift
	scouted scouted
}

var pieces = sync.Pool{New: func() any { return &piece{room: make([]byte, readChunk)} }}

// pipeline reads the pieces that come next, several at a time, and looks through them.
type pipeline struct {
	src   IntoReader
	plan  *Plan
	opt   *ReaderOptions
	sift  *sift // says what is wanted of the records; nil: all
	depth int
	queue []*piece // in the order of the plan
	now   *piece   // the current one
}

func newPipeline(src Source, plan *Plan, opt *ReaderOptions, sift *sift) *pipeline {
	into, ok := src.(IntoReader)
	if !ok || opt.sieve.active() {
		return nil
	}
	return &pipeline{src: into, plan: plan, opt: opt, sift: sift, depth: min(runtime.GOMAXPROCS(0)+1, maxAhead)}
}

// chunkFrom returns what is read at once from a place on.
func (o *ReaderOptions) chunkFrom(s *Segment, off int64) int64 {
	n := min(o.chunk, s.Size-off)
	if at := s.Start + LSN(off); o.To > at {
		n = min(n, int64((o.To+PageSize-1).page()-at))
	}
	return n
}

// take returns the piece at a place, which is good until the next call. A nil piece says that the Source cannot read it this way.
func (l *pipeline) take(ctx context.Context, at part) *piece {
	for len(l.queue) > 0 && (l.queue[0].seg != at.seg || l.queue[0].off != at.off) {
		l.drop()
	}
	if len(l.queue) == 0 {
		l.begin(ctx, at)
	}
	for len(l.queue) <= l.depth && l.beginNext(ctx) {
		continue
	}
	l.free()
	l.now = l.queue[0]
	l.queue = l.queue[1:]
	<-l.now.done
	if !l.now.ok {
		return nil
	}
	return l.now
}

func (l *pipeline) drop() {
	<-l.queue[0].done
	pieces.Put(l.queue[0])
	l.queue = l.queue[1:]
}

func (l *pipeline) free() {
	if l.now != nil {
		pieces.Put(l.now)
		l.now = nil
	}
}

// close waits for what is still being read.
func (l *pipeline) close() {
	if l == nil {
		return
	}
	for len(l.queue) > 0 {
		l.drop()
	}
	l.free()
}

// beginNext begins to read what follows the last piece of the queue.
func (l *pipeline) beginNext(ctx context.Context) bool {
	at := l.queue[len(l.queue)-1].part
	at.off += at.n
	if at.off >= l.plan.Segments[at.seg].Size {
		at.seg, at.off = at.seg+1, 0
	}
	if at.seg == len(l.plan.Segments) {
		return false
	}
	s := &l.plan.Segments[at.seg]
	if l.opt.To != 0 && s.Start+LSN(at.off) >= l.opt.To {
		return false
	}
	at.n = l.opt.chunkFrom(s, at.off)
	l.begin(ctx, at)
	return true
}

func (l *pipeline) begin(ctx context.Context, at part) {
	p, _ := pieces.Get().(*piece)
	p.part, p.done = at, make(chan struct{})
	l.queue = append(l.queue, p)
	go l.read(ctx, p)
}

func (l *pipeline) read(ctx context.Context, p *piece) {
	defer close(p.done)
	s := &l.plan.Segments[p.seg]
	n, ok, err := l.src.ReadInto(ctx, *s, p.off, p.room[:p.n])
	p.b, p.ok, p.err, p.scouted.records = p.room[:n], ok, err, 0
	if _, cut := l.plan.limits[s.Start]; !ok || err != nil || cut {
		return
	}
	p.scout = scout{scouted: &p.scouted, b: p.b, at: s.Start + LSN(p.off), crc: l.opt.CheckCRC}
	if l.sift != nil {
		p.sift = l.sift.afresh()
		p.scout.sift = &p.sift
	}
	p.scout.run()
}
