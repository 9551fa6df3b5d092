package postgres

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"inquest/sources"
	"inquest/sources/catalog"
)

// blindFor turns an error of the server that means "could not look" into a
// *sources.Blind, an ended context into its own error, and leaves others.
func (s *Server) blindFor(ctx context.Context, w work, err error) error {
	if err == nil {
		return nil
	}
	var blind *sources.Blind
	if errors.As(err, &blind) {
		return err
	}
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", s.name, ctx.Err())
	}
	var pe *pgconn.PgError
	if !errors.As(err, &pe) {
		return err
	}
	switch {
	case pe.Code == "42501":
		return s.denied(w, pe)
	case pe.Code == "57014":
		return &sources.Blind{Why: fmt.Sprintf("stopped at the limit of %s a statement", s.limit(w)), Opens: "--budget large"}
	case pe.Code == "55P03":
		return &sources.Blind{Why: fmt.Sprintf("another session holds a lock in the way; waited %s", s.opt.LockTimeout), Opens: "run the step again later"}
	case w.as != "" && (pe.Code == "22023" || pe.Code == "42704") && strings.Contains(pe.Message, `"`+w.as+`"`):
		return &sources.Blind{Why: fmt.Sprintf("role %q does not exist on %s", w.as, s.name), Opens: "check --as"}
	case isFatal(pe):
		return &sources.Blind{Why: fmt.Sprintf("%s ended the session: %s (%s)", s.name, pe.Message, pe.Code), Opens: "run the step again"}
	}
	return fmt.Errorf("%s: %s (%s): %w", s.name, pe.Message, pe.Code, err)
}

func (s *Server) limit(w work) time.Duration {
	if w.timeout > 0 {
		return w.timeout
	}
	return s.opt.StatementTimeout
}

func isFatal(pe *pgconn.PgError) bool {
	return strings.HasPrefix(pe.Code, "57P") || strings.HasPrefix(pe.Code, "08") || pe.Code == "25P03" || pe.Code == "25P04"
}

// deniedText is how the server words a missing privilege (aclchk.c, English).
var deniedText = regexp.MustCompile(`^permission denied for (table|view|materialized view|foreign table|sequence|schema|function|database|relation) (.+)$`)

func (s *Server) denied(w work, pe *pgconn.PgError) *sources.Blind {
	role := w.as
	if role == "" {
		role = s.cfg.User
	}
	b := &sources.Blind{Why: fmt.Sprintf("role %s: %s (42501)", role, pe.Message)}
	if strings.Contains(pe.Message, "permission denied to set role") {
		b.Opens = grant(fmt.Sprintf("%s TO %s", catalog.QuoteIdent(w.as), catalog.QuoteIdent(s.cfg.User)))
		return b
	}
	m := deniedText.FindStringSubmatch(pe.Message)
	if m == nil {
		return b
	}
	switch m[1] {
	case "schema":
		b.Opens = grant(fmt.Sprintf("USAGE ON SCHEMA %s TO %s", catalog.QuoteIdent(m[2]), catalog.QuoteIdent(role)))
	case "function":
		b.Opens = grant(fmt.Sprintf("EXECUTE ON FUNCTION %s TO %s", m[2], catalog.QuoteIdent(role)))
	case "database":
		b.Opens = grant(fmt.Sprintf("CONNECT ON DATABASE %s TO %s", catalog.QuoteIdent(m[2]), catalog.QuoteIdent(role)))
	default:
		b.Opens = grant(fmt.Sprintf("SELECT ON %s TO %s", catalog.QuoteIdent(m[2]), catalog.QuoteIdent(role)))
	}
	return b
}

// grant is a GRANT with the REVOKE that takes it back.
func grant(what string) string {
	return "GRANT " + what + " (afterwards: REVOKE " + strings.Replace(what, " TO ", " FROM ", 1) + ")"
}

func asPgError(err error, pe **pgconn.PgError) bool { return errors.As(err, pe) }
