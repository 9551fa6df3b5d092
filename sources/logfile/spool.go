package logfile

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"

	"inquest/sources"
	"inquest/sources/scratch"
)

// mostUnpacked bounds what one --logs may put on the disk.
const mostUnpacked = 8 << 30

// spool is a private folder for what has to be a file to be searched: entries
// of archives, and standard input. It is made when first needed and removed when
// the last of its streams is closed.
type spool struct {
	mu    sync.Mutex
	dir   *scratch.Folder
	users int
	files int
	left  int64
}

func newSpool() *spool { return &spool{left: mostUnpacked} }

// file copies r into a new file and returns its path.
func (s *spool) file(ctx context.Context, r io.Reader) (string, error) {
	f, err := s.create()
	if err != nil {
		return "", err
	}
	n, err := io.Copy(f, &bounded{ctx: ctx, r: r, s: s})
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		s.free(n)
		return "", fmt.Errorf("copy to %s: %w", f.Name(), err)
	}
	return f.Name(), nil
}

func (s *spool) create() (*os.File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dir == nil {
		dir, err := scratch.New()
		if err != nil {
			return nil, &sources.Blind{Why: fmt.Sprintf("no folder for unpacked logs could be made: %v", err), Opens: "set TMPDIR to a folder with room"}
		}
		s.dir = dir
	}
	s.files++
	return os.OpenFile(s.dir.File(fmt.Sprint(s.files)), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
}

func (s *spool) free(n int64) {
	s.mu.Lock()
	s.left += n
	s.mu.Unlock()
}

// close gives up one stream's use; the last one removes the folder.
func (s *spool) close() error {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.users--; s.users > 0 || s.dir == nil {
		return nil
	}
	return s.dir.Close()
}

// bounded reads until the context ends or the spool is full.
type bounded struct {
	ctx context.Context
	r   io.Reader
	s   *spool
}

func (b *bounded) Read(p []byte) (int, error) {
	if err := b.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := b.r.Read(p)
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	if b.s.left -= int64(n); b.s.left < 0 {
		return n, &sources.Blind{Why: fmt.Sprintf("more than %d GiB would have to be unpacked", mostUnpacked>>30), Opens: "unpack it yourself and name the folder with --logs"}
	}
	return n, err
}
