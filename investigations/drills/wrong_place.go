package drills

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"inquest/investigations"
)

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
				return b.code, s.Leave(ctx, conn)
			})
			if err != nil {
				return Scene{}, err
			}
			return h.scene(code, KitRights), nil
		},
	}
}
