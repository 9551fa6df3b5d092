package drills

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"inquest/investigations"
)

// scripted is a clean-up script that psql ran from a scheduler, once.
func scripted() Drill {
	truth := deletedBy("script-delete", investigations.CauseAccidental,
		"A one-off clean-up script ran through psql in a few milliseconds under a role for operations: several tables in one transaction, with a line in the table of applied scripts. A program's name alone does not make it a person.")
	truth.OrNone = true
	return Drill{
		ID: "script-delete", Title: "Orders of one customer are gone", Domain: "orders",
		Story: "A wholesale customer asks where an order went. The service never deletes orders, and the purge does not touch shipped ones.",
		Truth: truth,
		Spec:  ServerSpec{Settings: connected("%m [%p] %q%u@%d/%a ", nil)},
		Stage: stageScripted,
	}
}

func stageScripted(ctx context.Context, s *Stage) (Scene, error) {
	sh, err := openShop(ctx, s, []string{"ops_batch"}, `
		CREATE TABLE applied_scripts (name text PRIMARY KEY, at timestamptz NOT NULL DEFAULT now());
		INSERT INTO applied_scripts VALUES ('0041-add-references.sql', now() - interval '20 days');
		GRANT SELECT, INSERT, DELETE ON ALL TABLES IN SCHEMA public TO ops_batch`)
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
	err = errors.Join(s.Pause(ctx, 300*time.Millisecond), traffic.Stop(),
		s.AtPrompt(ctx, Session{Role: "ops_batch", Database: shopDatabase}, Pace{}, fmt.Sprintf(`BEGIN;
DELETE FROM order_lines WHERE order_id IN (SELECT id FROM orders WHERE customer_id = %d);
DELETE FROM orders WHERE customer_id = %[1]d;
INSERT INTO applied_scripts (name) VALUES ('0042-remove-test-customer.sql');
COMMIT;`, victim.customer)))
	if err != nil {
		return Scene{}, err
	}
	again := s.Traffic(ctx, who, 2, pace, func(ctx context.Context, conn *pgx.Conn) error {
		_, err := sh.place(ctx, conn)
		return err
	})
	if err := errors.Join(sh.missing(ctx, victim.id, 250*time.Millisecond), again.Stop()); err != nil {
		return Scene{}, err
	}
	return sh.scene(victim.id, KitRights), nil
}
