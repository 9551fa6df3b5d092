package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"inquest/sources"
	"inquest/sources/catalog"
)

// work is one piece of work: one read-only transaction.
type work struct {
	note     string
	timeout  time.Duration // of one statement; zero: the server's own limit
	as       string        // role to take on
	settings map[string]string
	rls      bool // apply row-level security instead of refusing to be filtered
	free     bool // does not count against the server's total time: bounded by bytes, or needed to look at all
}

// tx is an open transaction; it is valid inside the function it is given to.
type tx struct {
	s    *Server
	conn *pgconn.PgConn
	note string
}

func (s *Server) acquire(ctx context.Context) error {
	select {
	case s.queue <- struct{}{}:
		return nil
	default:
	}
	select {
	case s.queue <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for the connection to %s: %w", s.name, ctx.Err())
	}
}

func (s *Server) release() { <-s.queue }

// within runs fn in one transaction. A connection that is lost meanwhile makes
// the error a *sources.Blind; the next piece of work connects again, once.
func (s *Server) within(ctx context.Context, w work, fn func(context.Context, *tx) error) error {
	if err := s.acquire(ctx); err != nil {
		return err
	}
	defer s.release()
	return s.transact(ctx, w, fn)
}

// transact is within for the holder of the queue.
func (s *Server) transact(ctx context.Context, w work, fn func(context.Context, *tx) error) error {
	if err := s.checkTotal(w); err != nil {
		return err
	}
	if !w.free {
		start := time.Now()
		defer func() { s.spent.Add(int64(time.Since(start))) }()
	}
	if err := s.connect(ctx); err != nil {
		return err
	}
	t := &tx{s: s, conn: s.conn, note: w.note}
	err := t.begin(ctx, w)
	if err == nil {
		err = fn(ctx, t)
	}
	end := t.end(err == nil)
	if s.conn.IsClosed() {
		return s.lost(ctx, err, end)
	}
	return err
}

func (s *Server) checkTotal(w work) error {
	if w.free || s.opt.Total < 0 || time.Duration(s.spent.Load()) < s.opt.Total {
		return nil
	}
	return &sources.Blind{
		Why:   fmt.Sprintf("the %s that may be spent on %s are used up", s.opt.Total, s.name),
		Opens: "--budget large",
	}
}

// lost turns the loss of the connection into what the caller is told.
func (s *Server) lost(ctx context.Context, err, end error) error {
	s.hangUp()
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", s.name, ctx.Err())
	}
	s.drops++
	if err == nil {
		err = end
	}
	why := "closed without a word"
	var pe *pgconn.PgError
	if errors.As(err, &pe) {
		why = pe.Message + " (" + pe.Code + ")"
	} else if err != nil {
		why = firstLine(rootCause(err).Error())
	}
	return &sources.Blind{Why: "the connection to " + s.Target() + " was lost in the middle: " + why, Opens: "run the step again"}
}

// begin opens the transaction and sets its limits in one round trip by the
// simple protocol, so that nothing stays in the session of a pooler.
func (t *tx) begin(ctx context.Context, w work) error {
	sql := t.s.guard(w)
	start := t.s.opt.Now()
	_, err := t.conn.Exec(ctx, sql).ReadAll()
	t.s.record(start, sql, "read-only transaction with limits", nil, err)
	if err != nil {
		return t.s.blindFor(ctx, w, err)
	}
	for _, name := range slices.Sorted(maps.Keys(w.settings)) {
		if err := t.setting(ctx, name, w.settings[name]); err != nil {
			return fmt.Errorf("apply setting %s: %w", name, err)
		}
	}
	return nil
}

// guarded settings are not for a query to change.
var guarded = []string{"transaction_read_only", "session_authorization", "role", "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"}

func (t *tx) setting(ctx context.Context, name, value string) error {
	if slices.Contains(guarded, strings.ToLower(name)) {
		return &sources.Blind{Why: "setting " + name + " is inquest's own guard", Opens: "leave it out of --as-setting"}
	}
	const sql = "select pg_catalog.set_config($1, $2, true)"
	start := t.s.opt.Now()
	r := t.conn.ExecParams(ctx, sql, [][]byte{[]byte(name), []byte(value)}, nil, nil, nil).Read()
	shown := value
	if looksSecret(name) {
		shown = sources.Mask
	}
	t.s.record(start, sql, "a setting of the application", []string{name, shown}, r.Err)
	return t.s.blindFor(ctx, work{}, r.Err)
}

func looksSecret(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc([]string{"pass", "secret", "token", "key", "jwt", "credential"}, func(s string) bool { return strings.Contains(name, s) })
}

// guard is the text that opens a transaction: read only, short, without side
// effects on planning, and printing values as package heap does.
func (s *Server) guard(w work) string {
	limit := w.timeout
	if limit <= 0 {
		limit = s.opt.StatementTimeout
	}
	rls := "off"
	if w.rls || w.as != "" {
		rls = "on"
	}
	sql := fmt.Sprintf("begin read only; set local statement_timeout = %d; set local lock_timeout = %d; "+
		"set local idle_in_transaction_session_timeout = 30000; set local row_security = %s; "+
		"set local search_path = pg_catalog, pg_temp; set local max_parallel_workers_per_gather = 0; set local jit = off; "+
		"set local timezone = 'UTC'; set local datestyle = 'ISO'; set local intervalstyle = 'postgres'; "+
		"set local bytea_output = 'hex'; set local extra_float_digits = 1",
		limit.Milliseconds(), s.opt.LockTimeout.Milliseconds(), rls)
	if w.as != "" {
		sql += "; set local role " + catalog.QuoteIdent(w.as)
	}
	return sql
}

// end closes the transaction: commit when all went well, for a rollback would
// count in the server's statistics.
func (t *tx) end(ok bool) error {
	if t.conn.IsClosed() || t.conn.TxStatus() == 'I' {
		return nil
	}
	sql := "rollback"
	if ok {
		sql = "commit"
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	start := t.s.opt.Now()
	_, err := t.conn.Exec(ctx, sql).ReadAll()
	t.s.record(start, sql, "", nil, err)
	return err
}

// stream sends one unnamed statement and hands each row to fn; the values are
// valid until fn returns. binary asks for the binary format of all columns. It
// returns the names of the columns.
func (t *tx) stream(ctx context.Context, sql string, args []string, binary bool, fn func([][]byte) error) ([]string, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	params := make([][]byte, len(args))
	for i, a := range args {
		params[i] = []byte(a)
	}
	var format []int16
	if binary {
		format = []int16{1}
	}
	start := t.s.opt.Now()
	rr := t.conn.ExecParams(ctx, sources.StatementMark+sql, params, nil, nil, format)
	var stop error
	for rr.NextRow() {
		if stop == nil {
			if stop = fn(rr.Values()); stop != nil {
				cancel() // ends the statement on the server; the rest is drained
			}
		}
	}
	var columns []string
	for _, f := range rr.FieldDescriptions() {
		columns = append(columns, f.Name)
	}
	_, err := rr.Close()
	if stop != nil {
		err = nil
	}
	t.s.record(start, sql, t.note, args, err)
	if stop != nil {
		return columns, stop
	}
	return columns, err
}
