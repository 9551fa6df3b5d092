package logscan

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"inquest/sources"
	"inquest/sources/logformat"
)

// Options tells how the files of a log are to be read; the zero value is good.
type Options struct {
	// Location is the zone of times that are written without one; nil means that
	// it is unknown, and such events are marked ZoneUnknown.
	Location *time.Location
	// Format forces a format by its name (logformat.Named, or "postgres:PREFIX"
	// with a log_line_prefix); empty means that it is worked out.
	Format string
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Check reports a Format that does not exist.
func (o Options) Check() error {
	if o.Format == "" {
		return nil
	}
	_, err := logformat.Forced(o.Format, []string{"", ""}, logformat.Context{})
	return err
}

// Log is one log: files that are read one after the other, oldest first. Its
// methods may be called from several goroutines; its fields must not change
// once one was called.
type Log struct {
	Name  string // the source's
	Files []*File
	Options
	// Command writes the query and the files that were read as a shell command
	// that finds the same by hand; nil: the result has no Query.
	Command func(q sources.LogQuery, paths []string) string
	// Apart marks files that several writers filled at the same time, so that one
	// does not begin where another ends.
	Apart bool
	// Lines are further lines of the log, which help to tell its formats: what its
	// start, middle and end may not show.
	Lines []string
	// Chunk is the size of the pieces that are searched, in bytes; zero: 1 MiB.
	Chunk int

	mu      sync.Mutex
	readers map[*File]*Learned
}

// Learned is what was found out about a file.
type Learned struct {
	Reader *logformat.Reader
	Size   int64
	Err    error // a *sources.Blind when the file cannot be read

	changed time.Time
	clock   *clock // not to be changed: copy it
	first   int64  // the first time in it
	timed   bool   // there is one
	bare    bool   // it has no zone
	sample  []byte // some lines from its end, where it is a large one
}

// Learn works out a file's format, once as long as it stays the same.
func (l *Log) Learn(ctx context.Context, f *File) *Learned {
	l.mu.Lock()
	defer l.mu.Unlock()
	c, err := f.open(ctx)
	if err != nil {
		return &Learned{Err: err}
	}
	defer c.Close()
	if got := l.readers[f]; got != nil && got.Err == nil && got.Size == c.size && got.changed.Equal(c.mtime) {
		return got
	}
	got := &Learned{Size: c.size, changed: c.mtime}
	lines, err := f.sample(c)
	if err != nil {
		got.Err = err
	} else {
		got.Reader = l.reader(c, slices.Concat(lines, l.Lines))
		got.clock = newClock(got.Reader, lines)
		clk := got.clock.copy()
		got.first, got.timed = firstTime(clk, lines)
		got.bare, got.sample = clk.bare, tail(lines, c.size)
	}
	if l.readers == nil {
		l.readers = map[*File]*Learned{}
	}
	l.readers[f] = got
	return got
}

func (l *Log) now() time.Time {
	if l.Now == nil {
		return time.Now()
	}
	return l.Options.Now()
}

// reader works out the format of a file of which lines are at hand.
func (l *Log) reader(c *content, lines []string) *logformat.Reader {
	opt := l.Options
	opt.Now = l.now
	return c.reader(lines, opt)
}

// Survey is what a look at the start of each file of a log shows.
type Survey struct {
	Readable int
	Bytes    int64 // as stored
	Formats  []string
	Problems []string
}

// Survey opens each file and tells its format.
func (l *Log) Survey(ctx context.Context) Survey {
	var s Survey
	seen := map[string]bool{}
	for _, f := range l.Files {
		if ctx.Err() != nil {
			s.Problems = append(s.Problems, "the check was cancelled")
			break
		}
		got := l.Learn(ctx, f)
		if got.Err != nil {
			s.Problems = append(s.Problems, got.Err.Error())
			continue
		}
		s.Readable++
		s.Bytes += got.Size
		if d := Describe(got.Reader); got.Size > 0 && !seen[d] {
			seen[d] = true
			s.Formats = append(s.Formats, d)
		}
	}
	return s
}

// Status says the same for people.
func (s Survey) Status(name string, kind sources.Kind, things string) sources.Status {
	st := sources.Status{Source: name, Kind: kind, State: sources.StateReady, Problem: strings.Join(s.Problems, "; ")}
	switch {
	case s.Readable == 0 && len(s.Problems) > 0:
		st.State, st.Summary = sources.StateFailed, "not readable"
		return st
	case len(s.Problems) > 0:
		st.State = sources.StatePartial
	}
	formats := s.Formats
	if len(formats) == 0 {
		formats = []string{"empty"}
	}
	st.Summary = fmt.Sprintf("%s, %s, %s", things, ByteCount(s.Bytes), strings.Join(formats, ", "))
	return st
}

// Describe names a format for people.
func Describe(r *logformat.Reader) string {
	if r.Main.Format.Name == "postgres" {
		return r.Main.Format.Title + ", " + r.Main.Detail
	}
	return r.Main.Format.Title
}

// ByteCount writes a number of bytes for people.
func ByteCount(n int64) string {
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

// blind makes sure that a failure to read is told as such.
func blind(path string, err error) error {
	var b *sources.Blind
	if errors.As(err, &b) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return &sources.Blind{Why: fmt.Sprintf("log %s: %v", path, err)}
}
