package drills

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"inquest/investigations"
)

// annexTables is a second house in a schema of its own, with the same tables.
const annexTables = `
CREATE SCHEMA annex AUTHORIZATION hotel_owner;
CREATE TABLE annex.rooms (LIKE public.rooms INCLUDING ALL);
INSERT INTO annex.rooms SELECT n, 'Annex ' || n FROM generate_series(1, 40) n;
CREATE TABLE annex.bookings (LIKE public.bookings INCLUDING ALL);
INSERT INTO annex.bookings (code, room_id, guest, channel, arrives, nights)
SELECT 'AX-' || upper(substr(md5('annex' || n), 1, 7)), 1 + n % 40, 'Guest ' || n, 'web', current_date + n % 90, 1 + n % 9 FROM generate_series(1, 200) n;
GRANT USAGE ON SCHEMA annex TO booking_svc;
GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA annex TO booking_svc;`

// leakedSearchPath is a booking that was stored for the other house: the pooled
// session still had the search_path of the request before.
func leakedSearchPath() Drill {
	return Drill{
		ID: "leaked-search-path", Title: "Now and then a booking is unknown", Domain: "bookings",
		Story: hotelStory + " It happens to one booking in some hundreds; the service runs two houses on one database.",
		Truth: hidden("wrong-place", investigations.CauseApplication,
			"A request for the annex set search_path on its pooled session and failed before setting it back. The next request on that session stored this booking in annex.bookings, where the main house does not look."),
		Spec:  ServerSpec{Settings: connected("%m [%p] %q%u@%d/%a ", nil)},
		Stage: stageLeakedSearchPath,
	}
}

func stageLeakedSearchPath(ctx context.Context, s *Stage) (Scene, error) {
	h, err := openHotel(ctx, s, nil, annexTables)
	if err != nil {
		return Scene{}, err
	}
	code, err := h.run(ctx, func(pooled *pgx.Conn) (string, error) {
		for range 4 { // the annex's own bookings, as they should be
			if err := h.bookAnnex(ctx, pooled, true); err != nil {
				return "", err
			}
		}
		if err := h.bookAnnex(ctx, pooled, false); err != nil {
			return "", err
		}
		b, err := h.book(ctx, pooled)
		if err != nil {
			return "", err
		}
		_, err = pooled.Exec(ctx, "RESET search_path") // the pool's check-in
		return b.code, errors.Join(err, s.Pause(ctx, 100*time.Millisecond))
	})
	if err != nil {
		return Scene{}, err
	}
	return h.scene(code, KitRights), nil
}

// bookAnnex books a room of the annex. When it is not well the request ends with
// an error before the search_path is set back.
func (h *hotel) bookAnnex(ctx context.Context, conn *pgx.Conn, well bool) error {
	begun, b := time.Now(), newBooking()
	b.code = "AX-" + newCode(7)
	if _, err := conn.Exec(ctx, "SET search_path = annex, public"); err != nil {
		return fmt.Errorf("choose the annex: %w", err)
	}
	if !well {
		h.answered(begun, "POST", "/annex/bookings", 500, "", "payment provider did not answer")
		return nil
	}
	if _, err := conn.Exec(ctx, bookingInsert, b.code, b.room, b.guest, b.channel, 2); err != nil {
		return fmt.Errorf("book in the annex: %w", err)
	}
	h.answered(begun, "POST", "/annex/bookings", 201, b.code, "booking confirmed")
	if _, err := conn.Exec(ctx, "RESET search_path"); err != nil {
		return fmt.Errorf("leave the annex: %w", err)
	}
	return nil
}
