package drills

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

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

// bookAndFind books and reads the booking back, as a guest does.
func (h *hotel) bookAndFind(ctx context.Context) (booking, error) {
	conn, err := h.st.Connect(ctx, h.app())
	if err != nil {
		return booking{}, err
	}
	b, err := h.book(ctx, conn)
	if err != nil {
		return b, err
	}
	h.forgetCode(b.code)
	status, err := h.find(ctx, conn, b.code)
	if err == nil && status != 200 {
		err = fmt.Errorf("booking %s answered %d right after it was made", b.code, status)
	}
	return b, errors.Join(err, h.st.Leave(ctx, conn))
}

func (h *hotel) forgetAll() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.codes = nil
}

// caughtUp waits until a standby has replayed what its primary has written now.
func (s *Stage) caughtUp(ctx context.Context, standby Server) error {
	conn, err := s.Connect(ctx, Session{Database: "postgres", App: "health"})
	if err != nil {
		return err
	}
	var lsn string
	if err := conn.QueryRow(ctx, "SELECT pg_current_wal_flush_lsn()::text").Scan(&lsn); err != nil {
		return fmt.Errorf("read the primary's position: %w", err)
	}
	return errors.Join(s.Leave(ctx, conn), s.until(ctx, standby, "SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn", lsn))
}

// noReceiver waits until a standby no longer receives.
func (s *Stage) noReceiver(ctx context.Context, standby Server) error {
	return s.until(ctx, standby, "SELECT count(*) = 0 FROM pg_stat_wal_receiver")
}

// until asks a server the same question until it says true.
func (s *Stage) until(ctx context.Context, srv Server, sql string, args ...any) error {
	conn, err := s.connectTo(ctx, srv, Session{Database: "postgres", App: "health"})
	if err != nil {
		return err
	}
	for end := time.Now().Add(10 * time.Second); ; {
		var ok bool
		if err := conn.QueryRow(ctx, sql, args...).Scan(&ok); err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return fmt.Errorf("ask %q: %w", sql, err)
		}
		if ok {
			return s.Leave(ctx, conn)
		}
		if time.Now().After(end) {
			return fmt.Errorf("ask %q: it did not become true", sql)
		}
		if err := s.Pause(ctx, 10*time.Millisecond); err != nil {
			return err
		}
	}
}
