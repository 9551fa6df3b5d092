package drills

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

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

// keyChanged is an order that the service gave another number.
func keyChanged() Drill {
	return Drill{
		ID: "key-changed", Title: "An order number from a confirmation leads nowhere", Domain: "orders",
		Story: "The number in the customer's confirmation is unknown. The customer was charged, and the goods arrived.",
		Truth: Truth{
			Fate: investigations.FateRekeyed, Standings: []investigations.Standing{investigations.Established},
			Mechanisms: []string{"key-changed"}, Causes: []investigations.Cause{investigations.CauseApplication},
			Why: "The service moved the order to the number range of the region that ships it: an UPDATE changed the key, and the same row is there under its new one.",
		},
		Spec: ServerSpec{Settings: connected("%m [%p] %q%u@%d/%a ", map[string]string{"log_statement": "mod"})},
		Stage: func(ctx context.Context, s *Stage) (Scene, error) {
			sh, err := openShop(ctx, s, nil, `ALTER TABLE order_lines DROP CONSTRAINT order_lines_order_id_fkey,
				ADD CONSTRAINT order_lines_order_id_fkey FOREIGN KEY (order_id) REFERENCES orders ON DELETE CASCADE ON UPDATE CASCADE`)
			if err != nil {
				return Scene{}, err
			}
			traffic := s.Traffic(ctx, sh.app(), 3, Pace{8 * time.Millisecond, 40 * time.Millisecond}, sh.step)
			o, err := sh.placeOne(ctx)
			if err != nil {
				return Scene{}, err
			}
			sh.drop(o.id)
			conn, err := s.Connect(ctx, sh.app())
			if err != nil {
				return Scene{}, err
			}
			err = errors.Join(s.Pause(ctx, 400*time.Millisecond), tagged(ctx, conn, "UPDATE orders SET id = id + 7000000, status = 'routed' WHERE reference = $1", o.reference))
			sh.say("routed 1 order to region north")
			err = errors.Join(err, s.Leave(ctx, conn), sh.missing(ctx, o.id, 250*time.Millisecond), traffic.Stop())
			if err != nil {
				return Scene{}, err
			}
			return sh.scene(o.id, KitRights), nil
		},
	}
}

// unloggedReset is a basket in a table that a crash empties.
func unloggedReset() Drill {
	return Drill{
		ID: "unlogged-reset", Title: "All saved baskets are gone", Domain: "orders",
		Story: "A customer's saved basket is gone. The shop was down for a moment in the night.",
		Truth: Truth{
			Fate: investigations.FateLost, Standings: []investigations.Standing{investigations.Established},
			Mechanisms: []string{"unlogged-reset"}, Causes: []investigations.Cause{investigations.CauseSystem},
			Why: "Baskets are kept in an unlogged table, and the server came up through crash recovery, which empties such tables.",
		},
		Spec: ServerSpec{Settings: connected("%m [%p] %q%u@%d/%a ", nil)},
		Stage: func(ctx context.Context, s *Stage) (Scene, error) {
			sh, err := openShop(ctx, s, nil, `
				CREATE UNLOGGED TABLE baskets (id uuid PRIMARY KEY, customer_id bigint NOT NULL, content jsonb NOT NULL, saved_at timestamptz NOT NULL DEFAULT now());
				GRANT SELECT, INSERT, UPDATE, DELETE ON baskets TO shop_app`)
			if err != nil {
				return Scene{}, err
			}
			pace := Pace{8 * time.Millisecond, 40 * time.Millisecond}
			traffic := s.Traffic(ctx, sh.app(), 3, pace, sh.step)
			record := newUUID()
			for i := range 20 {
				id := newUUID()
				if i == 13 {
					id = record
				}
				if err := sh.saveBasket(ctx, id); err != nil {
					return Scene{}, err
				}
			}
			err = errors.Join(s.Pause(ctx, 200*time.Millisecond), traffic.Stop(), s.Server.StopImmediate(ctx), s.Server.Start(ctx))
			if err != nil {
				return Scene{}, err
			}
			again := s.Traffic(ctx, sh.app(), 2, pace, sh.step)
			if err := errors.Join(s.Pause(ctx, 150*time.Millisecond), sh.noBasket(ctx, record), again.Stop()); err != nil {
				return Scene{}, err
			}
			scene := sh.scene(0, KitRights)
			scene.Record = record
			return scene, nil
		},
	}
}

func (s *shop) saveBasket(ctx context.Context, id string) error {
	begun := time.Now()
	conn, err := s.st.Connect(ctx, s.app())
	if err != nil {
		return err
	}
	if err := tagged(ctx, conn, `INSERT INTO baskets (id, customer_id, content) VALUES ($1, 12, '{"lines": [{"sku": "SKU-104", "quantity": 2}]}')`, id); err != nil {
		return err
	}
	s.answered(begun, "PUT", "/baskets/"+id, 201, id, "")
	return s.st.Leave(ctx, conn)
}

func (s *shop) noBasket(ctx context.Context, id string) error {
	begun := time.Now()
	conn, err := s.st.Connect(ctx, s.app())
	if err != nil {
		return err
	}
	found, err := one(ctx, conn, "SELECT content FROM baskets WHERE id = $1", id)
	if err == nil && found {
		err = errors.New("the basket outlived the crash")
	}
	s.answered(begun, "GET", "/baskets/"+id, 404, id, "")
	return errors.Join(err, s.st.Leave(ctx, conn))
}
