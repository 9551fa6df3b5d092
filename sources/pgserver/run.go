package pgserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	portTries  = 5
	pollEvery  = 4 * time.Millisecond
	closeLimit = 5 * time.Second
)

// errPortTaken is a start that failed because another program had the port first.
var errPortTaken = errors.New("port is taken")

var errClosed = errors.New("server is closed")

// startOnFreePort starts a server that has no port yet; another program may win the race for one, so it tries a few.
func (s *Server) startOnFreePort(ctx context.Context) error {
	var err error
	for range portTries {
		if s.port, err = freePort(s.Host()); err != nil {
			return err
		}
		if err = s.start(ctx); !errors.Is(err, errPortTaken) {
			return err
		}
	}
	return err
}

func freePort(host string) (int, error) {
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	return port, l.Close()
}

// start runs the postmaster and waits until it accepts connections; s.mu is held.
func (s *Server) start(ctx context.Context) error {
	if s.closed {
		return errClosed
	}
	if s.proc.alive() {
		return nil
	}
	if err := s.writeConf(); err != nil {
		return err
	}
	log, err := openLog(s.LogFile())
	if err != nil {
		return fmt.Errorf("open the server log: %w", err)
	}
	defer func() { _ = log.Close() }() // the server has its own handle
	if err := s.user.own(log.Name()); err != nil {
		return err
	}
	from, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		return fmt.Errorf("find the end of the server log: %w", err)
	}
	s.proc, err = startProcess(filepath.Join(s.inst.Bin, "postgres"), []string{"-D", s.DataDir()}, s.root, log, s.user)
	if err != nil {
		return fmt.Errorf("start PostgreSQL %s: %w", s.inst.Version, err)
	}
	if err := s.awaitReady(ctx, log, from); err != nil {
		s.kill()
		return err
	}
	return nil
}

// awaitReady waits for the status line of postmaster.pid, which is what pg_ctl watches too.
func (s *Server) awaitReady(ctx context.Context, log io.ReaderAt, from int64) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		switch s.status() {
		case "ready", "standby":
			return nil
		}
		select {
		case <-tick.C:
		case <-s.proc.done:
			return s.startError(log, from)
		case <-ctx.Done():
			return fmt.Errorf("start PostgreSQL %s: %w", s.inst.Version, context.Cause(ctx))
		}
	}
}

// status is the eighth line of postmaster.pid when that file is this postmaster's: "starting", "ready", "standby", "stopping".
func (s *Server) status() string {
	pf, err := readPIDFile(s.DataDir())
	if err != nil || pf.pid != s.proc.pid {
		return ""
	}
	return pf.status
}

func (s *Server) startError(log io.ReaderAt, from int64) error {
	b, err := io.ReadAll(io.NewSectionReader(log, from, 1<<20))
	if err != nil {
		return fmt.Errorf("start PostgreSQL %s: it exited, and its log is unreadable: %w", s.inst.Version, err)
	}
	if bytes.Contains(b, []byte("could not create any TCP/IP sockets")) {
		return fmt.Errorf("start PostgreSQL %s on port %d: %w", s.inst.Version, s.port, errPortTaken)
	}
	return fmt.Errorf("start PostgreSQL %s: it exited: %s", s.inst.Version, lastLines(b, 4))
}

func lastLines(b []byte, n int) string {
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], " | ")
}

// Start starts a stopped or crashed server again, on the same port. A running one is left as it is.
func (s *Server) Start(ctx context.Context) error {
	ctx, cancel := withStartLimit(ctx)
	defer cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		err := s.start(ctx)
		if !errors.Is(err, errPortTaken) {
			return err
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return err
		}
	}
}

// Stop shuts down fast, the server's own "fast" mode: transactions are rolled back, a checkpoint is written. Stopping
// a stopped server does nothing. When the context ends first the server may still be stopping.
func (s *Server) Stop(ctx context.Context) error { return s.signalAndWait(ctx, syscall.SIGINT) }

// StopImmediate shuts down without a checkpoint; the next start runs crash recovery.
func (s *Server) StopImmediate(ctx context.Context) error {
	return s.signalAndWait(ctx, syscall.SIGQUIT)
}

func (s *Server) signalAndWait(ctx context.Context, sig syscall.Signal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.proc.alive() {
		return nil
	}
	if err := s.proc.signal(sig); err != nil {
		return fmt.Errorf("stop PostgreSQL: %w", err)
	}
	select {
	case <-s.proc.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("stop PostgreSQL: %w", context.Cause(ctx))
	}
}

// Crash kills the postmaster and all its processes at one instant, as a power cut would from the server's point of view.
// What the server had handed to the operating system survives.
func (s *Server) Crash() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proc.alive() {
		s.proc.crash()
	}
}

// Restart stops the server fast and starts it with these settings added to the ones it had.
func (s *Server) Restart(ctx context.Context, settings map[string]string) error {
	if err := s.Stop(ctx); err != nil {
		return err
	}
	s.merge(settings)
	return s.Start(ctx)
}

// Reload adds settings to the ones the server had and makes it read its configuration again. Sessions follow at their
// next command; settings that need a restart wait for one.
func (s *Server) Reload(settings map[string]string) error {
	s.merge(settings)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.writeConf(); err != nil {
		return err
	}
	if !s.proc.alive() {
		return nil
	}
	before := s.logSize()
	if err := s.proc.signal(syscall.SIGHUP); err != nil {
		return fmt.Errorf("reload the configuration: %w", err)
	}
	// The postmaster says so in its log; with the log elsewhere a short wait has to do.
	for end := time.Now().Add(300 * time.Millisecond); time.Now().Before(end) && s.logSize() == before; {
		time.Sleep(pollEvery)
	}
	return nil
}

func (s *Server) merge(settings map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.Copy(s.settings, settings)
}

func (s *Server) logSize() int64 {
	fi, err := os.Stat(s.LogFile())
	if err != nil {
		return 0
	}
	return fi.Size()
}

// Promote makes a standby a primary and waits until it is one.
func (s *Server) Promote(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.proc.alive() {
		return errors.New("promote: server is not running")
	}
	if err := s.user.writeFile(filepath.Join(s.DataDir(), "promote"), ""); err != nil {
		return fmt.Errorf("promote: %w", err)
	}
	if err := s.proc.signal(promoteSignal); err != nil {
		return fmt.Errorf("promote: %w", err)
	}
	return s.awaitPrimary(ctx)
}

// AwaitPrimary waits until a recovery or a promotion is over and the server takes writes.
func (s *Server) AwaitPrimary(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.proc.alive() {
		return errors.New("await the end of recovery: server is not running")
	}
	return s.awaitPrimary(ctx)
}

func (s *Server) awaitPrimary(ctx context.Context) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for !inProduction(s.DataDir()) {
		select {
		case <-tick.C:
		case <-s.proc.done:
			return errors.New("await the end of recovery: server exited")
		case <-ctx.Done():
			return fmt.Errorf("await the end of recovery: %w", context.Cause(ctx))
		}
	}
	return nil
}

// Close stops the server, whatever it is doing, and removes all of it. It may be called more than once.
func (s *Server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	s.kill()
	return s.removeRoot()
}

// kill ends the postmaster without regard for the data, politely first so that it cleans up after itself; s.mu is held.
func (s *Server) kill() {
	if !s.proc.alive() {
		return
	}
	_ = s.proc.signal(syscall.SIGQUIT) // when it is gone already, the wait below ends at once
	select {
	case <-s.proc.done:
	case <-time.After(closeLimit):
		s.proc.crash()
	}
}
