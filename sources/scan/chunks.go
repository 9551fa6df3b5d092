package scan

import (
	"context"
	"errors"
	"io"
	"sync"
)

// Chunk is a piece of a file. Its own bytes are Buf[From:To]; what stands
// before and after them belongs to its neighbours and is there for context.
type Chunk struct {
	Base     int64 // offset in the file of Buf[0]
	Buf      []byte
	From, To int
}

// Plan says how Each cuts a file.
type Plan struct {
	Size    int // bytes of a chunk; zero: 512 KiB
	Back    int // bytes of context before
	Ahead   int // bytes of context after
	Workers int // zero: two
}

// Each walks over the bytes from..to of r in chunks. Several goroutines call
// work, each with a buffer of its own that is valid only during the call; merge is called
// in the order of the file, never twice at once, and must not block. It ends at the first
// error of either, at the end of ctx, or, with io.ErrUnexpectedEOF, when the file has shrunk.
func Each[T any](ctx context.Context, r io.ReaderAt, from, to int64, p Plan, work func(Chunk) (T, error), merge func(T) error) error {
	if p.Size <= 0 {
		p.Size = 512 << 10
	}
	if p.Workers <= 0 {
		p.Workers = 2
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	e := &each[T]{r: r, from: from, to: to, plan: p, work: work, merge: merge, done: map[int64]T{}}
	e.turn = sync.NewCond(&e.mu)
	var wg sync.WaitGroup
	count := (to - from + int64(p.Size) - 1) / int64(p.Size)
	for range min(int64(p.Workers), max(count, 1)) {
		wg.Go(func() {
			if err := e.run(ctx, count); err != nil {
				stop(err)
				e.turn.Broadcast()
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

type each[T any] struct {
	r        io.ReaderAt
	from, to int64
	plan     Plan
	work     func(Chunk) (T, error)
	merge    func(T) error

	mu    sync.Mutex
	turn  *sync.Cond
	next  int64 // next chunk to hand out
	due   int64 // next chunk to merge
	done  map[int64]T
	ended bool
}

func (e *each[T]) run(ctx context.Context, count int64) error {
	buf := make([]byte, e.plan.Back+e.plan.Size+e.plan.Ahead)
	for {
		i, ok := e.take(count)
		if !ok {
			return nil
		}
		if err := ctx.Err(); err != nil {
			e.end()
			return context.Cause(ctx)
		}
		c, short, err := e.read(buf, i)
		if err != nil {
			e.end()
			return err
		}
		got, err := e.work(c)
		if err == nil {
			err = e.hand(i, got)
		}
		if err == nil && short {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			e.end()
			return err
		}
	}
}

// take hands out the next chunk, but not far ahead of the one to be merged.
func (e *each[T]) take(count int64) (int64, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for !e.ended && e.next < count && e.next-e.due > 4*int64(e.plan.Workers) {
		e.turn.Wait()
	}
	if e.ended || e.next >= count {
		return 0, false
	}
	e.next++
	return e.next - 1, true
}

func (e *each[T]) end() {
	e.mu.Lock()
	e.ended = true
	e.mu.Unlock()
	e.turn.Broadcast()
}

// hand gives a result over and merges what is due.
func (e *each[T]) hand(i int64, got T) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.done[i] = got
	for {
		t, ok := e.done[e.due]
		if !ok {
			return nil
		}
		delete(e.done, e.due)
		e.due++
		e.turn.Broadcast()
		if err := e.merge(t); err != nil {
			return err
		}
	}
}

// read fills buf with a chunk; short means that the file ended before it.
func (e *each[T]) read(buf []byte, i int64) (c Chunk, short bool, err error) {
	own := e.from + i*int64(e.plan.Size)
	end := min(own+int64(e.plan.Size), e.to)
	base := max(0, own-int64(e.plan.Back))
	n, err := e.r.ReadAt(buf[:min(int64(len(buf)), end+int64(e.plan.Ahead)-base)], base)
	if err != nil && !errors.Is(err, io.EOF) {
		return c, false, err
	}
	c = Chunk{Base: base, Buf: buf[:n], From: min(int(own-base), n), To: min(int(end-base), n)}
	return c, int64(n) < end-base, nil
}
