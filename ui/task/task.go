// Package task runs work beside the screens: each slot numbers its runs,
// cancels the older one and lets late answers be refused.
package task

import (
	"context"
	"fmt"
	"runtime/debug"

	tea "github.com/charmbracelet/bubbletea"
)

// Slot holds at most one run of one kind of work. Its methods are called from
// Update only.
type Slot struct {
	run    int
	busy   bool
	cancel context.CancelFunc
}

// Done is the answer of a run. Value is what the work returned.
type Done struct {
	slot  *Slot
	run   int
	Value any
	Err   error
}

// Start cancels the run under way, if any, and returns the command for a new
// one. work must capture all it needs: it runs on another goroutine. When it
// panics the answer is an error: one mistake does not take the screens along.
func (s *Slot) Start(ctx context.Context, work func(context.Context) (any, error)) tea.Cmd {
	s.Stop()
	s.run++
	s.busy = true
	ctx, s.cancel = context.WithCancel(ctx)
	run := s.run
	return func() (answer tea.Msg) {
		defer func() {
			if broke := recover(); broke != nil {
				answer = Done{slot: s, run: run, Err: fmt.Errorf("inquest made a mistake here, and goes on: %v\n%s", broke, debug.Stack())}
			}
		}()
		v, err := work(ctx)
		return Done{slot: s, run: run, Value: v, Err: err}
	}
}

// Take reports whether d is the answer of the newest run of this slot; the slot
// is then free. Late answers and those of other slots are refused.
func (s *Slot) Take(d Done) bool {
	if d.slot != s || d.run != s.run || !s.busy {
		return false
	}
	s.release()
	return true
}

// Stop cancels the run under way; its answer will be refused.
func (s *Slot) Stop() {
	if s.busy {
		s.run++
		s.release()
	}
}

// Interrupt asks the run under way to end and still takes its answer.
func (s *Slot) Interrupt() bool {
	if s.busy && s.cancel != nil {
		s.cancel()
	}
	return s.busy
}

// Busy reports whether a run is under way.
func (s *Slot) Busy() bool { return s.busy }

func (s *Slot) release() {
	s.busy = false
	if s.cancel != nil {
		s.cancel()
		s.cancel = nil
	}
}
