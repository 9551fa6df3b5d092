package drills

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
)

// update changes an order: the version before it goes to the history first, in
// a transaction of its own. It returns the status of the answer.
func (s *dtroService) update(ctx context.Context, conn *pgx.Conn, r dtroRow, as publisher) (int, error) {
	begun := time.Now()
	endpoint := "/dtros/updateFromBody/" + r.id
	found, err := one(ctx, conn, `SELECT 1 FROM "Dtros" AS d WHERE d."Id" = $1 AND NOT d."Deleted"`, r.id)
	if err != nil {
		return 0, err
	}
	if !found {
		s.logs.error(time.Now(), "UpdateFromBody", endpoint, fmt.Sprintf("TRO '%s' not found", r.id), "not found", "not found")
		s.logs.request(begun, time.Now(), as, "PUT", endpoint, 404)
		return 404, nil
	}
	_, err = conn.Exec(ctx, `INSERT INTO "DtroHistories" ("Id", "Created", "CurrentTraOwner", "Data", "Deleted", "DeletionTime", "DtroId", "LastUpdated", "SchemaVersion", "TraCreator")
		SELECT $1, "Created", "CurrentTraOwner", "Data", "Deleted", "DeletionTime", "Id", date_trunc('second', now()), "SchemaVersion", "TraCreator" FROM "Dtros" WHERE "Id" = $2`, newUUID(), r.id)
	if err != nil {
		return 0, fmt.Errorf("store history: %w", err)
	}
	at := time.Now().UTC().Truncate(time.Second)
	if _, err = conn.Exec(ctx, `UPDATE "Dtros" SET "Data" = $1, "LastUpdated" = $2 WHERE "Id" = $3`, dtroData(r.owner, r.reference, 1+rand.IntN(3), at), at, r.id); err != nil {
		return 0, fmt.Errorf("update: %w", err)
	}
	s.logs.info(time.Now(), "UpdateFromBody", endpoint, fmt.Sprintf("appId: '%s', unique identifier: '%s' and body 'DfT.DTRO.Models.DtroDtos.DtroSubmit'", as.appID, r.id), "CreateFromFile")
	s.logs.request(begun, time.Now(), as, "PUT", endpoint, 200)
	return 200, nil
}

// read fetches an order and returns the status of the answer.
func (s *dtroService) read(ctx context.Context, conn *pgx.Conn, id string, as publisher) (int, error) {
	begun := time.Now()
	endpoint := "/dtros/" + id
	found, err := one(ctx, conn, `SELECT 1 FROM "Dtros" AS d WHERE d."Id" = $1 AND NOT d."Deleted" LIMIT 1`, id)
	if err != nil {
		return 0, err
	}
	status := 200
	if found {
		s.logs.info(time.Now(), "GetById", endpoint, fmt.Sprintf("appId: '%s' and unique identifier '%s'", as.appID, id), "GetById")
	} else {
		status = 404
		s.logs.error(time.Now(), "GetById", endpoint, fmt.Sprintf("TRO '%s' not found", id), fmt.Sprintf("Dtro '%s' has either been deleted or cannot be found.", id), "not found")
	}
	s.logs.request(begun, time.Now(), as, "GET", endpoint, status)
	return status, nil
}

// remove sets the flag that hides an order.
func (s *dtroService) remove(ctx context.Context, conn *pgx.Conn, r dtroRow) error {
	begun := time.Now()
	endpoint := "/dtros/" + r.id
	if _, err := conn.Exec(ctx, `UPDATE "Dtros" SET "Deleted" = $1, "DeletionTime" = $2 WHERE "Id" = $3`, true, time.Now().UTC(), r.id); err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	s.logs.info(time.Now(), "Delete", endpoint, fmt.Sprintf("appId: '%s' and unique identifier '%s'", r.owner.appID, r.id), "Delete")
	s.logs.request(begun, time.Now(), r.owner, "DELETE", endpoint, 204)
	return nil
}

// events computes the events of the last minutes as the service does: from the rows.
func (s *dtroService) events(ctx context.Context, conn *pgx.Conn, as publisher) error {
	begun := time.Now()
	since := begun.Add(-2 * time.Minute).UTC()
	if err := touch(ctx, conn, `SELECT d."Id", d."Created", d."LastUpdated", d."DeletionTime", d."Data" FROM "Dtros" AS d
		WHERE d."Created" >= $1 OR d."LastUpdated" >= $1 OR d."DeletionTime" >= $1`, since); err != nil {
		return err
	}
	s.logs.info(time.Now(), "Events", "/events", fmt.Sprintf("appId '%s' and body 'DfT.DTRO.Models.Search.DtroEventSearch'", as.appID), "Events")
	s.logs.request(begun, time.Now(), as, "POST", "/events", 200)
	return nil
}

// poisoned is a wide query for events that meets an order without provisions:
// the whole answer is an error.
func (s *dtroService) poisoned(at time.Time, as publisher) {
	const text = "Value cannot be null. (Parameter 'source')"
	s.logs.error(at, "Events", "/events", text, text, text)
	s.logs.request(at.Add(-700*time.Millisecond), at, as, "POST", "/events", 400)
}
