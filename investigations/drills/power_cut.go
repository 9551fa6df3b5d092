package drills

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// onDisk is what a power cut left of an order.
type onDisk int

const (
	nothing     onDisk = iota
	uncommitted        // its row without its commit
	allOfIt            // it outlived the power cut
)

// powerCutTries is how often the power is cut until the right part of an order is
// left: the server may write WAL on its own at any moment.
const powerCutTries = 6

// durably is a session of the service whose commits wait for the disk whatever the
// role is set to. Such a commit takes all WAL before it along.
func (s *shop) durably() Session {
	who := s.app()
	who.Settings = map[string]string{"synchronous_commit": "on"}
	return who
}

// powerCut kills every process of the server at one instant, starts it again, and
// says what is left of an order. Recovery ends with a checkpoint, so that what was
// replayed is in the table's file.
func (s *shop) powerCut(ctx context.Context, o order) (onDisk, error) {
	s.st.Server.Crash()
	if err := s.st.Server.Start(ctx); err != nil {
		return nothing, fmt.Errorf("start after the power cut: %w", err)
	}
	conn, err := s.st.Connect(ctx, Session{Database: shopDatabase, App: "health", Simple: true})
	if err != nil {
		return nothing, err
	}
	var stored, visible bool
	err = conn.QueryRow(ctx, `SELECT position(k.bytes IN pg_read_binary_file(pg_relation_filepath('orders'))) > 0, EXISTS (SELECT FROM orders WHERE id = $1)
		FROM (SELECT string_agg(substring(int8send($1) FROM i FOR 1), ''::bytea ORDER BY i DESC) AS bytes FROM generate_series(1, 8) i) k`, o.id).Scan(&stored, &visible)
	if err := errors.Join(err, s.st.Leave(ctx, conn)); err != nil {
		return nothing, fmt.Errorf("look what the power cut left: %w", err)
	}
	switch {
	case visible:
		return allOfIt, nil
	case stored:
		return uncommitted, nil
	}
	return nothing, nil
}

// roomInPage places orders over a session that waits for the disk until more than
// half of the current page of WAL is free. The server writes a page of WAL as soon
// as it is full; a transaction that fits into the free half is not written early.
func (s *shop) roomInPage(ctx context.Context, durable *pgx.Conn) error {
	for range 50 {
		if _, err := s.place(ctx, durable); err != nil {
			return err
		}
		var used int64
		if err := durable.QueryRow(ctx, "SELECT mod(pg_current_wal_insert_lsn() - '0/0', 8192)::bigint").Scan(&used); err != nil {
			return fmt.Errorf("read the position in WAL: %w", err)
		}
		if used > 0 && used < 4096 {
			return nil
		}
	}
	return errors.New("no page of WAL was half empty after any of fifty orders")
}
