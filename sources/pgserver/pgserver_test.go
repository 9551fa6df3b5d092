package pgserver_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"inquest/sources/pgserver"
	"inquest/sources/pgserver/pgservertest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// query runs one statement on a connection of its own and returns the first column of the first row as text.
func query(t *testing.T, dsn, sql string) string {
	t.Helper()
	v, err := tryQuery(t.Context(), dsn, sql)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return v
}

func tryQuery(ctx context.Context, dsn, sql string) (v string, err error) {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	rows, err := conn.Query(ctx, sql, pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	if rows.Next() {
		v = string(rows.RawValues()[0])
	}
	rows.Close()
	return v, rows.Err()
}

func TestServerAnswersOverTCPAndSocket(t *testing.T) {
	s := pgservertest.New(t, pgserver.Config{})
	if got := query(t, s.DSN("postgres"), "select current_user"); got != "postgres" {
		t.Errorf("current_user over TCP = %q", got)
	}
	if got := query(t, s.SocketDSN("postgres", "postgres"), "show data_directory"); got != s.DataDir() {
		t.Errorf("data_directory over the socket = %q, want %q", got, s.DataDir())
	}
	if _, err := tryQuery(t.Context(), s.DSNAs("postgres", "wrong", "postgres"), "select 1"); err == nil {
		t.Error("a wrong password was accepted over TCP")
	}
	if !s.Running() || s.PID() == 0 {
		t.Error("a running server says that it does not run")
	}
	if _, err := os.Stat(s.WALDir()); err != nil {
		t.Errorf("WAL folder: %v", err)
	}
	if n := len(s.SocketDir() + "/.s.PGSQL.65535"); n > 103 {
		t.Errorf("the socket's path has %d bytes, more than fit everywhere", n)
	}
}

func TestConfigReachesTheServer(t *testing.T) {
	s := pgservertest.New(t, pgserver.Config{
		Superuser:    "boss",
		WALSegSizeMB: 1,
		Checksums:    true,
		Settings:     map[string]string{"wal_level": "logical", "application_name": `it's a \ test`},
		HBA:          []string{"host all intruder 127.0.0.1/32 reject"},
	})
	dsn := s.DSN("postgres")
	for sql, want := range map[string]string{
		"select current_user":   "boss",
		"show wal_level":        "logical",
		"show wal_segment_size": "1MB",
		"show data_checksums":   "on",
		"show timezone":         "UTC",
		"show fsync":            "on",
		"show server_encoding":  "UTF8",
		"select reset_val from pg_settings where name = 'application_name'": `it's a \ test`,
	} {
		if got := query(t, dsn, sql); got != want {
			t.Errorf("%s = %q, want %q", sql, got, want)
		}
	}
	_, err := tryQuery(t.Context(), s.DSNAs("intruder", "x", "postgres"), "select 1")
	if err == nil || !strings.Contains(err.Error(), "pg_hba.conf rejects") {
		t.Errorf("the access rule did not apply: %v", err)
	}
}

func TestStopAndStartKeepPortAndData(t *testing.T) {
	s := pgservertest.New(t, pgserver.Config{})
	dsn, ctx := s.DSN("postgres"), t.Context()
	query(t, dsn, "create table kept as select 42 as n")
	if err := s.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	if s.Running() || s.PID() != 0 {
		t.Error("a stopped server says that it runs")
	}
	if err := s.Stop(ctx); err != nil {
		t.Errorf("stop a stopped server: %v", err)
	}
	if err := s.Start(ctx); err != nil {
		t.Fatal(err)
	}
	if err := s.Restart(ctx, map[string]string{"work_mem": "5MB"}); err != nil {
		t.Fatal(err)
	}
	if got := query(t, dsn, "select n || current_setting('work_mem') from kept"); got != "425MB" {
		t.Errorf("after the restarts: %q", got)
	}
	if err := s.Reload(map[string]string{"work_mem": "6MB"}); err != nil {
		t.Fatal(err)
	}
	if got := query(t, dsn, "show work_mem"); got != "6MB" {
		t.Errorf("work_mem after a reload = %q", got)
	}
	if err := s.StopImmediate(ctx); err != nil {
		t.Fatal(err)
	}
	if err := s.Start(ctx); err != nil {
		t.Fatal(err)
	}
	log, err := os.ReadFile(s.LogFile())
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(log), "was not properly shut down") {
		t.Error("the log does not tell of the immediate shutdown")
	}
}

