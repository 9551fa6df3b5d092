package drills

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"inquest/investigations"
)

// swallowed is a booking whose INSERT succeeds and stores no row.
type swallowed struct {
	schema string // what swallows it, and neighbours that do not
	guest  string
	nights int
}

// swallowedWhen is a booking that a trigger drops by its WHEN condition.
func swallowedWhen() Drill {
	w := swallowed{guest: "Harbour Tours", nights: 35, schema: `
CREATE FUNCTION tidy_guest() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.guest := btrim(NEW.guest); RETURN NEW; END $$;
CREATE TRIGGER a_tidy_guest BEFORE INSERT ON bookings FOR EACH ROW EXECUTE FUNCTION tidy_guest();
CREATE FUNCTION to_contracts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- long stays are kept by the contracts department
  RETURN NULL;
END $$;
CREATE TRIGGER b_to_contracts BEFORE INSERT ON bookings FOR EACH ROW WHEN (NEW.channel = 'partner' AND NEW.nights > 28) EXECUTE FUNCTION to_contracts();`}
	return w.drill("swallowed-when", "One partner's booking never arrived", neverWritten("write-swallowed", investigations.CauseDatabase,
		"A BEFORE INSERT trigger drops partners' bookings of more than 28 nights by its WHEN condition, which this booking's values meet and no other's of that time: the INSERT is logged, succeeded with no row, and WAL has no tuple. Another trigger on the table lets every row pass."))
}

// ruleInstead is a booking that a rewrite rule drops.
func ruleInstead() Drill {
	w := swallowed{guest: "Walk-in", nights: 1, schema: `
CREATE RULE no_walk_ins AS ON INSERT TO bookings WHERE NEW.guest = 'Walk-in' DO INSTEAD NOTHING;`}
	return w.drill("rule-instead", "A booking made at the desk never arrived", neverWritten("write-swallowed", investigations.CauseDatabase,
		"A rule on the table does INSTEAD NOTHING for guests named Walk-in: the INSERT is logged, succeeded with no row, and WAL has no tuple."))
}

func (w swallowed) drill(id, title string, truth Truth) Drill {
	return Drill{
		ID: id, Title: title, Domain: "bookings", Story: hotelStory + " The service logged no error.", Truth: truth,
		Spec: ServerSpec{Settings: connected("%m [%p] %q%u@%d/%a xid=%x ", map[string]string{"log_statement": "mod"})}, Stage: w.stage,
	}
}

func (w swallowed) stage(ctx context.Context, s *Stage) (Scene, error) {
	h, err := openHotel(ctx, s, nil, w.schema)
	if err != nil {
		return Scene{}, err
	}
	code, err := h.run(ctx, func(conn *pgx.Conn) (string, error) {
		begun, b := time.Now(), newBooking()
		b.guest, b.channel = w.guest, "partner"
		if err := h.quote(ctx, conn, b); err != nil {
			return "", err
		}
		tag, err := conn.Exec(ctx, bookingInsert, b.code, b.room, b.guest, b.channel, w.nights)
		if err != nil {
			return "", fmt.Errorf("book: %w", err)
		}
		if tag.RowsAffected() != 0 {
			return "", errors.New("the booking was stored")
		}
		h.confirmed(begun, b)
		return b.code, nil
	})
	if err != nil {
		return Scene{}, err
	}
	return h.scene(code, KitRights), nil
}
