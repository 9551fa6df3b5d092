package drills

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"

	"inquest/investigations"
)

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
