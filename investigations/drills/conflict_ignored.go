package drills

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"inquest/investigations"
)

// conflictIgnored is a booking that met another one of the same room and day,
// where the INSERT says ON CONFLICT DO NOTHING.
func conflictIgnored() Drill {
	return Drill{
		ID: "conflict-ignored", Title: "Two guests hold a code for one room, and one code is unknown", Domain: "bookings",
		Story: hotelStory + " Another guest stays in that room.",
		Truth: neverWritten("write-swallowed", investigations.CauseApplication,
			"The INSERT says ON CONFLICT DO NOTHING and met a booking of the same room and day: it reached the server, stored nothing, raised no error, and the service did not look at the row count."),
		Spec: ServerSpec{Settings: connected("%m [%p] %q%u@%d/%a xid=%x ", map[string]string{"log_statement": "mod"})},
		Stage: func(ctx context.Context, s *Stage) (Scene, error) {
			h, err := openHotel(ctx, s, nil, `
				ALTER TABLE bookings ADD seat text;
				CREATE UNIQUE INDEX bookings_one_a_day ON bookings (room_id, arrives) WHERE seat IS NOT NULL`)
			if err != nil {
				return Scene{}, err
			}
			const insert = "INSERT INTO bookings (code, room_id, guest, channel, arrives, nights, seat) VALUES ($1, $2, $3, $4, current_date + 21, 2, 'whole room') ON CONFLICT DO NOTHING"
			code, err := h.run(ctx, func(conn *pgx.Conn) (string, error) {
				first, second := newBooking(), newBooking()
				second.room = first.room
				if err := tagged(ctx, conn, insert, first.code, first.room, first.guest, first.channel); err != nil {
					return "", err
				}
				h.confirmed(time.Now(), first)
				begun := time.Now()
				err := errors.Join(s.Pause(ctx, 120*time.Millisecond), h.quote(ctx, conn, second))
				if err != nil {
					return "", err
				}
				tag, err := conn.Exec(ctx, insert, second.code, second.room, second.guest, second.channel)
				if err == nil && tag.RowsAffected() != 0 {
					err = errors.New("both bookings were stored")
				}
				h.confirmed(begun, second)
				return second.code, err
			})
			if err != nil {
				return Scene{}, err
			}
			return h.scene(code, SuperuserRights), nil
		},
	}
}
