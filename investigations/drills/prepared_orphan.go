package drills

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"inquest/investigations"
)

// preparedOrphan is a booking whose two-phase commit was never finished.
func preparedOrphan() Drill {
	truth := neverCommitted("prepared-orphan", investigations.CauseApplication,
		"The booking's transaction was prepared for a two-phase commit, and its coordinator died: it is neither committed nor rolled back and stands in pg_prepared_xacts.")
	truth.Causes = append(truth.Causes, investigations.CauseSystem, investigations.CauseConcurrency)
	return Drill{
		ID: "prepared-orphan", Title: "A booking with an invoice is missing, the invoice is not", Domain: "bookings",
		Story: hotelStory + " Booking and invoice are kept by two systems that commit together.", Truth: truth,
		Spec: ServerSpec{Settings: connected("%m [%p] %q%u@%d/%a ", map[string]string{"max_prepared_transactions": "10"})},
		Stage: func(ctx context.Context, s *Stage) (Scene, error) {
			return unfinished(ctx, s, s.Server.LogFile(), func(conn *pgx.Conn, _ *Scene) error {
				_, err := conn.Exec(ctx, "PREPARE TRANSACTION 'coord-7_131077_invoice'", pgx.QueryExecModeSimpleProtocol)
				if err != nil {
					return fmt.Errorf("prepare: %w", err)
				}
				return s.Leave(ctx, conn)
			})
		},
	}
}
