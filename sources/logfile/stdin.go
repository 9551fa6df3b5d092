package logfile

import (
	"context"
	"io"
	"sync"
	"time"

	"inquest/sources/logscan"
)

// stdin is the log on standard input: it is copied to the spool when it is
// first needed, because it can be read only once.
type stdin struct {
	r     io.Reader
	spool *spool

	once sync.Once
	done chan struct{}
	path string
	err  error
}

func newStdin(r io.Reader, s *spool, now time.Time) *member {
	in := &stdin{r: r, spool: s, done: make(chan struct{})}
	return &member{File: &logscan.File{Path: "standard input", Label: "stdin", ModTime: now, Mode: 0o600, At: in.at}}
}

// at waits for the end of the input. The input itself cannot be interrupted; a
// search that is cancelled leaves it reading, and a later one goes on waiting.
func (in *stdin) at(ctx context.Context) (string, error) {
	in.once.Do(func() {
		go func() {
			defer close(in.done)
			in.path, in.err = in.spool.file(context.WithoutCancel(ctx), in.r)
		}()
	})
	select {
	case <-in.done:
		return in.path, in.err
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}
