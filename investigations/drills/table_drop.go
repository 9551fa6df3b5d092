package drills

import (
	"context"
	"errors"
	"time"

	"inquest/investigations"
)

// tableDrop is a booking in a table that a set-up script dropped and made anew.
func tableDrop() Drill {
	return Drill{
		ID: "table-drop", Title: "Every booking of before noon is unknown", Domain: "bookings",
		Story: hotelStory + " The service itself works: new bookings can be made and found.",
		Truth: deletedBy("table-drop", investigations.CauseAccidental,
			"Somebody ran the set-up script for a training system against this one: the table was dropped and made again, with another oid. All bookings of before are gone."),
		Spec: ServerSpec{Settings: connected("%m [%p] %q%u@%d/%a ", map[string]string{"log_statement": "ddl"})},
		Stage: func(ctx context.Context, s *Stage) (Scene, error) {
			h, err := openHotel(ctx, s, nil)
			if err != nil {
				return Scene{}, err
			}
			pace := Pace{8 * time.Millisecond, 40 * time.Millisecond}
			traffic := s.Traffic(ctx, h.app(), 3, pace, h.step)
			b, err := h.bookAndFind(ctx)
			if err != nil {
				return Scene{}, err
			}
			err = errors.Join(s.Pause(ctx, 300*time.Millisecond), traffic.Stop(),
				s.AtPrompt(ctx, Session{Role: "hotel_owner", Database: hotelDatabase}, Pace{150 * time.Millisecond, 250 * time.Millisecond},
					"DROP TABLE bookings;",
					"CREATE TABLE bookings (code text PRIMARY KEY, room_id integer NOT NULL REFERENCES rooms, guest text NOT NULL, channel text, arrives date NOT NULL, "+
						"nights integer NOT NULL, status text NOT NULL DEFAULT 'confirmed', hidden boolean NOT NULL DEFAULT false, created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz);",
					"GRANT SELECT, INSERT, UPDATE, DELETE ON bookings TO booking_svc;"))
			if err != nil {
				return Scene{}, err
			}
			h.forgetAll()
			again := s.Traffic(ctx, h.app(), 2, pace, h.step)
			if err := errors.Join(h.missing(ctx, b.code, 250*time.Millisecond), again.Stop()); err != nil {
				return Scene{}, err
			}
			return h.scene(b.code, KitRights), nil
		},
	}
}
