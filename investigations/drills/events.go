package drills

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	meterDatabase = "telemetry"
	meterRole     = "ingest"
)

// meterTables keeps readings by month; %[1]s to %[3]s are this month's first
// day, the last one's and the one's before.
const meterTables = `
CREATE TABLE readings (
  id uuid NOT NULL, at timestamptz NOT NULL, device text NOT NULL, value numeric(12,3) NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE readings_oldest PARTITION OF readings FOR VALUES FROM ('%[3]s') TO ('%[2]s');
CREATE TABLE readings_last PARTITION OF readings FOR VALUES FROM ('%[2]s') TO ('%[1]s');
CREATE TABLE readings_now PARTITION OF readings FOR VALUES FROM ('%[1]s') TO (MAXVALUE);
CREATE TABLE retention_log (at timestamptz NOT NULL DEFAULT now(), did text NOT NULL);
GRANT SELECT, INSERT ON readings TO ingest;`

// meters is the service that takes readings in.
type meters struct {
	*service
	st *Stage
	// month is the first day of the last month, in which late readings fall.
	month time.Time
}

func openMeters(ctx context.Context, s *Stage) (*meters, error) {
	now := time.Now().UTC()
	month := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
	last, oldest := month.AddDate(0, -1, 0), month.AddDate(0, -2, 0)
	day := func(t time.Time) string { return t.Format("2006-01-02") }
	err := s.Provision(ctx, Database{
		Name: meterDatabase, Owner: "telemetry_owner", Roles: []string{meterRole}, MigratesAs: "migrate",
		Schema: []string{fmt.Sprintf(meterTables, day(month), day(last), day(oldest)), fmt.Sprintf(`
			INSERT INTO readings SELECT gen_random_uuid(), timestamptz '%s' + n * interval '70 minutes', 'meter-' || n %% 40, n * 1.5 FROM generate_series(1, 900) n`, day(oldest))},
	})
	if err != nil {
		return nil, err
	}
	svc, err := newService(s, "ingest", "ingest.jsonl", jsonAnswers)
	if err != nil {
		return nil, err
	}
	return &meters{service: svc, st: s, month: last}, nil
}

func (m *meters) app() Session {
	return Session{Role: meterRole, Database: meterDatabase, App: "ingest"}
}

// take stores a reading of a time.
func (m *meters) take(ctx context.Context, conn *pgx.Conn, at time.Time) (string, error) {
	begun, id := time.Now(), newUUID()
	if _, err := conn.Exec(ctx, "INSERT INTO readings (id, at, device, value) VALUES ($1, $2, $3, 21.75)", id, at, "meter-17"); err != nil {
		return id, fmt.Errorf("store a reading: %w", err)
	}
	m.answered(begun, "POST", "/readings", 201, id, "")
	return id, nil
}

func (m *meters) look(ctx context.Context, conn *pgx.Conn, id string) (int, error) {
	begun := time.Now()
	found, err := one(ctx, conn, "SELECT value FROM readings WHERE id = $1", id)
	if err != nil {
		return 0, err
	}
	status := 200
	if !found {
		status = 404
	}
	m.answered(begun, "GET", "/readings/"+id, status, id, "")
	return status, nil
}

// stage takes a late reading of the last month in, lets the retention job do its
// work, and finds the reading missing. job is the statement of the job.
func (m *meters) stage(ctx context.Context, job string) (Scene, error) {
	s := m.st
	traffic := s.Traffic(ctx, m.app(), 2, Pace{8 * time.Millisecond, 40 * time.Millisecond}, func(ctx context.Context, conn *pgx.Conn) error {
		_, err := m.take(ctx, conn, time.Now())
		return err
	})
	conn, err := s.Connect(ctx, m.app())
	if err != nil {
		return Scene{}, err
	}
	id, err := m.take(ctx, conn, m.month.Add(100*time.Hour))
	if err != nil {
		return Scene{}, err
	}
	retention := Session{Role: "telemetry_owner", Database: meterDatabase, App: "cron: partition-retention"}
	err = errors.Join(s.Pause(ctx, 500*time.Millisecond),
		s.Do(ctx, retention, "ALTER TABLE readings DETACH PARTITION readings_oldest; DROP TABLE readings_oldest; INSERT INTO retention_log (did) VALUES ('readings_oldest')"),
		s.Pause(ctx, 250*time.Millisecond), s.Do(ctx, retention, job), s.Pause(ctx, 200*time.Millisecond))
	if err != nil {
		return Scene{}, err
	}
	status, err := m.look(ctx, conn, id)
	if err == nil && status != 404 {
		err = errors.New("the reading is still there")
	}
	if err := errors.Join(err, s.Leave(ctx, conn), traffic.Stop()); err != nil {
		return Scene{}, err
	}
	return Scene{
		Record: id, DBs: []Connection{s.Connection("telemetry", meterDatabase, KitRights)}, AppRole: meterRole,
		Logs: []string{s.Server.LogFile(), m.log.Path},
	}, nil
}

const meterStory = "A meter sent its readings late, and they were accepted. Billing cannot find one of them a little later; readings of today are fine."
