package drills

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// early is a shop that answers an order before its transaction has ended: the
// ground of every incident in which the transaction then does not commit.
type early struct {
	roles  []string
	schema []string // extra scripts
	app    Session  // the zero Session is the service's own
	iso    pgx.TxIsoLevel
	// before plays while traffic runs, before the order comes in.
	before func(ctx context.Context, sh *shop) error
	// end is what becomes of the transaction after the answer.
	end func(ctx context.Context, sh *shop, conn *pgx.Conn, tx pgx.Tx, o *order) error
	// after plays when it has ended, while traffic still runs.
	after  func(ctx context.Context, sh *shop) error
	rights Rights
	skew   time.Duration // of the service's clock
}

const earlyStory = "The order was confirmed to the customer with its number, and the shop has answered 404 for that number ever since. No other order of that minute is missing."

func (e early) stage(ctx context.Context, s *Stage) (Scene, error) {
	sh, err := openShop(ctx, s, e.roles, e.schema...)
	if err != nil {
		return Scene{}, err
	}
	sh.skew = e.skew
	traffic := s.Traffic(ctx, sh.app(), 3, Pace{8 * time.Millisecond, 40 * time.Millisecond}, sh.step)
	if err := errors.Join(s.Pause(ctx, 250*time.Millisecond), e.play(ctx, sh, e.before)); err != nil {
		return Scene{}, err
	}
	o, err := e.record(ctx, sh)
	if err != nil {
		return Scene{}, err
	}
	err = errors.Join(e.play(ctx, sh, e.after), sh.missing(ctx, o.id, 250*time.Millisecond), s.Pause(ctx, 150*time.Millisecond), traffic.Stop())
	if err != nil {
		return Scene{}, err
	}
	return sh.scene(o.id, e.rights), nil
}

func (e early) play(ctx context.Context, sh *shop, f func(context.Context, *shop) error) error {
	if f == nil {
		return nil
	}
	return f(ctx, sh)
}

// record is the order that will be missing.
func (e early) record(ctx context.Context, sh *shop) (order, error) {
	who := e.app
	if who.Database == "" {
		who = sh.app()
	}
	conn, err := sh.st.Connect(ctx, who)
	if err != nil {
		return order{}, err
	}
	begun, o := time.Now(), newOrder()
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: e.iso})
	if err != nil {
		return o, fmt.Errorf("place the order: %w", err)
	}
	if err := o.insert(ctx, tx); err != nil {
		return o, err
	}
	sh.accepted(begun, o)
	if err := e.end(ctx, sh, conn, tx, &o); err != nil {
		return o, err
	}
	sh.st.forget(conn)
	if conn.IsClosed() {
		return o, nil
	}
	return o, closeSession(ctx, conn)
}

// refusedWith ends a transaction that the server has refused with this code; no
// refusal, or another, is an error of the drill.
func refusedWith(ctx context.Context, tx pgx.Tx, code string, err error) error {
	var refused *pgconn.PgError
	if !errors.As(err, &refused) || refused.Code != code {
		return fmt.Errorf("the server was to refuse with %s, and did: %w", code, errOrNone(err))
	}
	if rb := tx.Rollback(ctx); rb != nil && !errors.Is(rb, pgx.ErrTxClosed) {
		return fmt.Errorf("roll back: %w", rb)
	}
	return nil
}

func errOrNone(err error) error {
	if err == nil {
		return errors.New("nothing")
	}
	return err
}

// otherDeadlock is two other sessions in each other's way: one of them is
// refused, and neither has to do with an order.
func otherDeadlock(ctx context.Context, sh *shop) error {
	const one, two = "UPDATE stock SET available = available + 1 WHERE sku = 'SKU-160'", "UPDATE stock SET available = available + 1 WHERE sku = 'SKU-130'"
	errs := make(chan error, 2)
	first, err := sh.st.Connect(ctx, Session{Role: "stock_sync", Database: shopDatabase, App: "stock-sync"})
	if err != nil {
		return err
	}
	second, err := sh.st.Connect(ctx, Session{Role: "stock_sync", Database: shopDatabase, App: "stock-sync"})
	if err != nil {
		return err
	}
	for _, c := range []*pgx.Conn{first, second} {
		if err := script(ctx, c, "BEGIN"); err != nil {
			return err
		}
	}
	if err := errors.Join(script(ctx, first, one), script(ctx, second, two)); err != nil {
		return err
	}
	go func() { errs <- errors.Join(script(ctx, first, two), script(ctx, first, "COMMIT")) }()
	go func() { errs <- errors.Join(script(ctx, second, one), script(ctx, second, "COMMIT")) }()
	victims := 0
	for range 2 {
		var refused *pgconn.PgError
		switch err := <-errs; {
		case err == nil:
		case errors.As(err, &refused) && refused.Code == "40P01":
			victims++
		default:
			return err
		}
	}
	if victims != 1 {
		return fmt.Errorf("the other deadlock had %d victims", victims)
	}
	return errors.Join(sh.st.Leave(ctx, first), sh.st.Leave(ctx, second))
}

const stockSyncGrants = "GRANT SELECT, UPDATE ON stock TO stock_sync;"
