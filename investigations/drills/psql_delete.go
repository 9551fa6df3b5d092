package drills

import (
	"context"
	"errors"
	"fmt"
	"time"

	"inquest/investigations"
)

const manualStory = "A customer asks for an order that was placed and paid. The shop answers 404 for it now, although it was there this morning. The service never deletes orders."

// manualDelete is how somebody deletes one order by hand, with more or less of
// it showing.
type manualDelete struct {
	logConnections bool
	// pooled keeps the service's sessions open all the time; else it connects for
	// every request, and nobody calls while the person is at it.
	pooled bool
	prefix string
	// logs is log_statement; empty is none.
	logs string
	// by is who deletes and how; nil is somebody with a login of their own, in psql.
	by func(ctx context.Context, s *Stage, victim order) error
}

func psqlDelete() Drill {
	m := manualDelete{logConnections: true, prefix: "%m [%p] %u@%d/%a "}
	return m.drill("psql-delete", Truth{
		Fate: investigations.FateDeleted, Standings: []investigations.Standing{investigations.Established},
		Mechanisms: []string{"manual-delete"}, Causes: []investigations.Cause{investigations.CauseAccidental},
		Why: "Somebody connected with psql under a personal login, looked, deleted the order and left. No statement is logged, but the delete's commit lies " +
			"within the connection of exactly one session.",
	})
}

func psqlDeleteSilent() Drill {
	m := manualDelete{prefix: "%m [%p] %u@%d/%a "}
	return m.drill("psql-delete-silent", Truth{
		Fate: investigations.FateDeleted, Standings: []investigations.Standing{investigations.Established},
		Why: "Somebody deleted the order with psql, but neither statements nor connections are logged: WAL shows the delete and its commit, and nothing shows who.",
	})
}

func psqlDeleteCrowd() Drill {
	m := manualDelete{logConnections: true, pooled: true, prefix: "%m [%p] "}
	return m.drill("psql-delete-crowd", Truth{
		Fate: investigations.FateDeleted, Standings: []investigations.Standing{investigations.Established},
		Why: "Somebody deleted the order with psql while the service's pool was connected, too, whose role may delete as well: several sessions could have done it.",
	})
}

func (m manualDelete) drill(id string, truth Truth) Drill {
	set := map[string]string{"log_line_prefix": m.prefix, "log_statement": orElse(m.logs, "none")}
	if m.logConnections {
		set["log_connections"], set["log_disconnections"] = "on", "on"
	}
	return Drill{
		ID: id, Title: "A paid order is gone", Story: manualStory, Domain: "orders",
		Truth: truth, Spec: ServerSpec{Settings: set}, Stage: m.stage,
	}
}

func (m manualDelete) stage(ctx context.Context, s *Stage) (Scene, error) {
	sh, err := openShop(ctx, s, nil)
	if err != nil {
		return Scene{}, err
	}
	who := sh.app()
	who.PerRequest = !m.pooled
	pace := Pace{10 * time.Millisecond, 50 * time.Millisecond}
	traffic := s.Traffic(ctx, who, 3, pace, sh.step)
	victim, err := sh.placeOne(ctx)
	if err != nil {
		return Scene{}, err
	}
	if err := s.Pause(ctx, 500*time.Millisecond); err != nil {
		return Scene{}, err
	}
	if !m.pooled {
		if err := traffic.Stop(); err != nil {
			return Scene{}, err
		}
	}
	by := m.by
	if by == nil {
		by = inPsqlAs(shopPerson)
	}
	if err := by(ctx, s, victim); err != nil {
		return Scene{}, err
	}
	again := s.Traffic(ctx, who, 2, pace, sh.step)
	err = errors.Join(sh.missing(ctx, victim.id, 250*time.Millisecond), again.Stop(), traffic.Stop())
	if err != nil {
		return Scene{}, err
	}
	return sh.scene(victim.id, KitRights), nil
}

// inPsqlAs is somebody who looks an order up in psql, and deletes it.
func inPsqlAs(role string) func(context.Context, *Stage, order) error {
	return func(ctx context.Context, s *Stage, victim order) error {
		return s.AtPrompt(ctx, Session{Role: role, Database: shopDatabase}, Pace{450 * time.Millisecond, 700 * time.Millisecond},
			fmt.Sprintf("SELECT id, status FROM orders WHERE reference = %s;", literal(victim.reference)),
			fmt.Sprintf("DELETE FROM orders WHERE id = %d;", victim.id))
	}
}
