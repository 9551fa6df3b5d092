package drills

import (
	"context"
	"errors"
	"fmt"
	"time"

	"inquest/investigations"
)

// failoverLost is a booking that the promoted standby had never received.
func failoverLost() Drill {
	return Drill{
		ID: "failover-lost", Title: "A booking of just before the failover is unknown", Domain: "bookings",
		Story: hotelStory + " The database had failed over to its standby in between. The old primary's WAL folder was kept.",
		Truth: Truth{
			Fate: investigations.FateLost, Standings: []investigations.Standing{investigations.Established},
			Mechanisms: []string{"failover-lost"}, Causes: []investigations.Cause{investigations.CauseDatabase},
			Why: "The standby had stopped receiving when the booking was committed on the old primary: its COMMIT is in the old primary's WAL, beyond the point where the new timeline forks off.",
		},
		Spec:  ServerSpec{Settings: connected("%m [%p] %q%u@%d/%a ", nil)},
		Stage: stageFailoverLost,
	}
}

func stageFailoverLost(ctx context.Context, s *Stage) (Scene, error) {
	h, err := openHotel(ctx, s, nil)
	if err != nil {
		return Scene{}, err
	}
	old := s.Server
	standby, err := s.Host.Standby(ctx, old, nil)
	if err != nil {
		return Scene{}, fmt.Errorf("start the standby: %w", err)
	}
	pace := Pace{8 * time.Millisecond, 40 * time.Millisecond}
	traffic := s.Traffic(ctx, h.app(), 2, pace, h.step)
	err = errors.Join(s.Pause(ctx, 200*time.Millisecond), s.caughtUp(ctx, standby), standby.Reload(map[string]string{"primary_conninfo": ""}), s.noReceiver(ctx, standby))
	if err != nil {
		return Scene{}, err
	}
	b, err := h.bookAndFind(ctx)
	if err != nil {
		return Scene{}, err
	}
	if err := errors.Join(s.Pause(ctx, 150*time.Millisecond), traffic.Stop()); err != nil {
		return Scene{}, err
	}
	old.Crash()
	if err := standby.Promote(ctx); err != nil {
		return Scene{}, err
	}
	s.Server = standby
	h.forgetAll()
	again := s.Traffic(ctx, h.app(), 2, pace, h.step)
	if err := errors.Join(h.missing(ctx, b.code, 250*time.Millisecond), again.Stop()); err != nil {
		return Scene{}, err
	}
	scene := h.scene(b.code, KitRights, standby.LogFile(), old.LogFile())
	scene.WALDirs = []string{old.WALDir()}
	return scene, nil
}
