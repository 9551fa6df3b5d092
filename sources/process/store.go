package process

import (
	"bytes"
	"fmt"
	"os"
	"sync"

	"inquest/sources"
	"inquest/sources/scratch"
)

// Store is a private folder for what programs printed, so that it need not be
// asked for twice. The zero Store is ready; it is made when first used.
type Store struct {
	mu     sync.Mutex
	dir    *scratch.Folder
	n      int
	closed bool
}

// File returns a new file that only this user can read.
func (s *Store) File() (*os.File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, &sources.Blind{Why: "the source was closed"}
	}
	if s.dir == nil {
		dir, err := scratch.New()
		if err != nil {
			return nil, &sources.Blind{Why: fmt.Sprintf("no folder for a program's output could be made: %v", err), Opens: "set TMPDIR to a folder with room"}
		}
		s.dir = dir
	}
	s.n++
	return os.OpenFile(s.dir.File(fmt.Sprint(s.n)), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
}

// Close removes the folder. It is safe to call twice.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	if s.dir == nil {
		return nil
	}
	return s.dir.Close()
}

// Lines is a writer that hands on whole lines with their end; a line that
// grows beyond a MiB comes in parts, of which only the first has first set.
type Lines struct {
	Each  func(line []byte, first bool) error
	buf   []byte
	inner bool
}

// Write takes some output.
func (l *Lines) Write(b []byte) (int, error) {
	for rest := b; len(rest) > 0; {
		i := bytes.IndexByte(rest, '\n')
		if i < 0 {
			if l.buf = append(l.buf, rest...); len(l.buf) > 1<<20 {
				return len(b), l.give()
			}
			return len(b), nil
		}
		l.buf = append(l.buf, rest[:i+1]...)
		rest = rest[i+1:]
		if err := l.give(); err != nil {
			return 0, err
		}
	}
	return len(b), nil
}

// Flush hands on a last line that has no end.
func (l *Lines) Flush() error {
	if len(l.buf) == 0 {
		return nil
	}
	return l.give()
}

func (l *Lines) give() error {
	line := l.buf
	l.buf = l.buf[:0]
	first := !l.inner
	l.inner = line[len(line)-1] != '\n'
	return l.Each(line, first)
}
