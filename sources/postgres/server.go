package postgres

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"inquest/sources"
)

// Server is a PostgreSQL server as one role in one database sees it. It keeps
// one connection, opened at first use, and all work queues on it.
type Server struct {
	name  string
	cfg   *pgconn.Config
	opt   Options
	notes []string
	sent  statements

	queue chan struct{} // holds one token; the fields below belong to its holder
	conn  *pgconn.PgConn
	known *Facts
	// refused is the reason why the last attempt to connect failed; only Check
	// tries again.
	refused *sources.Blind
	drops   int
	closed  bool

	spent     atomic.Int64 // nanoseconds of all work
	heapBytes atomic.Int64
	walBytes  atomic.Int64
	pid       atomic.Uint32
	closeOnce sync.Once
	companion sync.Once
	ownLog    *Log
	streams   streams
}

// Server is all of these.
var (
	_ sources.Source          = (*Server)(nil)
	_ sources.Querier         = (*Server)(nil)
	_ sources.StatementLogger = (*Server)(nil)
)

// Open reads the connection string as libpq does (URL, keywords, service, PG*
// variables, password file; empty takes everything from the environment) and
// does nothing else: no I/O but for those files. The name identifies the server
// within a case, such as "db:prod". The error never holds a password.
func Open(name, dsn string, opt Options) (*Server, error) {
	cfg, notes, err := parseDSN(dsn)
	if err != nil {
		return nil, err
	}
	s := &Server{name: name, cfg: cfg, opt: opt.withDefaults(), notes: notes, queue: make(chan struct{}, 1)}
	if s.name == "" {
		s.name = "db:" + cfg.Database
	}
	s.cfg.BuildContextWatcherHandler = cancelPolitely
	if s.cfg.ConnectTimeout == 0 {
		s.cfg.ConnectTimeout = s.opt.ConnectTimeout
	}
	return s, nil
}

// Name returns the name that the server was opened with.
func (s *Server) Name() string { return s.name }

// Kind returns sources.KindPostgres.
func (s *Server) Kind() sources.Kind { return sources.KindPostgres }

// Notes says which parts of the connection string were left out, and why.
func (s *Server) Notes() []string { return s.notes }

// Target is "host:port, database, user" for people; it holds no password.
func (s *Server) Target() string { return target(s.cfg) }

// Database is the database that the connection string names.
func (s *Server) Database() string { return s.cfg.Database }

// BackendPID is the process id of the session on the server, by which its own
// traces are recognised, or 0 before the first contact.
func (s *Server) BackendPID() uint32 { return s.pid.Load() }

// Close ends the session. Work that waits or runs ends with an error.
func (s *Server) Close() error {
	var err error
	s.closeOnce.Do(func() {
		defer func() {
			s.companion.Do(func() {}) // none is opened from here on
			if s.ownLog != nil {
				err = s.ownLog.Close()
			}
		}()
		s.streams.close()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if s.acquire(ctx) != nil {
			return
		}
		s.closed = true
		s.hangUp()
		s.release()
	})
	return err
}

// OtherDatabase returns a Server for another database of the same cluster with
// the same role and limits. The caller closes it.
func (s *Server) OtherDatabase(database string) *Server {
	cfg := s.cfg.Copy()
	cfg.Database = database
	return &Server{name: s.name + "/" + database, cfg: cfg, opt: s.opt, notes: s.notes, queue: make(chan struct{}, 1)}
}
