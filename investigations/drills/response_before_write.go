package drills

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"inquest/investigations"
)

// responseBeforeWrite is a booking that was confirmed and put on a queue that
// nobody emptied.
func responseBeforeWrite() Drill {
	return Drill{
		ID: "response-before-write", Title: "A confirmed booking is unknown", Domain: "bookings", Story: hotelStory,
		Truth: neverWritten("response-before-write", investigations.CauseApplication,
			"The service checked the code, quoted the room, confirmed, and handed the booking to a writer that was shutting down: every statement of that session is in the server log, and no INSERT is among them."),
		Spec: ServerSpec{Settings: connected("%m [%p] %q%u@%d/%a ", map[string]string{"log_statement": "all"})},
		Stage: func(ctx context.Context, s *Stage) (Scene, error) {
			h, err := openHotel(ctx, s, nil)
			if err != nil {
				return Scene{}, err
			}
			code, err := h.run(ctx, func(conn *pgx.Conn) (string, error) {
				begun, b := time.Now(), newBooking()
				if err := h.quote(ctx, conn, b); err != nil {
					return "", err
				}
				h.confirmed(begun, b)
				err := s.Pause(ctx, 30*time.Millisecond)
				h.answered(begun, "TASK", "write-booking", 500, b.code, "writer is shutting down, task dropped")
				return b.code, errors.Join(err, touch(ctx, conn, "SELECT name FROM rooms WHERE id = $1", b.room))
			})
			if err != nil {
				return Scene{}, err
			}
			return h.scene(code, SuperuserRights), nil
		},
	}
}
