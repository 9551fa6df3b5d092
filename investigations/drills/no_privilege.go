package drills

import (
	"context"

	"inquest/investigations"
)

// noPrivilege is an order deleted by hand, looked into by a role that may read
// tables and nothing else, without the server's log.
func noPrivilege() Drill {
	m := manualDelete{logConnections: true, prefix: "%m [%p] %u@%d/%a "}
	d := m.drill("no-privilege", Truth{
		Fate: investigations.FateDeleted, Standings: []investigations.Standing{investigations.Probable, investigations.Undetermined},
		Why: "Somebody deleted the order with psql. The investigator may read tables and nothing else, and has no server log: the row is gone, and neither WAL nor dead row versions can be read.",
	})
	d.Stage = func(ctx context.Context, s *Stage) (Scene, error) {
		scene, err := m.stage(ctx, s)
		if err != nil {
			return scene, err
		}
		scene.DBs = []Connection{s.Connection("shop", shopDatabase, ReaderRights)}
		scene.Logs = scene.Logs[1:]
		return scene, nil
	}
	return d
}
