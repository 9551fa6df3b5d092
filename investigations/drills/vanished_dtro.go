package drills

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"inquest/investigations"
)

// vanishedID is the id of the incident that the project was begun for.
const vanishedID = "e7a4bff2-adc7-4847-a9d8-25734601b405"

// vanishedDtro is the default drill: a create is answered 201, and the id is
// never seen again.
func vanishedDtro() Drill {
	return Drill{
		ID:    "vanished-dtro",
		Title: "A traffic regulation order was accepted, and does not exist",
		Story: "A publisher sent an order and got 201 with an id. Every update and every read of that id since then says that it does not exist. " +
			"Nobody called delete, and the events list never showed it. This re-enacts one supposition about a real incident, whose cause was never published.",
		Domain: "dtro",
		Truth: Truth{
			Fate:       investigations.FateNeverCommitted,
			Standings:  []investigations.Standing{investigations.Established},
			Mechanisms: []string{"rolled-back"},
			Causes:     []investigations.Cause{investigations.CauseApplication},
			Why: "The service answered 201 before its transaction had ended. The metrics row was locked by a roll-up, the update of it ran into the " +
				"statement timeout, and the transaction that had inserted the order was rolled back: an insert and an ABORT in WAL, a 57014 in the server log.",
		},
		Spec: ServerSpec{Settings: map[string]string{
			"log_line_prefix": "%m [%p]: [%l-1] db=%d,user=%u ", "log_statement": "none", "log_min_duration_statement": "-1",
			"max_connections": "25",
		}},
		Stage: stageVanishedDtro,
	}
}

func stageVanishedDtro(ctx context.Context, s *Stage) (Scene, error) {
	svc, err := openDtro(ctx, s)
	if err != nil {
		return Scene{}, err
	}
	traffic := s.Traffic(ctx, Session{Role: dtroRole, Database: dtroDatabase}, 4, Pace{8 * time.Millisecond, 45 * time.Millisecond}, svc.step)
	if err := svc.playVanished(ctx, s); err != nil {
		return Scene{}, err
	}
	if err := traffic.Stop(); err != nil {
		return Scene{}, err
	}
	return Scene{
		Record: vanishedID, DBs: []Connection{s.Connection("prod", dtroDatabase, KitRights)}, AppRole: dtroRole,
		Logs: append([]string{s.Server.LogFile()}, svc.logs.paths()...),
	}, nil
}

// openDtro makes the database with its orders and the logs of the hours before.
func openDtro(ctx context.Context, s *Stage) (*dtroService, error) {
	err := s.Provision(ctx, Database{
		Name: dtroDatabase, Owner: dtroRole, Roles: []string{"reporting", "support_portal"},
		Schema: []string{dtroTables, dtroRegistry, dtroMigrations, `
			GRANT SELECT, UPDATE ON "Metrics" TO reporting;
			GRANT SELECT, DELETE ON "Users", "Applications" TO support_portal`},
	})
	if err != nil {
		return nil, err
	}
	conn, err := s.Connect(ctx, Session{Role: dtroRole, Database: dtroDatabase})
	if err != nil {
		return nil, err
	}
	svc := &dtroService{pubs: newPublishers()}
	if err := seedPublishers(ctx, conn, svc.pubs); err != nil {
		return nil, err
	}
	now := time.Now()
	rows, err := seedDtros(ctx, conn, svc.pubs, now)
	if err != nil {
		return nil, err
	}
	if svc.logs, err = newDtroLogs(s); err != nil {
		return nil, err
	}
	svc.logs.history(rows, svc.pubs[0], now)
	svc.live = slices.DeleteFunc(rows, func(r dtroRow) bool { return r.unusable })
	if err := s.Leave(ctx, conn); err != nil {
		return nil, err
	}
	return svc, s.Do(ctx, Session{Database: "postgres", App: "provision", Simple: true}, `ALTER ROLE dtro SET statement_timeout = '600ms'`)
}

