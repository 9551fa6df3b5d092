package drills

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"inquest/investigations"
)

// insertRefused is a booking whose INSERT was refused and confirmed all the same.
func insertRefused() Drill {
	return Drill{
		ID: "insert-refused", Title: "A partner's booking is unknown at the desk", Domain: "bookings",
		Story: hotelStory + " It came through a partner's web site.",
		Truth: neverWritten("insert-refused", investigations.CauseApplication,
			"The partner sent no guest name; the INSERT was refused with 23502 and the error was swallowed by the service, which confirmed the booking."),
		Spec: ServerSpec{Settings: csvLog(map[string]string{"log_statement": "none"})},
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
				_, err := conn.Exec(ctx, bookingInsert, b.code, b.room, nil, "partner", 2)
				var refused *pgconn.PgError
				if !errors.As(err, &refused) || refused.Code != "23502" {
					return "", fmt.Errorf("the insert was to be refused: %w", errOrNone(err))
				}
				h.confirmed(begun, b)
				return b.code, nil
			})
			if err != nil {
				return Scene{}, err
			}
			return h.scene(code, KitRights, csvPath(s.Server)), nil
		},
	}
}
