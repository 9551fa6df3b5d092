// Package pgserver runs throwaway PostgreSQL clusters for drills and tests.
//
// A cluster lives in one folder and belongs to the process that started it: Close stops it and removes the folder, a
// killed owner takes its server with it where the system allows that, and the next Start sweeps what was left. Nothing
// is ever signalled that this package did not start.
package pgserver

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// ErrNoServer is returned by Start when no installation that fits is found on this machine.
var ErrNoServer = errors.New("no PostgreSQL server found (looked in INQUEST_PG_BIN, PATH, /usr/lib/postgresql, Homebrew, Postgres.app and inquest's cache)")

// startLimit bounds a start whose context has no deadline of its own.
const startLimit = 60 * time.Second

// Config says which server to start and how. The zero value is a server of any version with PostgreSQL's own defaults,
// a UTC clock and small shared buffers.
type Config struct {
	// Major is the major version wanted, such as 15. Zero takes INQUEST_PG_BIN when set, else the newest installed one.
	Major int
	// Bin is a folder with postgres and initdb that is used instead of searching.
	Bin string
	// Settings are configuration parameters, unquoted. They win over this package's defaults and lose to ALTER SYSTEM.
	Settings map[string]string
	// HBA lines are put before the default ones (trust on the socket, scram-sha-256 on 127.0.0.1).
	HBA []string
	// Superuser is the name of the bootstrap role; "postgres" when empty.
	Superuser string
	// Dir is the folder that holds the whole cluster. It must be empty or absent and is removed by Close. When empty
	// a new temporary folder is made, and only such folders are swept after a crash of the owner.
	Dir string
	// NoTemplate runs initdb anew instead of copying a cached, freshly initialised cluster.
	NoTemplate bool
	// WALSegSizeMB is the size of a WAL segment; 16 when zero.
	WALSegSizeMB int
	// Checksums switches data checksums on; they are off otherwise, in every version.
	Checksums bool
	// Locale is given to initdb; "C" when empty. The encoding is always UTF8.
	Locale string
	// Backup is a folder made by Server.BaseBackup to start from. It is copied, not moved, and stays as it is.
	// Superuser, WALSegSizeMB, Checksums and Locale then come from the backup.
	Backup *Backup
	// Mode is what a server started from a Backup does first.
	Mode Mode
}

// Mode is the way a server starts.
type Mode int

// The ways a server starts: as a primary, following its primary (standby.signal), or recovering from an archive up to a
// target (recovery.signal).
const (
	Primary Mode = iota
	FollowPrimary
	Recover
)

// Server is one cluster. Its methods may be called from several goroutines.
type Server struct {
	mu       sync.Mutex
	inst     Installation
	user     identity
	root     string // everything below is in here, but for a socket whose path would be too long
	sock     string
	port     int
	lock     *os.File
	proc     *process
	settings map[string]string
	hba      []string
	super    string
	password string
	closed   bool
}

// Start makes a cluster, starts it and waits until it accepts connections. The context bounds the start only; the server
// runs until Close, which the caller owes whenever the error is nil. On error nothing is left behind.
func Start(ctx context.Context, cfg Config) (*Server, error) {
	user, err := serverIdentity()
	if err != nil {
		return nil, fmt.Errorf("choose a user to run PostgreSQL as: %w", err)
	}
	inst, err := choose(cfg, user)
	if err != nil {
		return nil, err
	}
	Sweep()
	s := &Server{
		inst: inst, user: user, settings: maps.Clone(cfg.Settings), hba: cfg.HBA,
		super: cfg.Superuser,
	}
	if s.settings == nil {
		s.settings = map[string]string{}
	}
	if s.super == "" {
		s.super = "postgres"
	}
	if err := s.create(ctx, cfg); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// create lays out the folder, fills the data directory and starts the server for the first time.
func (s *Server) create(ctx context.Context, cfg Config) error {
	ctx, cancel := withStartLimit(ctx)
	defer cancel()
	if err := s.makeRoot(cfg.Dir); err != nil {
		return err
	}
	if err := s.fill(ctx, cfg); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.startOnFreePort(ctx)
}

// fill puts a data directory in place: from a backup, from a cached template, or from initdb.
func (s *Server) fill(ctx context.Context, cfg Config) error {
	if cfg.Backup != nil {
		return s.fillFromBackup(ctx, *cfg.Backup, cfg.Mode)
	}
	if cfg.Mode != Primary {
		return errors.New("start PostgreSQL: a standby or a recovery needs a backup to start from")
	}
	return s.fillFromInitdb(ctx, cfg)
}

func withStartLimit(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, startLimit)
}

// Installation returns the binaries the server runs on.
func (s *Server) Installation() Installation { return s.inst }

// Host is the address the server listens on.
func (s *Server) Host() string { return "127.0.0.1" }

// Port is the TCP port, which stays the same over restarts. It also names the socket.
func (s *Server) Port() int { return s.port }

// SocketDir is the folder of the Unix socket; only this process's user and the server's may enter it.
func (s *Server) SocketDir() string { return s.sock }

// DataDir is the cluster's data directory.
func (s *Server) DataDir() string { return filepath.Join(s.root, "data") }

// WALDir is the folder of the WAL segments.
func (s *Server) WALDir() string { return filepath.Join(s.DataDir(), "pg_wal") }

// LogFile is what the server writes to standard error, from the first start on. With logging_collector on, the log is
// where log_directory says instead.
func (s *Server) LogFile() string { return filepath.Join(s.root, "server.log") }

// ScratchDir is a folder beside the data directory that the server may write to, for an archive_command or a tablespace.
// It goes with Close.
func (s *Server) ScratchDir() string { return filepath.Join(s.root, "scratch") }

// Superuser is the bootstrap role's name.
func (s *Server) Superuser() string { return s.super }

// Password is the bootstrap role's password, for connections over TCP.
func (s *Server) Password() string { return s.password }

// Running reports whether the postmaster is alive.
func (s *Server) Running() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.proc.alive()
}

// PID is the postmaster's process id, or 0 when it is not running.
func (s *Server) PID() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.proc.alive() {
		return 0
	}
	return s.proc.pid
}
