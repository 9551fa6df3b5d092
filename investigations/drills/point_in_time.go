package drills

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"time"

	"inquest/investigations"
)

// pointInTime is a booking that was made after the point to which the cluster was
// taken back, to undo somebody's mistake.
func pointInTime() Drill {
	return Drill{
		ID: "point-in-time", Title: "Bookings of one hour are unknown", Domain: "bookings",
		Story: hotelStory + " That afternoon every booking had suddenly been for one night; operations repaired that. The folder of the old server's WAL was kept.",
		Truth: Truth{
			Fate: investigations.FateLost, Standings: []investigations.Standing{investigations.Established, investigations.Probable},
			Mechanisms: []string{"restored-backup"},
			Causes:     []investigations.Cause{investigations.CauseAccidental, investigations.CauseDatabase, investigations.CauseSystem},
			Why: "The cluster was recovered from a backup to the moment before a bad UPDATE, and began a new timeline there. The booking was made after that moment: its COMMIT is in the old WAL, " +
				"beyond the point where the new timeline forks off.",
		},
		Spec:  ServerSpec{Settings: connected("%m [%p] %q%u@%d/%a ", nil)},
		Stage: stagePointInTime,
	}
}

func stagePointInTime(ctx context.Context, s *Stage) (Scene, error) {
	h, err := openHotel(ctx, s, nil)
	if err != nil {
		return Scene{}, err
	}
	old := s.Server
	backup, err := s.Host.Backup(ctx, old)
	if err != nil {
		return Scene{}, fmt.Errorf("back the server up: %w", err)
	}
	pace := Pace{8 * time.Millisecond, 40 * time.Millisecond}
	traffic := s.Traffic(ctx, h.app(), 2, pace, h.step)
	if err := s.Pause(ctx, 250*time.Millisecond); err != nil {
		return Scene{}, err
	}
	target, err := s.mistake(ctx)
	if err != nil {
		return Scene{}, err
	}
	b, err := h.bookAndFind(ctx)
	if err != nil {
		return Scene{}, err
	}
	if err := errors.Join(s.Pause(ctx, 200*time.Millisecond), traffic.Stop(), old.Stop(ctx)); err != nil {
		return Scene{}, err
	}
	recovered, err := backup(ctx, settings(connected("%m [%p] %q%u@%d/%a ", nil), map[string]string{
		"restore_command":      "cp " + strconv.Quote(filepath.Join(old.WALDir(), "%f")) + ` "%p"`,
		"recovery_target_time": target, "recovery_target_action": "promote",
	}))
	if err != nil {
		return Scene{}, fmt.Errorf("recover to %s: %w", target, err)
	}
	s.Server = recovered
	if err := s.until(ctx, recovered, "SELECT NOT pg_is_in_recovery()"); err != nil {
		return Scene{}, err
	}
	h.forgetAll()
	again := s.Traffic(ctx, h.app(), 2, pace, h.step)
	if err := errors.Join(h.missing(ctx, b.code, 200*time.Millisecond), again.Stop()); err != nil {
		return Scene{}, err
	}
	scene := h.scene(b.code, KitRights, recovered.LogFile(), old.LogFile())
	scene.WALDirs = []string{old.WALDir()}
	return scene, nil
}

// mistake changes every booking by hand, and returns the moment before that.
func (s *Stage) mistake(ctx context.Context) (string, error) {
	conn, err := s.Connect(ctx, Session{Role: "hotel_owner", Database: hotelDatabase, App: "psql", Simple: true})
	if err != nil {
		return "", err
	}
	var before string
	if err := conn.QueryRow(ctx, "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US+00')").Scan(&before); err != nil {
		return "", fmt.Errorf("read the time: %w", err)
	}
	return before, errors.Join(s.Pause(ctx, 50*time.Millisecond), script(ctx, conn, "UPDATE bookings SET nights = 1"), s.Leave(ctx, conn))
}
