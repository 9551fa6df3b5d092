package drills

import (
	"context"
	"errors"
	"time"

	"inquest/investigations"
)

// rowSecurity is a document that its own tenant may not see, because it was
// filed in another tenant's folder.
func rowSecurity() Drill {
	return Drill{
		ID: "row-security", Title: "A document that was saved cannot be opened", Domain: "documents",
		Story: "A tenant saved a document in a folder that was shared with them, and cannot open it. An administrator found it in an export.",
		Truth: hidden("row-security", investigations.CauseDatabase,
			"Row-level security shows a document to the tenant of its folder, not to the tenant that saved it. The row is there, and the service's role with this tenant's setting does not see it."),
		Spec: ServerSpec{Settings: connected("%t [%p]: user=%u,db=%d,app=%a ", map[string]string{"log_timezone": "Europe/Paris"})},
		Stage: func(ctx context.Context, s *Stage) (Scene, error) {
			a, err := openArchive(ctx, s, time.UTC)
			if err != nil {
				return Scene{}, err
			}
			traffic := s.Traffic(ctx, a.app(), 3, Pace{8 * time.Millisecond, 40 * time.Millisecond}, a.step)
			conn, err := s.Connect(ctx, a.app())
			if err != nil {
				return Scene{}, err
			}
			if err := s.Pause(ctx, 300*time.Millisecond); err != nil {
				return Scene{}, err
			}
			d, err := a.save(ctx, conn, 4, 9)
			if err != nil {
				return Scene{}, err
			}
			status, err := a.open(ctx, conn, d)
			if err == nil && status != 404 {
				err = errors.New("the document is visible")
			}
			if err := errors.Join(err, s.Leave(ctx, conn), s.Pause(ctx, 300*time.Millisecond), traffic.Stop()); err != nil {
				return Scene{}, err
			}
			scene := a.scene(d, SuperuserRights)
			scene.LogZones = map[string]string{a.log.Path: "UTC"}
			return scene, nil
		},
	}
}
