package scan

import (
	"context"
	"errors"
	"io"
	"sync"

	"inquest/sources/mapped"
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
// work with bytes that are valid only during the call and must not be written; merge is called
// in the order of the file, never twice at once, and must not block. It ends at the first
// error of either, at the end of ctx, or, with io.ErrUnexpectedEOF, when the file has shrunk.
//
// A regular file is mapped where that is cheaper than to read it. Its bytes may then
// change under work, which is called anew for a chunk whose bytes went away: it must have no
// effect but its result.
func Each[T any](ctx context.Context, r io.ReaderAt, from, to int64, p Plan, work func(Chunk) (T, error), merge func(T) error) error {
	if p.Size <= 0 {
		p.Size = 512 << 10
	}
	if p.Workers <= 0 {
		p.Workers = 2
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	count := (to - from + int64(p.Size) - 1) / int64(p.Size)
	e := &each[T]{r: r, file: mapped.New(r), from: from, to: to, plan: p, work: work, merge: merge, done: map[int64]T{}}
	e.turn, e.cut = sync.NewCond(&e.mu), count
	e.batch = max(1, min(mapped.Stretch/int64(p.Size), count/(4*int64(p.Workers))))
	var wg sync.WaitGroup
	for range min(int64(p.Workers), max(count, 1)) {
		wg.Go(func() {
			if err := e.run(ctx, count); err != nil {
				stop(err)
				e.turn.Broadcast()
			}
		})
	}
	wg.Wait()
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if e.cut < count {
		return io.ErrUnexpectedEOF
	}
	return nil
}

type each[T any] struct {
	r        io.ReaderAt
	file     *mapped.File // r, where it can be mapped
	from, to int64
	plan     Plan
	batch    int64 // chunks that a goroutine takes at a time
	work     func(Chunk) (T, error)
	merge    func(T) error

	mu    sync.Mutex
	turn  *sync.Cond
	next  int64 // next chunk to hand out
	due   int64 // next chunk to merge
	cut   int64 // the chunk in which the file was found to end too early; nothing behind it counts
	done  map[int64]T
	ended bool
}

func (e *each[T]) run(ctx context.Context, count int64) error {
	w := &reader[T]{each: e, view: e.file.View()}
	defer w.view.Close()
	for {
		first, end := e.take(count)
		if first == end {
			return nil
		}
		for i := first; i < end && !e.behind(i); i++ {
			err := context.Cause(ctx)
			if err == nil {
				err = w.chunk(i)
			}
			if err != nil {
				e.end()
				return err
			}
		}
	}
}

// take hands out the next chunks, but not far ahead of the one to be merged.
func (e *each[T]) take(count int64) (first, end int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for !e.ended && e.next < count && e.next <= e.cut && e.next-e.due > max(4, 2*e.batch)*int64(e.plan.Workers) {
		e.turn.Wait()
	}
	if e.ended || e.next >= count || e.next > e.cut {
		return 0, 0
	}
	first = e.next
	e.next = min(e.next+e.batch, count)
	return first, e.next
}

func (e *each[T]) end() {
	e.mu.Lock()
	e.ended = true
	e.mu.Unlock()
	e.turn.Broadcast()
}

// behind reports whether chunk i lies behind the end of a file that was cut.
func (e *each[T]) behind(i int64) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return i > e.cut
}

// hand gives a result over and merges what is due; short tells that the file ended
// before the chunk did.
func (e *each[T]) hand(i int64, got T, short bool) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.done[i] = got
	if short && i < e.cut {
		e.cut = i
		e.turn.Broadcast()
	}
	for e.due <= e.cut {
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
	return nil
}

// reader is one goroutine's way to the bytes.
type reader[T any] struct {
	*each[T]
	view *mapped.View
	buf  []byte // where the file is not mapped; made when first needed
}

// chunk does the work of one chunk and hands its result over.
func (w *reader[T]) chunk(i int64) error {
	own := w.from + i*int64(w.plan.Size)
	end := min(own+int64(w.plan.Size), w.to)
	base := max(0, own-int64(w.plan.Back))
	var got T
	var err error
	short := false
	give := func(b []byte) {
		short = int64(len(b)) < end-base
		got, err = w.work(Chunk{Base: base, Buf: b, From: min(int(own-base), len(b)), To: min(int(end-base), len(b))})
	}
	want := int(end + int64(w.plan.Ahead) - base)
	if lent := w.view.Use(base, want, give); lent != nil || short {
		b, err := w.read(base, want)
		if err != nil {
			return err
		}
		give(b)
	}
	if err != nil {
		return err
	}
	return w.hand(i, got, short)
}

// read reads up to n bytes; fewer where the file ends.
func (w *reader[T]) read(base int64, n int) ([]byte, error) {
	if len(w.buf) < n {
		w.buf = make([]byte, w.plan.Back+w.plan.Size+w.plan.Ahead)
	}
	n, err := w.r.ReadAt(w.buf[:n], base)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return w.buf[:n], nil
}
