package postgres

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"

	"inquest/sources"
	"inquest/sources/catalog"
)

// cancelPolitely asks the server to stop the statement when a context ends, so
// that no backend goes on working, and cuts the line only when it does not.
func cancelPolitely(c *pgconn.PgConn) ctxwatch.Handler {
	return &pgconn.CancelRequestContextWatcherHandler{Conn: c, DeadlineDelay: 3 * time.Second}
}

func lookup(addrs []string) pgconn.LookupFunc {
	return func(context.Context, string) ([]string, error) { return addrs, nil }
}

// connect opens the connection; the caller holds the queue.
func (s *Server) connect(ctx context.Context) error {
	switch {
	case s.closed:
		return &sources.Blind{Why: s.name + " is closed"}
	case s.conn != nil && !s.conn.IsClosed():
		return nil
	case s.refused != nil:
		return s.refused
	case s.drops > 1:
		return &sources.Blind{Why: "the connection to " + s.Target() + " was lost twice; no third attempt was made", Opens: "run the step again when the server is stable"}
	}
	s.conn = nil
	conn, err := dial(ctx, s.cfg)
	if err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("connect to %s: %w", s.Target(), ctx.Err())
		}
		s.refused = connectBlind(s.cfg, err)
		return s.refused
	}
	s.conn = conn
	s.pid.Store(conn.PID())
	return nil
}

// dial tries each way of connecting once. What the server itself refuses is not
// tried again another way, but for a rule of pg_hba.conf that may want TLS off.
func dial(ctx context.Context, all *pgconn.Config) (*pgconn.PgConn, error) {
	if all.ValidateConnect != nil {
		return pgconn.ConnectConfig(ctx, all)
	}
	ways := append([]*pgconn.FallbackConfig{{Host: all.Host, Port: all.Port, TLSConfig: all.TLSConfig}}, all.Fallbacks...)
	var errs []error
	for _, w := range ways {
		cfg := all.Copy()
		cfg.Host, cfg.Port, cfg.TLSConfig, cfg.Fallbacks = w.Host, w.Port, w.TLSConfig, nil
		conn, err := pgconn.ConnectConfig(ctx, cfg)
		if err == nil {
			return conn, nil
		}
		errs = append(errs, err)
		var pe *pgconn.PgError
		if ctx.Err() != nil || errors.As(err, &pe) && pe.Code != "28000" && pe.Code != "57P03" {
			break
		}
	}
	return nil, errors.Join(errs...)
}

// hangUp closes the connection and waits until it is gone; the caller holds the
// queue.
func (s *Server) hangUp() {
	if s.conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	_ = s.conn.Close(ctx) // nothing is lost: there is no open work
	select {
	case <-s.conn.CleanupDone():
	case <-ctx.Done():
	}
	s.conn = nil
}

// connectBlind says in one line what was tried, what was found and what to do.
func connectBlind(cfg *pgconn.Config, err error) *sources.Blind {
	why, opens := connectReason(cfg, err)
	return &sources.Blind{Why: "connect to " + target(cfg) + ": " + why, Opens: opens}
}

func connectReason(cfg *pgconn.Config, err error) (why, opens string) {
	var pe *pgconn.PgError
	if errors.As(err, &pe) {
		return serverRefusal(cfg, pe)
	}
	var (
		dns  *net.DNSError
		auth x509.UnknownAuthorityError
		host x509.HostnameError
		cert *tls.CertificateVerificationError
	)
	switch {
	case errors.As(err, &dns):
		return "the host name " + dns.Name + " is not known here", "check the spelling, VPN and DNS"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused, nothing listens there", "check host and port, and that the server runs and listens (listen_addresses)"
	case errors.Is(err, fs.ErrNotExist) && isSocket(cfg.Host):
		return "there is no server socket", "name the host: host=… or PGHOST, or the socket's folder"
	case errors.Is(err, fs.ErrPermission):
		return "this user may not use the server's socket", "connect by host=localhost, or as another user"
	case errors.As(err, &auth), errors.As(err, &host), errors.As(err, &cert):
		return "TLS: the server's certificate was not accepted (" + firstLine(rootCause(err).Error()) + ")", "sslrootcert=FILE names the authority; sslmode=require skips the check"
	case strings.Contains(err.Error(), "refused TLS"):
		return "TLS: the server does not offer it", "sslmode=disable or prefer, if the network is trusted"
	case strings.Contains(err.Error(), "tls:"):
		return "TLS: " + firstLine(rootCause(err).Error()), "check sslmode and the certificates"
	case pgconn.Timeout(err), errors.Is(err, context.DeadlineExceeded):
		return fmt.Sprintf("no answer within %s", cfg.ConnectTimeout), "check host, firewall and VPN; connect_timeout=SECONDS waits longer"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "there is no route to the host", "check network and VPN"
	}
	if cfg.ValidateConnect != nil {
		return "no server of the wanted kind: " + firstLine(rootCause(err).Error()), "check target_session_attrs"
	}
	return firstLine(rootCause(err).Error()), "check that a PostgreSQL server listens there"
}

func serverRefusal(cfg *pgconn.Config, pe *pgconn.PgError) (why, opens string) {
	switch pe.Code {
	case "28P01":
		if cfg.Password == "" {
			return "the server wants a password and none was given (28P01)", "set PGPASSWORD, ~/.pgpass or a service"
		}
		return "the password was not accepted (28P01)", "check user and password"
	case "28000":
		if strings.Contains(pe.Message, "not permitted to log in") {
			return pe.Message + " (28000)", "another role, or ALTER ROLE " + catalog.QuoteIdent(cfg.User) + " LOGIN"
		}
		return "not let in: " + pe.Message + " (28000)", "a line in pg_hba.conf for this host, user and database; or another role"
	case "3D000":
		return "the database does not exist (3D000)", "check dbname; psql -l lists what there is"
	case "53300":
		return "the server has no connection left: " + pe.Message + " (53300); no further attempt was made", "run again when there is room, or as a role with reserved connections"
	case "57P03":
		return "the server takes no connections now: " + pe.Message + " (57P03)", "run again when it is up"
	case "42501":
		return "the role may not connect: " + pe.Message + " (42501)", grant(fmt.Sprintf("CONNECT ON DATABASE %s TO %s", catalog.QuoteIdent(cfg.Database), catalog.QuoteIdent(cfg.User)))
	}
	return fmt.Sprintf("refused: %s (%s)", pe.Message, pe.Code), "check the connection options"
}

// rootCause follows the first branch of an error down to its cause.
func rootCause(err error) error {
	for {
		switch u := err.(type) { //nolint:errorlint // walks the chain itself
		case interface{ Unwrap() error }:
			if u.Unwrap() == nil {
				return err
			}
			err = u.Unwrap()
		case interface{ Unwrap() []error }:
			if len(u.Unwrap()) == 0 {
				return err
			}
			err = u.Unwrap()[0]
		default:
			return err
		}
	}
}
