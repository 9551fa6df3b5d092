package uitest

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"inquest/investigations"
	"inquest/sources"
	"inquest/ui/backend"
)

// Now is the time in all tests.
var Now = time.Date(2025, 11, 27, 17, 0, 0, 0, time.UTC)

// RecordID is the record of the seed incident.
const RecordID = "e7a4bff2-adc7-4847-a9d8-25734601b405"

// Fake is a backend in memory.
type Fake struct {
	Summaries []backend.CaseSummary
	ListErr   error
	OpenErr   error
	Hostile   bool   // cases are full of text that wants to drive the terminal
	Slow      bool   // one probe runs until it is cancelled or released
	Found     int    // so many lines the slow probe comes upon before it ends
	Real      bool   // slow means slow: for looking at it in a terminal
	Events    int    // further events on the timeline
	Long      *Long  // instead of the case's own timeline
	ReadOnly  string // why cases are read-only
	Apart     string // why nothing can be run
	Created   []backend.NewCase
	Connected []backend.NewCase
	Exported  []string
	Closed    int

	park    func(waits func() bool) (unpark func())
	mu      sync.Mutex
	release chan struct{}
	open    map[string]*session
}

// NewFake returns a backend with three saved cases.
func NewFake() *Fake {
	alone := func(func() bool) func() { return func() {} } // no driver waits for it
	return &Fake{park: alone, release: make(chan struct{}), open: map[string]*session{}, Summaries: []backend.CaseSummary{
		{Path: "/cases/e7a4.inquest", Record: RecordID, Table: `public."Dtros"`, Fate: investigations.FateNeverCommitted, Standing: investigations.Established, Leading: "rolled-back", Done: 10, Steps: 10, Updated: Now.Add(-2 * time.Hour)},
		{Path: "/cases/48213.inquest", Record: "48213", Table: "orders", Fate: investigations.FateDeleted, Standing: investigations.Probable, Done: 7, Steps: 10, Updated: Now.Add(-72 * time.Hour), Locked: true},
		{Path: "/cases/t42.inquest", Record: "tenant_id=7,doc_id=42", Steps: 10, Updated: Now.Add(-10 * 24 * time.Hour), Broken: "entry 17 was changed after it was written"},
	}}
}

// Release lets the slow probe end.
func (f *Fake) Release() {
	f.mu.Lock()
	defer f.mu.Unlock()
	select {
	case <-f.release:
	default:
		close(f.release)
	}
}

// List returns the saved cases.
func (f *Fake) List(context.Context) ([]backend.CaseSummary, error) { return f.Summaries, f.ListErr }

// Open opens a case that has not been run, but for the first one.
func (f *Fake) Open(_ context.Context, path string) (backend.Session, error) {
	if f.OpenErr != nil {
		return nil, f.OpenErr
	}
	return f.session(path, RecordID), nil
}

// Create keeps what was asked for.
func (f *Fake) Create(_ context.Context, c backend.NewCase) (backend.Session, error) {
	f.mu.Lock()
	f.Created = append(f.Created, c)
	f.mu.Unlock()
	if f.OpenErr != nil {
		return nil, f.OpenErr
	}
	return f.session("/cases/new.inquest", c.Record), nil
}

// Defaults has one profile.
func (f *Fake) Defaults(context.Context) (backend.Defaults, error) {
	return backend.Defaults{Case: backend.NewCase{Zone: "Europe/London"}, Profiles: []backend.Profile{{Name: "prod", Summary: "db1, two log folders"}}, Places: Places}, nil
}

// CheckSources answers for a server that may not read WAL.
func (f *Fake) CheckSources(_ context.Context, c backend.NewCase, each func(sources.Status)) error {
	for range c.Databases {
		each(Server)
		if c.Table == "nosuch" {
			each(sources.Status{Source: backend.SourceTable, State: sources.StateFailed, Summary: "not found", Problem: "there is no table nosuch in database dtro (db:prod). Did you mean public.nonsuch? Correct it, or go on if a table of that name was dropped"})
		}
	}
	for _, l := range c.Logs {
		each(sources.Status{Source: "log:" + l, Kind: sources.KindLog, State: sources.StateFailed, Summary: l, Problem: "no file fits " + l + ": look at the path, or name a folder"})
	}
	for _, p := range c.Places {
		each(sources.Status{Source: p, Kind: sources.KindLog, State: sources.StateReady, Summary: "2 files, 3 MiB"})
	}
	return nil
}

