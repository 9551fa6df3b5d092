package drills

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"
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

// closeLimit bounds how long a server process may take to end.
const closeLimit = 20 * time.Second

// closeSession takes leave of the server and waits until its process has ended,
// which it logs before it closes the connection: who comes later finds nobody
// there who has gone.
func closeSession(ctx context.Context, c *pgx.Conn) error {
	if c.IsClosed() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, closeLimit)
	defer cancel()
	taken, err := c.PgConn().Hijack()
	if err != nil { // busy
		if err := c.Close(ctx); err != nil {
			return fmt.Errorf("close a session: %w", err)
		}
		return nil
	}
	stop := context.AfterFunc(ctx, func() { _ = taken.Conn.Close() })
	defer stop()
	taken.Frontend.Send(&pgproto3.Terminate{})
	if taken.Frontend.Flush() == nil { // an error: the server went first
		_, _ = io.Copy(io.Discard, taken.Conn) // likewise, with a reset
	}
	if ctx.Err() != nil {
		return fmt.Errorf("close a session: its server process did not end: %w", ctx.Err())
	}
	if err := taken.Conn.Close(); err != nil {
		return fmt.Errorf("close a session: %w", err)
	}
	return nil
}
