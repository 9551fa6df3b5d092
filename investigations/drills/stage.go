package drills

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// Stage is where a drill plays: a server, people and programs that connect to
// it, and logs. What is opened on it is closed when the drill has played.
type Stage struct {
	Host   Host
	Server Server

	mu      sync.Mutex
	conns   map[*pgx.Conn]struct{}
	traffic []*Traffic
	logs    []*Log
}

func newStage(h Host, srv Server) *Stage {
	return &Stage{Host: h, Server: srv, conns: map[*pgx.Conn]struct{}{}}
}

// Log makes a log file in the host's folder.
func (s *Stage) Log(name string) (*Log, error) {
	l, err := newLog(filepath.Join(s.Host.Dir(), name))
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.logs = append(s.logs, l)
	return l, nil
}

// Pause lets time pass.
func (s *Stage) Pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// close ends traffic, then sessions, then logs.
func (s *Stage) close(ctx context.Context) error {
	s.mu.Lock()
	traffic, logs := s.traffic, s.logs
	s.mu.Unlock()
	var errs []error
	for _, t := range traffic {
		errs = append(errs, t.Stop())
	}
	s.mu.Lock()
	conns := s.conns
	s.conns = map[*pgx.Conn]struct{}{}
	s.mu.Unlock()
	for c := range conns {
		if !c.IsClosed() {
			errs = append(errs, closeSession(ctx, c))
		}
	}
	for _, l := range logs {
		errs = append(errs, l.Close())
	}
	return errors.Join(errs...)
}

func closeSession(ctx context.Context, c *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := c.Close(ctx); err != nil {
		return fmt.Errorf("close a session: %w", err)
	}
	return nil
}
