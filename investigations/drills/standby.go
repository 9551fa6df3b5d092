package drills

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// caughtUp waits until a standby has replayed what its primary has written now.
func (s *Stage) caughtUp(ctx context.Context, standby Server) error {
	conn, err := s.Connect(ctx, Session{Database: "postgres", App: "health"})
	if err != nil {
		return err
	}
	var lsn string
	if err := conn.QueryRow(ctx, "SELECT pg_current_wal_flush_lsn()::text").Scan(&lsn); err != nil {
		return fmt.Errorf("read the primary's position: %w", err)
	}
	return errors.Join(s.Leave(ctx, conn), s.until(ctx, standby, "SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn", lsn))
}

// noReceiver waits until a standby no longer receives.
func (s *Stage) noReceiver(ctx context.Context, standby Server) error {
	return s.until(ctx, standby, "SELECT count(*) = 0 FROM pg_stat_wal_receiver")
}

// until asks a server the same question until it says true.
func (s *Stage) until(ctx context.Context, srv Server, sql string, args ...any) error {
	conn, err := s.connectTo(ctx, srv, Session{Database: "postgres", App: "health"})
	if err != nil {
		return err
	}
	for end := time.Now().Add(10 * time.Second); ; {
		var ok bool
		if err := conn.QueryRow(ctx, sql, args...).Scan(&ok); err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return fmt.Errorf("ask %q: %w", sql, err)
		}
		if ok {
			return s.Leave(ctx, conn)
		}
		if time.Now().After(end) {
			return fmt.Errorf("ask %q: it did not become true", sql)
		}
		if err := s.Pause(ctx, 10*time.Millisecond); err != nil {
			return err
		}
	}
}
