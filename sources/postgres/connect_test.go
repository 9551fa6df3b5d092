package postgres_test

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"inquest/sources"
	"inquest/sources/pgserver"
	"inquest/sources/pgserver/pgservertest"
	"inquest/sources/postgres"
)

const secret = "s3cr3t-do-not-show"

func TestConnectErrorsAreOneClearLine(t *testing.T) {
	s := pgservertest.New(t, pgserver.Config{HBA: []string{"host all locked 127.0.0.1/32 reject"}, Settings: map[string]string{"max_connections": "4", "superuser_reserved_connections": "1", "max_wal_senders": "0"}})
	sql(t, s, "create role app login password '"+secret+"'; create role locked login password '"+secret+"'; create role nologin password '"+secret+"'")
	sql(t, s, "create database closed")
	sql(t, s, "revoke connect on database closed from public")
	quiet, err := net.Listen("tcp", "127.0.0.1:0") // accepts, never answers
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = quiet.Close() }()
	url := func(user, password, db string) string { return s.DSNAs(user, password, db) }
	for name, c := range map[string]struct{ dsn, found, todo string }{
		"wrong password":    {url("app", secret+"x", "postgres"), "password was not accepted (28P01)", "check user and password"},
		"no password":       {strings.Replace(url("app", "", "postgres"), ":@", "@", 1), "wants a password and none was given", "PGPASSWORD"},
		"refused by rule":   {url("locked", secret, "postgres"), "(28000)", "pg_hba.conf"},
		"no such database":  {url("app", secret, "nothere"), "does not exist (3D000)", "dbname"},
		"no connect":        {url("app", secret, "closed"), "(42501)", "GRANT CONNECT ON DATABASE"},
		"nothing listens":   {"postgres://app:" + secret + "@127.0.0.1:1/postgres", "connection refused", "listen_addresses"},
		"no TLS":            {strings.Replace(url("app", secret, "postgres"), "disable", "require", 1), "TLS", "sslmode"},
		"unknown host":      {"postgres://app:" + secret + "@nohost.invalid/postgres", "is not known here", "DNS"},
		"no socket":         {"host=/nonexistent user=app dbname=postgres password=" + secret, "no server socket", "host"},
		"no answer":         {"postgres://app:" + secret + "@" + quiet.Addr().String() + "/postgres?sslmode=disable&connect_timeout=1", "no answer within 1s", "firewall"},
		"role does not log": {url("nologin", secret, "postgres"), "(28000)", ""},
		"unknown parameter": {url("app", secret, "postgres") + "&no_such_setting=1", "no_such_setting", "connection options"},
		"not a standby":     {url("app", secret, "postgres") + "&target_session_attrs=standby", "standby", ""},
	} {
		t.Run(name, func(t *testing.T) {
			db := openDSN(t, c.dsn, postgres.Options{})
			st := db.Check(t.Context())
			if st.State != sources.StateFailed || st.Problem == "" {
				t.Fatalf("%+v", st)
			}
			if !strings.Contains(st.Problem, c.found) || !strings.Contains(st.Problem, c.todo) || strings.Contains(st.Problem, "\n") {
				t.Errorf("%q: want %q and %q", st.Problem, c.found, c.todo)
			}
			if strings.Contains(st.Problem+st.Summary, secret) {
				t.Errorf("the password shows: %q", st.Problem)
			}
			if !strings.Contains(st.Problem, "user app") && !strings.Contains(st.Problem, "user locked") && !strings.Contains(st.Problem, "user nologin") {
				t.Errorf("it does not say what was tried: %q", st.Problem)
			}
			start := time.Now()
			if _, err := db.Query(t.Context(), sources.Query{SQL: "select 1"}); !isBlind(err) {
				t.Errorf("a query: %v", err)
			}
			if took := time.Since(start); took > 2*time.Second {
				t.Errorf("the query tried to connect again: %s", took)
			}
			t.Log(st.Problem)
		})
	}
	t.Run("too many clients", func(t *testing.T) {
		var held []*postgres.Server
		for range 8 {
			db := openDSN(t, url("app", secret, "postgres"), postgres.Options{})
			held = append(held, db)
			st := db.Check(t.Context())
			if st.State == sources.StateFailed {
				if !strings.Contains(st.Problem, "53300") || !strings.Contains(st.Problem, "no further attempt") {
					t.Error(st.Problem)
				}
				break
			}
		}
		if len(held) > 4 {
			t.Errorf("%d sessions on a server for 3", len(held))
		}
	})
}

func TestOpenReadsWhatLibpqReads(t *testing.T) {
	s := cluster(t)
	home := t.TempDir()
	write := func(name, text string) string {
		p := filepath.Join(home, name)
		if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	t.Setenv("PGPASSFILE", write("pass", s.Host()+":*:*:kit:pw\n"))
	t.Setenv("PGSERVICEFILE", write("service", "[prod]\nhost="+s.Host()+"\nport="+port(s)+"\ndbname=postgres\nuser=kit\n"))
	for name, dsn := range map[string]string{
		"password file":    "host=" + s.Host() + " port=" + port(s) + " user=kit dbname=postgres sslmode=prefer",
		"service":          "service=prod",
		"url":              s.DSNAs("kit", "pw", "postgres"),
		"options of libpq": "host=nohost.invalid hostaddr=127.0.0.1 port=" + port(s) + " user=kit password=pw dbname=postgres keepalives=1 keepalives_idle=30 gssencmode=disable sslcrl=x requiressl=0 krbsrvname=postgres channel_binding=prefer target_session_attrs=any replication=database fallback_application_name=other application_name=evil load_balance_hosts=random pool_max_conns=3",
		"hostaddr alone":   "hostaddr=127.0.0.1 port=" + port(s) + " user=kit password=pw dbname=postgres",
	} {
		t.Run(name, func(t *testing.T) {
			db := openDSN(t, dsn, postgres.Options{})
			st := db.Check(t.Context())
			if st.State == sources.StateFailed {
				t.Fatal(st.Problem)
			}
			tab, err := db.Query(t.Context(), sources.Query{SQL: "select current_setting('application_name') as n, current_user as u"})
			if err != nil || tab.Text(0, "n") != "inquest" || tab.Text(0, "u") != "kit" {
				t.Errorf("%v %v", tab, err)
			}
			if name == "options of libpq" && (len(db.Notes()) < 6 || !strings.Contains(strings.Join(db.Notes(), "; "), "keepalives_idle")) {
				t.Errorf("notes %q", db.Notes())
			}
		})
	}
	t.Run("environment", func(t *testing.T) {
		t.Setenv("PGHOST", s.Host())
		t.Setenv("PGPORT", port(s))
		t.Setenv("PGUSER", "kit")
		t.Setenv("PGDATABASE", "postgres")
		if st := openDSN(t, "", postgres.Options{}).Check(t.Context()); st.State == sources.StateFailed {
			t.Error(st.Problem)
		}
	})
	for _, dsn := range []string{
		"postgres://app:" + secret + "@host:notaport/db", "host=h password='" + secret, "postgres://app:" + secret + "/x@host:1x/db",
		"service=none password=" + secret, "host=h sslmode=" + "bad password=" + secret, "postgres://u:" + secret + "@h/db?sslmode=verify-full&sslrootcert=/nonexistent",
	} {
		_, err := postgres.Open("db:x", dsn, postgres.Options{})
		if err == nil || strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", strings.ReplaceAll(dsn, secret, "…"), err)
		} else {
			t.Log(err)
		}
	}
}

func port(s *pgserver.Server) string { return strconv.Itoa(s.Port()) }
