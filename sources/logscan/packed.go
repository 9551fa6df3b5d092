package logscan

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	"inquest/sources/scan"
)

const (
	packedBack  = 256 << 10
	packedOwn   = 512 << 10
	packedAhead = 256 << 10
)

// packed searches a compressed file: one goroutine unpacks while this one
// searches. A broken end gives what came before it, and is said. A window does not shorten
// it: nothing tells what stands behind it in a file that cannot be probed.
func (r *run) packed(ctx context.Context, m *File, j *job, f *content) error {
	in := &counter{r: io.NewSectionReader(f, 0, f.size)}
	un, err := unpack(in, f.packing)
	if err != nil {
		return fmt.Errorf("unpack %s: %w", f.packing, err)
	}
	defer un.Close()
	ctx, cancel := context.WithCancel(ctx)
	pieces, recycle := decode(ctx, un)
	defer func() {
		cancel()
		for range pieces {
			continue // until the decoder has let go of the file
		}
	}()
	r.lastStart = -1
	w := &slide{own: cmp.Or(r.s.Chunk, packedOwn)}
	first, newlines, told := true, int64(0), int64(0)
	give := func(last bool) {
		b := j.chunk(scan.Chunk{Base: w.base, Buf: w.buf, From: w.from, To: w.to(last)}, last)
		r.merge(b, func(h hit) string { return position(m.base(), newlines+h.line+1) }, first)
		newlines += b.newlines
		first = false
		w.advance(w.to(last))
		n := in.n.Load()
		r.progress(0, n-told)
		told = n
	}
	for p := range pieces {
		if p.err != nil {
			err = p.err
			break
		}
		w.buf = append(w.buf, p.b...)
		recycle <- p.b
		for len(w.buf)-w.from >= w.own+packedAhead && ctx.Err() == nil {
			give(false)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(w.buf) > w.from {
		give(true)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		if first {
			return fmt.Errorf("unpack %s: %w", f.packing, err)
		}
		r.limits = append(r.limits, fmt.Sprintf("%s is broken after %d unpacked bytes (%v): what follows is lost", m.base(), w.base+int64(len(w.buf)), err))
		r.hole = fmt.Sprintf("%s is broken at its end", m.base())
	}
	return nil
}

// slide is the part of an unpacked file that is in memory: some bytes before
// the chunk at hand, the chunk, and some after it.
type slide struct {
	buf  []byte
	base int64
	from int
	own  int // bytes of a chunk
}

func (w *slide) to(last bool) int {
	if last {
		return len(w.buf)
	}
	return w.from + w.own
}

func (w *slide) advance(to int) {
	drop := max(0, to-packedBack)
	w.buf = w.buf[:copy(w.buf, w.buf[drop:])]
	w.base += int64(drop)
	w.from = to - drop
}

// piece is some unpacked bytes, or the error that ended them.
type piece struct {
	b   []byte
	err error
}

// decode unpacks in a goroutine of its own until the end, an error or ctx's
// end; it then closes the channel. Pieces are to be given back.
func decode(ctx context.Context, r io.Reader) (<-chan piece, chan<- []byte) {
	out, free := make(chan piece, 2), make(chan []byte, 4)
	for range 4 {
		free <- make([]byte, 0, 256<<10)
	}
	go func() {
		defer close(out)
		for {
			var b []byte
			select {
			case b = <-free:
			case <-ctx.Done():
				return
			}
			n, err := io.ReadFull(r, b[:cap(b)])
			if n > 0 {
				select {
				case out <- piece{b: b[:n]}:
				case <-ctx.Done():
					return
				}
			}
			if errors.Is(err, io.ErrUnexpectedEOF) && n > 0 {
				// ReadFull's own word for a short read; ask again for the true reason.
				if _, err = r.Read(b[:1:1]); err == nil || errors.Is(err, io.EOF) {
					return
				}
			}
			if err != nil {
				if !errors.Is(err, io.EOF) {
					select {
					case out <- piece{err: err}:
					case <-ctx.Done():
					}
				}
				return
			}
		}
	}()
	return out, free
}
