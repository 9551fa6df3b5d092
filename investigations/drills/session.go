package drills

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// password is the one of every role that a drill makes: the servers are
// throwaway and listen on the loopback address only.
const password = "practice"

// Session says who connects, from which program and how.
type Session struct {
	Role     string // empty: the superuser
	Database string
	App      string // application_name; empty as with many drivers
	// Simple sends statements as text, as psql does; else they go by the extended
	// protocol without a name.
	Simple   bool
	Settings map[string]string // sent at connection start
	// PerRequest makes traffic connect anew for every request, as web servers
	// without a pool do.
	PerRequest bool
}

// Connect opens a session; it is closed with the stage unless Leave came first.
func (s *Stage) Connect(ctx context.Context, who Session) (*pgx.Conn, error) {
	return s.connectTo(ctx, s.Server, who)
}

func (s *Stage) connectTo(ctx context.Context, srv Server, who Session) (*pgx.Conn, error) {
	dsn := srv.DSN(who.Database)
	if who.Role != "" {
		dsn = srv.DSNAs(who.Role, password, who.Database)
	}
	cfg, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("connect as %s: %w", who.Role, err)
	}
	cfg.DefaultQueryExecMode = pgx.QueryExecModeDescribeExec
	if who.Simple {
		cfg.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	}
	delete(cfg.RuntimeParams, "application_name")
	if who.App != "" {
		cfg.RuntimeParams["application_name"] = who.App
	}
	maps.Copy(cfg.RuntimeParams, who.Settings)
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("connect as %s to %s: %w", who.Role, who.Database, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns[conn] = struct{}{}
	return conn, nil
}

// Leave ends a session now.
func (s *Stage) Leave(ctx context.Context, conn *pgx.Conn) error {
	s.forget(conn)
	return closeSession(ctx, conn)
}

// forget hands a session over: the stage no longer closes it.
func (s *Stage) forget(conn *pgx.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, conn)
}

// Linger keeps a session open until the scene is closed.
func (s *Stage) Linger(scene *Scene, conn *pgx.Conn) {
	s.forget(conn)
	scene.linger = append(scene.linger, func(ctx context.Context) error { return closeSession(ctx, conn) })
}

// Do connects, sends each text (which may hold several statements) by the
// simple protocol, and leaves.
func (s *Stage) Do(ctx context.Context, who Session, texts ...string) error {
	return s.doAt(ctx, s.Server, who, texts...)
}

func (s *Stage) doAt(ctx context.Context, srv Server, who Session, texts ...string) error {
	conn, err := s.connectTo(ctx, srv, who)
	if err != nil {
		return err
	}
	for _, text := range texts {
		if err := script(ctx, conn, text); err != nil {
			return errors.Join(err, s.Leave(ctx, conn))
		}
	}
	return s.Leave(ctx, conn)
}

// script sends a text of one or more statements; all of it is one transaction
// unless it says otherwise.
func script(ctx context.Context, conn *pgx.Conn, text string) error {
	if _, err := conn.PgConn().Exec(ctx, text).ReadAll(); err != nil {
		return fmt.Errorf("run %q: %w", firstLine(text), err)
	}
	return nil
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line[:min(len(line), 80)]
}

// Provision makes a database owned by a role, with its schema, as the role that
// owns it, and the investigators' roles. It may be called once a server.
func (s *Stage) Provision(ctx context.Context, db Database) error {
	admin := Session{Database: "postgres", App: "provision", Simple: true}
	var roles strings.Builder
	for _, r := range append([]string{db.Owner, investigators[KitRights], investigators[ReaderRights]}, db.Roles...) {
		fmt.Fprintf(&roles, "CREATE ROLE %s LOGIN PASSWORD '%s';\n", quoteIdent(r), password)
	}
	create := fmt.Sprintf("CREATE DATABASE %s OWNER %s TEMPLATE template0", quoteIdent(db.Name), quoteIdent(db.Owner))
	if err := s.Do(ctx, admin, roles.String(), create); err != nil {
		return err
	}
	if err := investigatorRoles(ctx, s, db.Name); err != nil {
		return err
	}
	owner := Session{Role: db.Owner, Database: db.Name, App: db.MigratesAs}
	return s.Do(ctx, owner, db.Schema...)
}

// Database is one application database.
type Database struct {
	Name, Owner string
	Roles       []string // further roles to make
	MigratesAs  string   // application_name of the session that makes the schema
	Schema      []string // scripts, each one transaction
}

// Rights are what the investigator may do.
type Rights int

// The rights that drills give: everything; the least-privilege kit (statistics, every row, WAL and
// heap files through pg_read_binary_file); every row and no more.
const (
	SuperuserRights Rights = iota
	KitRights
	ReaderRights
)

// Connection is the investigator's way into a database that Provision made.
func (s *Stage) Connection(name, database string, rights Rights) Connection {
	return s.connectionAt(s.Server, name, database, rights)
}

func (s *Stage) connectionAt(srv Server, name, database string, rights Rights) Connection {
	c := Connection{Name: name, DSN: srv.DSN(database), Superuser: srv.DSN(database)}
	if rights != SuperuserRights {
		c.DSN = srv.DSNAs(investigators[rights], password, database)
	}
	return c
}

var investigators = map[Rights]string{KitRights: "oncall", ReaderRights: "readonly"}

// investigatorRoles makes the roles that investigators connect as; every server
// has them before anything happens.
func investigatorRoles(ctx context.Context, s *Stage, database string) error {
	grants := `GRANT pg_read_all_data, pg_monitor TO oncall;
		GRANT EXECUTE ON FUNCTION pg_read_binary_file(text, bigint, bigint, boolean) TO oncall;
		GRANT pg_read_all_data TO readonly;`
	return s.Do(ctx, Session{Database: database, App: "provision", Simple: true}, grants)
}

// AwaitServer waits until the server takes connections again after a crash.
func (s *Stage) AwaitServer(ctx context.Context, database string) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for {
		conn, err := s.Connect(ctx, Session{Database: database, App: "health"})
		if err == nil {
			return s.Leave(ctx, conn)
		}
		if pause := s.Pause(ctx, 10*time.Millisecond); pause != nil {
			return errors.Join(pause, err)
		}
	}
}

func quoteIdent(name string) string { return pgx.Identifier{name}.Sanitize() }

// literal quotes text as a string constant of SQL.
func literal(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// settings joins maps of settings; later ones win.
func settings(all ...map[string]string) map[string]string {
	out := map[string]string{}
	for _, m := range all {
		for _, k := range slices.Sorted(maps.Keys(m)) {
			out[k] = m[k]
		}
	}
	return out
}
