package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5/pgconn"

	"inquest/sources"
)

const (
	defaultRows    = 10_000
	mostTableBytes = 32 << 20
)

// errEnough stops a result that has brought as many rows as were asked for.
var errEnough = errors.New("enough rows")

// Query implements sources.Querier. Row-level security is refused first; when
// the role cannot avoid it the query is repeated under it and the Table is
// marked Filtered. In a role (q.As) it always applies, as to the application.
func (s *Server) Query(ctx context.Context, q sources.Query) (*sources.Table, error) {
	w := work{note: q.Note, timeout: q.Timeout, as: q.As, settings: q.Settings}
	return s.unfiltered(ctx, w, q.SQL, func(ctx context.Context, t *tx) (*sources.Table, error) {
		if q.Scans {
			if err := t.withinBudget(ctx, q); err != nil {
				return nil, err
			}
		}
		return t.table(ctx, q.SQL, q.MaxRows, q.Args...)
	})
}

// unfiltered runs fn with row_security off, and again with on when that is
// refused for row-level security; the table is marked then.
func (s *Server) unfiltered(ctx context.Context, w work, sql string, fn func(context.Context, *tx) (*sources.Table, error)) (*sources.Table, error) {
	var out *sources.Table
	run := func(w work) error {
		return s.within(ctx, w, func(ctx context.Context, t *tx) (err error) {
			out, err = fn(ctx, t)
			return err
		})
	}
	err := run(w)
	if w.as == "" && wouldBeFiltered(err) {
		w.rls = true
		if err = run(w); err == nil {
			out.Filtered = true
		}
	}
	if err != nil {
		return nil, s.exactGrant(ctx, w, sql, err)
	}
	return out, nil
}

// wouldBeFiltered recognises row_security = off refusing a query (rls.c,
// check_enable_rls); its text may be translated, the routine is not.
func wouldBeFiltered(err error) bool {
	var pe *pgconn.PgError
	return errors.As(err, &pe) && pe.Code == "42501" && (pe.Routine == "check_enable_rls" || pe.Routine == "")
}

// query runs one statement in a transaction of its own, without a row limit
// that matters.
func (s *Server) query(ctx context.Context, note, sql string, args ...string) (*sources.Table, error) {
	return s.Query(ctx, sources.Query{SQL: sql, Args: args, Note: note, MaxRows: 100_000})
}

// table reads a result as text.
func (t *tx) table(ctx context.Context, sql string, maxRows int, args ...string) (*sources.Table, error) {
	if maxRows <= 0 {
		maxRows = defaultRows
	}
	out := &sources.Table{}
	size := 0
	columns, err := t.stream(ctx, sql, args, false, func(values [][]byte) error {
		if len(out.Rows) >= maxRows || size > mostTableBytes {
			out.Truncated = true
			return errEnough
		}
		row := make([]*string, len(values))
		for i, v := range values {
			if v != nil {
				s := string(v)
				row[i] = &s
				size += len(s)
			}
		}
		out.Rows = append(out.Rows, row)
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return nil, err
	}
	out.Columns = columns
	return out, nil
}
