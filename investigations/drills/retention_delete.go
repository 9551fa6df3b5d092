package drills

import (
	"context"
	"errors"
	"fmt"
	"time"

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

// retentionDelete is a draft that a purge took on the day it was made.
func retentionDelete() Drill {
	return Drill{
		ID: "retention-delete", Title: "A draft order is gone on the day it was saved", Domain: "orders", Story: draftStory,
		Truth: deletedBy("retention-delete", investigations.CauseRetention,
			"The purge of stale drafts runs as a job of the role batch. Its predicate takes a draft without touched_at for one never touched: it deleted this one with others in one transaction, as on every run."),
		Spec: ServerSpec{Settings: connected("%m [%p] %q%u@%d/%a ", nil)},
		Stage: func(ctx context.Context, s *Stage) (Scene, error) {
			return stageDraft(ctx, s, purgeFunction, func(sh *shop, _ order) error { return sh.purge(ctx, 6) })
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
			return stageDraft(ctx, s, purgeFunction, func(*shop, order) error {
				return s.AtPrompt(ctx, Session{Role: shopPerson, Database: shopDatabase}, Pace{350 * time.Millisecond, 500 * time.Millisecond},
					"SELECT count(*) FROM orders WHERE status = 'draft';",
					"DELETE FROM orders WHERE status = 'draft' AND coalesce(touched_at, '-infinity') < now() - interval '30 days';")
			})
		},
	}
}

// stageDraft saves a draft between runs of the purge that the schema defines, and
// lets it be removed.
func stageDraft(ctx context.Context, s *Stage, schema string, remove func(*shop, order) error) (Scene, error) {
	sh, err := openShop(ctx, s, []string{"batch"}, schema)
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
