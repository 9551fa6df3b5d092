package drills

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"inquest/investigations"
)

// triggerDelete is a booking that went when its room was closed: a trigger on
// rooms clears the room, and takes those of the future, too.
func triggerDelete() Drill {
	const trigger = `
ALTER TABLE rooms ADD closed boolean NOT NULL DEFAULT false;
CREATE FUNCTION clear_room() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM bookings WHERE room_id = NEW.id AND status = 'confirmed';
  RETURN NULL;
END $$;
CREATE TRIGGER clear_room AFTER UPDATE OF closed ON rooms FOR EACH ROW WHEN (NEW.closed) EXECUTE FUNCTION clear_room();`
	return Drill{
		ID: "trigger-delete", Title: "A booking went, and nobody touched bookings", Domain: "bookings",
		Story: "A guest arrives and the desk does not find the booking. The desk has only changed data of rooms that day.",
		Truth: deletedBy("trigger-delete", investigations.CauseDatabase,
			"The service closed the room, and a trigger on rooms deleted the room's bookings in the same transaction. No foreign key cascades that way."),
		Spec: ServerSpec{Settings: connected("%m [%p] %q%u@%d/%a ", map[string]string{"log_statement": "mod"})},
		Stage: func(ctx context.Context, s *Stage) (Scene, error) {
			h, err := openHotel(ctx, s, nil, trigger)
			if err != nil {
				return Scene{}, err
			}
			code, err := h.run(ctx, func(conn *pgx.Conn) (string, error) {
				b, err := h.bookAndFind(ctx)
				if err != nil {
					return "", err
				}
				begun := time.Now()
				err = errors.Join(s.Pause(ctx, 250*time.Millisecond), tagged(ctx, conn, "UPDATE rooms SET closed = true WHERE id = $1", b.room))
				h.answered(begun, "PATCH", fmt.Sprintf("/rooms/%d", b.room), 200, "", "room closed")
				return b.code, err
			})
			if err != nil {
				return Scene{}, err
			}
			return h.scene(code, KitRights), nil
		},
	}
}
