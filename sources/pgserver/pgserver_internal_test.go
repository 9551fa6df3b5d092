package pgserver

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// ownerEnv makes this test binary start a server, print its folder and wait to be killed.
const ownerEnv = "INQUEST_TEST_OWNER"

func TestOwnerProcess(t *testing.T) {
	if os.Getenv(ownerEnv) != "1" {
		t.Skip("helper of TestSweepAfterAKilledOwner")
	}
	s, err := Start(t.Context(), Config{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stdout.WriteString("ROOT " + s.root + "\n"); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Minute)
}

func TestSweepAfterAKilledOwner(t *testing.T) {
	live := startOrSkip(t)
	root, owner := killedOwner(t)
	data := filepath.Join(root, "data")

	user, err := serverIdentity()
	if err != nil {
		t.Fatal(err)
	}
	sweep(root, user, time.Now().Add(-settling))
	if _, err := os.Stat(root); err != nil {
		t.Fatalf("a folder that is a moment old was swept: %v", err)
	}
	sweep(root, user, time.Now().Add(time.Hour))
	if _, err := os.Stat(root); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder of a killed owner (%d) is still there: %v", owner, err)
	}
	for _, p := range listProcesses() {
		if !p.dead && commandNames(p.pid, data) {
			t.Errorf("process %d of the killed owner's server is still there", p.pid)
		}
	}
	sweep(live.root, user, time.Now().Add(time.Hour))
	if _, err := os.Stat(live.DataDir()); err != nil || !live.Running() {
		t.Errorf("the sweep took a living owner's server: %v", err)
	}
}

// killedOwner runs this test binary as the owner of a server and kills it once the server runs.
func killedOwner(t *testing.T) (root string, pid int) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestOwnerProcess$", "-test.v")
	cmd.Env = append(os.Environ(), ownerEnv+"=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var seen strings.Builder
	buf := make([]byte, 4096)
	for {
		n, err := out.Read(buf)
		seen.Write(buf[:n])
		if _, after, ok := strings.Cut(seen.String(), "ROOT "); ok && strings.Contains(after, "\n") {
			root, _, _ = strings.Cut(after, "\n")
			break
		}
		if err != nil {
			t.Fatalf("the owner ended: %v\n%s", err, seen.String())
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Fatal("the killed owner exited with success")
	}
	return root, cmd.Process.Pid
}

func startOrSkip(t *testing.T) *Server {
	t.Helper()
	s, err := Start(t.Context(), Config{})
	if errors.Is(err, ErrNoServer) && os.Getenv("INQUEST_REQUIRE_SERVER") != "1" {
		t.Skipf("*** SKIPPED, NOT PASSED: %v ***", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestLongFolderGetsAShortSocket(t *testing.T) {
	if _, err := serverIdentity(); err != nil {
		t.Skip(err)
	}
	parent, err := os.MkdirTemp("/tmp", "pgserver-test-"+strings.Repeat("x", 90)+"-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(parent) })
	if err := os.Chmod(parent, 0o755); err != nil {
		t.Fatal(err)
	}
	startOrSkip(t)
	s, err := Start(t.Context(), Config{Dir: filepath.Join(parent, "cluster")})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(s.SocketDir(), "/tmp/"+sockPrefix) {
		t.Errorf("socket folder %s", s.SocketDir())
	}
	if _, err := os.Stat(filepath.Join(s.SocketDir(), ".s.PGSQL."+strconv.Itoa(s.Port()))); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(s.SocketDir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket folder is still there: %v", err)
	}
}

func TestVersionsAreReadAndOrdered(t *testing.T) {
	for line, want := range map[string]string{
		"postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)": "15.18",
		"postgres (PostgreSQL) 18beta1":                        "18beta1",
		"postgres (PostgreSQL) 19devel":                        "19devel",
		"postgres (PostgreSQL) 9.6.24":                         "9.6.24",
	} {
		if got := versionWord.FindString(line); got != want {
			t.Errorf("version in %q = %q, want %q", line, got, want)
		}
	}
	all := []Installation{
		{Version: "18.0", Major: 18, Origin: "cache"},
		{Version: "15.2", Major: 15, Origin: "system"},
		{Version: "15.18", Major: 15, Origin: "cache"},
		{Version: "14.1", Major: 14, Origin: "PATH"},
	}
	if got := preferSystem(all, 0)[0]; got.Version != "15.2" {
		t.Errorf("preferred of any version: %s, want the newest that is not from the cache", got.Version)
	}
	if got := preferSystem(all, 18); len(got) != 1 || got[0].Version != "18.0" {
		t.Errorf("preferred of 18: %v", got)
	}
	mine := Installation{Version: "13.1", Major: 13, Origin: "INQUEST_PG_BIN"}
	if compareInstallations(mine, all[0]) >= 0 || compareInstallations(all[0], mine) <= 0 {
		t.Error("what INQUEST_PG_BIN names does not come first")
	}
	if compareInstallations(all[2], all[1]) >= 0 {
		t.Error("15.18 does not come before 15.2")
	}
}

func TestReadPIDFile(t *testing.T) {
	dir := t.TempDir()
	write := func(content string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "postmaster.pid"), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("321\n/data\n1700000000\n5432\n/sock\n127.0.0.1\n  17 98305\nready   \n")
	pf, err := readPIDFile(dir)
	if want := (pidFile{pid: 321, shmKey: 17, shmID: 98305, status: "ready"}); err != nil || pf != want {
		t.Errorf("whole file: %+v, %v, want %+v", pf, err, want)
	}
	write("321\n/data\n")
	if pf, err = readPIDFile(dir); err != nil || pf != (pidFile{pid: 321}) {
		t.Errorf("file of a start under way: %+v, %v", pf, err)
	}
	for _, bad := range []string{"", "x\n", "\n\n\n\n\n\n\n\n"} {
		write(bad)
		if _, err := readPIDFile(dir); err == nil {
			t.Errorf("%q was read without an error", bad)
		}
	}
}

func TestServerEnvHoldsNoLibpqVariables(t *testing.T) {
	t.Setenv("PGPORT", "1")
	t.Setenv("PGDATA", "/nowhere")
	t.Setenv("LC_MESSAGES", "de_DE")
	for _, kv := range serverEnv() {
		if strings.HasPrefix(kv, "PG") || strings.HasPrefix(kv, "LC_MESSAGES") {
			t.Errorf("%s is handed on", kv)
		}
	}
}
