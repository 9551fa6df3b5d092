package drills

import (
	"context"
	"errors"
	"fmt"
	"time"

	"inquest/investigations"
)

// staleReplica is a booking that the node which serves reads has not replayed.
func staleReplica() Drill {
	return Drill{
		ID: "stale-replica", Title: "Today's bookings do not show in the guests' app", Domain: "bookings",
		Story: "A guest's booking does not show in the app. The app reads from the replica.",
		Truth: hidden("stale-replica", investigations.CauseDatabase,
			"Replay is paused on the replica since somebody made a dump of it: the booking is on the primary, the replica has received and not replayed it."),
		Spec: ServerSpec{Settings: connected("%m [%p] %q%u@%d/%a ", nil)},
		Stage: func(ctx context.Context, s *Stage) (Scene, error) {
			h, err := openHotel(ctx, s, nil)
			if err != nil {
				return Scene{}, err
			}
			primary := s.Server
			replica, err := s.Host.Standby(ctx, primary, map[string]string{"hot_standby": "on"})
			if err != nil {
				return Scene{}, fmt.Errorf("start the replica: %w", err)
			}
			traffic := s.Traffic(ctx, h.app(), 2, Pace{8 * time.Millisecond, 40 * time.Millisecond}, h.step)
			err = errors.Join(s.Pause(ctx, 250*time.Millisecond), s.caughtUp(ctx, replica),
				s.doAt(ctx, replica, Session{Database: "postgres", App: "nightly-dump"}, "SELECT pg_wal_replay_pause()"),
				s.until(ctx, replica, "SELECT pg_get_wal_replay_pause_state() = 'paused'"))
			if err != nil {
				return Scene{}, err
			}
			b, err := h.bookAndFind(ctx)
			if err != nil {
				return Scene{}, err
			}
			if err := s.Pause(ctx, 200*time.Millisecond); err != nil {
				return Scene{}, err
			}
			reader, err := s.connectTo(ctx, replica, h.app())
			if err != nil {
				return Scene{}, err
			}
			status, err := h.find(ctx, reader, b.code)
			if err == nil && status != 404 {
				err = errors.New("the replica has the booking")
			}
			if err := errors.Join(err, s.Leave(ctx, reader), traffic.Stop()); err != nil {
				return Scene{}, err
			}
			scene := h.scene(b.code, KitRights, primary.LogFile(), replica.LogFile())
			scene.DBs = append(scene.DBs, s.connectionAt(replica, "replica", hotelDatabase, KitRights))
			return scene, nil
		},
	}
}
