package drills

import (
	"context"
	"errors"
	"fmt"
	"time"

	"inquest/investigations"
)

// standbyOnly is an order deleted by hand on a primary that can no longer be
// reached: there is its standby, and no log of the primary.
func standbyOnly() Drill {
	m := manualDelete{logConnections: true, prefix: "%m [%p] %q%u@%d/%a "}
	d := m.drill("standby-only", Truth{
		Fate: investigations.FateDeleted, Standings: []investigations.Standing{investigations.Established},
		Why: "Somebody deleted the order with psql on the primary. The standby's copy of WAL has the delete and its commit; who was connected to the primary is in the primary's log only, which nobody has.",
	})
	d.Story += " The primary's machine is down now; its standby answers."
	d.Stage = func(ctx context.Context, s *Stage) (Scene, error) {
		standby, err := s.Host.Standby(ctx, s.Server, map[string]string{"hot_standby": "on"})
		if err != nil {
			return Scene{}, fmt.Errorf("start the standby: %w", err)
		}
		scene, err := m.stage(ctx, s)
		if err := errors.Join(err, s.caughtUp(ctx, standby)); err != nil {
			return scene, err
		}
		primary := s.Server
		primary.Crash()
		scene.DBs = []Connection{s.connectionAt(standby, "standby", shopDatabase, KitRights)}
		scene.Logs = append([]string{standby.LogFile()}, scene.Logs[1:]...)
		return scene, nil
	}
	return d
}

// logsOnly is an order deleted by hand where the investigator has logs and may
// connect to nothing.
func logsOnly() Drill {
	m := manualDelete{logConnections: true, pooled: true, prefix: "%m [%p] %q%u@%d/%a "}
	d := m.drill("logs-only", Truth{
		Fate: investigations.FateDeleted, Standings: []investigations.Standing{investigations.Probable, investigations.Undetermined},
		Mechanisms: []string{"manual-delete"}, Causes: []investigations.Cause{investigations.CauseAccidental}, OrNone: true,
		Why: "Somebody with a personal login deleted the order in psql: the statement is logged with its duration, which is written after it ran. Without the database nothing shows that the row is still gone, or that it was one row.",
	})
	d.Spec.Settings["log_min_duration_statement"] = "0"
	d.Story += " You are handed the logs; access to the database takes until Monday."
	d.Stage = func(ctx context.Context, s *Stage) (Scene, error) {
		scene, err := m.stage(ctx, s)
		if err != nil {
			return scene, err
		}
		scene.Proof, scene.DBs = scene.DBs[0].Superuser, nil
		return scene, nil
	}
	return d
}

// walGoneLogged is an order deleted by hand long ago: WAL is recycled, and the log
// of statements was kept.
func walGoneLogged() Drill {
	d := walRecycled()
	m := manualDelete{logConnections: true, pooled: true, prefix: "%m [%p] %q%u@%d/%a ", logs: "mod"}
	logged := m.drill("wal-gone-logged", Truth{
		Fate: investigations.FateDeleted, Standings: []investigations.Standing{investigations.Probable, investigations.Undetermined},
		Mechanisms: []string{"manual-delete"}, Causes: []investigations.Cause{investigations.CauseAccidental}, OrNone: true,
		Why: "Somebody with a personal login deleted the order in psql. WAL has been recycled and the table vacuumed since then. The log has the statement with the order's number, which is written before it runs: it makes the delete probable, and names who sent it.",
	})
	logged.Story = d.Story
	for _, name := range []string{"min_wal_size", "max_wal_size"} {
		logged.Spec.Settings[name] = d.Spec.Settings[name]
	}
	logged.Stage = func(ctx context.Context, s *Stage) (Scene, error) { return stageRecycled(ctx, s, m) }
	return logged
}

// sampledLog is an order that the service deleted on another client's request,
// where its log keeps one in eight answers only.
func sampledLog() Drill {
	return Drill{
		ID: "sampled-log", Title: "A partner's order is gone, and no log shows a delete", Domain: "orders",
		Story: "A partner's order answers 404. There is no DELETE for it in the service's log, in which the platform team keeps a sample of the answers to save money.",
		Truth: Truth{
			Fate: investigations.FateDeleted, Standings: []investigations.Standing{investigations.Established},
			Why: "The service deleted the order on another partner's request, whose line is not in the sample. WAL shows the delete and its commit; the sessions of the pool and of a person were connected then, and no statement is logged: who it was cannot be told.",
		},
		Spec:  ServerSpec{Settings: connected("%m [%p] %q%u@%d/%a ", nil)},
		Stage: stageSampledLog,
	}
}

func stageSampledLog(ctx context.Context, s *Stage) (Scene, error) {
	sh, err := openShop(ctx, s, nil)
	if err != nil {
		return Scene{}, err
	}
	sh.write = sampled(jsonAnswers, 8)
	sh.say("log sampling is on: 1 in 8 of answers that are neither a create nor an error")
	traffic := s.Traffic(ctx, sh.app(), 3, Pace{8 * time.Millisecond, 40 * time.Millisecond}, sh.step)
	person, err := s.Connect(ctx, Session{Role: shopPerson, Database: shopDatabase, App: "psql", Simple: true})
	if err != nil {
		return Scene{}, err
	}
	victim, err := sh.placeOne(ctx)
	if err != nil {
		return Scene{}, err
	}
	conn, err := s.Connect(ctx, sh.app())
	if err != nil {
		return Scene{}, err
	}
	err = errors.Join(script(ctx, person, "SELECT count(*) FROM orders"), s.Pause(ctx, 400*time.Millisecond),
		tagged(ctx, conn, "DELETE FROM orders WHERE id = $1", victim.id), // its 204 is not in the sample
		s.Pause(ctx, 150*time.Millisecond), s.Leave(ctx, conn), s.Leave(ctx, person), sh.missing(ctx, victim.id, 200*time.Millisecond), traffic.Stop())
	if err != nil {
		return Scene{}, err
	}
	return sh.scene(victim.id, KitRights), nil
}

// sampled keeps creates, errors, and one in n of the other answers.
func sampled(write func(*Log, string, answer), n int) func(*Log, string, answer) {
	return func(l *Log, service string, a answer) {
		if a.status == 0 || a.status == 201 || a.status >= 400 || int(a.trace[0])%n == 0 {
			write(l, service, a)
		}
	}
}
