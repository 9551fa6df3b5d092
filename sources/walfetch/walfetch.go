// Package walfetch is the source for WAL in an archive that is reached by a
// restore command, such as those of pgBackRest, WAL-G and Barman. The segments
// that matter are fetched into a private temporary folder and read from there.
package walfetch

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"inquest/sources"
	"inquest/sources/scratch"
	"inquest/sources/wal"
)

// Position says where a server's WAL stands, so that names of segments can be
// told. Zero fields are unknown.
type Position struct {
	Timeline    uint32
	LSN         wal.LSN // end of the WAL there is
	SegmentSize int64
	// Archived is the name of the segment that was archived last.
	Archived string
	// Have is the start of the oldest segment that is read from the server itself:
	// only older ones are fetched.
	Have wal.LSN
}

// Options bound and direct a Source.
type Options struct {
	// Position is asked when WAL is wanted; it may return a *sources.Blind.
	Position func(ctx context.Context) (Position, error)
	// MaxBytes bounds the segments that are fetched; zero means 8 GiB, negative no bound.
	MaxBytes int64
	// From is the start of the time that matters: older segments are not fetched,
	// but for those of the hour before, which may hold the row as it was. Zero: all
	// that MaxBytes and Total allow.
	From    time.Time
	Timeout time.Duration // of one command; default 2 min
	// Total bounds the fetching in all; default 5 min, negative means no bound.
	Total time.Duration
}

// lead is how much WAL before Options.From is fetched: a page's first change
// after a checkpoint brings its image, and checkpoints are seldom further apart.
const lead = time.Hour

// Source is an archive of WAL behind a command.
type Source struct {
	name     string
	template template
	opt      Options

	mu     sync.Mutex // held while fetching
	folder *scratch.Folder
	files  sync.Mutex      // guards the next two, which several commands at once write to
	have   map[string]bool // files that were fetched
	bytes  int64
	notes  []string
	closed bool
}

// Follow names the server whose WAL the archive holds. It is called before the
// source is used, where Options could not say yet.
func (s *Source) Follow(position func(ctx context.Context) (Position, error)) {
	s.opt.Position = position
}

// Open returns the source of a restore command. It runs nothing. The error says
// what is wrong with the template.
func Open(command string, opt Options) (*Source, error) {
	t, err := parseTemplate(command)
	if err != nil {
		return nil, fmt.Errorf("restore command: %w", err)
	}
	if opt.MaxBytes == 0 {
		opt.MaxBytes = 8 << 30
	}
	if opt.Timeout == 0 {
		opt.Timeout = 2 * time.Minute
	}
	if opt.Total == 0 {
		opt.Total = 5 * time.Minute
	}
	return &Source{name: "wal-fetch", template: t, opt: opt, have: map[string]bool{}}, nil
}

// Name returns "wal-fetch".
func (s *Source) Name() string { return s.name }

// Kind returns KindWAL.
func (s *Source) Kind() sources.Kind { return sources.KindWAL }

// Notes says for people why no more was fetched.
func (s *Source) Notes() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.notes
}

// Close removes what was fetched. It waits for a fetch that runs.
func (s *Source) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	if s.folder == nil {
		return nil
	}
	return s.folder.Close()
}

// WAL fetches the segments and returns a reader of them, which the caller
// closes. Nothing is fetched twice. It returns a *sources.Blind when the position
// is not known, or when the command brings no segment at all.
func (s *Source) WAL(ctx context.Context) (wal.Source, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.open(); err != nil {
		return nil, err
	}
	pos, err := s.position(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.fetchAll(ctx, pos); err != nil {
		return nil, err
	}
	d, err := wal.OpenDir(s.folder.Path())
	if err != nil {
		return nil, fmt.Errorf("read what was fetched: %w", err)
	}
	return d, nil
}

func (s *Source) open() error {
	if s.closed {
		return &sources.Blind{Why: s.name + " is closed"}
	}
	if s.folder != nil {
		return nil
	}
	f, err := scratch.New()
	if err != nil {
		return &sources.Blind{Why: "WAL cannot be fetched: " + err.Error(), Opens: "set TMPDIR to a folder with room"}
	}
	s.folder = f
	return nil
}

func (s *Source) position(ctx context.Context) (Position, error) {
	if s.opt.Position == nil {
		return Position{}, &sources.Blind{Why: "which segments to ask the archive for is not known without a server", Opens: "name the database with --db, even one restored elsewhere"}
	}
	pos, err := s.opt.Position(ctx)
	if err != nil {
		return pos, err
	}
	if pos.Timeline == 0 || pos.LSN == 0 || pos.SegmentSize == 0 {
		return pos, &sources.Blind{Why: "the server does not say where its WAL stands, so that the archive cannot be asked", Opens: "a role that may run pg_control_checkpoint() and pg_current_wal_insert_lsn()"}
	}
	return pos, nil
}

// Check fetches the newest file that the archive should have, to see that the
// command works.
func (s *Source) Check(ctx context.Context) sources.Status {
	st := sources.Status{Source: s.name, Kind: sources.KindWAL, State: sources.StateFailed, Identity: map[string]string{"command": shown(string(s.template))}}
	name, err := s.tryOne(ctx)
	if err != nil {
		st.Summary, st.Problem = "the archive could not be read", err.Error()
		return st
	}
	st.State = sources.StateReady
	st.Summary = "WAL archive by command, up to segment " + name
	st.Abilities = []sources.Ability{{Name: "WAL", OK: true}}
	return st
}

func (s *Source) tryOne(ctx context.Context) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.open(); err != nil {
		return "", err
	}
	pos, err := s.position(ctx)
	if err != nil {
		return "", err
	}
	w, err := s.newWalk(ctx, pos)
	if err != nil {
		return "", err
	}
	at, err := w.first(ctx)
	if err != nil {
		return "", err
	}
	return at.name, nil
}

// blind turns the first failure of a command into the reason why nothing is read.
func blind(tried string, err error) error {
	var b *sources.Blind
	if errors.As(err, &b) {
		return err
	}
	if !errors.Is(err, errMissing) {
		return err
	}
	return &sources.Blind{Why: "the command brought no segment; tried " + tried + "; the last: " + err.Error(), Opens: "check --wal-fetch by hand, and that it reads the archive of this cluster"}
}
