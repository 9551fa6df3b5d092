// Package live keeps what the screens show of an open case up to date: the
// newest state and judgement, and the progress of what runs.
package live

import (
	"context"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"inquest/investigations"
	"inquest/ui/backend"
	"inquest/ui/task"
)

// Snapshot is what is known of a case at one moment. It is replaced, never
// changed.
type Snapshot struct {
	State      investigations.State
	Assessment investigations.Assessment
	Table      string
	Gaps       int
	Version    int // counts snapshots, for caches
	// Events are the moments of the timeline.
	Events backend.Moments
	// Versions are those of the record that the evidence shows.
	Versions []investigations.Version
}

// Case is an open case as the screens see it. Its methods are called from
// Update and View; only Signal arrives from elsewhere.
type Case struct {
	Session backend.Session
	Snap    Snapshot
	Ready   bool // the first snapshot is there
	// Running holds the newest sign of life of each probe that runs, and of one that
	// has ended until what it brought is in the snapshot.
	Running map[string]investigations.Update

	ctx    context.Context
	end    context.CancelFunc
	send   func(tea.Msg)
	fetch  task.Slot
	stale  bool
	run    task.Slot
	check  task.Slot
	label  string
	unhook func()
	closed bool

	changed, moved atomic.Bool
	mu             sync.Mutex
	inbox          map[string]investigations.Update
}

// Signal says that something changed in a case. The root hands it back.
type Signal struct{ of *Case }

// Case returns the case that the signal is about.
func (s Signal) Case() *Case { return s.of }

// New returns a live case. send hands messages to the program from other
// goroutines and must not block for long.
func New(ctx context.Context, s backend.Session, send func(tea.Msg)) *Case {
	state := s.State() // shown while it is judged for the first time
	first := Snapshot{State: state, Table: state.Record.Table, Events: NewMoments(nil)}
	c := &Case{Session: s, Snap: first, send: send, Running: map[string]investigations.Update{}, inbox: map[string]investigations.Update{}}
	c.ctx, c.end = context.WithCancel(ctx)
	return c
}

// Start begins to follow the case.
func (c *Case) Start() tea.Cmd {
	c.unhook = c.Session.Watch(func() { c.signal(&c.changed) })
	return tea.Batch(c.refresh(), c.checkSources())
}

// checkSources asks the sources what they can answer, where the session can and
// has not yet: the header then names the server before anything has been run.
func (c *Case) checkSources() tea.Cmd {
	s, ok := c.Session.(backend.Checker)
	if !ok || c.Session.ReadOnly() != "" {
		return nil
	}
	return c.check.Start(c.ctx, func(ctx context.Context) (any, error) { return nil, s.Check(ctx) })
}

// Checking reports whether the sources are being asked what they can answer.
func (c *Case) Checking() bool { return c.check.Busy() }

// signal tells the program once; further changes join the one on its way.
func (c *Case) signal(flag *atomic.Bool) {
	if flag.CompareAndSwap(false, true) {
		c.send(Signal{c})
	}
}

// Update takes a message that may concern the case and reports whether it did.
func (c *Case) Update(msg tea.Msg) (tea.Cmd, bool) {
	switch m := msg.(type) {
	case Signal:
		if m.of != c {
			return nil, false
		}
		return c.signalled(), true
	case task.Done:
		if c.fetch.Take(m) {
			return c.fetched(m), true
		}
		if c.check.Take(m) {
			return nil, true // what went wrong stands in the sources' own answers
		}
		if c.run.Take(m) {
			c.collect()
			maps.DeleteFunc(c.Running, func(id string, _ investigations.Update) bool { return !c.awaited(id) })
			return func() tea.Msg { return Ended{Of: c, Err: m.Err} }, true
		}
	}
	return nil, false
}

// Ended says that a run ended; Err is nil, a context's end, or what went wrong.
type Ended struct {
	Of  *Case
	Err error
}

func (c *Case) signalled() tea.Cmd {
	c.moved.Store(false)
	c.collect()
	if !c.changed.Load() {
		return nil
	}
	return c.refresh()
}

// Tick takes what running probes have told since the last time. Their starts and
// ends signal; their progress waits for the next stroke of the spinner, so that a
// search that finds thousands of lines does not draw the screen as often.
func (c *Case) Tick() { c.collect() }

