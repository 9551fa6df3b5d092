package drills

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"inquest/investigations"
)

// duplicateMerged is a booking that a nightly job took for a duplicate.
func duplicateMerged() Drill {
	return Drill{
		ID: "duplicate-merged", Title: "One of two bookings of a guest is unknown", Domain: "bookings",
		Story: "A guest booked two rooms for the same days, one for a friend. The hotel knows one of the two codes.",
		Truth: Truth{
			Fate: investigations.FateDeleted, Standings: []investigations.Standing{investigations.Established},
			Mechanisms: []string{"retention-delete", "script-delete"}, Causes: []investigations.Cause{investigations.CauseRetention, investigations.CauseAccidental}, OrNone: true,
			Why: "A job deletes the younger of two bookings of the same guest and days, as on every run. The older one was there before and is no new home of this one: the room differs.",
		},
		Spec:  ServerSpec{Settings: connected("%m [%p] %q%u@%d/%a ", map[string]string{"log_statement": "mod"})},
		Stage: stageDuplicateMerged,
	}
}

const mergeJob = `
CREATE TABLE merges (at timestamptz NOT NULL DEFAULT now(), removed integer NOT NULL);
INSERT INTO bookings (code, room_id, guest, channel, arrives, nights)
SELECT 'BK-' || upper(substr(md5(code), 1, 7)), room_id, guest, 'web', arrives, nights FROM bookings WHERE room_id = 7;
GRANT SELECT, DELETE ON bookings TO housekeeping;
GRANT INSERT ON merges TO housekeeping;
CREATE FUNCTION merge_duplicates() RETURNS integer LANGUAGE plpgsql AS $$
DECLARE n integer;
BEGIN
  DELETE FROM bookings b USING bookings elder WHERE elder.guest = b.guest AND elder.arrives = b.arrives AND elder.nights = b.nights
    AND elder.created_at < b.created_at AND b.channel = 'web';
  GET DIAGNOSTICS n = ROW_COUNT;
  INSERT INTO merges (removed) VALUES (n);
  RETURN n;
END $$;`

func stageDuplicateMerged(ctx context.Context, s *Stage) (Scene, error) {
	h, err := openHotel(ctx, s, []string{"housekeeping"}, mergeJob)
	if err != nil {
		return Scene{}, err
	}
	run := func() error {
		return s.Do(ctx, Session{Role: "housekeeping", Database: hotelDatabase, App: "cron: merge-duplicates"}, "SELECT merge_duplicates()")
	}
	pace := Pace{8 * time.Millisecond, 40 * time.Millisecond}
	who := h.app()
	who.PerRequest = true
	if err := run(); err != nil {
		return Scene{}, err
	}
	traffic := s.Traffic(ctx, who, 2, pace, h.step)
	conn, err := s.Connect(ctx, h.app())
	if err != nil {
		return Scene{}, err
	}
	first, second := newBooking(), newBooking()
	first.guest, first.channel, second.guest, second.channel, second.room = "Guest of two rooms", "web", "Guest of two rooms", "web", 1+first.room%40
	for _, b := range []booking{first, second} {
		if err := errors.Join(h.bookThis(ctx, conn, b), s.Pause(ctx, 120*time.Millisecond)); err != nil {
			return Scene{}, err
		}
	}
	if err := errors.Join(s.Leave(ctx, conn), s.Pause(ctx, 200*time.Millisecond), traffic.Stop(), run()); err != nil {
		return Scene{}, err
	}
	h.forgetAll()
	again := s.Traffic(ctx, who, 2, pace, h.step)
	if err := errors.Join(h.missing(ctx, second.code, 200*time.Millisecond), again.Stop()); err != nil {
		return Scene{}, err
	}
	return h.scene(second.code, KitRights), nil
}

// bookThis stores a booking of three nights and answers it.
func (h *hotel) bookThis(ctx context.Context, conn *pgx.Conn, b booking) error {
	begun := time.Now()
	if err := h.quote(ctx, conn, b); err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, bookingInsert, b.code, b.room, b.guest, b.channel, 3); err != nil {
		return fmt.Errorf("book: %w", err)
	}
	h.confirmed(begun, b)
	return nil
}
