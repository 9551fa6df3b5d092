package postgres_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"go.uber.org/goleak"

	"inquest/sources"
	"inquest/sources/pgserver"
	"inquest/sources/pgserver/pgservertest"
	"inquest/sources/postgres"
)

// shared is one cluster for all tests that do not restart or break it.
var shared *pgserver.Server

func TestMain(m *testing.M) {
	code := m.Run()
	if shared != nil {
		if err := shared.Close(); err != nil {
			println(err.Error())
			code = 1
		}
	}
	if code == 0 {
		if err := goleak.Find(); err != nil {
			println(err.Error())
			code = 1
		}
	}
	os.Exit(code)
}

// cluster returns the shared server, with the roles of rolesSQL.
func cluster(t *testing.T) *pgserver.Server {
	t.Helper()
	if shared != nil {
		return shared
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
	defer cancel()
	s, err := pgserver.Start(ctx, pgserver.Config{Settings: map[string]string{
		"track_commit_timestamp": "on", "autovacuum": "off", "logging_collector": "on", "log_statement": "ddl",
	}})
	if errors.Is(err, pgserver.ErrNoServer) {
		return pgservertest.New(t, pgserver.Config{}) // skips or fails
	}
	if err != nil {
		t.Fatal(err)
	}
	shared = s
	sql(t, s, rolesSQL)
	return s
}

const rolesSQL = `
create role plain login password 'pw';
create role kit login password 'pw' bypassrls;
grant pg_monitor to kit;
grant execute on function pg_read_binary_file(text,bigint,bigint,boolean) to kit;
create role tenant login password 'pw';
create role app login password 'pw';
`

// sql runs statements as the superuser in database postgres.
func sql(t *testing.T, s *pgserver.Server, text string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	c := connectSuper(t, s)
	defer func() { _ = c.Close(ctx) }()
	if _, err := c.Exec(ctx, text).ReadAll(); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

// connectSuper opens a plain session of the superuser.
func connectSuper(t *testing.T, s *pgserver.Server) *pgconn.PgConn {
	t.Helper()
	return connectTo(t, s, "postgres")
}

func connectTo(t *testing.T, s *pgserver.Server, database string) *pgconn.PgConn {
	t.Helper()
	c, err := pgconn.Connect(context.WithoutCancel(t.Context()), s.SocketDSN(s.Superuser(), database))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// open connects to the cluster as a role; the superuser when role is empty.
func open(t *testing.T, s *pgserver.Server, role string, opt postgres.Options) *postgres.Server {
	t.Helper()
	dsn := s.DSN("postgres")
	if role != "" {
		dsn = s.DSNAs(role, "pw", "postgres")
	}
	return openDSN(t, dsn, opt)
}

func openDSN(t *testing.T, dsn string, opt postgres.Options) *postgres.Server {
	t.Helper()
	db, err := postgres.Open("db:test", dsn, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestCheckSaysWhatEachRoleMaySee(t *testing.T) {
	s := cluster(t)
	for role, want := range map[string]struct {
		state sources.State
		ok    []string
		not   []string
	}{
		"":      {sources.StateReady, []string{postgres.AbilityWAL, postgres.AbilityPages, postgres.AbilityServerLog, postgres.AbilityActivity, postgres.AbilityCommitTimestamps}, nil},
		"kit":   {sources.StateReady, []string{postgres.AbilityWAL, postgres.AbilityPages, postgres.AbilityServerLog, postgres.AbilityActivity, postgres.AbilityXactStatus}, nil},
		"plain": {sources.StatePartial, []string{postgres.AbilityXactStatus}, []string{postgres.AbilityWAL, postgres.AbilityPages, postgres.AbilityServerLog, postgres.AbilityActivity}},
	} {
		t.Run(role, func(t *testing.T) {
			db := open(t, s, role, postgres.Options{})
			st := db.Check(t.Context())
			if st.State != want.state {
				t.Errorf("state %s, want %s: %s", st.State, want.state, st.Problem)
			}
			able := map[string]sources.Ability{}
			for _, a := range st.Abilities {
				able[a.Name] = a
			}
			for _, n := range want.ok {
				if !able[n].OK {
					t.Errorf("%s: %s", n, able[n].Why)
				}
			}
			for _, n := range want.not {
				if a := able[n]; a.OK || a.Why == "" || !strings.Contains(a.Opens, "GRANT ") || !strings.Contains(a.Opens, "REVOKE ") {
					t.Errorf("%s: want a reason, a GRANT and its REVOKE, have %+v", n, a)
				}
			}
			for _, k := range []string{"system_identifier", "timeline", "setting.wal_level", "role", "database"} {
				if st.Identity[k] == "" {
					t.Errorf("identity lacks %s", k)
				}
			}
			if len(st.Expires) == 0 {
				t.Error("no expiry for WAL")
			}
			t.Log(st.Summary, st.Expires)
		})
	}
}

func isBlind(err error) bool {
	var b *sources.Blind
	return errors.As(err, &b) && b.Why != ""
}

// fill runs statements for a benchmark.
func fill(b *testing.B, s *pgserver.Server, text string) {
	b.Helper()
	c, err := pgconn.Connect(b.Context(), s.SocketDSN(s.Superuser(), "postgres"))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = c.Close(b.Context()) }()
	if _, err := c.Exec(b.Context(), text).ReadAll(); err != nil {
		b.Fatal(err)
	}
}
