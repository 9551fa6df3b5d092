package drills

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"

	"inquest/investigations"
)

// asyncCommitLost is an order that was stored, confirmed and seen, and was not
// on disk yet when the machine lost power.
func asyncCommitLost() Drill {
	return Drill{
		ID: "async-commit-lost", Title: "An order was seen, and is not there after the power cut", Domain: "orders",
		Story: "The order was confirmed, the customer saw it in their account, and after a power cut in the machine room it is unknown. Orders of a minute before are all there.",
		Truth: Truth{
			Fate: investigations.FateLost, Standings: []investigations.Standing{investigations.Established, investigations.Probable},
			Mechanisms: []string{"async-commit-lost"}, Causes: []investigations.Cause{investigations.CauseSystem}, OrNone: true,
			Why: "The service's role runs with synchronous_commit off. The commit was acknowledged before it reached the disk, and the server went down uncleanly right after.",
		},
		Spec: ServerSpec{Settings: connected("%m [%p] %q%u@%d/%a ", map[string]string{"wal_writer_delay": "10s", "log_statement": "mod"})},
		Stage: func(ctx context.Context, s *Stage) (Scene, error) {
			sh, err := openShop(ctx, s, nil)
			if err != nil {
				return Scene{}, err
			}
			pace := Pace{8 * time.Millisecond, 40 * time.Millisecond}
			traffic := s.Traffic(ctx, sh.app(), 2, pace, sh.step)
			if err := errors.Join(s.Pause(ctx, 300*time.Millisecond), traffic.Stop()); err != nil {
				return Scene{}, err
			}
			// The last commit that waits for the disk takes all before it along.
			if err := s.Do(ctx, Session{Database: shopDatabase, App: "provision", Simple: true}, "ALTER ROLE shop_app SET synchronous_commit = off"); err != nil {
				return Scene{}, err
			}
			lost, err := sh.lostInPowerCut(ctx)
			if err != nil {
				return Scene{}, err
			}
			if err := sh.missing(ctx, lost.id, 100*time.Millisecond); err != nil {
				return Scene{}, err
			}
			again := s.Traffic(ctx, sh.app(), 2, pace, sh.reads)
			if err := errors.Join(s.Pause(ctx, 250*time.Millisecond), again.Stop()); err != nil {
				return Scene{}, err
			}
			scene := sh.scene(lost.id, KitRights)
			scene.Hints = map[string]string{"reference": lost.reference}
			return scene, nil
		},
	}
}

// reads is a request of a customer who looks at an old order; it takes no number
// from the sequence.
func (s *shop) reads(ctx context.Context, conn *pgx.Conn) error {
	_, err := s.fetch(ctx, conn, 47500+rand.Int64N(500))
	return err
}

// lostInPowerCut places an order, reads it, and cuts the power. The server may
// have written WAL on its own just then: unless all of the order is gone, the next
// one is tried.
func (s *shop) lostInPowerCut(ctx context.Context) (order, error) {
	for range powerCutTries {
		durable, err := s.st.Connect(ctx, s.durably())
		if err != nil {
			return order{}, err
		}
		if err := errors.Join(s.roomInPage(ctx, durable), s.st.Leave(ctx, durable)); err != nil {
			return order{}, err
		}
		o, err := s.placeOne(ctx)
		if err != nil {
			return o, err
		}
		if left, err := s.powerCut(ctx, o); err != nil || left == nothing {
			return o, err
		}
	}
	return order{}, errors.New("something of every order outlived the power cut")
}
