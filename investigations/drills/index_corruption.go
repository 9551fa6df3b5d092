package drills

import (
	"context"
	"errors"
	"fmt"
	"time"

	"inquest/investigations"
)

// indexCorruption is an order that the primary key's index does not know.
func indexCorruption() Drill {
	return Drill{
		ID: "index-corruption", Title: "An order is in the export, and cannot be opened", Domain: "orders",
		Story: "A customer's order answers 404. It is in the accountant's export of the day, with its number.",
		Truth: hidden("index-corruption", investigations.CauseDatabase,
			"The row is in the table, and the index of the primary key has no entry for it: a sequential scan finds it, an index scan does not."),
		Spec: ServerSpec{Settings: connected("%m [%p] %q%u@%d/%a ", map[string]string{"random_page_cost": "1.1"})},
		Stage: func(ctx context.Context, s *Stage) (Scene, error) {
			sh, err := openShop(ctx, s, nil)
			if err != nil {
				return Scene{}, err
			}
			admin := Session{Database: shopDatabase, App: "provision", Simple: true}
			traffic := s.Traffic(ctx, sh.app(), 3, Pace{8 * time.Millisecond, 40 * time.Millisecond}, sh.step)
			if err := errors.Join(s.Do(ctx, admin, "ANALYZE orders"), s.Pause(ctx, 300*time.Millisecond), traffic.Stop()); err != nil {
				return Scene{}, err
			}
			// The entry is kept from being made: what a lost write of an index page amounts to.
			const ready = "UPDATE pg_index SET indisready = %t WHERE indexrelid = 'orders_pkey'::regclass"
			if err := s.Do(ctx, admin, "ALTER TABLE order_lines DISABLE TRIGGER ALL", fmt.Sprintf(ready, false)); err != nil {
				return Scene{}, err
			}
			conn, err := s.Connect(ctx, sh.app())
			if err != nil {
				return Scene{}, err
			}
			o, err := sh.place(ctx, conn)
			if err != nil {
				return Scene{}, err
			}
			if err := errors.Join(s.Leave(ctx, conn), s.Do(ctx, admin, fmt.Sprintf(ready, true), "ALTER TABLE order_lines ENABLE TRIGGER ALL")); err != nil {
				return Scene{}, err
			}
			again := s.Traffic(ctx, sh.app(), 2, Pace{8 * time.Millisecond, 40 * time.Millisecond}, sh.step)
			if err := errors.Join(sh.missing(ctx, o.id, 200*time.Millisecond), again.Stop()); err != nil {
				return Scene{}, err
			}
			return sh.scene(o.id, SuperuserRights), nil
		},
	}
}
