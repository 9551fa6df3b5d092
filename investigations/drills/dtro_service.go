package drills

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// dtroService simulates a build of the service that is newer than the public
// one: a create is one transaction with its metric, and is answered before that
// transaction has ended.
type dtroService struct {
	logs *dtroLogs
	pubs []publisher

	mu   sync.Mutex
	live []dtroRow
}

func (s *dtroService) any() dtroRow {
	s.mu.Lock()
	defer s.mu.Unlock()
	return pick(s.live)
}

func (s *dtroService) add(r dtroRow) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.live = append(s.live, r)
}

// take removes an order from those that the traffic uses.
func (s *dtroService) take() dtroRow {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := rand.IntN(len(s.live))
	r := s.live[i]
	s.live = append(s.live[:i], s.live[i+1:]...)
	return r
}

const dtroInsert = `INSERT INTO "Dtros" ("Id", "ApplicationId", "Created", "CurrentTraOwner", "Data", "Deleted", "DeletionTime", "LastUpdated", "Location", "OrderReportingPoints", "RegulatedPlaceTypes", "RegulationEnd", "RegulationStart", "RegulationTypes", "SchemaVersion", "TraCreator", "TroName", "VehicleTypes")
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)`

// create stores an order and reports whether it did. answered is called with the
// 201, which goes out before the transaction has ended.
func (s *dtroService) create(ctx context.Context, conn *pgx.Conn, row dtroRow, answered func(time.Time)) (bool, error) {
	begun := time.Now()
	p := row.owner
	if err := touch(ctx, conn, `SELECT d."Id", d."AppId", d."Name", d."Prefix", d."TraId", d."UserGroup" FROM "DtroUsers" AS d WHERE d."AppId" = $1 LIMIT 1`, p.appID); err != nil {
		return false, err
	}
	tx, err := conn.Begin(ctx)
	if err != nil {
		return false, fmt.Errorf("create: %w", err)
	}
	at := begun.UTC().Truncate(time.Second)
	_, err = tx.Exec(ctx, dtroInsert, row.id, nil, at, p.tra, dtroData(p, row.reference, 1+rand.IntN(3), at), false, nil, at, place(),
		[]string{"ttroTtmoByOrder"}, []string{"regulationLocation"}, at.AddDate(0, 2, 0), at.AddDate(0, 0, 3), []string{"miscPROWClosure"}, "3.5.0", p.tra, "Temporary order "+row.reference, []string{"all"})
	if err == nil {
		now := time.Now()
		s.logs.info(now, "CreateFromBody", "/dtros/createFromBody", fmt.Sprintf("appId: '%s' and body 'DfT.DTRO.Models.DtroDtos.DtroSubmit'", p.appID), "CreateFromBody")
		s.logs.request(begun, now, p, "POST", "/dtros/createFromBody", 201)
		answered(now)
		err = s.metric(ctx, tx, p, "SubmissionCount")
	}
	if err == nil {
		err = tx.Commit(ctx)
	}
	if err == nil {
		return true, nil
	}
	return false, errors.Join(s.createFailed(err), tx.Rollback(ctx))
}

// createFailed logs, without an id, that storing failed. A refusal by the server
// is part of the story; anything else is an error of the drill.
func (s *dtroService) createFailed(err error) error {
	var refused *pgconn.PgError
	if !errors.As(err, &refused) {
		return fmt.Errorf("create: %w", err)
	}
	s.logs.error(time.Now(), "CreateFromBody", "/dtros/createFromBody", "Unable to save record(s) to the database", refused.Code+": "+refused.Message, "Unable to save record(s) to the database")
	return nil
}

func (s *dtroService) metric(ctx context.Context, tx pgx.Tx, p publisher, column string) error {
	var id string
	if err := tx.QueryRow(ctx, `SELECT m."Id"::text FROM "Metrics" AS m WHERE m."DtroUserId" = $1 AND m."ForDate" = current_date LIMIT 1`, p.userID).Scan(&id); err != nil {
		return fmt.Errorf("read the metric: %w", err)
	}
	_, err := tx.Exec(ctx, `UPDATE "Metrics" SET "`+column+`" = "`+column+`" + 1 WHERE "Id" = $1`, id)
	return err
}

// step is one request of the ordinary traffic. The first publisher's own client
// does not take part.
func (s *dtroService) step(ctx context.Context, conn *pgx.Conn) error {
	as := pick(s.pubs[1:])
	r := s.any()
	var err error
	switch n := rand.IntN(20); {
	case n < 7:
		row := dtroRow{id: newUUID(), reference: fmt.Sprintf("%d/TTRO/%05d", as.tra, 20000+rand.IntN(70000)), owner: as, created: time.Now()}
		var stored bool
		if stored, err = s.create(ctx, conn, row, func(time.Time) {}); stored {
			s.add(row)
		}
	case n < 11:
		_, err = s.update(ctx, conn, r, r.owner)
	case n < 18:
		_, err = s.read(ctx, conn, r.id, as)
	default:
		err = s.events(ctx, conn, as)
	}
	return err
}