func TestCrashLosesWhatWasNotFlushed(t *testing.T) {
	s := pgservertest.New(t, pgserver.Config{Settings: map[string]string{
		"wal_writer_delay": "10s", "wal_writer_flush_after": "0", "autovacuum": "off",
	}})
	dsn := s.DSN("postgres")
	query(t, dsn, "create table lost (n int)")
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	for _, sql := range []string{
		"insert into lost values (1)",
		"set synchronous_commit = off",
		"insert into lost values (2)",
	} {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	s.Crash()
	if err := conn.Close(t.Context()); err == nil {
		t.Log("the connection closed cleanly after the crash")
	}
	if s.Running() {
		t.Fatal("the server runs on after the crash")
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := query(t, dsn, "select string_agg(n::text, ',') from lost"); got != "1" {
		t.Errorf("rows after the crash: %q, want only the synchronous one", got)
	}
}

func TestStandbyFollowsAndIsPromoted(t *testing.T) {
	s := pgservertest.New(t, pgserver.Config{})
	query(t, s.DSN("postgres"), "create table t as select 1 as n")
	standby, err := s.Standby(t.Context(), pgserver.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := standby.Close(); err != nil {
			t.Error(err)
		}
	})
	if got := query(t, standby.DSN("postgres"), "select pg_is_in_recovery()"); got != "t" {
		t.Fatalf("pg_is_in_recovery on the standby = %q", got)
	}
	query(t, s.DSN("postgres"), "insert into t values (2)")
	deadline := time.Now().Add(10 * time.Second)
	for query(t, standby.DSN("postgres"), "select count(*) from t") != "2" {
		if time.Now().After(deadline) {
			t.Fatal("the standby does not follow")
		}
		time.Sleep(5 * time.Millisecond)
	}
	if err := standby.Promote(t.Context()); err != nil {
		t.Fatal(err)
	}
	query(t, standby.DSN("postgres"), "insert into t values (3)")
}

func TestRecoveryStopsAtTarget(t *testing.T) {
	s := pgservertest.New(t, pgserver.Config{})
	archive := s.ScratchDir()
	if err := s.Restart(t.Context(), map[string]string{
		"archive_mode": "on", "archive_command": "cp %p " + archive + "/%f",
	}); err != nil {
		t.Fatal(err)
	}
	dsn := s.DSN("postgres")
	backup, err := s.BaseBackup(t.Context(), filepath.Join(t.TempDir(), "backup"))
	if err != nil {
		t.Fatal(err)
	}
	query(t, dsn, "create table t as select 1 as n")
	query(t, dsn, "select pg_create_restore_point('here')")
	query(t, dsn, "drop table t")
	query(t, dsn, "select pg_switch_wal()")
	if err := s.Stop(t.Context()); err != nil { // waits for the archiver
		t.Fatal(err)
	}
	r := pgservertest.New(t, pgserver.Config{
		Backup: &backup, Mode: pgserver.Recover,
		Settings: map[string]string{
			"restore_command":        "cp " + archive + "/%f %p",
			"recovery_target_name":   "here",
			"recovery_target_action": "promote",
		},
	})
	if err := r.AwaitPrimary(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := query(t, r.DSN("postgres"), "select count(*) from t"); got != "1" {
		t.Errorf("rows at the restore point: %q", got)
	}
}

func TestCloseLeavesNothing(t *testing.T) {
	s := pgservertest.New(t, pgserver.Config{})
	root, pid := filepath.Dir(s.DataDir()), s.PID()
	query(t, s.DSN("postgres"), "select 1")
	s.Crash()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("close twice: %v", err)
	}
	if _, err := os.Stat(root); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder is still there: %v", err)
	}
	if p, err := os.FindProcess(pid); err == nil && p.Signal(syscall.Signal(0)) == nil {
		t.Errorf("process %d is still there", pid)
	}
	if err := s.Start(t.Context()); err == nil {
		t.Error("a closed server started")
	}
}

func TestStartSaysWhatIsWrong(t *testing.T) {
	pgservertest.New(t, pgserver.Config{}) // skips without a server
	parent, err := os.MkdirTemp("/tmp", "pgserver-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(parent) })
	if err := os.Chmod(parent, 0o755); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(parent, "cluster")
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "mine"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		ctx  context.Context
		cfg  pgserver.Config
		want string
	}{
		"bad setting":  {t.Context(), pgserver.Config{Settings: map[string]string{"no_such": "1"}}, `unrecognized configuration parameter "no_such"`},
		"bad locale":   {t.Context(), pgserver.Config{Locale: "xx_XX", NoTemplate: true}, "locale"},
		"no version":   {t.Context(), pgserver.Config{Major: 3}, "version 3 is wanted"},
		"no binaries":  {t.Context(), pgserver.Config{Bin: t.TempDir()}, "no such file"},
		"full folder":  {t.Context(), pgserver.Config{Dir: full}, "not empty"},
		"cancelled":    {cancelled, pgserver.Config{NoTemplate: true}, "canceled"},
		"no backup":    {t.Context(), pgserver.Config{Mode: pgserver.Recover}, "needs a backup"},
		"given folder": {cancelled, pgserver.Config{Dir: dir}, "canceled"},
	} {
		s, err := pgserver.Start(c.ctx, c.cfg)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", name, err, c.want)
		}
		if s != nil {
			t.Errorf("%s: a server beside the error", name)
		}
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a cancelled start left its folder: %v", err)
	}
	if _, err := os.Stat(filepath.Join(full, "mine")); err != nil {
		t.Errorf("a refused folder lost its file: %v", err)
	}
}

func BenchmarkStartClose(b *testing.B) {
	pgservertest.New(b, pgserver.Config{})
	for b.Loop() {
		s, err := pgserver.Start(b.Context(), pgserver.Config{})
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
