package drills

import (
	"context"
	"errors"
	"time"

	"inquest/investigations"
)

// unloggedReset is a basket in a table that a crash empties.
func unloggedReset() Drill {
	return Drill{
		ID: "unlogged-reset", Title: "All saved baskets are gone", Domain: "orders",
		Story: "A customer's saved basket is gone. The shop was down for a moment in the night.",
		Truth: Truth{
			Fate: investigations.FateLost, Standings: []investigations.Standing{investigations.Established},
			Mechanisms: []string{"unlogged-reset"}, Causes: []investigations.Cause{investigations.CauseSystem},
			Why: "Baskets are kept in an unlogged table, and the server came up through crash recovery, which empties such tables.",
		},
		Spec: ServerSpec{Settings: connected("%m [%p] %q%u@%d/%a ", nil)},
		Stage: func(ctx context.Context, s *Stage) (Scene, error) {
			sh, err := openShop(ctx, s, nil, `
				CREATE UNLOGGED TABLE baskets (id uuid PRIMARY KEY, customer_id bigint NOT NULL, content jsonb NOT NULL, saved_at timestamptz NOT NULL DEFAULT now());
				GRANT SELECT, INSERT, UPDATE, DELETE ON baskets TO shop_app`)
			if err != nil {
				return Scene{}, err
			}
			pace := Pace{8 * time.Millisecond, 40 * time.Millisecond}
			traffic := s.Traffic(ctx, sh.app(), 3, pace, sh.step)
			record := newUUID()
			for i := range 8 {
				id := newUUID()
				if i == 5 {
					id = record
				}
				if err := sh.saveBasket(ctx, id); err != nil {
					return Scene{}, err
				}
			}
			err = errors.Join(s.Pause(ctx, 200*time.Millisecond), traffic.Stop(), s.Server.StopImmediate(ctx), s.Server.Start(ctx))
			if err != nil {
				return Scene{}, err
			}
			again := s.Traffic(ctx, sh.app(), 2, pace, sh.step)
			if err := errors.Join(s.Pause(ctx, 150*time.Millisecond), sh.noBasket(ctx, record), again.Stop()); err != nil {
				return Scene{}, err
			}
			scene := sh.scene(0, KitRights)
			scene.Record = record
			return scene, nil
		},
	}
}

func (s *shop) saveBasket(ctx context.Context, id string) error {
	begun := time.Now()
	conn, err := s.st.Connect(ctx, s.app())
	if err != nil {
		return err
	}
	if err := tagged(ctx, conn, `INSERT INTO baskets (id, customer_id, content) VALUES ($1, 12, '{"lines": [{"sku": "SKU-104", "quantity": 2}]}')`, id); err != nil {
		return err
	}
	s.answered(begun, "PUT", "/baskets/"+id, 201, id, "")
	return s.st.Leave(ctx, conn)
}

func (s *shop) noBasket(ctx context.Context, id string) error {
	begun := time.Now()
	conn, err := s.st.Connect(ctx, s.app())
	if err != nil {
		return err
	}
	found, err := one(ctx, conn, "SELECT content FROM baskets WHERE id = $1", id)
	if err == nil && found {
		err = errors.New("the basket outlived the crash")
	}
	s.answered(begun, "GET", "/baskets/"+id, 404, id, "")
	return errors.Join(err, s.st.Leave(ctx, conn))
}
