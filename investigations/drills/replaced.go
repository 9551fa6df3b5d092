package drills

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"inquest/investigations"
)

// replaced is a booking that the service took out and put in again under a new
// code when the guest changed rooms.
func replaced() Drill {
	return Drill{
		ID: "replaced", Title: "A booking code stopped working after a change", Domain: "bookings",
		Story: "A guest's booking code is unknown. The guest had asked for another room; the desk expects the guest.",
		Truth: Truth{
			Fate: investigations.FateRekeyed, Standings: []investigations.Standing{investigations.Established},
			Mechanisms: []string{"replaced"}, Causes: []investigations.Cause{investigations.CauseApplication, investigations.CauseConcurrency},
			Why: "A change of room deletes the booking and inserts it under a new code, in one transaction: the same guest and dates are there under another code.",
		},
		Spec: ServerSpec{Settings: connected("%m [%p] %q%u@%d/%a ", map[string]string{"log_statement": "mod"})},
		Stage: func(ctx context.Context, s *Stage) (Scene, error) {
			h, err := openHotel(ctx, s, nil)
			if err != nil {
				return Scene{}, err
			}
			code, err := h.run(ctx, func(conn *pgx.Conn) (string, error) {
				b, err := h.bookAndFind(ctx)
				if err != nil {
					return "", err
				}
				return b.code, errors.Join(s.Pause(ctx, 200*time.Millisecond), h.changeRoom(ctx, conn, b))
			})
			if err != nil {
				return Scene{}, err
			}
			return h.scene(code, KitRights), nil
		},
	}
}

func (h *hotel) changeRoom(ctx context.Context, conn *pgx.Conn, b booking) error {
	begun := time.Now()
	tx, err := conn.Begin(ctx)
	if err != nil {
		return fmt.Errorf("change the room: %w", err)
	}
	var arrives time.Time
	var nights int
	if err := tx.QueryRow(ctx, "DELETE FROM bookings WHERE code = $1 RETURNING arrives, nights", b.code).Scan(&arrives, &nights); err != nil {
		return errors.Join(fmt.Errorf("change the room: %w", err), tx.Rollback(ctx))
	}
	_, err = tx.Exec(ctx, "INSERT INTO bookings (code, room_id, guest, channel, arrives, nights) VALUES ($1, $2, $3, $4, $5, $6)",
		"BK-"+newCode(7), 1+b.room%40, b.guest, b.channel, arrives, nights)
	if err := errors.Join(err, tx.Commit(ctx)); err != nil {
		return fmt.Errorf("change the room: %w", err)
	}
	h.answered(begun, "POST", "/bookings/change-room", 200, "", "room changed")
	return nil
}
