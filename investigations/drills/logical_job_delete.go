package drills

import (
	"context"
	"errors"
	"time"

	"inquest/investigations"
)

// unpaidJob cancels orders that were not paid for in time by removing them.
const unpaidJob = `
ALTER TABLE customers REPLICA IDENTITY FULL;
CREATE PUBLICATION warehouse FOR TABLE customers, orders, order_lines;
UPDATE orders SET status = 'unpaid' WHERE id % 53 = 0;
CREATE FUNCTION expire_unpaid(at_most integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM orders WHERE id IN (SELECT id FROM orders WHERE status = 'unpaid' AND placed_at < now() - interval '2 days' ORDER BY id DESC LIMIT at_most);
  UPDATE customers SET name = name WHERE id = 3;
  INSERT INTO jobs (kind) VALUES ('expire_unpaid');
END $$;
GRANT SELECT, DELETE ON orders TO batch;
GRANT SELECT, UPDATE ON customers TO batch;
GRANT SELECT, INSERT ON jobs TO batch;`

// logicalJobDelete is an order that a job removed on a server that publishes its
// changes: wal_level is logical, and a subscriber's slot waits for somebody.
func logicalJobDelete() Drill {
	return Drill{
		ID: "logical-job-delete", Title: "An order on account is gone before its payment came", Domain: "orders",
		Story: "A customer on account ordered this morning, with a date of delivery agreed last week. The payment arrived at noon, and there is no such order.",
		Truth: deletedBy("retention-delete", investigations.CauseRetention,
			"The job that removes unpaid orders goes by placed_at, which an order on account takes from the agreement of last week: it took this order on its next run with others. wal_level is logical, so WAL has the key of the deleted row."),
		Spec:  ServerSpec{Settings: connected("%m [%p] %q%u@%d/%a ", map[string]string{"wal_level": "logical"})},
		Stage: stageLogicalJob,
	}
}

func stageLogicalJob(ctx context.Context, s *Stage) (Scene, error) {
	sh, err := openShop(ctx, s, []string{"batch"}, unpaidJob)
	if err != nil {
		return Scene{}, err
	}
	job := func() error {
		return s.Do(ctx, Session{Role: "batch", Database: shopDatabase, App: "cron: expire_unpaid"}, "SELECT expire_unpaid(4)")
	}
	who := sh.app()
	who.PerRequest = true
	pace := Pace{10 * time.Millisecond, 45 * time.Millisecond}
	if err := s.Do(ctx, Session{Database: shopDatabase, App: "provision", Simple: true}, "SELECT pg_create_logical_replication_slot('warehouse_sync', 'pgoutput')"); err != nil {
		return Scene{}, err
	}
	traffic := s.Traffic(ctx, who, 2, pace, sh.step)
	if err := errors.Join(job(), s.Pause(ctx, 300*time.Millisecond), job()); err != nil {
		return Scene{}, err
	}
	o, err := sh.orderOnAccount(ctx)
	if err != nil {
		return Scene{}, err
	}
	if err := errors.Join(s.Pause(ctx, 250*time.Millisecond), traffic.Stop(), job()); err != nil {
		return Scene{}, err
	}
	again := s.Traffic(ctx, who, 2, pace, sh.step)
	if err := errors.Join(sh.missing(ctx, o.id, 200*time.Millisecond), job(), again.Stop()); err != nil {
		return Scene{}, err
	}
	return sh.scene(o.id, KitRights), nil
}

// orderOnAccount stores an order that is dated by its agreement.
func (s *shop) orderOnAccount(ctx context.Context) (order, error) {
	conn, err := s.st.Connect(ctx, s.app())
	if err != nil {
		return order{}, err
	}
	begun, o := time.Now(), newOrder()
	err = conn.QueryRow(ctx, "INSERT INTO orders (customer_id, reference, status, total_cents, placed_at) VALUES ($1, $2, 'unpaid', 48000, now() - interval '6 days') RETURNING id",
		o.customer, o.reference).Scan(&o.id)
	if err != nil {
		return o, errors.Join(err, s.st.Leave(ctx, conn))
	}
	s.accepted(begun, o)
	return o, s.st.Leave(ctx, conn)
}
