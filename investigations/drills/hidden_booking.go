package drills

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"inquest/investigations"
)

func hidden(mechanism string, cause investigations.Cause, why string) Truth {
	return Truth{
		Fate: investigations.FateHidden, Standings: []investigations.Standing{investigations.Established},
		Mechanisms: []string{mechanism}, Causes: []investigations.Cause{cause}, Why: why,
	}
}

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
				h.forgetCode(b.code)
				return b.code, err
			})
			if err != nil {
				return Scene{}, err
			}
			return h.scene(code, KitRights, jsonPath(s.Server)), nil
		},
	}
}

func (h *hotel) forgetCode(code string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	kept := make([]string, 0, len(h.codes))
	for _, c := range h.codes {
		if c != code {
			kept = append(kept, c)
		}
	}
	h.codes = kept
}

// mismatchedCase is a booking whose code a partner asks for in lower case.
func mismatchedCase() Drill {
	return Drill{
		ID: "id-mismatch-case", Title: "A partner's system gets 404 for a booking that the desk can see", Domain: "bookings",
		Story: "A partner's system asks for a booking it made and gets 404. The desk says that the guest has arrived.",
		Truth: Truth{
			Fate: investigations.FatePresent, Standings: []investigations.Standing{investigations.Established},
			Mechanisms: []string{"id-mismatch"}, Causes: []investigations.Cause{investigations.CauseApplication},
			Why: "The partner keeps codes in lower case; the key is text in upper case and is compared exactly.",
		},
		Spec: ServerSpec{Settings: connected("%m [%p] %q%u@%d/%a ", nil)},
		Stage: func(ctx context.Context, s *Stage) (Scene, error) {
			h, err := openHotel(ctx, s, nil)
			if err != nil {
				return Scene{}, err
			}
			code, err := h.run(ctx, func(conn *pgx.Conn) (string, error) {
				b, err := h.book(ctx, conn)
				return strings.ToLower(b.code), err
			})
			if err != nil {
				return Scene{}, err
			}
			return h.scene(code, KitRights), nil
		},
	}
}

// wrongPlace is a booking that went into another schema, because one instance
// of the service was configured for the training system.
func wrongPlace() Drill {
	const training = `
CREATE SCHEMA training AUTHORIZATION hotel_owner;
CREATE TABLE training.bookings (LIKE public.bookings INCLUDING ALL);
INSERT INTO training.bookings SELECT * FROM public.bookings LIMIT 30;
GRANT USAGE ON SCHEMA training TO booking_svc;
GRANT SELECT, INSERT, UPDATE ON training.bookings TO booking_svc;`
	return Drill{
		ID: "wrong-place", Title: "A few bookings after a deployment are unknown", Domain: "bookings",
		Story: hotelStory + " A new instance of the service had been started.",
		Truth: hidden("wrong-place", investigations.CauseApplication,
			"One instance ran with search_path = training: the row is there, in training.bookings, where the service's other instances do not look."),
		Spec: ServerSpec{Settings: connected("%m [%p] %q%u@%d/%a ", nil)},
		Stage: func(ctx context.Context, s *Stage) (Scene, error) {
			h, err := openHotel(ctx, s, nil, training)
			if err != nil {
				return Scene{}, err
			}
			code, err := h.run(ctx, func(*pgx.Conn) (string, error) {
				who := h.app()
				who.Settings = map[string]string{"search_path": "training, public"}
				conn, err := s.Connect(ctx, who)
				if err != nil {
					return "", err
				}
				b, err := h.book(ctx, conn)
				if err != nil {
					return "", fmt.Errorf("book in the wrong place: %w", err)
				}
				h.forgetCode(b.code)
				return b.code, s.Leave(ctx, conn)
			})
			if err != nil {
				return Scene{}, err
			}
			return h.scene(code, KitRights), nil
		},
	}
}
