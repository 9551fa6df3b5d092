package drills

import (
	"context"
	"errors"
	"fmt"
	"time"

	"inquest/investigations"
)

// wrongZone is a document that was never committed; the service's log is in
// another zone than the server's and does not say so.
func wrongZone() Drill {
	truth := neverCommitted("rolled-back", investigations.CauseApplication,
		"The session waited inside its transaction for longer than idle_in_transaction_session_timeout and was ended by the server: an insert and an ABORT in WAL. The service's log is on New York time without saying so, hours off the server's.")
	truth.OrNone = true
	return Drill{
		ID: "wrong-zone", Title: "A saved document does not exist", Domain: "documents",
		Story: "A document was saved, the page said so, and it cannot be opened. The logs of the service and of the database seem to be of different days.",
		Truth: truth,
		Spec:  ServerSpec{Settings: connected("%m [%p] %q%u@%d/%a ", map[string]string{"idle_in_transaction_session_timeout": "250ms", "log_timezone": "Asia/Kolkata"})},
		Stage: stageWrongZone,
	}
}

func stageWrongZone(ctx context.Context, s *Stage) (Scene, error) {
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		zone = time.FixedZone("EST", -5*60*60)
	}
	return stageWaited(ctx, s, zone, func(*archive) {})
}

// clocksBack is the same document where the clocks went back an hour right after
// the answer, and the service's log with them.
func clocksBack() Drill {
	truth := neverCommitted("rolled-back", investigations.CauseApplication,
		"The session waited inside its transaction for longer than idle_in_transaction_session_timeout and was ended by the server: an insert and an ABORT in WAL. The service's log is in local time without a zone, which was set back by an hour between the answer and the first 404.")
	truth.OrNone = true
	return Drill{
		ID: "clocks-back", Title: "A document was missing before it was saved", Domain: "documents",
		Story: "The night the clocks went back, a document was saved, the page said so, and it cannot be opened. The service's log has it missing an hour before it was saved.",
		Truth: truth,
		Spec:  ServerSpec{Settings: connected("%m [%p] %q%u@%d/%a ", map[string]string{"idle_in_transaction_session_timeout": "250ms"})},
		Stage: func(ctx context.Context, s *Stage) (Scene, error) {
			return stageWaited(ctx, s, time.FixedZone("", 2*60*60), func(a *archive) { a.skew = -time.Hour })
		},
	}
}

// stageWaited saves a document in a transaction that waits too long; answered
// plays when the service has said that it is saved.
func stageWaited(ctx context.Context, s *Stage, zone *time.Location, answered func(*archive)) (Scene, error) {
	a, err := openArchive(ctx, s, zone)
	if err != nil {
		return Scene{}, err
	}
	pace := Pace{8 * time.Millisecond, 40 * time.Millisecond}
	traffic := s.Traffic(ctx, a.app(), 3, pace, a.step)
	conn, err := s.Connect(ctx, a.app())
	if err != nil {
		return Scene{}, err
	}
	if err := errors.Join(s.Pause(ctx, 300*time.Millisecond), traffic.Stop(), script(ctx, conn, "BEGIN")); err != nil {
		return Scene{}, err
	}
	d, err := a.save(ctx, conn, 5, 5)
	if err != nil {
		return Scene{}, err
	}
	answered(a)
	again := s.Traffic(ctx, a.app(), 3, pace, a.step)
	if err := s.Pause(ctx, 400*time.Millisecond); err != nil {
		return Scene{}, err
	}
	if _, err := conn.Exec(ctx, "COMMIT"); err == nil {
		return Scene{}, errors.New("the session outlived its timeout")
	}
	reader, err := s.Connect(ctx, a.app())
	if err != nil {
		return Scene{}, err
	}
	status, err := a.open(ctx, reader, d)
	if err == nil && status != 404 {
		err = fmt.Errorf("the document answered %d and should be missing", status)
	}
	if err := errors.Join(err, s.Leave(ctx, reader), s.Pause(ctx, 200*time.Millisecond), again.Stop()); err != nil {
		return Scene{}, err
	}
	return a.scene(d, KitRights), nil
}