// Export notes the path.
func (f *Fake) Export(_ context.Context, _ backend.Session, path string) (string, error) {
	if path == "/full/disk.md" {
		return "", errors.New("write /full/disk.md: no space left on device: free some and press e again")
	}
	if path == "" {
		path = "~/.local/share/inquest/e7a4.md"
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.Exported = append(f.Exported, path)
	return path, nil
}

// Drills has one that can be built and one that cannot.
func (f *Fake) Drills() []backend.Drill {
	return []backend.Drill{
		{ID: "vanished-dtro", Title: "A create answered 201, and the record is not there", Story: "On 27 November 2025 at 14:58 the service answered a create with an id. Every later update said that the id does not exist. Did it ever exist properly?"},
		{ID: "failover", Title: "A promoted replica that had not received it", Story: "After a failover, acknowledged rows are gone.", Unavailable: "needs two PostgreSQL servers: no initdb was found in PATH"},
	}
}

// StartDrill builds in two steps.
func (f *Fake) StartDrill(_ context.Context, id string, progress func(backend.Progress)) (backend.Session, error) {
	progress(backend.Progress{What: "starting a throwaway server", Done: 1, Total: 3})
	progress(backend.Progress{What: "making the incident happen", Done: 2, Total: 3})
	if f.OpenErr != nil {
		return nil, f.OpenErr
	}
	return f.session("/cases/"+id+".inquest", RecordID), nil
}

func (f *Fake) session(path, record string) *session {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s, ok := f.open[path]; ok {
		return s
	}
	s := newSession(f, path, record)
	f.open[path] = s
	return s
}

// journal keeps entries in memory.
type journal struct{ n int }

func (j *journal) Append(e investigations.Entry) (investigations.Entry, error) {
	j.n++
	e.Seq = j.n
	return e, nil
}
func (j *journal) Close() error { return nil }

// session is an open case over the real fold, runner and engine.
type session struct {
	f      *Fake
	path   string
	c      *investigations.Case
	engine investigations.Engine
	mu     sync.Mutex
	runner *investigations.Runner
}

func newSession(f *Fake, path, record string) *session {
	clock := Now
	var mu sync.Mutex
	now := func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		clock = clock.Add(time.Millisecond)
		if f.Real {
			return time.Now()
		}
		return clock
	}
	opened := investigations.Opened{
		Schema: investigations.CaseSchema, Record: investigations.Record{ID: record, Table: "Dtros"},
		Window: sources.Window{From: at("14:28:00"), To: at("15:28:00")}, Version: "test",
	}
	if f.Hostile {
		opened.Record.Table = hostile
	}
	e, _ := investigations.NewEntry(Now, investigations.EntryOpened, opened)
	c, err := investigations.NewCase(&journal{n: 1}, []investigations.Entry{e}, nil, now)
	if err != nil {
		panic(err)
	}
	s := &session{f: f, path: path, c: c, engine: investigations.Engine{Probes: probes(f), Judge: judge}}
	for _, st := range statuses(f) {
		_ = c.Record(investigations.EntryChecked, st)
	}
	s.runner = &investigations.Runner{Case: c, Engine: s.engine, Now: now, Version: "test"}
	return s
}

func (s *session) Path() string                          { return s.path }
func (s *session) State() investigations.State           { return s.c.State() }
func (s *session) Assessment() investigations.Assessment { return s.engine.Assess(s.c.State()) }

func (s *session) Watch(f func()) func()                          { return s.c.Watch(func(investigations.State) { f() }) }
func (s *session) Cancel(probe string) bool                       { return s.runner.Cancel(probe) }
func (s *session) Undo() (bool, error)                            { return s.c.Undo() }
func (s *session) ReadOnly() string                               { return s.f.ReadOnly }
func (s *session) Record(k investigations.EntryKind, b any) error { return s.c.Record(k, b) }

func (s *session) Run(ctx context.Context, choose func(investigations.Probe) bool, update func(investigations.Update)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runner.Update = update
	err := s.runner.Run(ctx, choose)
	_ = s.c.Record(investigations.EntrySent, investigations.Sent{Statements: statements})
	return err
}

func (s *session) Report(context.Context) (string, error) {
	b, err := json.MarshalIndent(s.Assessment().Fate, "", "  ")
	return "# What happened to " + s.State().Record.ID + "\n\n" + s.Assessment().Fate.Summary + "\n\n## Fate\n\n```\n" + string(b) + "\n```\n\n- **supported** by `E1`\n\n| step | verdict |\n|---|---|\n| Database logs | finding |\n", err
}

func (s *session) Close() error {
	s.f.mu.Lock()
	defer s.f.mu.Unlock()
	s.f.Closed++
	delete(s.f.open, s.path)
	return nil
}
