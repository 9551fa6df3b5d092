package drills

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// reroutedDeleted is an order that the service gave another number, under which
// somebody deleted it later.
func reroutedDeleted() Drill {
	return Drill{
		ID: "rerouted-deleted", Title: "An order number from a confirmation leads nowhere", Domain: "orders",
		Story: "The number in the customer's confirmation is unknown, and the warehouse has nothing to pack. The team says that orders are moved between number ranges all the time, and that nothing is lost by that.",
		Truth: byHand("The service moved the order to the number range of a region, by an UPDATE of its key. Under that number somebody with a personal login, connected with psql, deleted it: the order is gone, not merely renumbered."),
		Spec:  ServerSpec{Settings: connected("%m [%p] %q%u@%d/%a ", map[string]string{"log_statement": "mod"})},
		Stage: stageReroutedDeleted,
	}
}

func stageReroutedDeleted(ctx context.Context, s *Stage) (Scene, error) {
	sh, err := openShop(ctx, s, nil, `ALTER TABLE order_lines DROP CONSTRAINT order_lines_order_id_fkey,
		ADD CONSTRAINT order_lines_order_id_fkey FOREIGN KEY (order_id) REFERENCES orders ON DELETE CASCADE ON UPDATE CASCADE`)
	if err != nil {
		return Scene{}, err
	}
	pace := Pace{8 * time.Millisecond, 40 * time.Millisecond}
	traffic := s.Traffic(ctx, sh.app(), 2, pace, sh.step)
	o, err := sh.placeOne(ctx)
	if err != nil {
		return Scene{}, err
	}
	conn, err := s.Connect(ctx, sh.app())
	if err != nil {
		return Scene{}, err
	}
	err = errors.Join(s.Pause(ctx, 300*time.Millisecond), tagged(ctx, conn, "UPDATE orders SET id = id + 7000000, status = 'routed' WHERE reference = $1", o.reference))
	sh.say("routed 1 order to region north")
	err = errors.Join(err, s.Pause(ctx, 200*time.Millisecond), tagged(ctx, conn, "UPDATE orders SET status = 'held' WHERE reference = $1", o.reference), s.Leave(ctx, conn), traffic.Stop())
	if err != nil {
		return Scene{}, err
	}
	err = s.AtPrompt(ctx, Session{Role: shopPerson, Database: shopDatabase}, Pace{250 * time.Millisecond, 400 * time.Millisecond},
		fmt.Sprintf("SELECT id, status FROM orders WHERE id = %d;", o.id+7000000),
		fmt.Sprintf("DELETE FROM orders WHERE id = %d;", o.id+7000000))
	if err != nil {
		return Scene{}, err
	}
	again := s.Traffic(ctx, sh.app(), 2, pace, sh.step)
	if err := errors.Join(sh.missing(ctx, o.id, 250*time.Millisecond), again.Stop()); err != nil {
		return Scene{}, err
	}
	return sh.scene(o.id, KitRights), nil
}
