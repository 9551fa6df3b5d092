package pgserver

import (
	"net"
	"net/url"
	"strconv"
	"strings"
)

// DSN is a URL that connects the superuser to a database over TCP.
func (s *Server) DSN(database string) string {
	return s.DSNAs(s.super, s.password, database)
}

// DSNAs is a URL that connects a role to a database over TCP, where the default rules ask for a SCRAM password.
func (s *Server) DSNAs(user, password, database string) string {
	u := url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword(user, password),
		Host:     net.JoinHostPort(s.Host(), strconv.Itoa(s.port)),
		Path:     "/" + database,
		RawQuery: "sslmode=disable",
	}
	return u.String()
}

// SocketDSN is a keyword string that connects a role to a database over the Unix socket, where the default rules ask
// for no password.
func (s *Server) SocketDSN(user, database string) string {
	pairs := [][2]string{
		{"host", s.sock},
		{"port", strconv.Itoa(s.port)},
		{"user", user},
		{"dbname", database},
	}
	words := make([]string, len(pairs))
	for i, p := range pairs {
		words[i] = p[0] + "=" + quoteKeyword(p[1])
	}
	return strings.Join(words, " ")
}

// quoteKeyword quotes a value of libpq's keyword/value connection strings.
func quoteKeyword(v string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(v) + "'"
}
