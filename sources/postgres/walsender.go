package postgres

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgproto3"

	"inquest/sources"
	"inquest/sources/catalog"
	"inquest/sources/wal"
)

// silence is how long a server may send nothing while WAL is due.
const silence = 30 * time.Second

// walSender is a physical replication connection (protocol: "Streaming
// Replication Protocol" of the manual). Between commands it is idle.
type walSender struct {
	s    *Server
	conn *pgconn.PgConn
}

// dialSender opens a replication connection: as such, and where pg_hba.conf has
// no line for that, as one that belongs to the database.
func (s *Server) dialSender(ctx context.Context) (*walSender, error) {
	var first error
	for _, kind := range []string{"true", "database"} {
		cfg := s.cfg.Copy()
		cfg.RuntimeParams["replication"] = kind
		cfg.RuntimeParams["application_name"] = "inquest_" + strings.ToLower(rand.Text()[:12])
		cfg.BuildContextWatcherHandler = func(c *pgconn.PgConn) ctxwatch.Handler {
			return &pgconn.DeadlineContextWatcherHandler{Conn: c.Conn()}
		}
		start := s.opt.Now()
		conn, err := dial(ctx, cfg)
		s.record(start, "-- replication connection, replication="+kind, "a stream of WAL, without a slot", nil, err)
		if err == nil {
			return &walSender{s: s, conn: conn}, nil
		}
		if ctx.Err() != nil {
			return nil, fmt.Errorf("connect to %s for its WAL: %w", s.Target(), ctx.Err())
		}
		if first == nil {
			first = err
		}
		var pe *pgconn.PgError
		if !errors.As(err, &pe) || pe.Code != "28000" {
			break
		}
	}
	return nil, senderBlind(s.cfg, first)
}

func senderBlind(cfg *pgconn.Config, err error) *sources.Blind {
	var pe *pgconn.PgError
	switch {
	case !errors.As(err, &pe):
		return connectBlind(cfg, err)
	case pe.Code == "28000":
		return &sources.Blind{
			Why:   "the server lets no replication connection in: " + pe.Message + " (28000)",
			Opens: "a line in pg_hba.conf: host replication " + catalog.QuoteIdent(cfg.User) + " ADDRESS scram-sha-256",
		}
	case pe.Code == "53300":
		return &sources.Blind{Why: "the server has no replication connection left: " + pe.Message + " (53300)", Opens: "run again when one is free (max_wal_senders)"}
	}
	return &sources.Blind{Why: fmt.Sprintf("no replication connection: %s (%s)", pe.Message, pe.Code), Opens: "connect to the server itself, without a pooler"}
}

func (l *walSender) closed() bool { return l.conn.IsClosed() }

func (l *walSender) close() {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	_ = l.conn.Close(ctx) // there is no open work
	select {
	case <-l.conn.CleanupDone():
	case <-ctx.Done():
	}
}

// ask sends a command that answers with one row.
func (l *walSender) ask(ctx context.Context, command string) ([][]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, silence)
	defer cancel()
	start := l.s.opt.Now()
	res, err := l.conn.Exec(ctx, command).ReadAll()
	l.s.record(start, command, "replication command", nil, err)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", command, err)
	}
	if len(res) != 1 || len(res[0].Rows) != 1 {
		return nil, fmt.Errorf("%s: an answer of another shape", command)
	}
	return res[0].Rows[0], nil
}

func (l *walSender) identify(ctx context.Context) (tli uint32, end wal.LSN, err error) {
	row, err := l.ask(ctx, "IDENTIFY_SYSTEM")
	if err != nil {
		return 0, 0, err
	}
	if len(row) < 3 {
		return 0, 0, errors.New("IDENTIFY_SYSTEM: an answer of another shape")
	}
	n, err := strconv.ParseUint(string(row[1]), 10, 32)
	if err != nil {
		return 0, 0, fmt.Errorf("IDENTIFY_SYSTEM: timeline %q: %w", row[1], err)
	}
	end, err = wal.ParseLSN(string(row[2]))
	return uint32(n), end, err
}

func (l *walSender) history(ctx context.Context, tli uint32) ([]byte, error) {
	row, err := l.ask(ctx, fmt.Sprintf("TIMELINE_HISTORY %d", tli))
	if err != nil {
		return nil, err
	}
	if len(row) < 2 {
		return nil, errors.New("TIMELINE_HISTORY: an answer of another shape")
	}
	return row[1], nil
}

// has reports whether the server still has the WAL at a position.
func (l *walSender) has(ctx context.Context, at wal.LSN, tli uint32) (bool, error) {
	got := false
	err := l.stream(ctx, at, at+1, tli, func(wal.LSN, []byte) error {
		got = true
		return nil
	})
	var pe *pgconn.PgError
	if errors.As(err, &pe) && pe.Code == "58P01" && !l.closed() { // undefined_file: already removed
		return false, nil
	}
	return got, err
}

// stream asks for WAL of a timeline from a position on and hands it to keep, in
// order, until at least upto; what arrives while the server is told to stop is
// handed on too. It ends early where the timeline was left.
func (l *walSender) stream(ctx context.Context, from, upto wal.LSN, tli uint32, keep func(wal.LSN, []byte) error) error {
	command := fmt.Sprintf("START_REPLICATION PHYSICAL %s TIMELINE %d", from, tli)
	start := l.s.opt.Now()
	f := &flow{l: l, at: from, upto: upto, keep: keep}
	err := f.run(ctx, command)
	l.s.record(start, command, fmt.Sprintf("WAL to %s", f.at), nil, err)
	return err
}

