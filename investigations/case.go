package investigations

import (
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Journal is where entries are kept. Append returns only after the entry is on
// disk, with Seq, Prev and Hash filled in.
type Journal interface {
	Append(Entry) (Entry, error)
	Close() error
}

// Case is one investigation of one Record: a journal and the State it folds to.
// It may be used from several goroutines.
type Case struct {
	journal Journal
	redact  Redactor
	now     func() time.Time

	shown atomic.Pointer[State] // the newest state, for readers

	mu      sync.Mutex // held while an entry goes to disk
	state   State
	watch   map[int]func(State)
	watcher int
}

// NewCase returns a case over a journal that already holds entries (none for a
// new case). A nil redactor redacts nothing; a nil clock is time.Now.
func NewCase(j Journal, entries []Entry, redact Redactor, now func() time.Time) (*Case, error) {
	state, err := Fold(entries)
	if err != nil {
		return nil, fmt.Errorf("replay case: %w", err)
	}
	if now == nil {
		now = time.Now
	}
	c := &Case{journal: j, redact: redact, now: now, watch: map[int]func(State){}}
	c.set(state)
	return c, nil
}

// State returns the state after the newest entry. It never waits for the disk.
func (c *Case) State() State { return *c.shown.Load() }

func (c *Case) set(s State) {
	c.state = s
	c.shown.Store(&s)
}

// Watch calls f after every entry until the returned function is called. f runs
// on the goroutine that appended and must not block. Entries of two goroutines
// may be told in either order: ask State for the newest.
func (c *Case) Watch(f func(State)) (stop func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	id := c.watcher
	c.watcher++
	c.watch[id] = f
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.watch, id)
	}
}

// Record appends one entry: it is redacted, on disk, and only then part of the
// State. Evidence in a Collected body is numbered here.
func (c *Case) Record(kind EntryKind, body any) error {
	c.mu.Lock()
	watchers, state, err := c.record(kind, body)
	c.mu.Unlock()
	if err != nil {
		return err
	}
	for _, f := range watchers {
		f(state)
	}
	return nil
}

func (c *Case) record(kind EntryKind, body any) ([]func(State), State, error) {
	if b, ok := body.(Collected); ok {
		body = c.number(b)
	}
	e, err := NewEntry(c.now(), kind, body)
	if err != nil {
		return nil, State{}, err
	}
	if kind != EntryCollected { // evidence was redacted before it was hashed
		text, _, err := redactJSON(e.Body, c.redact)
		if err != nil {
			return nil, State{}, fmt.Errorf("redact %s entry: %w", kind, err)
		}
		e.Body = json.RawMessage(text)
	}
	// What stands in a journal must always replay: a body that would not is
	// refused before it is written.
	e.Seq = c.state.Entries + 1
	next, err := c.state.Apply(e)
	if err != nil {
		return nil, State{}, fmt.Errorf("record %s entry: %w", kind, err)
	}
	kept, err := c.journal.Append(e)
	if err != nil {
		return nil, State{}, err
	}
	if kept.Seq != e.Seq || !kept.Time.Equal(e.Time) { // the journal's word counts
		if next, err = c.state.Apply(kept); err != nil {
			return nil, State{}, err
		}
	}
	c.set(next)
	watchers := make([]func(State), 0, len(c.watch))
	for _, f := range c.watch {
		watchers = append(watchers, f)
	}
	return watchers, next, nil
}

// Undo takes back the newest answer, verdict or note. It reports false when
// there is none.
func (c *Case) Undo() (bool, error) {
	seq, ok := c.State().LastUndoable()
	if !ok {
		return false, nil
	}
	return true, c.Record(EntryUndone, Undone{Seq: seq})
}

// Follow applies an entry that another process appended, for a case that is
// open read-only.
func (c *Case) Follow(e Entry) error {
	c.mu.Lock()
	next, err := c.state.Apply(e)
	if err == nil {
		c.set(next)
	}
	watchers := make([]func(State), 0, len(c.watch))
	for _, f := range c.watch {
		watchers = append(watchers, f)
	}
	c.mu.Unlock()
	if err != nil {
		return err
	}
	for _, f := range watchers {
		f(next)
	}
	return nil
}

// Close closes the journal.
func (c *Case) Close() error { return c.journal.Close() }

// number continues from what is in the State, so that a failed append leaves no
// hole that a resumed case would fill with a number twice.
func (c *Case) number(b Collected) Collected {
	for i := range b.Evidence {
		b.Evidence[i].ID = fmt.Sprintf("E%d", len(c.state.Evidence)+i+1)
	}
	return b
}
