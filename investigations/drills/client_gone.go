package drills

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"inquest/investigations"
)

// clientGone is an order whose service instance died before the commit.
func clientGone() Drill {
	e := early{
		end: func(ctx context.Context, sh *shop, conn *pgx.Conn, _ pgx.Tx, _ *order) error {
			if err := sh.st.Pause(ctx, 90*time.Millisecond); err != nil {
				return err
			}
			wire, err := conn.PgConn().Hijack() // so that no farewell is sent
			if err != nil {
				return fmt.Errorf("cut the connection: %w", err)
			}
			err = errors.Join(wire.Conn.Close(), sh.st.Pause(ctx, 60*time.Millisecond))
			sh.say("instance stopped: liveness probe failed, replaced by orders-api-7c9f")
			return err
		},
		rights: KitRights,
	}
	return Drill{
		ID: "client-gone", Title: "The last order before a deployment is missing", Domain: "orders",
		Story: earlyStory + " An instance of the service was replaced in that minute.",
		Truth: neverCommitted("rolled-back", investigations.CauseApplication,
			"The service instance confirmed the order and was gone before it sent COMMIT. The server rolled back: an ABORT in WAL and 'unexpected EOF on client connection with an open transaction'."),
		Spec:  ServerSpec{Settings: connected("%m [%p] %q%u@%d xid=%x ", nil)},
		Stage: e.stage,
	}
}
