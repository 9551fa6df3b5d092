package drills

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"inquest/investigations"
)

// apiDelete is an order that the service deleted on request: another client's.
func apiDelete() Drill {
	return Drill{
		ID: "api-delete", Title: "A partner's order is gone, and the partner did not delete it", Domain: "orders",
		Story: "A partner placed an order through the API and swears never to have deleted it. The partner's own audit shows no delete.",
		Truth: deletedBy("api-delete", investigations.CauseApplication,
			"Another partner's client called DELETE for this order, and the service did not check whose it was. The request is in the gateway's log, in flight when the delete committed."),
		Spec:  ServerSpec{Settings: connected("%m [%p] %q%u@%d/%a ", map[string]string{"log_statement": "mod"})},
		Stage: stageAPIDelete,
	}
}

func stageAPIDelete(ctx context.Context, s *Stage) (Scene, error) {
	sh, err := openShop(ctx, s, nil)
	if err != nil {
		return Scene{}, err
	}
	gateway, err := s.Log("gateway-access.log")
	if err != nil {
		return Scene{}, err
	}
	remove := func(conn *pgx.Conn, id int64, client string) error {
		begun := time.Now()
		if err := tagged(ctx, conn, "DELETE FROM orders WHERE id = $1", id); err != nil {
			return err
		}
		now := time.Now()
		gateway.line(accessLine(now.UTC(), "198.51.100.40", client, "DELETE", fmt.Sprintf("/orders/%d", id), 204, 0, "partner-sdk/3.1", now.Sub(begun)))
		return nil
	}
	traffic := s.Traffic(ctx, sh.app(), 3, Pace{8 * time.Millisecond, 40 * time.Millisecond}, sh.step)
	victim, err := sh.placeOne(ctx)
	if err != nil {
		return Scene{}, err
	}
	conn, err := s.Connect(ctx, sh.app())
	if err != nil {
		return Scene{}, err
	}
	own, err := sh.place(ctx, conn)
	if err != nil {
		return Scene{}, err
	}
	err = errors.Join(s.Pause(ctx, 300*time.Millisecond), remove(conn, own.id, "partner-harrow"),
		s.Pause(ctx, 200*time.Millisecond), remove(conn, victim.id, "partner-linden"), s.Leave(ctx, conn),
		sh.missing(ctx, victim.id, 250*time.Millisecond), traffic.Stop())
	if err != nil {
		return Scene{}, err
	}
	scene := sh.scene(victim.id, KitRights)
	scene.Logs = append(scene.Logs, gateway.Path)
	return scene, nil
}
