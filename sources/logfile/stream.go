package logfile

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"

	"inquest/sources"
	"inquest/sources/logformat"
)

var (
	_ sources.Source      = (*Stream)(nil)
	_ sources.LogSearcher = (*Stream)(nil)
)

// Stream is one log with its rotations, oldest file first.
type Stream struct {
	name    string
	stem    string
	opt     Options
	members []*member
	chunk   int // bytes of a chunk; zero: chunkSize

	mu      sync.Mutex
	readers map[*member]*learned
}

// learned is what was found out about a file's format; err is a *sources.Blind.
type learned struct {
	reader *logformat.Reader
	size   int64
	err    error
}

// Name returns "log:" and the file's name, with folders where needed.
func (s *Stream) Name() string { return s.name }

// Kind returns sources.KindLog.
func (s *Stream) Kind() sources.Kind { return sources.KindLog }

// Close does nothing: files are open only while they are read.
func (s *Stream) Close() error { return nil }

// Files returns the paths of the stream's files, oldest first.
func (s *Stream) Files() []string {
	var out []string
	for _, m := range s.members {
		out = append(out, m.path)
	}
	return out
}

func (s *Stream) label(root string) string {
	if root == "" {
		return filepath.Base(s.stem)
	}
	if rel, err := filepath.Rel(root, s.stem); err == nil {
		return rel
	}
	return s.stem
}

// Check opens each file and says which format it is in.
func (s *Stream) Check(ctx context.Context) sources.Status {
	st := sources.Status{Source: s.name, Kind: sources.KindLog, State: sources.StateReady}
	var size int64
	var problems, formats []string
	seen := map[string]bool{}
	for _, m := range s.members {
		if ctx.Err() != nil {
			problems = append(problems, "the check was cancelled")
			break
		}
		l := s.learn(m)
		if l.err != nil {
			problems = append(problems, l.err.Error())
			continue
		}
		size += l.size
		if d := describe(l.reader); l.size > 0 && !seen[d] {
			seen[d] = true
			formats = append(formats, d)
		}
	}
	st.Problem = strings.Join(problems, "; ")
	switch {
	case len(problems) >= len(s.members):
		st.State, st.Summary = sources.StateFailed, "not readable"
		return st
	case len(problems) > 0:
		st.State = sources.StatePartial
	}
	if len(formats) == 0 {
		formats = []string{"empty"}
	}
	files := "1 file"
	if len(s.members) > 1 {
		files = fmt.Sprintf("%d files", len(s.members))
	}
	st.Summary = fmt.Sprintf("%s, %s, %s", files, byteCount(size), strings.Join(formats, ", "))
	return st
}

func describe(r *logformat.Reader) string {
	if r.Main.Format.Name == "postgres" {
		return r.Main.Format.Title + ", " + r.Main.Detail
	}
	return r.Main.Format.Title
}

func byteCount(n int64) string {
	switch {
	case n < 1<<10:
		return fmt.Sprintf("%d bytes", n)
	case n < 1<<20:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	case n < 1<<30:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
}

// learn works out a file's format, once as long as its size stays the same.
func (s *Stream) learn(m *member) *learned {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := m.open()
	if err != nil {
		return &learned{err: err}
	}
	defer f.Close()
	if l := s.readers[m]; l != nil && l.err == nil && l.size == f.size {
		return l
	}
	l := &learned{size: f.size}
	lines, err := m.sample(f)
	if err != nil {
		l.err = err
	} else {
		l.reader = f.reader(lines, s.opt)
	}
	if s.readers == nil {
		s.readers = map[*member]*learned{}
	}
	s.readers[m] = l
	return l
}

// blind makes sure that a failure to read is told as such.
func blind(path string, err error) error {
	var b *sources.Blind
	if errors.As(err, &b) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return &sources.Blind{Why: fmt.Sprintf("log %s: %v", path, err)}
}
