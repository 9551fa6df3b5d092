package drills

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// unfinished is a booking that is confirmed in a transaction which does not end
// while the drill plays.
func unfinished(ctx context.Context, s *Stage, serverLog string, leave func(*pgx.Conn, *Scene) error) (Scene, error) {
	h, err := openHotel(ctx, s, nil)
	if err != nil {
		return Scene{}, err
	}
	traffic := s.Traffic(ctx, h.app(), 3, Pace{8 * time.Millisecond, 40 * time.Millisecond}, h.step)
	conn, err := s.Connect(ctx, h.app())
	if err != nil {
		return Scene{}, err
	}
	if err := s.Pause(ctx, 300*time.Millisecond); err != nil {
		return Scene{}, err
	}
	begun, b := time.Now(), newBooking()
	if err := script(ctx, conn, "BEGIN"); err != nil {
		return Scene{}, err
	}
	if _, err := conn.Exec(ctx, bookingInsert, b.code, b.room, b.guest, b.channel, 3); err != nil {
		return Scene{}, fmt.Errorf("book: %w", err)
	}
	h.confirmed(begun, b)
	scene := h.scene(b.code, KitRights, serverLog)
	err = errors.Join(leave(conn, &scene), h.missing(ctx, b.code, 300*time.Millisecond), traffic.Stop())
	return scene, err
}
