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

const hotelStory = "A guest holds a confirmation with a booking code. The hotel's system does not know the code, and did not five minutes later either."

func neverWritten(mechanism string, cause investigations.Cause, why string) Truth {
	return Truth{
		Fate: investigations.FateNeverWritten, Standings: []investigations.Standing{investigations.Established, investigations.Probable},
		Mechanisms: []string{mechanism}, Causes: []investigations.Cause{cause}, Why: why,
	}
}

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
