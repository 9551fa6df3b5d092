package drills

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"

	"inquest/investigations"
)

// pageCorruption is an order whose page was damaged on disk and then given up.
func pageCorruption() Drill {
	return Drill{
		ID: "page-corruption", Title: "Several orders in a row are gone", Domain: "orders",
		Story: "A customer's order is gone, and so are those with the numbers around it. There had been errors on some pages of the shop, and somebody made them go away.",
		Truth: Truth{
			Fate: investigations.FateLost, Standings: []investigations.Standing{investigations.Established, investigations.Probable},
			Mechanisms: []string{"page-corruption"}, Causes: []investigations.Cause{investigations.CauseDatabase, investigations.CauseSystem},
			Why: "A page of the table was damaged on disk: checksum failures in the server log. Then a VACUUM with zero_damaged_pages gave the page up, with every order on it.",
		},
		Spec:  ServerSpec{Settings: connected("%m [%p] %q%u@%d/%a ", nil), Checksums: true},
		Stage: stagePageCorruption,
	}
}

func stagePageCorruption(ctx context.Context, s *Stage) (Scene, error) {
	sh, err := openShop(ctx, s, nil)
	if err != nil {
		return Scene{}, err
	}
	pace := Pace{8 * time.Millisecond, 40 * time.Millisecond}
	traffic := s.Traffic(ctx, sh.app(), 3, pace, sh.step)
	o, err := sh.placeOne(ctx)
	if err != nil {
		return Scene{}, err
	}
	if err := errors.Join(s.Pause(ctx, 300*time.Millisecond), traffic.Stop()); err != nil {
		return Scene{}, err
	}
	if err := s.damagePage(ctx, o.id); err != nil {
		return Scene{}, err
	}
	conn, err := s.Connect(ctx, sh.app())
	if err != nil {
		return Scene{}, err
	}
	if _, err := sh.fetch(ctx, conn, o.id); err == nil {
		return Scene{}, errors.New("the damaged page was read without an error")
	}
	sh.answered(time.Now(), "GET", "/orders/"+o.key(), 500, o.key(), "database error XX001")
	admin := Session{Database: shopDatabase, App: "psql", Simple: true}
	err = errors.Join(s.Leave(ctx, conn), s.Pause(ctx, 200*time.Millisecond), s.vacuumDamaged(ctx, admin), sh.missing(ctx, o.id, 150*time.Millisecond))
	if err != nil {
		return Scene{}, err
	}
	return sh.scene(o.id, KitRights), nil
}

// damagePage stops the server, overwrites a part of the page that an order is
// on, and starts the server again.
func (s *Stage) damagePage(ctx context.Context, id int64) error {
	conn, err := s.Connect(ctx, Session{Database: shopDatabase, App: "health"})
	if err != nil {
		return err
	}
	var path string
	var block int64
	err = conn.QueryRow(ctx, "SELECT pg_relation_filepath('orders'), (ctid::text::point)[0]::bigint FROM orders WHERE id = $1", id).Scan(&path, &block)
	if err := errors.Join(err, s.Leave(ctx, conn), s.Server.Stop(ctx)); err != nil {
		return fmt.Errorf("find the order's page: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(s.Server.DataDir(), path), os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("open the table's file: %w", err)
	}
	// Not zeros: the middle of a page that is not full holds nothing else.
	const pageSize = 8192
	_, err = f.WriteAt(bytes.Repeat([]byte{0xa5}, 1024), block*pageSize+2048)
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("damage a page: %w", err)
	}
	return s.Server.Start(ctx)
}

func (s *Stage) vacuumDamaged(ctx context.Context, who Session) error {
	conn, err := s.Connect(ctx, who)
	if err != nil {
		return err
	}
	for _, sql := range []string{"SET zero_damaged_pages = on", "VACUUM (DISABLE_PAGE_SKIPPING) orders", "REINDEX TABLE orders"} {
		if _, err := conn.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
	}
	return s.Leave(ctx, conn)
}
