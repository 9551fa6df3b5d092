package drills

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"inquest/investigations"
)

// raceDelete is a booking that was made while a synchronisation held an older
// list, and was not on it.
func raceDelete() Drill {
	return Drill{
		ID: "race-delete", Title: "A partner's booking went within the minute it was made", Domain: "bookings",
		Story: "A partner's booking was confirmed and seen once, and was gone a moment later. The partner has it on their list.",
		Truth: deletedBy("race-delete", investigations.CauseConcurrency,
			"The synchronisation with the partner read the partner's list, the booking was made, and then everything of the partner that was not on the list was deleted: its transaction had its xid before the booking's."),
		Spec: ServerSpec{Settings: connected("%m [%p] %q%u@%d/%a xid=%x ", map[string]string{"log_statement": "mod"})},
		Stage: func(ctx context.Context, s *Stage) (Scene, error) {
			h, err := openHotel(ctx, s, []string{"partner_sync"}, `
				CREATE TABLE sync_runs (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, partner text NOT NULL, began timestamptz NOT NULL DEFAULT now(), listed integer);
				UPDATE bookings SET channel = 'coastline' WHERE room_id = 7;
				GRANT SELECT, DELETE ON bookings TO partner_sync;
				GRANT SELECT, INSERT ON sync_runs TO partner_sync`)
			if err != nil {
				return Scene{}, err
			}
			code, err := h.run(ctx, func(conn *pgx.Conn) (string, error) { return h.race(ctx, conn) })
			if err != nil {
				return Scene{}, err
			}
			return h.scene(code, KitRights), nil
		},
	}
}

// race is one run of the synchronisation with a booking in the middle of it.
func (h *hotel) race(ctx context.Context, conn *pgx.Conn) (string, error) {
	sync, err := h.st.Connect(ctx, Session{Role: "partner_sync", Database: hotelDatabase, App: "partner-sync"})
	if err != nil {
		return "", err
	}
	tx, err := sync.Begin(ctx)
	if err != nil {
		return "", fmt.Errorf("begin the synchronisation: %w", err)
	}
	rows, err := tx.Query(ctx, "SELECT code FROM bookings WHERE channel = 'coastline'")
	if err != nil {
		return "", fmt.Errorf("read the bookings: %w", err)
	}
	listed, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return "", fmt.Errorf("read the bookings: %w", err)
	}
	if _, err := tx.Exec(ctx, "INSERT INTO sync_runs (partner, listed) VALUES ('coastline', $1)", len(listed)); err != nil {
		return "", fmt.Errorf("note the run: %w", err)
	}
	h.say(fmt.Sprintf("partner-sync: coastline lists %d bookings", len(listed)))
	begun, b := time.Now(), newBooking()
	err = errors.Join(h.st.Pause(ctx, 150*time.Millisecond), h.quote(ctx, conn, b), tagged(ctx, conn, bookingInsert, b.code, b.room, b.guest, "coastline", 2))
	if err != nil {
		return "", err
	}
	h.confirmed(begun, b)
	if status, err := h.find(ctx, conn, b.code); err != nil || status != 200 {
		return "", fmt.Errorf("the new booking answered %d: %w", status, errOrNone(err))
	}
	if err := h.st.Pause(ctx, 200*time.Millisecond); err != nil {
		return "", err
	}
	tag, err := tx.Exec(ctx, "DELETE FROM bookings WHERE channel = 'coastline' AND NOT (code = ANY ($1))", listed)
	if err != nil || tag.RowsAffected() != 1 {
		return "", fmt.Errorf("the synchronisation removed %d bookings: %w", tag.RowsAffected(), errOrNone(err))
	}
	h.say("partner-sync: removed 1 booking that coastline does not list")
	return b.code, errors.Join(tx.Commit(ctx), h.st.Leave(ctx, sync))
}
