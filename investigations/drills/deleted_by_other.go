package drills

import (
	"context"

	"github.com/jackc/pgx/v5"

	"inquest/investigations"
)

// deletedByOther is an order that another publisher's application deleted.
func deletedByOther() Drill {
	truth := hidden("soft-deleted", investigations.CauseApplication,
		"Another publisher's application called DELETE for this id, and the service did not check whose it is: the row is there with Deleted and DeletionTime set, and the request is in the logs under that application.")
	truth.Causes = append(truth.Causes, investigations.CauseAccidental)
	return Drill{
		ID: "deleted-by-other", Title: "A traffic regulation order was accepted, and does not exist any more", Domain: "dtro", Story: dtroStory, Truth: truth, Spec: dtroSpec(),
		Stage: dtroTwin(func(ctx context.Context, _ *Stage, svc *dtroService, conn *pgx.Conn, row dtroRow) (string, error) {
			other := row
			other.owner = svc.pubs[4]
			return row.id, svc.remove(ctx, conn, other)
		}).stage,
	}
}
