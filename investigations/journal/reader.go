package journal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"time"

	"inquest/investigations"
)

var _ investigations.Journal = (*Reader)(nil)

// ErrReadOnly is returned by the Append of a case that is open read-only.
var ErrReadOnly = errors.New("the case is open read-only")

// Reader is a case file that is open read-only, beside a writer if there is one.
type Reader struct {
	path string
	file *os.File
	tip  tip
	good int64
	poll time.Duration
}

// OpenReadOnly opens a case without locking it and returns its entries. An
// incomplete last line is left out and noted; the file is not changed. A
// *BrokenError comes with the entries before the broken one.
func OpenReadOnly(path string) (*Reader, []investigations.Entry, Note, error) {
	f, err := openRegular(path, os.O_RDONLY)
	if err != nil {
		return nil, nil, Note{}, err
	}
	r := &Reader{path: path, file: f, poll: 200 * time.Millisecond}
	entries, note, err := r.load()
	if err != nil {
		return nil, entries, note, errors.Join(fmt.Errorf("open case %s: %w", path, err), f.Close())
	}
	return r, entries, note, nil
}

func (r *Reader) load() ([]investigations.Entry, Note, error) {
	var entries []investigations.Entry
	note, err := r.advance(func(e investigations.Entry) error {
		entries = append(entries, e)
		return nil
	})
	if err == nil && len(entries) == 0 {
		err = ErrEmpty
	}
	return entries, note, err
}

// Path returns where the case is.
func (r *Reader) Path() string { return r.path }

// Append refuses with ErrReadOnly.
func (r *Reader) Append(e investigations.Entry) (investigations.Entry, error) {
	return e, fmt.Errorf("append to case %s: %w", r.path, ErrReadOnly)
}

// Close lets go of the file. It must not be called while Follow runs.
func (r *Reader) Close() error {
	err := r.file.Close()
	if errors.Is(err, os.ErrClosed) {
		return nil
	}
	return err
}

// Follow yields every entry that is appended after those already returned,
// until ctx ends. It looks a few times a second and blocks in between. An error
// is yielded once, as the last value: the entry that follows was not as its
// writer wrote it, or the file became shorter. One Follow may run at a time; a
// later one goes on where it stopped.
func (r *Reader) Follow(ctx context.Context) iter.Seq2[investigations.Entry, error] {
	return func(yield func(investigations.Entry, error) bool) {
		tick := time.NewTicker(r.poll)
		defer tick.Stop()
		doubts := 0
		for {
			switch err := r.deliver(ctx, yield); {
			case errors.Is(err, errStop):
				return
			case err == nil:
				doubts = 0
			case doubts > 0:
				yield(investigations.Entry{}, fmt.Errorf("follow case %s: %w", r.path, err))
				return
			default:
				// A writer that takes back a failed write can show a mixed line for an
				// instant; a line that stays wrong is wrong.
				doubts++
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	}
}

var errStop = errors.New("stop")

func (r *Reader) deliver(ctx context.Context, yield func(investigations.Entry, error) bool) error {
	info, err := r.file.Stat()
	if err != nil {
		return err
	}
	switch {
	case info.Size() < r.good:
		return errors.New("the case file became shorter: it was replaced or cut")
	case info.Size() == r.good:
		return nil
	}
	_, err = r.advance(func(e investigations.Entry) error {
		if ctx.Err() != nil || !yield(e, nil) {
			return errStop
		}
		return nil
	})
	return err
}

// advance reads the whole lines from where the reader stands and moves it
// behind each entry before handing it on.
func (r *Reader) advance(each func(investigations.Entry) error) (Note, error) {
	return scan(io.NewSectionReader(r.file, r.good, 1<<62), r.tip, func(e investigations.Entry, n int64) error {
		r.tip, r.good = tipOf(e), r.good+n
		return each(e)
	})
}
