package drills

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// Traffic is a number of workers that repeat a step until they are stopped.
type Traffic struct {
	stop chan struct{}
	once sync.Once
	wg   sync.WaitGroup
	mu   sync.Mutex
	errs []error
}

// Pace is the span from which a worker's pause between two steps is drawn.
type Pace struct{ Min, Max time.Duration }

func (p Pace) draw() time.Duration {
	if p.Max <= p.Min {
		return p.Min
	}
	return p.Min + rand.N(p.Max-p.Min)
}

// Traffic starts workers, each on a session of its own, that take the step over
// and over. An error of a step ends its worker and is returned by Stop.
func (s *Stage) Traffic(ctx context.Context, who Session, workers int, pace Pace, step func(context.Context, *pgx.Conn) error) *Traffic {
	t := &Traffic{stop: make(chan struct{})}
	s.mu.Lock()
	s.traffic = append(s.traffic, t)
	s.mu.Unlock()
	for range workers {
		t.wg.Go(func() { t.fail(t.work(ctx, s, who, pace, step)) })
	}
	return t
}

// Stop lets every worker finish its step and waits for them. It may be called
// more than once and returns the same errors.
func (t *Traffic) Stop() error {
	t.once.Do(func() { close(t.stop) })
	t.wg.Wait()
	t.mu.Lock()
	defer t.mu.Unlock()
	return errors.Join(t.errs...)
}

func (t *Traffic) fail(err error) {
	if err == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.errs = append(t.errs, err)
}

func (t *Traffic) work(ctx context.Context, s *Stage, who Session, pace Pace, step func(context.Context, *pgx.Conn) error) error {
	var conn *pgx.Conn
	var err error
	for t.wait(ctx, pace.draw()) {
		if conn == nil {
			if conn, err = s.Connect(ctx, who); err != nil {
				return err
			}
		}
		if err := step(ctx, conn); err != nil {
			return err
		}
		if who.PerRequest {
			if err := s.Leave(ctx, conn); err != nil {
				return err
			}
			conn = nil
		}
	}
	if conn != nil {
		return s.Leave(ctx, conn)
	}
	return nil
}

func (t *Traffic) wait(ctx context.Context, d time.Duration) bool {
	select {
	case <-t.stop:
		return false
	case <-ctx.Done():
		return false
	default:
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-t.stop:
		return false
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
