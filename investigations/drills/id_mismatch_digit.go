package drills

import (
	"context"

	"github.com/jackc/pgx/v5"

	"inquest/investigations"
)

// digitOff is an order that is asked for by an id with one digit changed.
func digitOff() Drill {
	return Drill{
		ID: "id-mismatch-digit", Title: "A traffic regulation order was accepted, and does not exist", Domain: "dtro",
		Story: "A publisher sent an order and got 201. Somebody copied the id into a ticket by hand, and every update and every read of the id in the ticket says that it does not exist.",
		Truth: Truth{
			Fate: investigations.FatePresent, Standings: []investigations.Standing{investigations.Established},
			Mechanisms: []string{"id-mismatch"}, Causes: []investigations.Cause{investigations.CauseApplication},
			Why: "The id in the ticket differs from the stored one in one digit; the order is there under its right id.",
		},
		Spec: dtroSpec(),
		Stage: dtroTwin(func(_ context.Context, _ *Stage, _ *dtroService, _ *pgx.Conn, row dtroRow) (string, error) {
			id := []byte(row.id)
			if id[11]++; id[11] == '9'+1 || id[11] == 'f'+1 {
				id[11] = '0'
			}
			return string(id), nil
		}).stage,
	}
}
