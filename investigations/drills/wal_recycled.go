package drills

import (
	"context"
	"errors"

	"inquest/investigations"
)

// walRecycled is an order deleted by hand, long enough ago that neither WAL nor
// a dead row version is left.
func walRecycled() Drill {
	m := manualDelete{prefix: "%m [%p] "}
	d := m.drill("wal-recycled", Truth{
		Fate: investigations.FateDeleted, Standings: []investigations.Standing{investigations.Probable, investigations.Undetermined},
		Why: "Somebody deleted the order with psql. WAL has been recycled and the table vacuumed since then, and nothing was logged: the service's log shows that the order was there, and not what became of it.",
	})
	d.Story += " It was noticed late."
	d.Spec.Settings["min_wal_size"], d.Spec.Settings["max_wal_size"] = "32MB", "32MB"
	d.Stage = func(ctx context.Context, s *Stage) (Scene, error) { return stageRecycled(ctx, s, m) }
	return d
}

// stageRecycled lets somebody delete an order, and WAL and pages forget it.
func stageRecycled(ctx context.Context, s *Stage, m manualDelete) (Scene, error) {
	scene, err := m.stage(ctx, s)
	if err != nil {
		return scene, err
	}
	admin := Session{Database: shopDatabase, App: "maintenance", Simple: true}
	for range 2 {
		// Every segment is overwritten: a recycled one keeps its old content until then.
		err = errors.Join(err, s.Do(ctx, admin, "VACUUM orders, order_lines", "SELECT pg_switch_wal()", "CHECKPOINT",
			"CREATE TABLE IF NOT EXISTS import_buffer (line text); INSERT INTO import_buffer SELECT repeat(md5(n::text), 25) FROM generate_series(1, 38000) n; TRUNCATE import_buffer"))
	}
	return scene, errors.Join(err, s.Do(ctx, admin, "VACUUM orders, order_lines", "CHECKPOINT"))
}
