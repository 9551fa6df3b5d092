package drills

import (
	"context"

	"github.com/jackc/pgx/v5"

	"inquest/investigations"
)

// neverIssued is an id that is nowhere: it comes from another environment.
func neverIssued() Drill {
	return Drill{
		ID: "never-issued", Title: "A traffic regulation order does not exist", Domain: "dtro",
		Story: "A publisher reports an id that does not exist. They say that they got it from the service; their audit of that day is not at hand.",
		Truth: Truth{
			Fate: investigations.FateUndetermined, Standings: []investigations.Standing{investigations.Undetermined},
			Why: "The id was given out by another environment. Nothing that is connected shows that this service ever issued it, so what became of it cannot be said.",
		},
		Spec: dtroSpec(),
		Stage: func(ctx context.Context, s *Stage) (Scene, error) {
			scene, err := dtroTwin(func(context.Context, *Stage, *dtroService, *pgx.Conn, dtroRow) (string, error) { return newUUID(), nil }).stage(ctx, s)
			return scene, err
		},
	}
}
