// Package pgservertest gives a test its own PostgreSQL server.
package pgservertest

import (
	"errors"
	"os"
	"slices"
	"strconv"
	"testing"

	"inquest/sources/pgserver"
)

// RequireEnv names the variable that, set to 1, makes a missing server a failure instead of a skip. CI sets it.
const RequireEnv = "INQUEST_REQUIRE_SERVER"

// New starts a server that lives as long as the test. Without a server on the machine the test is skipped, loudly, or fails
// where the environment requires one.
func New(t testing.TB, cfg pgserver.Config) *pgserver.Server {
	t.Helper()
	s, err := pgserver.Start(t.Context(), cfg)
	if errors.Is(err, pgserver.ErrNoServer) {
		missing(t, err)
	}
	if err != nil {
		t.Fatalf("start a server for the test: %v", err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("end of the server's log:\n%s", tail(s.LogFile(), 4000))
		}
		if err := s.Close(); err != nil {
			t.Errorf("close the test's server: %v", err)
		}
	})
	return s
}

// missing ends a test that finds no server.
func missing(t testing.TB, err error) {
	t.Helper()
	if os.Getenv(RequireEnv) == "1" {
		t.Fatalf("%s=1, but %v", RequireEnv, err)
	}
	t.Skipf("\n*** SKIPPED, NOT PASSED: this test needs a PostgreSQL server ***\n*** %v\n"+
		"*** install one (apt-get install postgresql), or set INQUEST_PG_BIN to the folder of its binaries", err)
}

func tail(path string, n int) []byte {
	b, err := os.ReadFile(path)
	if err != nil {
		return []byte(err.Error())
	}
	return b[max(0, len(b)-n):]
}

// Each runs a subtest on a server of every major version that this machine has, the Config's Major apart.
// tools/pgversions fetches more of them.
func Each(t *testing.T, cfg pgserver.Config, test func(t *testing.T, s *pgserver.Server)) {
	t.Helper()
	majors := Majors()
	if len(majors) == 0 {
		missing(t, pgserver.ErrNoServer)
	}
	for _, major := range majors {
		t.Run(strconv.Itoa(major), func(t *testing.T) {
			cfg := cfg
			cfg.Major = major
			test(t, New(t, cfg))
		})
	}
}

// Majors lists the major versions that this machine has, newest first.
func Majors() []int {
	var majors []int
	for _, inst := range pgserver.Find() {
		if !slices.Contains(majors, inst.Major) {
			majors = append(majors, inst.Major)
		}
	}
	slices.SortFunc(majors, func(a, b int) int { return b - a })
	return majors
}
