package postgres

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
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

// deniedSQL finds what a name in a refused statement may have been, with what the
// role lacks of it: messages name a relation without its schema.
const deniedSQL = `select format('%I.%I', n.nspname, c.relname) as name, quote_ident(n.nspname) as schema, has_schema_privilege($2::name, n.oid, 'usage') as entered,
 case c.relkind when 'S' then 'SELECT ON SEQUENCE ' else 'SELECT ON ' end as what
from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relname = $1 and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S') and not has_table_privilege($2::name, c.oid, 'select')
union all select null, quote_ident(nspname), false, null from pg_namespace where nspname = $1 and not has_schema_privilege($2::name, oid, 'usage') limit 20`

// exactGrant says which GRANT opens what a statement was refused: by the schema
// that the relation is in, and in whatever language the server speaks.
func (s *Server) exactGrant(ctx context.Context, w work, sql string, err error) error {
	out := s.blindFor(ctx, w, err)
	var pe *pgconn.PgError
	var b *sources.Blind
	if !errors.As(err, &pe) || pe.Code != "42501" || pe.Routine != "aclcheck_error" || !errors.As(out, &b) {
		return out
	}
	role := w.as
	if role == "" {
		role = s.cfg.User
	}
	words := strings.Fields(pe.Message)
	name := strings.Trim(words[len(words)-1], "\"'«»„“”‚‘’.")
	tab, err := s.query(ctx, "what the role lacks", deniedSQL, name, role)
	if err != nil || len(tab.Rows) == 0 {
		return out
	}
	var grants []string
	add := func(what string) {
		if g := grant(what + " TO " + catalog.QuoteIdent(role)); !slices.Contains(grants, g) {
			grants = append(grants, g)
		}
	}
	for _, mentioned := range []bool{true, false} {
		for i := range tab.Rows {
			rel := tab.Text(i, "name")
			if mentioned && !mentions(sql, rel, tab.Text(i, "schema")) {
				continue
			}
			if !truth(tab, i, "entered") {
				add("USAGE ON SCHEMA " + tab.Text(i, "schema"))
			}
			if rel != "" {
				add(tab.Text(i, "what") + rel)
			}
		}
		if len(grants) > 0 {
			break
		}
	}
	if len(grants) > 0 {
		b.Opens = strings.Join(grants, " and ")
	}
	return out
}

// mentions reports whether a statement names the relation with its schema, or the
// schema when there is no relation, with or without quotes.
func mentions(sql, relation, schema string) bool {
	plain := func(s string) string { return strings.ReplaceAll(s, `"`, "") }
	if relation == "" {
		relation = schema + "."
	}
	return strings.Contains(plain(sql), plain(relation))
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
