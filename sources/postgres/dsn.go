package postgres

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"inquest/sources"
)

// notForServer are keys of libpq and pgx that pgconn would pass on to the
// server as settings, which refuses them.
var notForServer = map[string]string{
	"keepalives": "", "keepalives_idle": "", "keepalives_interval": "", "keepalives_count": "", "tcp_user_timeout": "",
	"gssencmode": "", "gsslib": "", "gssdelegation": "", "krbsrvname": "", "requirepeer": "", "load_balance_hosts": "",
	"sslcrl":                   "revocation lists are not checked",
	"sslcrldir":                "revocation lists are not checked",
	"sslcompression":           "",
	"ssl_min_protocol_version": "Go's own minimum applies",
	"ssl_max_protocol_version": "",
	"requiressl":               "say sslmode=require",
	"sslkeylogfile":            "", "scram_client_key": "", "scram_server_key": "",
	"hostaddr":                  "",
	"channel_binding":           "",
	"fallback_application_name": "the name is inquest",
	"replication":               "an ordinary connection is used",
	"default_query_exec_mode":   "", "statement_cache_capacity": "", "description_cache_capacity": "", "prefer_simple_protocol": "",
}

// parseDSN reads a URL, a keyword string, a service or nothing (PG* variables)
// and returns the notes about keys that were left out.
func parseDSN(dsn string) (*pgconn.Config, []string, error) {
	cfg, err := pgconn.ParseConfig(dsn)
	if err == nil {
		cfg, err = withHostAddr(cfg, dsn)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read the connection string: %s; want postgres://user@host:5432/database or host=… dbname=…", withoutDSN(err))
	}
	notes := dropKeys(cfg.RuntimeParams)
	cfg.RuntimeParams["application_name"] = "inquest"
	cfg.RuntimeParams["client_encoding"] = "UTF8"
	return cfg, notes, nil
}

// withHostAddr makes hostaddr the host when no other was named, as libpq does.
func withHostAddr(cfg *pgconn.Config, dsn string) (*pgconn.Config, error) {
	addr := cfg.RuntimeParams["hostaddr"]
	if addr == "" {
		return cfg, nil
	}
	if !isSocket(cfg.Host) {
		addrs := strings.Split(addr, ",")
		cfg.LookupFunc = lookup(addrs)
		return cfg, nil
	}
	if strings.Contains(dsn, "://") {
		sep := "?"
		if strings.Contains(dsn, "?") {
			sep = "&"
		}
		return pgconn.ParseConfig(dsn + sep + "host=" + addr)
	}
	return pgconn.ParseConfig(dsn + " host=" + addr)
}

func dropKeys(params map[string]string) []string {
	var notes []string
	for _, k := range slices.Sorted(maps.Keys(params)) {
		why, known := notForServer[k]
		if !known && !strings.HasPrefix(k, "pool_") && !strings.HasPrefix(k, "oauth_") {
			continue
		}
		delete(params, k)
		if k == "hostaddr" {
			continue // honoured
		}
		note := "connection option " + k + " left out"
		if why != "" {
			note += ": " + why
		}
		notes = append(notes, note)
	}
	return notes
}

// withoutDSN returns pgconn's reason without the connection string, which may
// hold a password in a place where no rule finds it.
func withoutDSN(err error) string {
	s := err.Error()
	if i := strings.LastIndex(s, "`: "); i >= 0 {
		s = s[i+3:]
	}
	var r *sources.Redactor
	if r, err = sources.NewRedactor(nil); err == nil {
		s, _ = r.Redact(s)
	}
	return strings.ReplaceAll(s, "\n", " ")
}

func isSocket(host string) bool { return strings.HasPrefix(host, "/") || strings.HasPrefix(host, "@") }

// target names a server for people: host:port, database and user.
func target(cfg *pgconn.Config) string {
	hosts := []string{address(cfg.Host, cfg.Port)}
	for _, f := range cfg.Fallbacks {
		if a := address(f.Host, f.Port); !slices.Contains(hosts, a) {
			hosts = append(hosts, a)
		}
	}
	db := cfg.Database
	if db == "" {
		db = cfg.User
	}
	return fmt.Sprintf("%s, database %s, user %s", strings.Join(hosts, " and "), db, cfg.User)
}

func address(host string, port uint16) string {
	if isSocket(host) {
		return fmt.Sprintf("socket %s port %d", host, port)
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return fmt.Sprintf("%s:%d", host, port)
}
