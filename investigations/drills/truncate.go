package drills

import (
	"context"
	"errors"
	"time"

	"inquest/investigations"
)

// truncated is a table that somebody emptied, thinking to be on another server.
func truncated() Drill {
	return Drill{
		ID: "truncate", Title: "Yesterday's orders are all unknown", Domain: "orders",
		Story: "A customer's order is unknown. More calls are coming in, all about orders of before lunch.",
		Truth: deletedBy("truncate", investigations.CauseAccidental,
			"Somebody ran TRUNCATE orders CASCADE in psql, thinking to be on the staging server: the table has a new file, no row was deleted one by one, and all orders before that moment are gone."),
		Spec:  ServerSpec{Settings: connected("%m [%p] %q%u@%d/%a ", map[string]string{"log_statement": "ddl"})},
		Stage: stageTruncated,
	}
}

func stageTruncated(ctx context.Context, s *Stage) (Scene, error) {
	sh, err := openShop(ctx, s, nil)
	if err != nil {
		return Scene{}, err
	}
	who := sh.app()
	who.PerRequest = true
	pace := Pace{10 * time.Millisecond, 45 * time.Millisecond}
	traffic := s.Traffic(ctx, who, 3, pace, sh.step)
	victim, err := sh.placeOne(ctx)
	if err != nil {
		return Scene{}, err
	}
	err = errors.Join(s.Pause(ctx, 400*time.Millisecond), traffic.Stop(),
		s.AtPrompt(ctx, Session{Role: shopPerson, Database: shopDatabase}, Pace{300 * time.Millisecond, 450 * time.Millisecond},
			"SELECT count(*) FROM orders;", "TRUNCATE orders CASCADE;"))
	if err != nil {
		return Scene{}, err
	}
	again := s.Traffic(ctx, who, 2, pace, sh.step)
	if err := errors.Join(sh.missing(ctx, victim.id, 300*time.Millisecond), again.Stop()); err != nil {
		return Scene{}, err
	}
	return sh.scene(victim.id, KitRights), nil
}
