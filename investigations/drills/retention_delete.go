package drills

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"inquest/investigations"
)

// purgeFunction is a retention job's: drafts that nobody touched for a month
// go. An order without a date of its last change counts as never touched.
const purgeFunction = `
ALTER TABLE orders ADD touched_at timestamptz;
UPDATE orders SET touched_at = placed_at;
UPDATE orders SET status = 'draft', touched_at = now() - interval '40 days' WHERE id % 31 = 0;
CREATE FUNCTION purge_stale_drafts(at_most integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE gone integer;
BEGIN
  DELETE FROM orders WHERE id IN (
    SELECT id FROM orders WHERE status = 'draft' AND coalesce(touched_at, '-infinity') < now() - interval '30 days' ORDER BY id DESC LIMIT at_most);
  GET DIAGNOSTICS gone = ROW_COUNT;
  INSERT INTO jobs (kind, note) VALUES ('purge_stale_drafts', gone || ' removed');
  RETURN gone;
END $$;
GRANT SELECT, DELETE ON orders TO batch;
GRANT SELECT, INSERT ON jobs TO batch;`

const draftStory = "A customer saved a large draft order this morning and wanted to finish it in the afternoon. The shop knows nothing of its number any more."

func deletedBy(mechanism string, cause investigations.Cause, why string) Truth {
	return Truth{
		Fate: investigations.FateDeleted, Standings: []investigations.Standing{investigations.Established},
		Mechanisms: []string{mechanism}, Causes: []investigations.Cause{cause}, Why: why,
	}
}

// retentionDelete is a draft that a purge took on the day it was made.
func retentionDelete() Drill {
	return Drill{
		ID: "retention-delete", Title: "A draft order is gone on the day it was saved", Domain: "orders", Story: draftStory,
		Truth: deletedBy("retention-delete", investigations.CauseRetention,
			"The purge of stale drafts runs as a job of the role batch. Its predicate takes a draft without touched_at for one never touched: it deleted this one with others in one transaction, as on every run."),
		Spec: ServerSpec{Settings: connected("%m [%p] %q%u@%d/%a ", nil)},
		Stage: func(ctx context.Context, s *Stage) (Scene, error) {
			return stageDraft(ctx, s, func(sh *shop, _ order) error { return sh.purge(ctx, 6) })
		},
	}
}

// retentionByHand is the same draft and the same neighbours, deleted by somebody
// who copied the job's statement.
func retentionByHand() Drill {
	return Drill{
		ID: "retention-by-hand", Title: "A draft order is gone on the day it was saved", Domain: "orders", Story: draftStory,
		Truth: deletedBy("manual-delete", investigations.CauseAccidental,
			"The same rows went that the purge would have taken, but not by the purge: somebody ran its predicate in psql under a personal login, between two runs of the job. The delete's commit lies in that session alone."),
		Spec: ServerSpec{Settings: connected("%m [%p] %q%u@%d/%a ", nil)},
		Stage: func(ctx context.Context, s *Stage) (Scene, error) {
			return stageDraft(ctx, s, func(*shop, order) error {
				return s.AtPrompt(ctx, Session{Role: shopPerson, Database: shopDatabase}, Pace{350 * time.Millisecond, 500 * time.Millisecond},
					"SELECT count(*) FROM orders WHERE status = 'draft';",
					"DELETE FROM orders WHERE status = 'draft' AND coalesce(touched_at, '-infinity') < now() - interval '30 days';")
			})
		},
	}
}

func stageDraft(ctx context.Context, s *Stage, remove func(*shop, order) error) (Scene, error) {
	sh, err := openShop(ctx, s, []string{"batch"}, purgeFunction)
	if err != nil {
		return Scene{}, err
	}
	who := sh.app()
	who.PerRequest = true
	pace := Pace{10 * time.Millisecond, 45 * time.Millisecond}
	traffic := s.Traffic(ctx, who, 2, pace, sh.step)
	if err := errors.Join(sh.purge(ctx, 5), s.Pause(ctx, 400*time.Millisecond), sh.purge(ctx, 5)); err != nil {
		return Scene{}, err
	}
	draft, err := sh.saveDraft(ctx)
	if err != nil {
		return Scene{}, err
	}
	if err := errors.Join(s.Pause(ctx, 200*time.Millisecond), traffic.Stop(), remove(sh, draft)); err != nil {
		return Scene{}, err
	}
	again := s.Traffic(ctx, who, 2, pace, sh.step)
	err = errors.Join(sh.missing(ctx, draft.id, 200*time.Millisecond), sh.purge(ctx, 5), again.Stop())
	if err != nil {
		return Scene{}, err
	}
	return sh.scene(draft.id, KitRights), nil
}

// purge is one run of the retention job.
func (s *shop) purge(ctx context.Context, atMost int) error {
	return s.st.Do(ctx, Session{Role: "batch", Database: shopDatabase, App: "cron: purge_stale_drafts"}, fmt.Sprintf("SELECT purge_stale_drafts(%d)", atMost))
}

// saveDraft stores an order as a draft; the draft page does not set touched_at.
func (s *shop) saveDraft(ctx context.Context) (order, error) {
	conn, err := s.st.Connect(ctx, s.app())
	if err != nil {
		return order{}, err
	}
	begun, o := time.Now(), newOrder()
	tx, err := conn.Begin(ctx)
	if err != nil {
		return o, fmt.Errorf("save a draft: %w", err)
	}
	if err := o.insert(ctx, tx); err != nil {
		return o, err
	}
	_, err = tx.Exec(ctx, "UPDATE orders SET status = 'draft' WHERE id = $1", o.id)
	if err := errors.Join(err, tx.Commit(ctx)); err != nil {
		return o, fmt.Errorf("save a draft: %w", err)
	}
	s.answered(begun, "POST", "/drafts", 201, o.key(), "draft saved")
	return o, s.st.Leave(ctx, conn)
}

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
	victim, err := sh.placeOne(ctx)
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
	// Traffic may order for the same customer at this moment; those go, too.
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

// tagged reports whether a command's tag says that rows were touched.
func tagged(ctx context.Context, conn *pgx.Conn, sql string, args ...any) error {
	tag, err := conn.Exec(ctx, sql, args...)
	if err != nil {
		return fmt.Errorf("run %q: %w", firstLine(sql), err)
	}
	if tag.RowsAffected() == 0 && !strings.HasPrefix(sql, "TRUNCATE") {
		return fmt.Errorf("run %q: no row was touched", firstLine(sql))
	}
	return nil
}
