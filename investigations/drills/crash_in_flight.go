package drills

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/jackc/pgx/v5"

	"inquest/investigations"
)

// crashInFlight is an order whose server process was killed, so that the whole
// server restarted.
func crashInFlight() Drill {
	return Drill{
		ID: "crash-in-flight", Title: "A confirmed order does not exist", Domain: "orders",
		Story: "The order was confirmed to the customer with its number, and the shop has answered 404 for that number ever since. The shop was unreachable for a moment around that time.",
		Truth: neverCommitted("crash-in-flight", investigations.CauseSystem,
			"The server process that held the order's transaction was killed with signal 9. The server restarted and recovered: the insert is in WAL, with neither COMMIT nor ABORT."),
		Spec:  ServerSpec{Settings: connected("%m [%p] %q%u@%d ", nil)},
		Stage: stageCrashInFlight,
	}
}

func stageCrashInFlight(ctx context.Context, s *Stage) (Scene, error) {
	sh, err := openShop(ctx, s, nil)
	if err != nil {
		return Scene{}, err
	}
	pace := Pace{8 * time.Millisecond, 40 * time.Millisecond}
	traffic := s.Traffic(ctx, sh.app(), 3, pace, sh.step)
	if err := s.Pause(ctx, 250*time.Millisecond); err != nil {
		return Scene{}, err
	}
	var pid int
	e := early{end: func(ctx context.Context, _ *shop, conn *pgx.Conn, _ pgx.Tx, _ *order) error {
		pid = int(conn.PgConn().PID())
		// Others commit meanwhile, which takes the insert to disk with theirs.
		if err := errors.Join(s.Pause(ctx, 200*time.Millisecond), traffic.Stop(), commitSomething(ctx, sh), kill(pid)); err != nil {
			return err
		}
		_, err := conn.Exec(ctx, "SELECT 1")
		if err == nil {
			return errors.New("the killed session still answers")
		}
		return nil
	}}
	o, err := e.record(ctx, sh)
	if err != nil {
		return Scene{}, err
	}
	if err := errors.Join(s.Pause(ctx, 50*time.Millisecond), s.AwaitServer(ctx, shopDatabase)); err != nil {
		return Scene{}, err
	}
	again := s.Traffic(ctx, sh.app(), 3, pace, sh.step)
	if err := errors.Join(sh.missing(ctx, o.id, 300*time.Millisecond), again.Stop()); err != nil {
		return Scene{}, err
	}
	return sh.scene(o.id, SuperuserRights), nil
}

// commitSomething makes the server write all its WAL so far.
func commitSomething(ctx context.Context, sh *shop) error {
	_, err := sh.placeOne(ctx)
	return err
}

// kill ends one server process of the drill's own server, as the kernel does
// when memory runs out.
func kill(pid int) error {
	p, err := os.FindProcess(pid)
	if err == nil {
		err = p.Kill()
	}
	if err != nil {
		return fmt.Errorf("kill server process %d: %w", pid, err)
	}
	return nil
}
