package drills

import (
	"context"

	"inquest/investigations"
)

// detachedPartition is a reading whose partition was taken off too early.
func detachedPartition() Drill {
	return Drill{
		ID: "detached-partition", Title: "Late readings are missing from the bill", Domain: "events", Story: meterStory,
		Truth: hidden("detached-partition", investigations.CauseRetention,
			"The retention job detached the last month's partition a month early. The table readings_last is still there, and the reading in it."),
		Spec: ServerSpec{Settings: connected("%m [%p] %q%u@%d/%a ", map[string]string{"log_statement": "ddl"})},
		Stage: func(ctx context.Context, s *Stage) (Scene, error) {
			m, err := openMeters(ctx, s)
			if err != nil {
				return Scene{}, err
			}
			return m.stage(ctx, "ALTER TABLE readings DETACH PARTITION readings_last; INSERT INTO retention_log (did) VALUES ('readings_last')")
		},
	}
}
