package drills

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"inquest/investigations"
)

// terminatedInFlight is an order whose session an administrator ended.
func terminatedInFlight() Drill {
	e := early{
		end: func(ctx context.Context, sh *shop, conn *pgx.Conn, _ pgx.Tx, _ *order) error {
			admin := Session{Database: shopDatabase, App: "pgAdmin 4 - CONN:4410237", Simple: true}
			err := errors.Join(sh.st.Pause(ctx, 120*time.Millisecond), sh.st.Do(ctx, admin, fmt.Sprintf("SELECT pg_terminate_backend(%d)", conn.PgConn().PID())))
			if err != nil {
				return err
			}
			if _, err = conn.Exec(ctx, "SELECT 1"); err == nil {
				return errors.New("the terminated session still answers")
			}
			return nil
		},
		rights: KitRights,
	}
	return Drill{
		ID: "terminated-in-flight", Title: "An order was confirmed and is not there", Domain: "orders",
		Story: earlyStory + " There was talk of a session that blocked others.",
		Truth: neverCommitted("crash-in-flight", investigations.CauseSystem,
			"An administrator terminated the session that held the order's transaction: an ABORT in WAL, and a FATAL 'terminating connection due to administrator command' of that session."),
		Spec:  ServerSpec{Settings: connected("%m [%p] %q%u@%d/%a ", nil)},
		Stage: e.stage,
	}
}
