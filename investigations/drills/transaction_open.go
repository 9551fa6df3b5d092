package drills

import (
	"context"

	"github.com/jackc/pgx/v5"

	"inquest/investigations"
)

// transactionOpen is a booking whose transaction is still open.
func transactionOpen() Drill {
	return Drill{
		ID: "transaction-open", Title: "A booking of a moment ago cannot be found", Domain: "bookings",
		Story: "The desk confirmed a booking a moment ago. The guest's app does not find the code.",
		Truth: neverCommitted("transaction-open", investigations.CauseApplication,
			"The service confirmed the booking inside a transaction that it has not ended: its session is idle in transaction right now, and its xid in progress."),
		Spec: ServerSpec{Settings: csvLog(nil)},
		Stage: func(ctx context.Context, s *Stage) (Scene, error) {
			return unfinished(ctx, s, csvPath(s.Server), func(conn *pgx.Conn, scene *Scene) error {
				s.Linger(scene, conn)
				return nil
			})
		},
	}
}
