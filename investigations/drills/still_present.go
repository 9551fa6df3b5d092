package drills

import (
	"context"
	"errors"
	"fmt"
	"time"

	"inquest/investigations"
)

// stillPresent is an order that is there: its 404 came from a gateway that had
// lost a route.
func stillPresent() Drill {
	return Drill{
		ID: "still-present", Title: "An order answers 404", Domain: "orders",
		Story: "A customer's link to an order answers 404. Support concluded that the order was deleted.",
		Truth: Truth{
			Fate: investigations.FatePresent, Standings: []investigations.Standing{investigations.Established},
			Mechanisms: []string{"still-present"}, Causes: []investigations.Cause{investigations.CauseApplication},
			Why: "The order is there and the service's role reads it. The 404 came from the gateway, where a route was missing for a while; the service never saw the request.",
		},
		Spec: ServerSpec{Settings: connected("%m [%p] ", nil)},
		Stage: func(ctx context.Context, s *Stage) (Scene, error) {
			sh, err := openShop(ctx, s, nil)
			if err != nil {
				return Scene{}, err
			}
			gateway, err := s.Log("gateway-access.log")
			if err != nil {
				return Scene{}, err
			}
			traffic := s.Traffic(ctx, sh.app(), 3, Pace{8 * time.Millisecond, 40 * time.Millisecond}, sh.step)
			o, err := sh.placeOne(ctx)
			if err != nil {
				return Scene{}, err
			}
			for range 4 {
				if err := s.Pause(ctx, 120*time.Millisecond); err != nil {
					return Scene{}, err
				}
				for _, id := range []int64{o.id, sh.any()} {
					gateway.line(accessLine(time.Now().UTC(), "198.51.100.7", "-", "GET", fmt.Sprintf("/v2/orders/%d", id), 404, 153, "Mozilla/5.0", 0))
				}
			}
			if err := errors.Join(s.Pause(ctx, 150*time.Millisecond), traffic.Stop()); err != nil {
				return Scene{}, err
			}
			scene := sh.scene(o.id, KitRights)
			scene.Logs = append(scene.Logs, gateway.Path)
			return scene, nil
		},
	}
}
