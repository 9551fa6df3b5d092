package drills

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"inquest/investigations"
)

// rolledBackSilent is an order whose transaction the service itself gave up,
// which leaves no error anywhere.
func rolledBackSilent() Drill {
	e := early{
		roles: []string{"stock_sync"}, schema: []string{stockSyncGrants},
		before: otherDeadlock,
		end: func(ctx context.Context, sh *shop, conn *pgx.Conn, tx pgx.Tx, o *order) error {
			if err := o.reserve(ctx, tx); err != nil {
				return err
			}
			if err := touch(ctx, conn, "SELECT count(*) FROM orders WHERE customer_id = $1 AND placed_at > now() - interval '1 day'", o.customer); err != nil {
				return err
			}
			if err := tx.Rollback(ctx); err != nil {
				return fmt.Errorf("give up the order: %w", err)
			}
			return nil
		},
		after: otherDeadlock, rights: KitRights,
	}
	return Drill{
		ID: "rolled-back-silent", Title: "A confirmed order does not exist, and nothing failed", Domain: "orders",
		Story: earlyStory,
		Truth: neverCommitted("rolled-back", investigations.CauseApplication,
			"The service confirmed the order and then sent ROLLBACK of its own accord: an insert and an ABORT in WAL, and a server log that covers the moment "+
				"without an error, a termination or a lost client for that session. The deadlocks nearby are other sessions'."),
		Spec:  ServerSpec{Settings: connected("%m [%p] %q%u@%d xid=%x ", nil)},
		Stage: e.stage,
	}
}
