package drills

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"inquest/investigations"
)

// asyncCommitTorn is an order whose row reached the disk before the power cut and
// whose commit did not; the customer had seen it.
func asyncCommitTorn() Drill {
	return Drill{
		ID: "async-commit-torn", Title: "An order was seen, and is not there after the power cut", Domain: "orders",
		Story: "The order was confirmed, the customer saw it in their account, and after a power cut in the machine room it is unknown. Orders of a minute before are all there.",
		Truth: Truth{
			Fate: investigations.FateLost, Standings: []investigations.Standing{investigations.Established, investigations.Probable},
			Mechanisms: []string{"async-commit-lost"}, Causes: []investigations.Cause{investigations.CauseSystem}, OrNone: true,
			Why: "The service's role runs with synchronous_commit off. Another session's commit took the order's row to the disk, and the power went before the order's own commit was written: " +
				"WAL has the insert and neither COMMIT nor ABORT. It was committed all the same: the service answered 201, and another session then read the order.",
		},
		Spec: tornSpec(),
		Stage: func(ctx context.Context, s *Stage) (Scene, error) {
			return stageTorn(ctx, s, func(ctx context.Context, sh *shop, tx pgx.Tx, begun time.Time, o order) error {
				if err := tx.Commit(ctx); err != nil {
					return fmt.Errorf("place the order: %w", err)
				}
				sh.accepted(begun, o)
				return sh.sees(ctx, o, 200)
			})
		},
	}
}

// crashUnanswered is the same power cut for an order that was still being placed:
// no answer was given.
func crashUnanswered() Drill {
	return Drill{
		ID: "crash-unanswered", Title: "A number that the checkout showed is unknown after the power cut", Domain: "orders",
		Story: "The checkout showed the customer an order number while it was still working, then the page hung: the machine room had lost power. The shop does not know the number.",
		Truth: Truth{
			Fate: investigations.FateNeverCommitted, Standings: []investigations.Standing{investigations.Probable, investigations.Undetermined},
			Mechanisms: []string{"crash-in-flight"}, Causes: []investigations.Cause{investigations.CauseSystem}, OrNone: true,
			Why: "The order's transaction was open when the power went. Another session's commit had taken the row to the disk: WAL has the insert and neither COMMIT nor ABORT. The service never answered the create. " +
				"But synchronous_commit is off for its role: a commit in the last moment would have left the same.",
		},
		Spec: tornSpec(),
		Stage: func(ctx context.Context, s *Stage) (Scene, error) {
			return stageTorn(ctx, s, func(_ context.Context, sh *shop, _ pgx.Tx, _ time.Time, o order) error {
				sh.say("checkout: number " + o.key() + " given out for reference " + o.reference + ", payment running")
				return nil
			})
		},
	}
}

func tornSpec() ServerSpec {
	return ServerSpec{Settings: connected("%m [%p] %q%u@%d/%a ", map[string]string{"wal_writer_delay": "10s", "log_statement": "mod"})}
}

// stageTorn cuts the power when an order's row is on disk; end is what the service
// does with the open transaction before that.
func stageTorn(ctx context.Context, s *Stage, end func(context.Context, *shop, pgx.Tx, time.Time, order) error) (Scene, error) {
	sh, err := openShop(ctx, s, nil)
	if err != nil {
		return Scene{}, err
	}
	pace := Pace{8 * time.Millisecond, 40 * time.Millisecond}
	traffic := s.Traffic(ctx, sh.app(), 2, pace, sh.step)
	err = errors.Join(s.Pause(ctx, 300*time.Millisecond), traffic.Stop(),
		s.Do(ctx, Session{Database: shopDatabase, App: "provision", Simple: true}, "ALTER ROLE shop_app SET synchronous_commit = off"))
	if err != nil {
		return Scene{}, err
	}
	for range powerCutTries {
		o, left, err := sh.tornOrder(ctx, end)
		if err != nil {
			return Scene{}, err
		}
		if left != uncommitted {
			continue
		}
		again := s.Traffic(ctx, sh.app(), 2, pace, sh.reads)
		if err := errors.Join(sh.missing(ctx, o.id, 200*time.Millisecond), again.Stop()); err != nil {
			return Scene{}, err
		}
		return sh.scene(o.id, KitRights), nil
	}
	return Scene{}, errors.New("no power cut left an order's row without its commit")
}

func (s *shop) tornOrder(ctx context.Context, end func(context.Context, *shop, pgx.Tx, time.Time, order) error) (order, onDisk, error) {
	durable, err := s.st.Connect(ctx, s.durably())
	if err != nil {
		return order{}, nothing, err
	}
	conn, err := s.st.Connect(ctx, s.app())
	if err != nil {
		return order{}, nothing, err
	}
	begun, o := time.Now(), newOrder()
	tx, err := conn.Begin(ctx)
	if err != nil {
		return o, nothing, fmt.Errorf("place the order: %w", err)
	}
	if err := errors.Join(o.insert(ctx, tx), s.roomInPage(ctx, durable), s.st.Leave(ctx, durable), end(ctx, s, tx, begun, o)); err != nil {
		return o, nothing, err
	}
	left, err := s.powerCut(ctx, o)
	s.st.forget(conn)
	_ = conn.Close(ctx) // the server's side is gone
	return o, left, err
}

// sees reads an order on a session of its own.
func (s *shop) sees(ctx context.Context, o order, want int) error {
	conn, err := s.st.Connect(ctx, s.app())
	if err != nil {
		return err
	}
	status, err := s.fetch(ctx, conn, o.id)
	if err == nil && status != want {
		err = fmt.Errorf("order %d answered %d, not %d", o.id, status, want)
	}
	return errors.Join(err, s.st.Leave(ctx, conn))
}
