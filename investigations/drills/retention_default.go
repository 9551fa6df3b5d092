package drills

import (
	"context"

	"inquest/investigations"
)

// expiryPurge removes drafts past their date; a draft that was saved without one
// has the column's default, which is long past.
const expiryPurge = `
ALTER TABLE orders ADD expires_on date NOT NULL DEFAULT '1970-01-01';
UPDATE orders SET expires_on = current_date + 60;
UPDATE orders SET status = 'draft', expires_on = current_date - 3 WHERE id % 31 = 0;
UPDATE orders SET status = 'draft' WHERE id % 37 = 0;
CREATE FUNCTION purge_stale_drafts(at_most integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE gone integer;
BEGIN
  DELETE FROM orders WHERE id IN (SELECT id FROM orders WHERE status = 'draft' AND expires_on < current_date ORDER BY id DESC LIMIT at_most);
  GET DIAGNOSTICS gone = ROW_COUNT;
  INSERT INTO jobs (kind, note) VALUES ('purge_stale_drafts', gone || ' removed');
  RETURN gone;
END $$;
GRANT SELECT, DELETE ON orders TO batch;
GRANT SELECT, INSERT ON jobs TO batch;`

// retentionDefault is a draft that a correct purge took, because it was saved with
// a date that nobody had chosen.
func retentionDefault() Drill {
	return Drill{
		ID: "retention-default", Title: "A draft order is gone on the day it was saved", Domain: "orders", Story: draftStory,
		Truth: deletedBy("retention-delete", investigations.CauseRetention,
			"The purge removes drafts whose expires_on is past. The draft page does not send the column, whose default is 1970-01-01: the draft had expired when it was saved. The purge's session alone was connected when the delete committed."),
		Spec: ServerSpec{Settings: connected("%m [%p] %q%u@%d/%a ", nil)},
		Stage: func(ctx context.Context, s *Stage) (Scene, error) {
			return stageDraft(ctx, s, expiryPurge, func(sh *shop, _ order) error { return sh.purge(ctx, 6) })
		},
	}
}