// flow is one START_REPLICATION from its start to the server's readiness for
// the next command.
type flow struct {
	l        *walSender
	at, upto wal.LSN
	keep     func(wal.LSN, []byte) error
	stopped  bool // we said that we have enough
	failed   error
	broken   bool // keep failed: only the end is waited for
}

func (f *flow) run(ctx context.Context, command string) error {
	fe := f.l.conn.Frontend()
	fe.SendQuery(&pgproto3.Query{String: command})
	if err := fe.Flush(); err != nil {
		return fmt.Errorf("ask for WAL: %w", err)
	}
	for {
		msg, err := f.receive(ctx)
		if err != nil {
			f.l.close()
			return errors.Join(f.failed, err)
		}
		ready, err := f.message(msg)
		if err != nil {
			f.l.close()
			return err
		}
		if ready {
			return f.failed
		}
	}
}

func (f *flow) receive(ctx context.Context) (pgproto3.BackendMessage, error) {
	ctx, cancel := context.WithTimeout(ctx, silence)
	defer cancel()
	return f.l.conn.ReceiveMessage(ctx)
}

// message handles one message and reports whether the command is over.
func (f *flow) message(msg pgproto3.BackendMessage) (ready bool, err error) {
	switch m := msg.(type) {
	case *pgproto3.CopyData:
		return false, f.data(m.Data)
	case *pgproto3.CopyDone: // our own word was answered, or the timeline ends here
		return false, f.stop()
	case *pgproto3.ErrorResponse:
		if f.failed == nil {
			f.failed = pgconn.ErrorResponseToPgError(m)
		}
	case *pgproto3.ReadyForQuery:
		return true, nil
	}
	return false, nil
}

func (f *flow) data(b []byte) error {
	switch {
	case len(b) >= 25 && b[0] == 'w' && !f.broken: // XLogData: start, end of WAL, time, bytes
		return f.take(wal.LSN(binary.BigEndian.Uint64(b[1:])), b[25:])
	case len(b) >= 18 && b[0] == 'k' && b[17] != 0 && !f.stopped: // keepalive that wants an answer
		return f.reply()
	}
	return nil
}

// take hands a piece of WAL on, and tells the server to stop when it was enough.
func (f *flow) take(at wal.LSN, b []byte) error {
	if err := f.keep(at, b); err != nil {
		f.failed, f.broken = err, true
		return f.stop()
	}
	f.at = at + wal.LSN(len(b))
	if f.at < f.upto {
		return nil
	}
	return f.stop()
}

// reply tells what was received. It never claims that anything was flushed or
// applied: a standby without a flush position is no candidate for a synchronous
// one (syncrep.c, SyncRepGetCandidateStandbys).
func (f *flow) reply() error {
	b := make([]byte, 0, 34)
	b = append(b, 'r')
	b = binary.BigEndian.AppendUint64(b, uint64(f.at))
	b = binary.BigEndian.AppendUint64(b, 0)
	b = binary.BigEndian.AppendUint64(b, 0)
	b = binary.BigEndian.AppendUint64(b, uint64(time.Since(epoch2000).Microseconds()))
	b = append(b, 0)
	fe := f.l.conn.Frontend()
	fe.Send(&pgproto3.CopyData{Data: b})
	return fe.Flush()
}

var epoch2000 = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func (f *flow) stop() error {
	if f.stopped {
		return nil
	}
	f.stopped = true
	fe := f.l.conn.Frontend()
	fe.Send(&pgproto3.CopyDone{})
	return fe.Flush()
}

// syncBlind refuses to stream where a commit could wait for whoever streams: in
// "*", and in a list that names inquest.
func syncBlind(names string) *sources.Blind {
	for _, n := range standbyNames(names) {
		if n == "*" || strings.HasPrefix(strings.ToLower(n), "inquest") {
			return &sources.Blind{
				Why:   "WAL was not streamed, for synchronous_standby_names = " + names + " could make commits wait for inquest",
				Opens: "name the standbys in synchronous_standby_names, stream from a standby, or --wal DIR on the server",
			}
		}
	}
	return nil
}

// standbyNames lists the words of synchronous_standby_names, key words included
// (syncrep_scanner.l): names stand bare or in double quotes.
func standbyNames(s string) []string {
	var out []string
	for s = strings.TrimLeft(s, " \t\r\n,()"); s != ""; s = strings.TrimLeft(s, " \t\r\n,()") {
		if s[0] != '"' {
			n := strings.IndexAny(s, " \t\r\n,()\"")
			if n < 0 {
				n = len(s)
			}
			out = append(out, s[:n])
			s = s[n:]
			continue
		}
		var name strings.Builder
		i := 1
		for ; i < len(s); i++ {
			if s[i] == '"' {
				if i+1 == len(s) || s[i+1] != '"' {
					break
				}
				i++
			}
			name.WriteByte(s[i])
		}
		out = append(out, name.String())
		s = s[min(i+1, len(s)):]
	}
	return out
}
