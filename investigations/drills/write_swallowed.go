package drills

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"inquest/investigations"
)

// writeSwallowed is a booking that a trigger threw away without an error.
func writeSwallowed() Drill {
	const trigger = `
CREATE FUNCTION refuse_blocked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM blocked_guests b WHERE lower(NEW.guest) LIKE lower(b.guest) || '%') THEN
    RETURN NULL;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER refuse_blocked BEFORE INSERT ON bookings FOR EACH ROW EXECUTE FUNCTION refuse_blocked();`
	return Drill{
		ID: "write-swallowed", Title: "One guest's bookings never arrive", Domain: "bookings",
		Story: hotelStory + " The service says that it stored the booking, and logged no error.",
		Truth: neverWritten("write-swallowed", investigations.CauseDatabase,
			"A BEFORE INSERT trigger returned NULL because the guest's name begins like a blocked one's: the INSERT is in the server log and succeeded with no row; WAL has no tuple."),
		Spec: ServerSpec{Settings: connected("%m [%p] %q%u@%d/%a xid=%x ", map[string]string{"log_statement": "mod"})},
		Stage: func(ctx context.Context, s *Stage) (Scene, error) {
			h, err := openHotel(ctx, s, nil, trigger)
			if err != nil {
				return Scene{}, err
			}
			code, err := h.run(ctx, func(conn *pgx.Conn) (string, error) {
				begun, b := time.Now(), newBooking()
				if err := h.quote(ctx, conn, b); err != nil {
					return "", err
				}
				tag, err := conn.Exec(ctx, bookingInsert, b.code, b.room, "Blank Agency Travel", b.channel, 2)
				if err == nil && tag.RowsAffected() != 0 {
					err = errors.New("the trigger let the booking pass")
				}
				h.confirmed(begun, b)
				return b.code, err
			})
			if err != nil {
				return Scene{}, err
			}
			return h.scene(code, SuperuserRights), nil
		},
	}
}
