package drills

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"inquest/investigations"
)

// transactionOpen is a booking whose transaction is still open.
func transactionOpen() Drill {
	return Drill{
		ID: "transaction-open", Title: "A booking of a moment ago cannot be found", Domain: "bookings",
		Story: "The desk confirmed a booking a moment ago. The guest's app does not find the code.",
		Truth: neverCommitted("transaction-open", investigations.CauseApplication,
			"The service confirmed the booking inside a transaction that it has not ended: its session is idle in transaction right now, and its xid in progress."),
		Spec: ServerSpec{Settings: csvLog(nil)},
		Stage: func(ctx context.Context, s *Stage) (Scene, error) {
			return unfinished(ctx, s, csvPath(s.Server), func(conn *pgx.Conn, scene *Scene) error {
				s.Linger(scene, conn)
				return nil
			})
		},
	}
}

// preparedOrphan is a booking whose two-phase commit was never finished.
func preparedOrphan() Drill {
	truth := neverCommitted("prepared-orphan", investigations.CauseApplication,
		"The booking's transaction was prepared for a two-phase commit, and its coordinator died: it is neither committed nor rolled back and stands in pg_prepared_xacts.")
	truth.Causes = append(truth.Causes, investigations.CauseSystem, investigations.CauseConcurrency)
	return Drill{
		ID: "prepared-orphan", Title: "A booking with an invoice is missing, the invoice is not", Domain: "bookings",
		Story: hotelStory + " Booking and invoice are kept by two systems that commit together.", Truth: truth,
		Spec: ServerSpec{Settings: connected("%m [%p] %q%u@%d/%a ", map[string]string{"max_prepared_transactions": "10"})},
		Stage: func(ctx context.Context, s *Stage) (Scene, error) {
			return unfinished(ctx, s, s.Server.LogFile(), func(conn *pgx.Conn, _ *Scene) error {
				_, err := conn.Exec(ctx, "PREPARE TRANSACTION 'coord-7_131077_invoice'", pgx.QueryExecModeSimpleProtocol)
				if err != nil {
					return fmt.Errorf("prepare: %w", err)
				}
				return s.Leave(ctx, conn)
			})
		},
	}
}

// unfinished is a booking that is confirmed in a transaction which does not end
// while the drill plays.
func unfinished(ctx context.Context, s *Stage, serverLog string, leave func(*pgx.Conn, *Scene) error) (Scene, error) {
	h, err := openHotel(ctx, s, nil)
	if err != nil {
		return Scene{}, err
	}
	traffic := s.Traffic(ctx, h.app(), 3, Pace{8 * time.Millisecond, 40 * time.Millisecond}, h.step)
	conn, err := s.Connect(ctx, h.app())
	if err != nil {
		return Scene{}, err
	}
	if err := s.Pause(ctx, 300*time.Millisecond); err != nil {
		return Scene{}, err
	}
	begun, b := time.Now(), newBooking()
	if err := script(ctx, conn, "BEGIN"); err != nil {
		return Scene{}, err
	}
	if _, err := conn.Exec(ctx, bookingInsert, b.code, b.room, b.guest, b.channel, 3); err != nil {
		return Scene{}, fmt.Errorf("book: %w", err)
	}
	h.confirmed(begun, b)
	scene := h.scene(b.code, KitRights, serverLog)
	err = errors.Join(leave(conn, &scene), h.missing(ctx, b.code, 300*time.Millisecond), traffic.Stop())
	return scene, err
}
