package drills

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"inquest/investigations"
)

// softDeleted is a booking that the service itself took for a duplicate and hid.
func softDeleted() Drill {
	return Drill{
		ID: "soft-deleted", Title: "A booking disappeared from the list an hour after it was made", Domain: "bookings",
		Story: "A guest booked, saw the booking in the app, and later it was gone. Nobody cancelled it. Other guests see theirs.",
		Truth: hidden("soft-deleted", investigations.CauseApplication,
			"The service's own duplicate check set hidden on the booking: the row is there with its flag, and the UPDATE by the service's role is in the server log."),
		Spec: ServerSpec{Settings: jsonLog(map[string]string{"log_statement": "mod"}), MinMajor: 15},
		Stage: func(ctx context.Context, s *Stage) (Scene, error) {
			h, err := openHotel(ctx, s, nil)
			if err != nil {
				return Scene{}, err
			}
			code, err := h.run(ctx, func(conn *pgx.Conn) (string, error) {
				b, err := h.book(ctx, conn)
				if err != nil {
					return "", err
				}
				twin := newBooking()
				_, err = conn.Exec(ctx, bookingInsert, twin.code, b.room, b.guest, b.channel, 1)
				h.confirmed(time.Now(), twin)
				if err := errors.Join(err, s.Pause(ctx, 250*time.Millisecond)); err != nil {
					return "", err
				}
				_, err = conn.Exec(ctx, "UPDATE bookings SET hidden = true, updated_at = now() WHERE guest = $1 AND room_id = $2 AND code <> $3", b.guest, b.room, twin.code)
				h.say("duplicate check: 1 booking of the same guest and room hidden")
				return b.code, err
			})
			if err != nil {
				return Scene{}, err
			}
			return h.scene(code, KitRights, jsonPath(s.Server)), nil
		},
	}
}