func (c *Case) collect() {
	c.mu.Lock()
	in := maps.Clone(c.inbox)
	clear(c.inbox)
	c.mu.Unlock()
	for id, u := range in {
		c.Running[id] = u
		if u.State == investigations.RunEnded && !c.awaited(id) || u.State != investigations.RunEnded && !c.run.Busy() {
			delete(c.Running, id)
		}
	}
}

// awaited reports whether a probe has ended and what it brought is still on its way
// into the snapshot.
func (c *Case) awaited(id string) bool {
	return c.Running[id].State == investigations.RunEnded && (c.fetch.Busy() || c.changed.Load())
}

// refresh fetches a new snapshot; while one is being fetched it only notes that
// another is due, so that a burst of entries costs two.
func (c *Case) refresh() tea.Cmd {
	if c.closed {
		return nil
	}
	if c.fetch.Busy() {
		c.stale = true
		return nil
	}
	c.stale = false
	c.changed.Store(false)
	s, before := c.Session, c.Snap
	return c.fetch.Start(c.ctx, func(context.Context) (any, error) {
		snap := Snapshot{State: s.State(), Assessment: s.Assessment(), Version: before.Version + 1}
		snap.Table = investigations.TableOf(snap.State, snap.Assessment)
		snap.Versions = investigations.Versions(snap.State)
		for _, cov := range snap.Assessment.Coverage {
			snap.Gaps += len(cov.Gaps)
		}
		if long, ok := s.(backend.Chronicler); ok {
			snap.Events = long.Moments()
		} else if same(before.Assessment.Timeline, snap.Assessment.Timeline) && before.Version > 0 {
			snap.Events = before.Events
		} else {
			snap.Events = NewMoments(snap.Assessment.Timeline)
		}
		return snap, nil
	})
}

// same reports whether two lists are one and the same, as they are when nothing was
// added to what the timeline is made of.
func same(a, b []investigations.Moment) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

func (c *Case) fetched(d task.Done) tea.Cmd {
	if snap, ok := d.Value.(Snapshot); ok {
		c.Snap, c.Ready = snap, true
	}
	if c.stale || c.changed.Load() {
		return c.refresh()
	}
	maps.DeleteFunc(c.Running, func(_ string, u investigations.Update) bool { return u.State == investigations.RunEnded })
	return nil
}

// Run runs the chosen probes; nil means all. label says what runs.
func (c *Case) Run(label string, choose func(investigations.Probe) bool) tea.Cmd {
	if c.run.Busy() || c.closed {
		return nil
	}
	c.label = label
	s := c.Session
	return c.run.Start(c.ctx, func(ctx context.Context) (any, error) {
		return nil, s.Run(ctx, choose, c.progress)
	})
}

func (c *Case) progress(u investigations.Update) {
	c.mu.Lock()
	c.inbox[u.Probe] = u
	c.mu.Unlock()
	if u.State != investigations.RunProgress {
		c.signal(&c.moved)
	}
}

// Busy reports whether probes run.
func (c *Case) Busy() bool { return c.run.Busy() }

// Label says what runs.
func (c *Case) Label() string { return c.label }

// Interrupt asks everything that runs to end; what was collected stays.
func (c *Case) Interrupt() bool { return c.run.Interrupt() }

// Close stops following and returns a command that closes the session, once.
func (c *Case) Close() tea.Cmd {
	if c.closed {
		return nil
	}
	c.closed = true
	if c.unhook != nil {
		c.unhook()
	}
	c.fetch.Stop()
	c.check.Stop()
	c.end()
	s := c.Session
	return func() tea.Msg {
		return Closed{Err: s.Close()}
	}
}

// Closed says that a session has been closed; Err says why not cleanly.
type Closed struct{ Err error }

// Working counts the probes that run.
func (c *Case) Working() int {
	n := 0
	for _, u := range c.Running {
		if u.State != investigations.RunEnded {
			n++
		}
	}
	return n
}

// Elapsed returns how long the longest running probe has run.
func (c *Case) Elapsed() time.Duration {
	var d time.Duration
	for _, u := range c.Running {
		d = max(d, u.Elapsed)
	}
	return d
}
