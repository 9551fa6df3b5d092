package drills

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"inquest/investigations"
)

// tableReloaded is an order in a table that somebody filled again from a dump that
// is older than the order.
func tableReloaded() Drill {
	return Drill{
		ID: "table-reloaded", Title: "Orders of this morning are unknown", Domain: "orders",
		Story: "A customer's order of this morning is unknown; the customer had seen it in their account. Older orders are there. Somebody of operations had repaired something in the orders that a bad import had left.",
		Truth: Truth{
			Fate: investigations.FateLost, Standings: []investigations.Standing{investigations.Established, investigations.Probable},
			Mechanisms: []string{"restored-backup"}, Causes: []investigations.Cause{investigations.CauseAccidental}, OrNone: true,
			Why: "Somebody emptied the orders and filled them again from an older dump, in one transaction: every row has the same xmin, and none is as young as the order. The sequence was set back with them.",
		},
		Spec:  ServerSpec{Settings: connected("%m [%p] %q%u@%d/%a ", map[string]string{"log_statement": "mod"})},
		Stage: stageTableReloaded,
	}
}

// dump is a copy of tables as pg_dump makes it.
type dump struct {
	tables []string
	rows   map[string][]byte
	after  string // sets the sequence
}

func takeDump(ctx context.Context, conn *pgx.Conn, tables ...string) (dump, error) {
	d := dump{tables: tables, rows: map[string][]byte{}}
	for _, t := range tables {
		var b bytes.Buffer
		if _, err := conn.PgConn().CopyTo(ctx, &b, "COPY public."+t+" TO stdout"); err != nil {
			return d, fmt.Errorf("dump %s: %w", t, err)
		}
		d.rows[t] = b.Bytes()
	}
	err := conn.QueryRow(ctx, "SELECT format('SELECT pg_catalog.setval(''public.orders_id_seq'', %s, true)', last_value) FROM orders_id_seq").Scan(&d.after)
	if err != nil {
		return d, fmt.Errorf("dump the sequence: %w", err)
	}
	return d, nil
}

// reload empties the tables and fills them again, in one transaction.
func (d dump) reload(ctx context.Context, conn *pgx.Conn) error {
	if err := script(ctx, conn, "BEGIN"); err != nil {
		return err
	}
	if err := script(ctx, conn, "TRUNCATE orders CASCADE"); err != nil {
		return err
	}
	for _, t := range d.tables {
		if _, err := conn.PgConn().CopyFrom(ctx, bytes.NewReader(d.rows[t]), "COPY public."+t+" FROM stdin"); err != nil {
			return fmt.Errorf("fill %s: %w", t, err)
		}
	}
	return errors.Join(script(ctx, conn, d.after), script(ctx, conn, "COMMIT"))
}

func stageTableReloaded(ctx context.Context, s *Stage) (Scene, error) {
	sh, err := openShop(ctx, s, nil)
	if err != nil {
		return Scene{}, err
	}
	backup, err := s.Connect(ctx, Session{Role: "shop_owner", Database: shopDatabase, App: "pg_dump", Simple: true})
	if err != nil {
		return Scene{}, err
	}
	d, err := takeDump(ctx, backup, "orders", "order_lines")
	if err := errors.Join(err, s.Leave(ctx, backup)); err != nil {
		return Scene{}, err
	}
	who := sh.app()
	who.PerRequest = true
	traffic := s.Traffic(ctx, who, 3, Pace{8 * time.Millisecond, 40 * time.Millisecond}, sh.step)
	if err := s.Pause(ctx, 300*time.Millisecond); err != nil {
		return Scene{}, err
	}
	for range 6 {
		if _, err := sh.placeOne(ctx); err != nil {
			return Scene{}, err
		}
	}
	victim, err := sh.placeOne(ctx)
	if err != nil {
		return Scene{}, err
	}
	if err := errors.Join(s.Pause(ctx, 200*time.Millisecond), traffic.Stop()); err != nil {
		return Scene{}, err
	}
	operator, err := s.Connect(ctx, Session{Role: "shop_owner", Database: shopDatabase, App: "psql", Simple: true})
	if err != nil {
		return Scene{}, err
	}
	err = errors.Join(s.Pause(ctx, 250*time.Millisecond), script(ctx, operator, "SELECT count(*) FROM orders"), d.reload(ctx, operator),
		s.Pause(ctx, 250*time.Millisecond), s.Leave(ctx, operator))
	if err != nil {
		return Scene{}, err
	}
	// Only reads, and two orders that get numbers again which were given out before.
	again := s.Traffic(ctx, who, 2, Pace{8 * time.Millisecond, 40 * time.Millisecond}, sh.reads)
	for range 2 {
		o, err := sh.placeOne(ctx)
		if err != nil {
			return Scene{}, err
		}
		if o.id >= victim.id {
			return Scene{}, errors.New("the sequence was not set back")
		}
	}
	if err := errors.Join(sh.missing(ctx, victim.id, 200*time.Millisecond), again.Stop()); err != nil {
		return Scene{}, err
	}
	return sh.scene(victim.id, KitRights), nil
}
