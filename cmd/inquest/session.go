package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"inquest/investigations"
	"inquest/investigations/journal"
	"inquest/investigations/mechanisms"
	"inquest/investigations/probes"
	"inquest/investigations/report"
	"inquest/sources"
	"inquest/ui/backend"
)

// checkLimit is how long one source may take to say what it can answer.
const checkLimit = 20 * time.Second

// engine is the one set of probes and mechanisms that every command uses.
func engine() investigations.Engine {
	return investigations.Engine{Probes: probes.All(), Judge: mechanisms.NewJudge(mechanisms.All())}
}

// checkLists reports a mistake in the lists of probes and mechanisms by name.
func checkLists() error {
	return errors.Join(investigations.CheckProbes(probes.All()), mechanisms.Check(mechanisms.All()))
}

// session is one open case with its sources. It implements backend.Session.
type session struct {
	path     string
	readOnly string
	note     string   // what was unusual about the case file, or ""
	remarks  []string // what was asked for and is not there
	c        *investigations.Case
	runner   *investigations.Runner
	sources  []sources.Source
	closers  []func() error

	asked   *backend.NewCase // the sources it was opened with; nil: those of a practice incident
	check   sync.Mutex
	checked bool // the sources have been asked what they can answer, since it was opened

	once     sync.Once
	closeErr error
}

// newSession returns a session over a journal that holds entries.
func newSession(p *program, path string, j investigations.Journal, entries []investigations.Entry, srcs []sources.Source, id string) (*session, error) {
	var keep []string
	for _, n := range (investigations.Record{ID: id}).Needles() {
		keep = append(keep, n.Text)
	}
	redact, err := sources.NewRedactor(keep, p.config.Redact...)
	if err != nil {
		return nil, fmt.Errorf("prepare redaction: %w", err)
	}
	c, err := investigations.NewCase(j, entries, redact, p.now)
	if err != nil {
		return nil, err
	}
	return &session{
		path: path, c: c, sources: srcs,
		runner: &investigations.Runner{Case: c, Engine: engine().Remembering(), Sources: srcs, Redact: redact, Now: p.now, Version: version},
	}, nil
}

// create makes the case file and records the opening. It runs no probe. The
// sources are the session's to close, or closed here on error.
func create(p *program, r request, srcs []sources.Source, path, recording string) (*session, error) {
	j, err := journal.Create(path)
	if err != nil {
		for _, s := range srcs {
			err = errors.Join(err, s.Close())
		}
		return nil, err
	}
	s, err := newSession(p, path, j, nil, srcs, r.Record)
	if err != nil {
		return nil, errors.Join(err, j.Close())
	}
	opened := investigations.Opened{
		Schema: investigations.CaseSchema, Record: investigations.Record{ID: r.Record, Table: r.Table, Hints: r.Hints},
		Window: r.Window, Version: version, Recording: recording,
		Options: investigations.Options{AppRole: r.AppRole, AppSettings: r.AppSettings, Budget: r.Budget},
	}
	if err := s.Record(investigations.EntryOpened, opened); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// reopen opens a saved case, read-only when another process holds it.
func reopen(p *program, path string, r *request) (*session, error) {
	j, entries, note, err := journal.Open(path)
	readOnly := ""
	var follow *journal.Reader
	switch {
	case errors.Is(err, journal.ErrLocked):
		follow, entries, note, err = journal.OpenReadOnly(path)
		readOnly = "another inquest has this case open; it is followed here"
	case err != nil:
		return nil, err
	}
	if err != nil {
		return nil, err
	}
	state, err := investigations.Fold(entries)
	if err != nil {
		return nil, err
	}
	var srcs []sources.Source
	if r != nil && readOnly == "" {
		r.Record = state.Record.ID
		srcs = openSources(*r, p)
	}
	var keeper investigations.Journal = j
	if follow != nil {
		keeper = follow
	}
	s, err := newSession(p, path, keeper, entries, srcs, state.Record.ID)
	if err != nil {
		return nil, errors.Join(err, keeper.Close())
	}
	s.readOnly, s.note = readOnly, note.String()
	if s.note != "" && readOnly == "" {
		if err := s.Record(investigations.EntryNoted, investigations.Noted{Text: s.note}); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	if follow != nil {
		s.follow(follow)
	}
	return s, nil
}

// follow applies what the writing process appends until the session is closed.
func (s *session) follow(r *journal.Reader) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for e, err := range r.Follow(ctx) {
			if err != nil || s.c.Follow(e) != nil {
				return
			}
		}
	}()
	s.closers = append(s.closers, func() error {
		cancel()
		<-done
		return nil
	})
}

// Path names the case file; empty for a recording.
func (s *session) Path() string { return s.path }

// State returns the case as its entries leave it.
func (s *session) State() investigations.State { return s.c.State() }

// Assessment judges the state.
func (s *session) Assessment() investigations.Assessment {
	return s.runner.Engine.Assess(s.c.State())
}

// Watch calls f after every entry.
func (s *session) Watch(f func()) (stop func()) {
	return s.c.Watch(func(investigations.State) { f() })
}

// errNoSources is returned by Run for a case that was opened without its
// connections: a case file holds none.
var errNoSources = errors.New("no source is connected: a case file keeps no connections, open it again with --db and --logs to run probes")

// Run checks the sources and runs the chosen probes.
func (s *session) Run(ctx context.Context, choose func(investigations.Probe) bool, update func(investigations.Update)) error {
	if s.readOnly != "" {
		return errors.New(s.readOnly)
	}
	if len(s.sources) == 0 {
		return errNoSources
	}
	s.runner.Update = update
	if err := s.Check(ctx); err != nil {
		return err
	}
	return s.runner.Run(ctx, choose)
}

// Cancel cancels one running probe.
func (s *session) Cancel(probe string) bool { return s.runner.Cancel(probe) }

// Record appends an entry that a person made.
func (s *session) Record(kind investigations.EntryKind, body any) error {
	if s.readOnly != "" {
		return errors.New(s.readOnly)
	}
	return s.c.Record(kind, body)
}

// Undo takes back the newest answer, verdict or note.
func (s *session) Undo() (bool, error) {
	if s.readOnly != "" {
		return false, errors.New(s.readOnly)
	}
	return s.c.Undo()
}

// Report returns the report in Markdown.
func (s *session) Report(context.Context) (string, error) {
	return string(report.Markdown(s.State(), s.Assessment())), nil
}

// ReadOnly says why nothing may be changed, or "".
func (s *session) ReadOnly() string { return s.readOnly }

// Close closes the sources and the case file. It is safe to call twice.
func (s *session) Close() error {
	s.once.Do(func() {
		var errs []error
		for _, src := range s.sources {
			errs = append(errs, src.Close())
		}
		for i := len(s.closers) - 1; i >= 0; i-- {
			errs = append(errs, s.closers[i]())
		}
		errs = append(errs, s.c.Close())
		s.closeErr = errors.Join(errs...)
	})
	return s.closeErr
}