// playVanished is the incident itself, in step with what else goes on.
func (s *dtroService) playVanished(ctx context.Context, st *Stage) error {
	rollup := make(chan error, 1)
	created := make(chan error, 1)
	answered := make(chan time.Time, 1)
	conn, err := st.Connect(ctx, Session{Role: dtroRole, Database: dtroDatabase})
	if err != nil {
		return err
	}
	record := dtroRow{id: vanishedID, reference: fmt.Sprintf("%d/TTRO/11873", s.pubs[0].tra), owner: s.pubs[0]}
	if err := errors.Join(st.Pause(ctx, 350*time.Millisecond), s.clientCreates(ctx, conn)); err != nil {
		return err
	}
	locked := make(chan struct{})
	go func() { rollup <- rollUp(ctx, st, s.pubs[0].userID, 1100*time.Millisecond, locked) }()
	select {
	case <-locked:
	case err := <-rollup:
		return errors.Join(errors.New("the roll-up did not lock"), err)
	}
	go func() {
		stored, err := s.create(ctx, conn, record, func(at time.Time) { answered <- at })
		if stored {
			err = errors.New("the record was stored after all")
		}
		created <- err
	}()
	select {
	case at := <-answered:
		s.logs.record(at.Add(9*time.Millisecond), "createFromBody", 201, record.id, record.reference)
		err = s.meanwhile(ctx, st)
	case err = <-created:
		created <- err
	}
	if err := errors.Join(err, <-created, <-rollup); err != nil {
		return err
	}
	return s.followUp(ctx, st, conn, record)
}

// clientCreates is an earlier create of the same client, which goes well.
func (s *dtroService) clientCreates(ctx context.Context, conn *pgx.Conn) error {
	row := dtroRow{id: newUUID(), reference: fmt.Sprintf("%d/TTRO/11872", s.pubs[0].tra), owner: s.pubs[0]}
	stored, err := s.create(ctx, conn, row, func(at time.Time) {
		s.logs.record(at.Add(8*time.Millisecond), "createFromBody", 201, row.id, row.reference)
	})
	if err == nil && !stored {
		err = errors.New("the earlier create was not stored")
	}
	return err
}

// rollUp is the nightly summing up of metrics, which holds its rows locked for a while.
func rollUp(ctx context.Context, st *Stage, user string, hold time.Duration, locked chan<- struct{}) error {
	conn, err := st.Connect(ctx, Session{Role: "reporting", Database: dtroDatabase, App: "metrics-rollup"})
	if err != nil {
		return err
	}
	tx, err := conn.Begin(ctx)
	if err != nil {
		return fmt.Errorf("roll up: %w", err)
	}
	if err := touch(ctx, conn, `SELECT * FROM "Metrics" WHERE "DtroUserId" = $1 FOR UPDATE`, user); err != nil {
		return err
	}
	close(locked)
	return errors.Join(st.Pause(ctx, hold), tx.Commit(ctx), st.Leave(ctx, conn))
}

// meanwhile is what else happens while the create hangs: somebody deletes an
// order of their own, a portal is refused, and a wide query for events fails.
func (s *dtroService) meanwhile(ctx context.Context, st *Stage) error {
	conn, err := st.Connect(ctx, Session{Role: dtroRole, Database: dtroDatabase})
	if err != nil {
		return err
	}
	if err := errors.Join(st.Pause(ctx, 120*time.Millisecond), s.remove(ctx, conn, s.take()), st.Leave(ctx, conn)); err != nil {
		return err
	}
	s.poisoned(time.Now(), s.pubs[3])
	err = st.Do(ctx, Session{Role: "support_portal", Database: dtroDatabase, App: "support-portal"}, `DELETE FROM "Users" WHERE "Surname" = 'Publisher Dun'`)
	var refused *pgconn.PgError
	if err == nil || !errors.As(err, &refused) || refused.Code != "23503" {
		return errors.Join(errors.New("the portal was not refused"), err)
	}
	return nil
}

// followUp is the client coming back for its order.
func (s *dtroService) followUp(ctx context.Context, st *Stage, conn *pgx.Conn, record dtroRow) error {
	for _, call := range []string{"updateFromBody", "getById", "updateFromBody"} {
		if err := st.Pause(ctx, 200*time.Millisecond); err != nil {
			return err
		}
		var status int
		var err error
		if call == "getById" {
			status, err = s.read(ctx, conn, record.id, record.owner)
		} else {
			status, err = s.update(ctx, conn, record, record.owner)
		}
		if err == nil && status != 404 {
			err = fmt.Errorf("%s of the record answered %d", call, status)
		}
		if err != nil {
			return err
		}
		s.logs.record(time.Now(), call, status, record.id, record.reference)
	}
	return st.Leave(ctx, conn)
}
