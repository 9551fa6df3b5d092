package drills

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"inquest/investigations"
)

// deadlockVictim is an order whose transaction was chosen to end a deadlock.
func deadlockVictim() Drill {
	e := early{
		roles: []string{"stock_sync"}, schema: []string{stockSyncGrants},
		before: func(ctx context.Context, sh *shop) error {
			// The other side waits longer than the service, so that the service is the one who looks.
			return sh.st.Do(ctx, Session{Database: shopDatabase, App: "provision", Simple: true}, "ALTER ROLE stock_sync SET deadlock_timeout = '20s'")
		},
		end: func(ctx context.Context, sh *shop, _ *pgx.Conn, tx pgx.Tx, o *order) error {
			other, err := sh.st.Connect(ctx, Session{Role: "stock_sync", Database: shopDatabase, App: "stock-sync"})
			if err != nil {
				return err
			}
			take := func(sku string) string {
				return "UPDATE stock SET available = available - 1 WHERE sku = " + literal(sku)
			}
			if _, err := tx.Exec(ctx, take(o.skus[0])); err != nil {
				return fmt.Errorf("reserve: %w", err)
			}
			if err := errors.Join(script(ctx, other, "BEGIN"), script(ctx, other, take(o.skus[1]))); err != nil {
				return err
			}
			done := make(chan error, 1)
			go func() { done <- errors.Join(script(ctx, other, take(o.skus[0])), script(ctx, other, "COMMIT")) }()
			waits := "SELECT coalesce(bool_or(wait_event_type = 'Lock'), false) FROM pg_stat_activity WHERE pid = $1"
			if err := sh.st.until(ctx, sh.st.Server, waits, int32(other.PgConn().PID())); err != nil {
				return errors.Join(err, <-done)
			}
			_, err = tx.Exec(ctx, take(o.skus[1]))
			return errors.Join(refusedWith(ctx, tx, "40P01", err), <-done, sh.st.Leave(ctx, other))
		},
		rights: KitRights,
	}
	return Drill{
		ID: "deadlock-victim", Title: "A confirmed order is unknown to the shop", Domain: "orders",
		Story: earlyStory + " The stock synchronisation was running at that time.",
		Truth: neverCommitted("deadlock-victim", investigations.CauseConcurrency,
			"The order's transaction and the stock synchronisation took the same two rows in opposite order; the server ended the deadlock by refusing the order's transaction, after it was confirmed."),
		Spec:  ServerSpec{Settings: connected("%m [%p] %q%u@%d/%a xid=%x ", nil)},
		Stage: e.stage,
	}
}
