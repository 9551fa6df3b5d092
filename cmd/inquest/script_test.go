package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/rogpeppe/go-internal/testscript"

	"inquest/sources/pgserver"
	"inquest/sources/pgserver/pgservertest"
)

// TestScripts runs the command line as a person would: each script in testdata/script has a folder, a case folder and,
// by the verb pgserver, a server of its own.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               setUp,
		Condition:           condition,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status":   status,
			"pgserver": startServer,
			"sql":      runSQL,
			"findings": checkFindings,
			"halve":    halve,
			"tamper":   tamper,
			"binary":   writeBinary,
			"oneline":  oneLine,
			"serve":    serveFiles,
		},
	})
}

// keyOfT is where a script's test is kept: verbs need it to skip.
type keyOfT struct{}

// setUp gives a script nothing of the caller's: no PG* variables, no data folder, no zone.
func setUp(env *testscript.Env) error {
	env.Values[keyOfT{}] = env.T()
	for _, name := range []string{"PGHOST", "PGPORT", "PGDATABASE", "PGUSER", "PGPASSWORD", "PGSERVICE", "PGPASSFILE", "NO_COLOR", "INQUEST_CONFIG", "LOKI_ADDR", "HTTP_PROXY", "HTTPS_PROXY"} {
		env.Setenv(name, "")
	}
	for _, name := range []string{"INQUEST_PG_BIN", "INQUEST_PG_CACHE", pgservertest.RequireEnv} {
		env.Setenv(name, os.Getenv(name))
	}
	env.Setenv("TZ", "UTC")
	env.Setenv("HOME", env.WorkDir)
	env.Setenv("XDG_CONFIG_HOME", filepath.Join(env.WorkDir, "config"))
	env.Setenv("XDG_DATA_HOME", filepath.Join(env.WorkDir, "data"))
	env.Setenv("INQUEST_CASES", filepath.Join(env.WorkDir, "cases"))
	return nil
}

// condition knows [root], whom file permissions do not stop.
func condition(name string) (bool, error) {
	if name == "root" {
		return os.Geteuid() == 0, nil
	}
	return false, fmt.Errorf("unknown condition %q", name)
}

// status runs a program and checks its exact exit status: status 3 inquest run 42.
func status(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status NUMBER PROGRAM ARGUMENT…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var e *exec.ExitError
	switch {
	case errors.As(err, &e):
		got = e.ExitCode()
	case err != nil:
		ts.Fatalf("run %s: %v", args[1], err)
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

// startServer starts a throwaway server with the given settings, creates the database app in it, and sets DSN, PORT,
// PASSWORD, PGLOG (the server's log) and SCRATCH (a folder that the server may write to): pgserver log_connections=on.
func startServer(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("usage: pgserver [SETTING=VALUE…]")
	}
	settings := map[string]string{}
	for _, arg := range args {
		k, v, _ := strings.Cut(arg, "=")
		settings[k] = v
	}
	ctx, cancel := testContext()
	defer cancel()
	s, err := pgserver.Start(ctx, pgserver.Config{Settings: settings})
	if errors.Is(err, pgserver.ErrNoServer) {
		noServer(ts, err)
	}
	ts.Check(err)
	ts.Defer(func() {
		if err := s.Close(); err != nil {
			ts.Fatalf("close the script's server: %v", err)
		}
	})
	ts.Check(execSQL(s.DSN("postgres"), "CREATE DATABASE app"))
	ts.Setenv("DSN", s.DSN("app"))
	ts.Setenv("PORT", strconv.Itoa(s.Port()))
	ts.Setenv("PASSWORD", s.Password())
	ts.Setenv("PGLOG", s.LogFile())
	ts.Setenv("SCRATCH", s.ScratchDir())
}

func noServer(ts *testscript.TestScript, err error) {
	if os.Getenv(pgservertest.RequireEnv) == "1" {
		ts.Fatalf("%s=1, but %v", pgservertest.RequireEnv, err)
	}
	t, ok := ts.Value(keyOfT{}).(testscript.T)
	if !ok {
		ts.Fatalf("the script has no test")
	}
	t.Skip(fmt.Sprintf("\n*** SKIPPED, NOT PASSED: this script needs a PostgreSQL server ***\n*** %v", err))
}

// runSQL sends statements to the script's server, each argument as one simple query; as=ROLE:PASSWORD before them
// connects as that role.
func runSQL(ts *testscript.TestScript, neg bool, args []string) {
	dsn := ts.Getenv("DSN")
	if len(args) > 0 && strings.HasPrefix(args[0], "as=") {
		user, password, _ := strings.Cut(strings.TrimPrefix(args[0], "as="), ":")
		dsn = fmt.Sprintf("host=127.0.0.1 port=%s dbname=app user=%s password=%s", ts.Getenv("PORT"), user, password)
		args = args[1:]
	}
	err := execSQL(dsn, args...)
	if neg && err == nil {
		ts.Fatalf("the statements succeeded")
	}
	if !neg {
		ts.Check(err)
	}
}

func execSQL(dsn string, statements ...string) error {
	ctx, cancel := testContext()
	defer cancel()
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	for _, s := range statements {
		if _, err = conn.PgConn().Exec(ctx, s).ReadAll(); err != nil {
			break
		}
	}
	return errors.Join(err, conn.Close(ctx))
}

// halve cuts a file in half, in the middle of a line.
func halve(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(args[0])
	body, err := os.ReadFile(path)
	ts.Check(err)
	n := len(body) / 2
	for body[n-1] == '\n' {
		n--
	}
	ts.Check(os.WriteFile(path, body[:n], 0o600))
}

// tamper replaces the first OLD in a file by NEW: tamper FILE OLD NEW.
func tamper(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(args[0])
	body, err := os.ReadFile(path)
	ts.Check(err)
	changed := strings.Replace(string(body), args[1], args[2], 1)
	if changed == string(body) {
		ts.Fatalf("%s does not hold %q", args[0], args[1])
	}
	ts.Check(os.WriteFile(path, []byte(changed), 0o600))
}

// writeBinary writes a file that is no text.
func writeBinary(ts *testscript.TestScript, _ bool, args []string) {
	b := make([]byte, 64<<10)
	for i := range b {
		b[i] = byte(i * i >> 3)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o600))
}

// oneLine checks that stdout or stderr of the last program is exactly one line, as bad input is answered.
func oneLine(ts *testscript.TestScript, _ bool, args []string) {
	text := ts.ReadFile(args[0])
	if n := strings.Count(text, "\n"); n != 1 || !strings.HasSuffix(text, "\n") {
		ts.Fatalf("%s has %d lines, want one:\n%s", args[0], n, text)
	}
}
