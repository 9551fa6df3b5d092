package drills

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"inquest/investigations"
)

// walRecycled is an order deleted by hand, long enough ago that neither WAL nor
// a dead row version is left.
func walRecycled() Drill {
	m := manualDelete{prefix: "%m [%p] "}
	d := m.drill("wal-recycled", Truth{
		Fate: investigations.FateDeleted, Standings: []investigations.Standing{investigations.Probable, investigations.Undetermined},
		Why: "Somebody deleted the order with psql. WAL has been recycled and the table vacuumed since then, and nothing was logged: the service's log shows that the order was there, and not what became of it.",
	})
	d.Story += " It was noticed late."
	d.Spec.Settings["min_wal_size"], d.Spec.Settings["max_wal_size"] = "32MB", "32MB"
	d.Stage = func(ctx context.Context, s *Stage) (Scene, error) {
		scene, err := m.stage(ctx, s)
		if err != nil {
			return scene, err
		}
		admin := Session{Database: shopDatabase, App: "maintenance", Simple: true}
		for range 3 {
			// Every segment is overwritten: a recycled one keeps its old content until then.
			err = errors.Join(err, s.Do(ctx, admin, "VACUUM orders, order_lines", "SELECT pg_switch_wal()", "CHECKPOINT",
				"CREATE TABLE IF NOT EXISTS import_buffer (line text); INSERT INTO import_buffer SELECT repeat(md5(n::text), 25) FROM generate_series(1, 38000) n; TRUNCATE import_buffer"))
		}
		return scene, errors.Join(err, s.Do(ctx, admin, "VACUUM orders, order_lines", "CHECKPOINT"))
	}
	return d
}

// logGap is an order deleted by hand while the server's log was lost.
func logGap() Drill {
	m := manualDelete{logConnections: true, prefix: "%m [%p] %u@%d/%a "}
	d := m.drill("log-gap", Truth{
		Fate: investigations.FateDeleted, Standings: []investigations.Standing{investigations.Established},
		Why: "Somebody deleted the order with psql, and the server log of those seconds is lost: WAL shows the delete and its commit, and the log cannot show who was connected.",
	})
	d.Stage = func(ctx context.Context, s *Stage) (Scene, error) {
		scene, err := m.stage(ctx, s)
		if err != nil {
			return scene, err
		}
		scene.Logs[0], err = withoutSession(scene.Logs[0], filepath.Join(s.Host.Dir(), "postgresql-shipped.log"), "user="+shopPerson)
		return scene, err
	}
	return d
}

// withoutSession copies a log and leaves out every line from a second before the
// first that holds the text to a tenth of a second after the last, as a lost
// batch of a log shipper does.
func withoutSession(from, to, text string) (string, error) {
	whole, err := os.ReadFile(from)
	if err != nil {
		return "", fmt.Errorf("read the server log: %w", err)
	}
	first, last := time.Time{}, time.Time{}
	eachLine(whole, func(line []byte, at time.Time) {
		if bytes.Contains(line, []byte(text)) {
			if first.IsZero() {
				first = at
			}
			last = at
		}
	})
	if first.IsZero() {
		return "", fmt.Errorf("nothing in the server log is of %s", text)
	}
	var kept bytes.Buffer
	eachLine(whole, func(line []byte, at time.Time) {
		if at.Before(first.Add(-200*time.Millisecond)) || at.After(last.Add(100*time.Millisecond)) {
			kept.Write(line)
			kept.WriteByte('\n')
		}
	})
	if err := os.WriteFile(to, kept.Bytes(), 0o600); err != nil {
		return "", fmt.Errorf("write the shipped log: %w", err)
	}
	return to, nil
}

// eachLine gives every line with its time; a line without one has that of the
// line before.
func eachLine(log []byte, f func(line []byte, at time.Time)) {
	const layout = "2006-01-02 15:04:05.000 UTC"
	at := time.Time{}
	sc := bufio.NewScanner(bytes.NewReader(log))
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		line := sc.Bytes()
		if len(line) >= len(layout) {
			if t, err := time.Parse(layout, string(line[:len(layout)])); err == nil {
				at = t
			}
		}
		f(line, at)
	}
}

// noPrivilege is an order deleted by hand, looked into by a role that may read
// tables and nothing else, without the server's log.
func noPrivilege() Drill {
	m := manualDelete{logConnections: true, prefix: "%m [%p] %u@%d/%a "}
	d := m.drill("no-privilege", Truth{
		Fate: investigations.FateDeleted, Standings: []investigations.Standing{investigations.Probable, investigations.Undetermined},
		Why: "Somebody deleted the order with psql. The investigator may read tables and nothing else, and has no server log: the row is gone, and neither WAL nor dead row versions can be read.",
	})
	d.Stage = func(ctx context.Context, s *Stage) (Scene, error) {
		scene, err := m.stage(ctx, s)
		if err != nil {
			return scene, err
		}
		scene.DBs = []Connection{s.Connection("shop", shopDatabase, ReaderRights)}
		scene.Logs = scene.Logs[1:]
		return scene, nil
	}
	return d
}

// wrongZone is a document that was never committed; the service's log is in
// another zone than the server's and does not say so.
func wrongZone() Drill {
	truth := neverCommitted("rolled-back", investigations.CauseApplication,
		"The session waited inside its transaction for longer than idle_in_transaction_session_timeout and was ended by the server: an insert and an ABORT in WAL. The service's log is on New York time without saying so, hours off the server's.")
	truth.OrNone = true
	return Drill{
		ID: "wrong-zone", Title: "A saved document does not exist", Domain: "documents",
		Story: "A document was saved, the page said so, and it cannot be opened. The logs of the service and of the database seem to be of different days.",
		Truth: truth,
		Spec:  ServerSpec{Settings: connected("%m [%p] %q%u@%d/%a ", map[string]string{"idle_in_transaction_session_timeout": "250ms", "log_timezone": "Asia/Kolkata"})},
		Stage: stageWrongZone,
	}
}

func stageWrongZone(ctx context.Context, s *Stage) (Scene, error) {
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		zone = time.FixedZone("EST", -5*60*60)
	}
	a, err := openArchive(ctx, s, zone)
	if err != nil {
		return Scene{}, err
	}
	traffic := s.Traffic(ctx, a.app(), 3, Pace{8 * time.Millisecond, 40 * time.Millisecond}, a.step)
	conn, err := s.Connect(ctx, a.app())
	if err != nil {
		return Scene{}, err
	}
	if err := errors.Join(s.Pause(ctx, 300*time.Millisecond), script(ctx, conn, "BEGIN")); err != nil {
		return Scene{}, err
	}
	d, err := a.save(ctx, conn, 5, 5)
	if err != nil {
		return Scene{}, err
	}
	if err := s.Pause(ctx, 400*time.Millisecond); err != nil {
		return Scene{}, err
	}
	if _, err := conn.Exec(ctx, "COMMIT"); err == nil {
		return Scene{}, errors.New("the session outlived its timeout")
	}
	again, err := s.Connect(ctx, a.app())
	if err != nil {
		return Scene{}, err
	}
	status, err := a.open(ctx, again, d)
	if err == nil && status != 404 {
		err = fmt.Errorf("the document answered %d and should be missing", status)
	}
	if err := errors.Join(err, s.Leave(ctx, again), s.Pause(ctx, 200*time.Millisecond), traffic.Stop()); err != nil {
		return Scene{}, err
	}
	return a.scene(d, KitRights), nil
}
