package drills

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"inquest/investigations"
)

// rehearsal is the name of the copy that new versions are tried on.
const rehearsal = "reservations_rehearsal"

// wrongDatabase is a booking that one instance of the service stored in another
// database of the same server.
func wrongDatabase() Drill {
	return Drill{
		ID: "wrong-database", Title: "A few bookings after a deployment are unknown", Domain: "bookings",
		Story: hotelStory + " One of three instances of the service had been set up anew that morning.",
		Truth: Truth{
			Fate: investigations.FateHidden, Standings: []investigations.Standing{investigations.Established, investigations.Probable},
			Mechanisms: []string{"wrong-place"}, Causes: []investigations.Cause{investigations.CauseApplication},
			Why: "The new instance was set up with the connection string of the rehearsal: the row is there, in another database of the same server, where the other instances do not look.",
		},
		Spec:  ServerSpec{Settings: connected("%m [%p] %q%u@%d/%a ", nil)},
		Stage: stageWrongDatabase,
	}
}

func stageWrongDatabase(ctx context.Context, s *Stage) (Scene, error) {
	h, err := openHotel(ctx, s, nil)
	if err != nil {
		return Scene{}, err
	}
	err = s.Do(ctx, Session{Database: "postgres", App: "provision", Simple: true},
		fmt.Sprintf("CREATE DATABASE %s OWNER hotel_owner TEMPLATE %s", rehearsal, hotelDatabase))
	if err != nil {
		return Scene{}, err
	}
	code, err := h.run(ctx, func(*pgx.Conn) (string, error) {
		who := h.app()
		who.Database = rehearsal
		conn, err := s.Connect(ctx, who)
		if err != nil {
			return "", err
		}
		b, err := h.book(ctx, conn)
		return b.code, errors.Join(err, s.Leave(ctx, conn))
	})
	if err != nil {
		return Scene{}, err
	}
	return h.scene(code, KitRights), nil
}
