package drills

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"inquest/investigations"
)

// savepointUndone is an order that was undone to a savepoint inside a transaction
// that committed.
func savepointUndone() Drill {
	return Drill{
		ID: "savepoint-undone", Title: "A confirmed order does not exist", Domain: "orders",
		Story: earlyStory + " The job that the order started is there.",
		Truth: neverCommitted("rolled-back", investigations.CauseApplication,
			"The order was stored behind a savepoint. Its goods could not be taken from stock, a check constraint refused that, and the service rolled back to the savepoint, wrote its job, committed, and answered all the same: "+
				"the insert's subtransaction is aborted within a transaction that committed."),
		Spec:  ServerSpec{Settings: connected("%m [%p] %q%u@%d/%a xid=%x ", nil)},
		Stage: stageSavepoint,
	}
}

func stageSavepoint(ctx context.Context, s *Stage) (Scene, error) {
	sh, err := openShop(ctx, s, nil)
	if err != nil {
		return Scene{}, err
	}
	traffic := s.Traffic(ctx, sh.app(), 3, Pace{8 * time.Millisecond, 40 * time.Millisecond}, sh.step)
	if err := s.Pause(ctx, 300*time.Millisecond); err != nil {
		return Scene{}, err
	}
	conn, err := s.Connect(ctx, sh.app())
	if err != nil {
		return Scene{}, err
	}
	o, err := sh.placeBehindSavepoint(ctx, conn)
	if err := errors.Join(err, s.Leave(ctx, conn)); err != nil {
		return Scene{}, err
	}
	if err := errors.Join(sh.missing(ctx, o.id, 250*time.Millisecond), s.Pause(ctx, 150*time.Millisecond), traffic.Stop()); err != nil {
		return Scene{}, err
	}
	return sh.scene(o.id, KitRights), nil
}

func (s *shop) placeBehindSavepoint(ctx context.Context, conn *pgx.Conn) (order, error) {
	begun, o := time.Now(), newOrder()
	tx, err := conn.Begin(ctx)
	if err != nil {
		return o, fmt.Errorf("place an order: %w", err)
	}
	if _, err := tx.Exec(ctx, "INSERT INTO jobs (kind, note) VALUES ('order_intake', $1)", o.reference); err != nil {
		return o, fmt.Errorf("write the job: %w", err)
	}
	inner, err := tx.Begin(ctx) // a savepoint
	if err != nil {
		return o, fmt.Errorf("set a savepoint: %w", err)
	}
	if err := o.insert(ctx, inner); err != nil {
		return o, err
	}
	_, err = inner.Exec(ctx, "UPDATE stock SET available = available - 9000000 WHERE sku = $1", o.skus[0])
	if err := refusedWith(ctx, inner, "23514", err); err != nil {
		return o, err
	}
	if err := tx.Commit(ctx); err != nil {
		return o, fmt.Errorf("commit: %w", err)
	}
	s.accepted(begun, o)
	return o, nil
}

// undoneDelete is an order that somebody deleted and brought back in the same
// breath; the 404 was the gateway's.
func undoneDelete() Drill {
	return Drill{
		ID: "undone-delete", Title: "An order answers 404, and a DELETE is in the log", Domain: "orders",
		Story: "A customer's link to an order answers 404. The database's log has a DELETE of that very order, by somebody of operations.",
		Truth: Truth{
			Fate: investigations.FatePresent, Standings: []investigations.Standing{investigations.Established},
			Mechanisms: []string{"still-present"}, Causes: []investigations.Cause{investigations.CauseApplication},
			Why: "Somebody deleted the order in psql in a transaction and rolled it back: the row is there, with the mark of a delete that never committed. The 404 came from the gateway, where a route was missing; the service never saw the request.",
		},
		Spec:  ServerSpec{Settings: connected("%m [%p] %q%u@%d/%a ", map[string]string{"log_statement": "mod"})},
		Stage: stageUndoneDelete,
	}
}

func stageUndoneDelete(ctx context.Context, s *Stage) (Scene, error) {
	sh, err := openShop(ctx, s, nil)
	if err != nil {
		return Scene{}, err
	}
	gateway, err := s.Log("gateway-access.log")
	if err != nil {
		return Scene{}, err
	}
	traffic := s.Traffic(ctx, sh.app(), 3, Pace{8 * time.Millisecond, 40 * time.Millisecond}, sh.step)
	o, err := sh.placeOne(ctx)
	if err != nil {
		return Scene{}, err
	}
	err = s.AtPrompt(ctx, Session{Role: shopPerson, Database: shopDatabase}, Pace{200 * time.Millisecond, 300 * time.Millisecond},
		"BEGIN;", fmt.Sprintf("DELETE FROM orders WHERE id = %d;", o.id), "ROLLBACK;")
	if err != nil {
		return Scene{}, err
	}
	for range 3 {
		if err := s.Pause(ctx, 80*time.Millisecond); err != nil {
			return Scene{}, err
		}
		for _, id := range []int64{o.id, sh.any()} {
			gateway.line(accessLine(time.Now().UTC(), "198.51.100.7", "-", "GET", fmt.Sprintf("/v2/orders/%d", id), 404, 153, "Mozilla/5.0", 0))
		}
	}
	if err := traffic.Stop(); err != nil {
		return Scene{}, err
	}
	scene := sh.scene(o.id, KitRights)
	scene.Logs = append(scene.Logs, gateway.Path)
	return scene, nil
}
