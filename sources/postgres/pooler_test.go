package postgres_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"inquest/sources"
	"inquest/sources/pgserver"
	"inquest/sources/pgserver/pgservertest"
	"inquest/sources/postgres"
)

// pooler starts PgBouncer in transaction mode in front of a server and returns
// its port. Without the program the test is skipped.
func pooler(t *testing.T, s *pgserver.Server) int {
	t.Helper()
	exe := os.Getenv("INQUEST_PGBOUNCER")
	if exe == "" {
		exe = "/usr/sbin/pgbouncer" // Debian's place, which is not on everybody's PATH
		if path, err := exec.LookPath("pgbouncer"); err == nil {
			exe = path
		} else if _, err := os.Stat(exe); err != nil {
			if os.Getenv(pgservertest.RequireEnv) == "1" {
				t.Fatal("no pgbouncer here, and " + pgservertest.RequireEnv + "=1")
			}
			t.Skip("*** SKIPPED, NOT PASSED: no pgbouncer on PATH (apt-get install pgbouncer, or set INQUEST_PGBOUNCER) ***")
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	_ = l.Close()
	dir, err := os.MkdirTemp("", "inquest-pooler-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	ini := filepath.Join(dir, "pgbouncer.ini")
	text := fmt.Sprintf("[databases]\n* = host=%s port=%d\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = %d\nauth_type = any\nauth_file = %s\npool_mode = transaction\nmax_client_conn = 20\ndefault_pool_size = 2\nunix_socket_dir =\n"+
		"[users]\n", s.SocketDir(), s.Port(), port, filepath.Join(dir, "users"))
	text = strings.Replace(text, "* = host", "postgres = user=kit dbname=postgres host", 1)
	for name, content := range map[string]string{ini: text, filepath.Join(dir, "users"): `"kit" "pw"` + "\n"} {
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, ini)
	log := &strings.Builder{}
	cmd.Stderr, cmd.Stdout = log, log
	if os.Getuid() == 0 { // it refuses to run as root; the socket belongs to the server's user
		st, err := os.Stat(s.DataDir())
		if err != nil {
			t.Fatal(err)
		}
		own := st.Sys().(*syscall.Stat_t)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: own.Uid, Gid: own.Gid}}
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(log.String())
		}
	})
	for range 100 {
		if c, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err == nil {
			_ = c.Close()
			return port
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatal("pgbouncer does not listen:", log)
	return 0
}

func TestThroughATransactionModePooler(t *testing.T) {
	s := pgservertest.New(t, pgserver.Config{Settings: map[string]string{"autovacuum": "off", "track_commit_timestamp": "on"}})
	sql(t, s, rolesSQL)
	for stmt := range strings.SplitSeq(harmlessSQL, ";") {
		sql(t, s, stmt)
	}
	sql(t, s, "checkpoint")
	port := pooler(t, s)
	dsn := fmt.Sprintf("postgres://kit:pw@127.0.0.1:%d/postgres?sslmode=disable", port)
	// Two clients share the pool's sessions, so that what one leaves the other would see.
	a, b := openDSN(t, dsn, postgres.Options{}), openDSN(t, dsn, postgres.Options{})
	everything(t, a, uuidN(5))
	everything(t, b, uuidN(6))
	other := openDSN(t, dsn, postgres.Options{})
	for range 4 {
		tab, err := other.Query(t.Context(), sources.Query{SQL: "select current_setting('role') as r, current_setting('enable_indexscan') as i"})
		if err != nil || tab.Text(0, "r") != "none" || tab.Text(0, "i") != "on" {
			t.Errorf("something stayed in the session: %v %v", tab, err)
		}
	}
	if left := answer(t, s, "select count(*) from pg_stat_activity where backend_type = 'client backend' and state like 'idle in%'"); left != "0" {
		t.Error("a transaction is open")
	}
}
