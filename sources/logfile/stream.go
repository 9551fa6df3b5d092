package logfile

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"inquest/sources"
	"inquest/sources/logscan"
)

var (
	_ sources.Source      = (*Stream)(nil)
	_ sources.LogSearcher = (*Stream)(nil)
)

// Stream is one log with its rotations, oldest file first.
type Stream struct {
	stem    string
	members []*member
	opt     Options
	log     logscan.Log
	spool   *spool // what some members were unpacked to; may be nil
}

// member is one file of a stream.
type member struct {
	*logscan.File
	rotation rotation
}

// finish names the stream and joins its files into one log.
func (s *Stream) finish(name string) {
	s.log.Name, s.log.Options, s.log.Command = name, s.opt.Options, logscan.Grep
	for i, m := range s.members {
		if i > 0 {
			if gone := missingNumbers(s.members[i-1], m); len(gone) > 0 {
				m.Hole = fmt.Sprintf("rotation %s is missing", s.names(gone))
			}
		}
		s.log.Files = append(s.log.Files, m.File)
	}
}

func (s *Stream) names(numbers []int) string {
	stem := filepath.Base(s.stem)
	out := make([]string, len(numbers))
	for i, n := range numbers {
		out[i] = fmt.Sprintf("%s.%d", stem, n)
	}
	return strings.Join(out, ", ")
}

// Name returns "log:" and the file's name, with folders where needed.
func (s *Stream) Name() string { return s.log.Name }

// Kind returns sources.KindLog.
func (s *Stream) Kind() sources.Kind { return sources.KindLog }

// Close removes what was unpacked for the search. Files are open only while
// they are read.
func (s *Stream) Close() error { return s.spool.close() }

// Files returns the paths of the stream's files, oldest first.
func (s *Stream) Files() []string {
	var out []string
	for _, m := range s.members {
		out = append(out, m.Path)
	}
	return out
}

// Check opens each file and says which format it is in.
func (s *Stream) Check(ctx context.Context) sources.Status {
	files := "1 file"
	if len(s.members) > 1 {
		files = fmt.Sprintf("%d files", len(s.members))
	}
	return s.log.Survey(ctx).Status(s.Name(), s.Kind(), files)
}

// SearchLogs returns the events of all files of the stream, oldest file
// first, and what was read. It is a *sources.Blind when no file could be read.
func (s *Stream) SearchLogs(ctx context.Context, q sources.LogQuery) (*sources.LogResult, error) {
	return s.log.Search(ctx, q)
}
