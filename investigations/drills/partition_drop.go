package drills

import (
	"context"

	"inquest/investigations"
)

// partitionDrop is a reading whose partition was dropped too early.
func partitionDrop() Drill {
	return Drill{
		ID: "partition-drop", Title: "Late readings are missing from the bill", Domain: "events", Story: meterStory,
		Truth: deletedBy("partition-drop", investigations.CauseRetention,
			"The retention job dropped the last month's partition a month early, as it had dropped the older one before."),
		Spec: ServerSpec{Settings: connected("%m [%p] %q%u@%d/%a ", map[string]string{"log_statement": "ddl"})},
		Stage: func(ctx context.Context, s *Stage) (Scene, error) {
			m, err := openMeters(ctx, s)
			if err != nil {
				return Scene{}, err
			}
			return m.stage(ctx, "ALTER TABLE readings DETACH PARTITION readings_last; DROP TABLE readings_last; INSERT INTO retention_log (did) VALUES ('readings_last')")
		},
	}
}
