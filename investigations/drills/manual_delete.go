package drills

import (
	"context"
	"errors"
	"fmt"
	"time"

	"inquest/investigations"
)

func byHand(why string) Truth {
	return deletedBy("manual-delete", investigations.CauseAccidental, why)
}

// psqlDeleteMod is an order deleted by hand where changing statements are logged.
func psqlDeleteMod() Drill {
	m := manualDelete{pooled: true, prefix: "%m [%p] %q%u@%d/%a ", logs: "mod"}
	truth := byHand("Somebody with a personal login deleted the order in psql. The statement is logged with the session that sent it, and the delete committed right after it; the service's pool was connected all the time and sent no DELETE. Without connection lines nothing shows a person's pace.")
	truth.OrNone = true
	return m.drill("psql-delete-mod", truth)
}

// psqlDeleteAll is the same with every statement logged and a bare prefix: who a
// process was is only in its connection line.
func psqlDeleteAll() Drill {
	m := manualDelete{logConnections: true, pooled: true, prefix: "%m [%p] ", logs: "all"}
	return m.drill("psql-delete-all", byHand("Somebody with a personal login deleted the order in psql. Every statement is logged with its process only; the process's connection line names the login and psql."))
}

// borrowedRole is an order deleted in psql by somebody who logged in as the
// service.
func borrowedRole() Drill {
	m := manualDelete{logConnections: true, pooled: true, prefix: "%m [%p] %q%u@%d/%a ", logs: "mod", by: inPsqlAs(shopRole)}
	truth := byHand("Somebody used the service's own password in psql: the statement is logged with its number as a literal from a session named psql, half a second after it connected, while the service's sessions send parameters. It is the service's role and not the service.")
	truth.OrNone = true // a program's name alone is no proof of a person
	return m.drill("borrowed-role", truth)
}

// purgeBystander is a paid order deleted by hand between two runs of a purge that
// takes drafts only.
func purgeBystander() Drill {
	return Drill{
		ID: "purge-bystander", Title: "A paid order is gone, and a purge ran that minute", Domain: "orders",
		Story: "A customer asks for an order that was paid for. The shop answers 404. The purge of old drafts ran in that very minute, and the team suspects it.",
		Truth: byHand("The purge only takes drafts, and this order never was one: it ran before and after. Somebody with a personal login, connected with psql and alone at the delete's commit, removed the order."),
		Spec:  ServerSpec{Settings: connected("%m [%p] %q%u@%d/%a ", nil)},
		Stage: stagePurgeBystander,
	}
}

func stagePurgeBystander(ctx context.Context, s *Stage) (Scene, error) {
	sh, err := openShop(ctx, s, []string{"batch"}, purgeFunction)
	if err != nil {
		return Scene{}, err
	}
	who := sh.app()
	who.PerRequest = true
	pace := Pace{10 * time.Millisecond, 45 * time.Millisecond}
	traffic := s.Traffic(ctx, who, 2, pace, sh.step)
	victim, err := sh.placeOne(ctx)
	if err != nil {
		return Scene{}, err
	}
	if err := errors.Join(sh.purge(ctx, 4), s.Pause(ctx, 400*time.Millisecond), traffic.Stop()); err != nil {
		return Scene{}, err
	}
	person, err := s.Connect(ctx, Session{Role: shopPerson, Database: shopDatabase, App: "psql", Simple: true})
	if err != nil {
		return Scene{}, err
	}
	err = errors.Join(s.Pause(ctx, 250*time.Millisecond), script(ctx, person, "SELECT id, status FROM orders WHERE reference = "+literal(victim.reference)),
		sh.purge(ctx, 4), s.Pause(ctx, 150*time.Millisecond), script(ctx, person, fmt.Sprintf("DELETE FROM orders WHERE id = %d", victim.id)),
		s.Pause(ctx, 150*time.Millisecond), sh.purge(ctx, 4), s.Pause(ctx, 200*time.Millisecond), s.Leave(ctx, person))
	if err != nil {
		return Scene{}, err
	}
	again := s.Traffic(ctx, who, 2, pace, sh.step)
	if err := errors.Join(sh.missing(ctx, victim.id, 200*time.Millisecond), again.Stop()); err != nil {
		return Scene{}, err
	}
	return sh.scene(victim.id, KitRights), nil
}
