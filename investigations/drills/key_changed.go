package drills

import (
	"context"
	"errors"
	"time"

	"inquest/investigations"
)

// keyChanged is an order that the service gave another number.
func keyChanged() Drill {
	return Drill{
		ID: "key-changed", Title: "An order number from a confirmation leads nowhere", Domain: "orders",
		Story: "The number in the customer's confirmation is unknown. The customer was charged, and the goods arrived.",
		Truth: Truth{
			Fate: investigations.FateRekeyed, Standings: []investigations.Standing{investigations.Established},
			Mechanisms: []string{"key-changed"}, Causes: []investigations.Cause{investigations.CauseApplication},
			Why: "The service moved the order to the number range of the region that ships it: an UPDATE changed the key, and the same row is there under its new one.",
		},
		Spec: ServerSpec{Settings: connected("%m [%p] %q%u@%d/%a ", map[string]string{"log_statement": "mod"})},
		Stage: func(ctx context.Context, s *Stage) (Scene, error) {
			sh, err := openShop(ctx, s, nil, `ALTER TABLE order_lines DROP CONSTRAINT order_lines_order_id_fkey,
				ADD CONSTRAINT order_lines_order_id_fkey FOREIGN KEY (order_id) REFERENCES orders ON DELETE CASCADE ON UPDATE CASCADE`)
			if err != nil {
				return Scene{}, err
			}
			traffic := s.Traffic(ctx, sh.app(), 3, Pace{8 * time.Millisecond, 40 * time.Millisecond}, sh.step)
			o, err := sh.placeOne(ctx)
			if err != nil {
				return Scene{}, err
			}
			conn, err := s.Connect(ctx, sh.app())
			if err != nil {
				return Scene{}, err
			}
			err = errors.Join(s.Pause(ctx, 400*time.Millisecond), tagged(ctx, conn, "UPDATE orders SET id = id + 7000000, status = 'routed' WHERE reference = $1", o.reference))
			sh.say("routed 1 order to region north")
			err = errors.Join(err, s.Leave(ctx, conn), sh.missing(ctx, o.id, 250*time.Millisecond), traffic.Stop())
			if err != nil {
				return Scene{}, err
			}
			return sh.scene(o.id, KitRights), nil
		},
	}
}
