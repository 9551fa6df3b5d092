package pgserver_test

import (
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"inquest/sources/pgserver"
	"inquest/sources/pgserver/pgservertest"
)

func TestEveryVersionStartsCrashesAndHasAStandby(t *testing.T) {
	pgservertest.Each(t, pgserver.Config{Checksums: false}, func(t *testing.T, s *pgserver.Server) {
		dsn := s.DSN("postgres")
		number := query(t, dsn, "show server_version_num")
		if major := strconv.Itoa(s.Installation().Major); !strings.HasPrefix(number, major) {
			t.Errorf("server_version_num = %s, the installation says %s", number, major)
		}
		if got := query(t, dsn, "show data_checksums"); got != "off" {
			t.Errorf("data_checksums = %s", got)
		}
		query(t, dsn, "create table t as select 1 as n")
		s.Crash()
		if err := s.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		standby, err := s.Standby(t.Context(), pgserver.Config{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := standby.Close(); err != nil {
				t.Error(err)
			}
		})
		if err := standby.Promote(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := query(t, standby.DSN("postgres"), "insert into t values (2) returning n"); got != "2" {
			t.Errorf("insert on the promoted standby: %q", got)
		}
	})
}

func TestVersionsScriptAgreesOnTheFolder(t *testing.T) {
	script, err := filepath.Abs("../../tools/pgversions")
	if err != nil {
		t.Fatal(err)
	}
	for _, cache := range []string{"", "/some/where"} {
		t.Setenv("INQUEST_PG_CACHE", cache)
		out, err := exec.Command("bash", script, "--where").Output()
		if err != nil {
			t.Skipf("run %s: %v", script, err)
		}
		if got, want := strings.TrimSpace(string(out)), pgserver.VersionsDir(); got != want {
			t.Errorf("with INQUEST_PG_CACHE=%q the script keeps servers in %s, pgserver looks in %s", cache, got, want)
		}
	}
}
