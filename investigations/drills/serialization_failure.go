package drills

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"inquest/investigations"
)

// serializationFailure is an order whose transaction could not be serialized.
func serializationFailure() Drill {
	e := early{
		roles: []string{"stock_sync"}, schema: []string{stockSyncGrants},
		iso:    pgx.RepeatableRead,
		before: otherDeadlock,
		end: func(ctx context.Context, sh *shop, _ *pgx.Conn, tx pgx.Tx, o *order) error {
			other := Session{Role: "stock_sync", Database: shopDatabase, App: "stock-sync"}
			if err := sh.st.Do(ctx, other, fmt.Sprintf("UPDATE stock SET available = available + 500 WHERE sku = %s", literal(o.skus[0]))); err != nil {
				return err
			}
			return refusedWith(ctx, tx, "40001", o.reserve(ctx, tx))
		},
	}
	return Drill{
		ID: "serialization-failure", Title: "An order number that was given out leads nowhere", Domain: "orders",
		Story: earlyStory,
		Truth: neverCommitted("serialization-failure", investigations.CauseConcurrency,
			"The order's transaction ran with repeatable reads, another session changed the stock under it, and the server refused it with 40001, after it was confirmed."),
		Spec:  ServerSpec{Settings: connected("%m [%p] %q%u@%d/%a xid=%x ", nil), MinMajor: 0},
		Stage: e.stage,
	}
}
