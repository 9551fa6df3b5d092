package drills

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"inquest/investigations"
)

// idleTimeout is an order whose session waited too long inside its transaction.
func idleTimeout() Drill {
	e := early{
		end: func(ctx context.Context, sh *shop, conn *pgx.Conn, _ pgx.Tx, _ *order) error {
			if err := sh.st.Pause(ctx, time.Second); err != nil {
				return err
			}
			if _, err := conn.Exec(ctx, "SELECT 1"); err == nil {
				return errors.New("the session that waited too long still answers")
			}
			return nil
		},
		rights: KitRights,
	}
	return Drill{
		ID: "idle-timeout", Title: "An order that waited for the payment provider is missing", Domain: "orders",
		Story: earlyStory + " The payment provider was slow that day.",
		Truth: neverCommitted("rolled-back", investigations.CauseApplication,
			"The service confirmed the order and then waited inside the transaction for longer than idle_in_transaction_session_timeout: FATAL 25P03 and an ABORT in WAL."),
		Spec:  ServerSpec{Settings: connected("%m [%p] %q%u@%d %e xid=%x ", map[string]string{"idle_in_transaction_session_timeout": "800ms"})},
		Stage: e.stage,
	}
}
