package drills

import (
	"context"
	"errors"
	"fmt"
	"time"

	"inquest/investigations"
)

// cascadeDelete is an order that went because its customer did.
func cascadeDelete() Drill {
	return Drill{
		ID: "cascade-delete", Title: "An open order vanished from the warehouse's list", Domain: "orders",
		Story: "The warehouse was packing an order when it disappeared from the list. No order was cancelled.",
		Truth: deletedBy("cascade-delete", investigations.CauseApplication,
			"The service deleted the customer, who had asked to be forgotten; the foreign key's ON DELETE CASCADE took the orders with it, the parent first, in one transaction."),
		Spec: ServerSpec{Settings: connected("%m [%p] %q%u@%d/%a ", map[string]string{"log_statement": "mod"})},
		Stage: func(ctx context.Context, s *Stage) (Scene, error) {
			return stageForget(ctx, s, `ALTER TABLE orders DROP CONSTRAINT orders_customer_id_fkey,
				ADD CONSTRAINT orders_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers ON DELETE CASCADE`,
				"DELETE FROM customers WHERE id = $1")
		},
	}
}

// explicitDelete is the same request on a build that deletes children first.
func explicitDelete() Drill {
	return Drill{
		ID: "explicit-delete", Title: "An open order vanished from the warehouse's list", Domain: "orders",
		Story: "The warehouse was packing an order when it disappeared from the list. No order was cancelled.",
		Truth: deletedBy("api-delete", investigations.CauseApplication,
			"The service's own path for forgetting a customer deleted lines, orders and customer, children first, in one transaction of its own session. There is a cascading foreign key that could have, and did not."),
		Spec: ServerSpec{Settings: connected("%m [%p] %q%u@%d/%a ", map[string]string{"log_statement": "mod"})},
		Stage: func(ctx context.Context, s *Stage) (Scene, error) {
			return stageForget(ctx, s, `ALTER TABLE orders DROP CONSTRAINT orders_customer_id_fkey,
				ADD CONSTRAINT orders_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers ON DELETE CASCADE`,
				"DELETE FROM order_lines WHERE order_id IN (SELECT id FROM orders WHERE customer_id = $1)",
				"DELETE FROM orders WHERE customer_id = $1", "DELETE FROM customers WHERE id = $1")
		},
	}
}

// stageForget plays a customer who asks to be forgotten while an order is open.
func stageForget(ctx context.Context, s *Stage, schema string, statements ...string) (Scene, error) {
	sh, err := openShop(ctx, s, nil, schema)
	if err != nil {
		return Scene{}, err
	}
	traffic := s.Traffic(ctx, sh.app(), 3, Pace{8 * time.Millisecond, 40 * time.Millisecond}, sh.step)
	last := newOrder()
	last.customer = lastCustomer
	victim, err := sh.placeFor(ctx, last)
	if err != nil {
		return Scene{}, err
	}
	if err := s.Pause(ctx, 500*time.Millisecond); err != nil {
		return Scene{}, err
	}
	if err := sh.forget(ctx, victim, statements); err != nil {
		return Scene{}, err
	}
	if err := errors.Join(sh.missing(ctx, victim.id, 200*time.Millisecond), s.Pause(ctx, 150*time.Millisecond), traffic.Stop()); err != nil {
		return Scene{}, err
	}
	return sh.scene(victim.id, KitRights), nil
}

func (s *shop) forget(ctx context.Context, victim order, statements []string) error {
	begun := time.Now()
	// The orders that traffic reads may be this customer's; those go, too.
	s.mu.Lock()
	s.placed = s.placed[:100]
	s.mu.Unlock()
	conn, err := s.st.Connect(ctx, s.app())
	if err != nil {
		return err
	}
	tx, err := conn.Begin(ctx)
	if err != nil {
		return fmt.Errorf("forget a customer: %w", err)
	}
	for _, sql := range statements {
		if _, err := tx.Exec(ctx, sql, victim.customer); err != nil {
			return errors.Join(fmt.Errorf("forget a customer: %w", err), tx.Rollback(ctx))
		}
	}
	if err := tx.Commit(ctx); err != nil {
		return fmt.Errorf("forget a customer: %w", err)
	}
	s.answered(begun, "DELETE", fmt.Sprintf("/customers/%d", victim.customer), 204, "", "")
	return s.st.Leave(ctx, conn)
}
