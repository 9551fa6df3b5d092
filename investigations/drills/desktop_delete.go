package drills

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
)

// desktopDelete is an order deleted in a desktop client, which holds several
// sessions of the same person.
func desktopDelete() Drill {
	m := manualDelete{logConnections: true, pooled: true, prefix: "%m [%p] %q%u@%d/%a ", logs: "mod", by: inDesktopClient}
	return m.drill("desktop-delete", byHand("Somebody with a personal login deleted the order's row in the grid of a desktop client, which sends DELETE by key over the extended protocol. The logged statement and the session's name show it; two more sessions of the same person did nothing."))
}

func inDesktopClient(ctx context.Context, s *Stage, victim order) error {
	var conns []*pgx.Conn
	for _, app := range []string{"DBeaver 24.2.0 - Main <shop>", "DBeaver 24.2.0 - Metadata <shop>", "DBeaver 24.2.0 - SQLEditor <Script-3.sql>"} {
		conn, err := s.Connect(ctx, Session{Role: shopPerson, Database: shopDatabase, App: app})
		if err != nil {
			return err
		}
		conns = append(conns, conn)
	}
	main, meta, editor := conns[0], conns[1], conns[2]
	err := errors.Join(
		touch(ctx, meta, "SELECT c.oid, c.relname FROM pg_catalog.pg_class c WHERE c.relname = $1", "orders"), s.Pause(ctx, 150*time.Millisecond),
		touch(ctx, editor, "SELECT * FROM orders WHERE reference = $1", victim.reference), s.Pause(ctx, 350*time.Millisecond),
		tagged(ctx, editor, "DELETE FROM public.orders\n\tWHERE id=$1", victim.id), s.Pause(ctx, 200*time.Millisecond),
		touch(ctx, main, "SELECT 1"))
	for _, conn := range conns {
		err = errors.Join(err, s.Leave(ctx, conn))
	}
	return err
}
