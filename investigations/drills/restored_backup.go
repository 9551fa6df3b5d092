package drills

import (
	"context"
	"errors"
	"fmt"
	"time"

	"inquest/investigations"
)

// restoredBackup is a booking made after the backup that the cluster was put
// back to.
func restoredBackup() Drill {
	return Drill{
		ID: "restored-backup", Title: "Bookings of one morning are unknown", Domain: "bookings",
		Story: hotelStory + " There had been trouble with the server's disk, and it was set up again. The folder of its old WAL was kept.",
		Truth: Truth{
			Fate: investigations.FateLost, Standings: []investigations.Standing{investigations.Established, investigations.Probable},
			Mechanisms: []string{"restored-backup"},
			Causes:     []investigations.Cause{investigations.CauseAccidental, investigations.CauseDatabase, investigations.CauseSystem},
			OrNone:     true,
			Why:        "The cluster was set up again from a backup that is older than the booking. Its COMMIT is in the old WAL that was kept; the new cluster began before it.",
		},
		Spec:  ServerSpec{Settings: connected("%m [%p] %q%u@%d/%a ", nil)},
		Stage: stageRestoredBackup,
	}
}

func stageRestoredBackup(ctx context.Context, s *Stage) (Scene, error) {
	h, err := openHotel(ctx, s, nil)
	if err != nil {
		return Scene{}, err
	}
	old := s.Server
	// What is backed up now and started later is the same as what is started now
	// and left alone; it takes no traffic until the old one is gone.
	restored, err := s.Host.Clone(ctx, old, connected("%m [%p] %q%u@%d/%a ", nil))
	if err != nil {
		return Scene{}, fmt.Errorf("restore the backup: %w", err)
	}
	if err := restored.Stop(ctx); err != nil {
		return Scene{}, err
	}
	pace := Pace{8 * time.Millisecond, 40 * time.Millisecond}
	traffic := s.Traffic(ctx, h.app(), 2, pace, h.step)
	if err := s.Pause(ctx, 300*time.Millisecond); err != nil {
		return Scene{}, err
	}
	b, err := h.bookAndFind(ctx)
	if err != nil {
		return Scene{}, err
	}
	if err := errors.Join(s.Pause(ctx, 200*time.Millisecond), traffic.Stop(), old.Stop(ctx), restored.Start(ctx)); err != nil {
		return Scene{}, err
	}
	s.Server = restored
	h.forgetAll()
	again := s.Traffic(ctx, h.app(), 2, pace, h.step)
	if err := errors.Join(h.missing(ctx, b.code, 250*time.Millisecond), again.Stop()); err != nil {
		return Scene{}, err
	}
	scene := h.scene(b.code, KitRights, restored.LogFile(), old.LogFile())
	scene.WALDirs = []string{old.WALDir()}
	return scene, nil
}
