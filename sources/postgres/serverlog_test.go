package postgres_test

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"inquest/sources/pgserver"
	"inquest/sources/pgserver/pgservertest"
	"inquest/sources/postgres"
)

func TestServerLog(t *testing.T) {
	s := cluster(t)
	sql(t, s, "create table if not exists log_me_please (x int)")
	for _, role := range []string{"", "kit"} {
		db := open(t, s, role, postgres.Options{})
		log, err := db.ServerLog(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		files, err := log.FilesWith(t.Context(), "log_me_please")
		if err != nil || len(files) != 1 {
			t.Fatalf("%v %v", files, err)
		}
		onDisk, err := os.ReadFile(filepath.Join(s.DataDir(), "log", files[0].Name))
		if err != nil {
			t.Fatal(err)
		}
		r := log.Open(t.Context(), files[0])
		lines := bufio.NewScanner(r)
		n := 0
		found := false
		for lines.Scan() {
			n += len(lines.Bytes()) + 1
			found = found || strings.Contains(lines.Text(), "log_me_please")
		}
		if lines.Err() != nil || !found || int64(n) != files[0].Size || !strings.HasPrefix(string(onDisk), "") || log.Prefix == "" || log.Zone != "UTC" {
			t.Errorf("%v, found %t, %d of %d bytes", lines.Err(), found, n, files[0].Size)
		}
		part, err := log.ReadAt(t.Context(), files[0].Name, 10, 50)
		if err != nil || string(part) != string(onDisk[10:60]) {
			t.Errorf("%q %v", part, err)
		}
		if _, err := log.ReadAt(t.Context(), "gone.log", 0, 10); !isBlind(err) {
			t.Errorf("a removed file: %v", err)
		}
		if none, err := log.FilesWith(t.Context(), "nobody wrote "+"this, or did they"); err != nil || len(none) > 1 {
			t.Errorf("%v %v", none, err)
		}
	}
	if _, err := open(t, s, "plain", postgres.Options{}).ServerLog(t.Context()); !isBlind(err) || !strings.Contains(err.Error(), "--logs") {
		t.Error(err)
	}
}

func TestServerLogOutsideTheDataFolder(t *testing.T) {
	dir := t.TempDir()
	s := pgservertest.New(t, pgserver.Config{Settings: map[string]string{"log_statement": "ddl"}})
	sql(t, s, rolesSQL)
	_, err := open(t, s, "kit", postgres.Options{}).ServerLog(t.Context())
	if !isBlind(err) || !strings.Contains(err.Error(), "--logs /var/log/postgresql") {
		t.Error(err)
	}
	_ = dir
	if err := s.Restart(t.Context(), map[string]string{"logging_collector": "on", "log_directory": s.ScratchDir()}); err != nil {
		t.Fatal(err)
	}
	sql(t, s, "create table log_me_too (x int)")
	log, err := open(t, s, "kit", postgres.Options{}).ServerLog(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if files, err := log.FilesWith(t.Context(), "log_me_too"); err != nil || len(files) != 1 {
		t.Errorf("%v %v", files, err)
	}
}
