package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"inquest/sources/pgserver"
	"inquest/sources/pgserver/pgservertest"
)

// incident is a record that goes missing on a real server, and the investigation of it by the command line.
type incident struct {
	t      *testing.T
	server *pgserver.Server
	// answer of the last ask
	findings
	status int
	stderr string
}

const parcels = `CREATE TABLE parcels (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	label text NOT NULL UNIQUE,
	weight numeric(8,3),
	sent_at timestamptz NOT NULL DEFAULT now(),
	deleted_at timestamptz)`

// newIncident starts a server with the settings and makes the database app with the schema, the role clerk who may
// change the rows, and the investigators kit (least privilege) and reader (rows only).
func newIncident(t *testing.T, settings map[string]string, schema ...string) *incident {
	t.Helper()
	return newIncidentOn(t, pgserver.Config{Settings: settings}, schema...)
}

func newIncidentOn(t *testing.T, cfg pgserver.Config, schema ...string) *incident {
	t.Helper()
	t.Parallel()
	in := &incident{t: t, server: pgservertest.New(t, cfg)}
	in.do("postgres", "", "CREATE DATABASE app",
		"CREATE ROLE clerk LOGIN PASSWORD 'p'; CREATE ROLE kit LOGIN PASSWORD 'p'; CREATE ROLE reader LOGIN PASSWORD 'p'")
	in.do("app", "", append(schema,
		"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO clerk",
		"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO clerk",
		"GRANT pg_monitor TO kit",
		"GRANT EXECUTE ON FUNCTION pg_read_binary_file(text,bigint,bigint,boolean) TO kit",
		"GRANT SELECT ON ALL TABLES IN SCHEMA public TO kit, reader")...)
	return in
}

// connect opens a session as a role ("" is the superuser) from a program.
func (in *incident) connect(database, role, program string) *pgx.Conn {
	in.t.Helper()
	dsn := in.server.DSN(database)
	if role != "" {
		dsn = in.server.DSNAs(role, "p", database)
	}
	cfg, err := pgx.ParseConfig(dsn)
	if err != nil {
		in.t.Fatal(err)
	}
	cfg.RuntimeParams = map[string]string{}
	if program != "" {
		cfg.RuntimeParams["application_name"] = program
	}
	conn, err := pgx.ConnectConfig(in.t.Context(), cfg)
	if err != nil {
		in.t.Fatal(err)
	}
	return conn
}

// send sends a statement as psql does, as text.
func (in *incident) send(conn *pgx.Conn, sql string) error {
	_, err := conn.PgConn().Exec(in.t.Context(), sql).ReadAll()
	return err
}

func (in *incident) must(conn *pgx.Conn, sql string) {
	in.t.Helper()
	if err := in.send(conn, sql); err != nil {
		in.t.Fatalf("%s: %v", sql, err)
	}
}

func (in *incident) leave(conn *pgx.Conn) {
	in.t.Helper()
	if err := conn.Close(context.WithoutCancel(in.t.Context())); err != nil {
		in.t.Fatal(err)
	}
}

// do connects, sends each statement and leaves.
func (in *incident) do(database, role string, statements ...string) {
	in.t.Helper()
	conn := in.connect(database, role, "")
	for _, s := range statements {
		in.must(conn, s)
	}
	in.leave(conn)
}

// parcel inserts a committed parcel and returns its id.
func (in *incident) parcel(label string) string {
	in.t.Helper()
	conn := in.connect("app", "clerk", "parcel-service")
	defer in.leave(conn)
	var id int64
	if err := conn.QueryRow(in.t.Context(), "INSERT INTO parcels (label, weight) VALUES ($1, 2.5) RETURNING id", label).Scan(&id); err != nil {
		in.t.Fatal(err)
	}
	return fmt.Sprint(id)
}

// ask runs inquest on the record as a role ("" is the superuser) and reads its findings document.
func (in *incident) ask(role, record string, flags ...string) {
	in.t.Helper()
	dsn := in.server.DSN("app")
	if role != "" {
		dsn = in.server.DSNAs(role, "p", "app")
	}
	in.run(append([]string{"run", record, "--json", "--db", dsn}, flags...)...)
}

func (in *incident) run(args ...string) {
	in.t.Helper()
	var out, errs bytes.Buffer
	cases := in.t.TempDir()
	p := &program{
		in: strings.NewReader(""), out: &out, err: &errs, now: time.Now,
		getenv: func(name string) string { return map[string]string{"INQUEST_CASES": cases}[name] },
	}
	in.status = p.execute(in.t.Context(), args)
	in.stderr = errs.String()
	f, err := parseFindings(out.Bytes())
	if err != nil {
		in.t.Fatalf("inquest %s: status %d: %v\n%s", args[0], in.status, err, in.stderr)
	}
	in.findings = f
}

// expect compares fate, standing, leading mechanism ("" is none) and exit status with the truth.
func (in *incident) expect(fate, standing, mechanism string) {
	in.t.Helper()
	lead, _ := in.leading()
	if in.Fate.Kind != fate || in.Fate.Standing != standing || lead != mechanism {
		in.t.Errorf("said %s, %s, %q; the truth is %s, %s, %q\n%s", in.Fate.Kind, in.Fate.Standing, lead, fate, standing, mechanism, in.tell())
	}
	if want := map[bool]int{true: exitSettled, false: exitUndetermined}[standing != "undetermined"]; in.status != want {
		in.t.Errorf("exit status %d, want %d", in.status, want)
	}
}

// tell says in words what was found, for a test that failed.
func (in *incident) tell() string {
	var b strings.Builder
	fmt.Fprintln(&b, in.Fate.Summary)
	for _, h := range in.Hypotheses {
		fmt.Fprintf(&b, "  %s (%s): %s\n", h.Mechanism, h.Standing, h.Summary)
	}
	for _, st := range in.Steps {
		for _, p := range st.Probes {
			fmt.Fprintf(&b, "  %s %s: %s\n", p.ID, p.Outcome, p.Summary)
		}
	}
	return b.String()
}

// log names the server's log.
func (in *incident) log() []string { return []string{"--logs", in.server.LogFile()} }

var quietLog = map[string]string{"log_statement": "none"}

func withConnections() map[string]string {
	return map[string]string{"log_statement": "none", "log_connections": "on", "log_disconnections": "on"}
}

// TestRolledBack inserts a parcel, reads its id back as an application does, and loses the transaction.
func TestRolledBack(t *testing.T) {
	for name, c := range map[string]struct {
		end       string // what ends the transaction
		mechanism string
		says      string // must stand in the summary of what leads
	}{
		"by an error": {"SELECT 1/0", "rolled-back", ""},
		"by a cancelled statement": {
			"SET LOCAL statement_timeout = '40ms'; SELECT pg_sleep(5)", "rolled-back", "57014",
		},
		"by a duplicate": {"INSERT INTO parcels (label) VALUES ('taken')", "rolled-back", "23505"},
		// A quiet log that ends before the rollback says nothing of it.
		"by itself, the log ends before": {"ROLLBACK", "", ""},
		"by itself, the log goes on":     {"ROLLBACK", "rolled-back", "plain ROLLBACK"},
	} {
		t.Run(name, func(t *testing.T) {
			in := newIncident(t, quietLog, parcels, "INSERT INTO parcels (label) VALUES ('taken')")
			conn := in.connect("app", "clerk", "parcel-service")
			in.must(conn, "BEGIN")
			var id int64
			if err := conn.QueryRow(t.Context(), "INSERT INTO parcels (label) VALUES ('vanishing') RETURNING id").Scan(&id); err != nil {
				t.Fatal(err)
			}
			for _, s := range strings.Split(c.end, "; ") {
				_ = in.send(conn, s) // the error is the incident
			}
			_ = in.send(conn, "ROLLBACK")
			in.leave(conn)
			if strings.HasSuffix(name, "goes on") {
				time.Sleep(1200 * time.Millisecond)
				in.do("app", "", "DO $$ BEGIN RAISE LOG 'a later line'; END $$")
			}
			in.parcel("later") // the ABORT is in the WAL that is flushed with it
			for _, role := range []string{"", "kit"} {
				in.ask(role, fmt.Sprint(id), append(in.log(), "--table", "parcels")...)
				in.expect("never-committed", "established", c.mechanism)
				if c.says != "" && !strings.Contains(in.Hypotheses[0].Summary, c.says) {
					t.Errorf("as %q the reason is not named: %s", role, in.Hypotheses[0].Summary)
				}
				if in.Recovered == nil || in.Recovered.Row["label"] == nil || *in.Recovered.Row["label"] != "vanishing" {
					t.Errorf("as %q recovered %+v, want the row as it was inserted", role, in.Recovered)
				}
			}
			// A role that reads rows and nothing else cannot tell, and says so.
			in.ask("reader", fmt.Sprint(id), "--table", "parcels")
			in.expect("undetermined", "undetermined", "")
			if in.outcome("database.lineage") != "blind" {
				t.Errorf("lineage is %s for a role that may not read WAL", in.outcome("database.lineage"))
			}
		})
	}
}

// TestDeletedByHand deletes a parcel as a person with psql does: connect, look, delete, look away, leave.
func TestDeletedByHand(t *testing.T) {
	for name, c := range map[string]struct {
		settings  map[string]string
		program   string
		look      time.Duration // between connecting and deleting
		beside    bool          // another session is open meanwhile
		mechanism string
	}{
		"with connection lines":            {withConnections(), "psql", 2500 * time.Millisecond, false, "manual-delete"},
		"with nothing logged":              {quietLog, "psql", 0, false, ""},
		"by a script that calls psql":      {withConnections(), "psql", 0, false, ""},
		"by a program":                     {withConnections(), "parcel-service", 2500 * time.Millisecond, false, ""},
		"while another session is open":    {withConnections(), "psql", 2500 * time.Millisecond, true, ""},
		"only disconnections are logged":   {map[string]string{"log_disconnections": "on"}, "psql", 2500 * time.Millisecond, false, ""},
		"only connections are logged":      {map[string]string{"log_connections": "on"}, "psql", 2500 * time.Millisecond, false, ""},
		"with the program in the prefix":   {withPrefix("%m [%p] %q%u@%d/%a "), "psql", 2500 * time.Millisecond, false, "manual-delete"},
		"with only the time in the prefix": {withPrefix("%m "), "psql", 2500 * time.Millisecond, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			in := newIncident(t, c.settings, parcels)
			id := in.parcel("deleted")
			if c.beside {
				other := in.connect("app", "clerk", "parcel-service")
				in.must(other, "SELECT 1")
				defer in.leave(other)
			}
			in.do("postgres", "", "CREATE ROLE jane LOGIN PASSWORD 'p' IN ROLE clerk")
			conn := in.connect("app", "jane", c.program)
			in.must(conn, "SELECT * FROM parcels")
			time.Sleep(c.look)
			before := time.Now()
			in.must(conn, "DELETE FROM parcels WHERE id = "+id)
			after := time.Now()
			if c.look > 0 {
				time.Sleep(500 * time.Millisecond)
			}
			in.leave(conn)
			in.parcel("later")
			for _, role := range []string{"", "kit"} {
				in.ask(role, id, append(in.log(), "--table", "parcels")...)
				in.expect("deleted", "established", c.mechanism)
				in.expectMoment(before, after)
				if c.mechanism != "" && !strings.Contains(in.Fate.Summary+in.Hypotheses[0].Summary, "jane") {
					t.Errorf("as %q the actor is not named: %s %s", role, in.Fate.Summary, in.Hypotheses[0].Summary)
				}
				if in.Recovered == nil || in.Recovered.Row["label"] == nil || *in.Recovered.Row["label"] != "deleted" {
					t.Errorf("as %q recovered %+v, want the row as it was", role, in.Recovered)
				}
			}
			// WAL alone: the fate is as certain, and nothing is said of who.
			in.ask("kit", id, "--table", "parcels")
			in.expect("deleted", "established", "")
		})
	}
}

func withPrefix(prefix string) map[string]string {
	s := withConnections()
	s["log_line_prefix"] = prefix
	return s
}

// expectMoment checks that the timeline has the deed between two instants.
func (in *incident) expectMoment(from, to time.Time) {
	in.t.Helper()
	var seen []string
	for _, m := range in.Timeline {
		s := strings.ToLower(m.Summary)
		if !strings.Contains(s, "delete") && !strings.Contains(s, "commit") {
			continue
		}
		// WAL times are whole microseconds.
		if !m.Time.Before(from.Truncate(time.Microsecond)) && !m.Time.After(to) {
			return
		}
		seen = append(seen, m.Time.Format(time.RFC3339Nano)+" "+m.Summary)
	}
	in.t.Errorf("the timeline has no deed between %s and %s:\n%s", from.UTC(), to.UTC(), strings.Join(seen, "\n"))
}

// TestEveryVersion follows a committed delete and a rollback through the WAL of every major version there is here, with
// the least privileges.
func TestEveryVersion(t *testing.T) {
	for _, major := range pgservertest.Majors() {
		t.Run(fmt.Sprint(major), func(t *testing.T) {
			in := newIncidentOn(t, pgserver.Config{Settings: quietLog, Major: major}, parcels)
			deleted := in.parcel("deleted")
			in.do("app", "clerk", "DELETE FROM parcels WHERE id = "+deleted)
			conn := in.connect("app", "clerk", "")
			var aborted int64
			in.must(conn, "BEGIN")
			if err := conn.QueryRow(t.Context(), "INSERT INTO parcels (label) VALUES ('aborted') RETURNING id").Scan(&aborted); err != nil {
				t.Fatal(err)
			}
			in.must(conn, "ROLLBACK")
			in.leave(conn)
			there := in.parcel("there")
			in.ask("kit", deleted, "--table", "parcels")
			in.expect("deleted", "established", "")
			in.ask("kit", fmt.Sprint(aborted), "--table", "parcels")
			in.expect("never-committed", "established", "")
			in.ask("kit", there, "--table", "parcels")
			in.expect("present", "established", "still-present")
		})
	}
}

func TestSoftDeleted(t *testing.T) {
	in := newIncident(t, quietLog, parcels)
	id := in.parcel("hidden")
	in.do("app", "clerk", "UPDATE parcels SET deleted_at = now() WHERE id = "+id)
	for _, role := range []string{"", "kit", "reader"} {
		in.ask(role, id, append(in.log(), "--table", "parcels")...)
		in.expect("hidden", "established", "soft-deleted")
	}
	// The flag of another row says nothing of this one.
	other := in.parcel("not hidden")
	in.ask("kit", other, "--table", "parcels")
	in.expect("present", "established", "still-present")
}

func TestStillPresent(t *testing.T) {
	in := newIncident(t, quietLog, parcels)
	id := in.parcel("there")
	for _, role := range []string{"", "kit", "reader", "clerk"} {
		in.ask(role, id, "--table", "parcels")
		in.expect("present", "established", "still-present")
		in.ask(role, id) // the table is found by itself
		in.expect("present", "established", "still-present")
	}
}

func TestIDDiffers(t *testing.T) {
	const stored = "3f2b9c64-5a1e-4f0c-9b7d-2f60c1a85e10"
	in := newIncident(t, quietLog,
		"CREATE TABLE vouchers (code text PRIMARY KEY, value int NOT NULL)",
		"INSERT INTO vouchers SELECT 'WINTER-' || n, n FROM generate_series(1000, 1400) n",
		"INSERT INTO vouchers VALUES ('Spring-Sale-77', 5)",
		"CREATE TABLE tickets (id uuid PRIMARY KEY, seat text NOT NULL)",
		"INSERT INTO tickets SELECT gen_random_uuid(), n::text FROM generate_series(1, 400) n",
		"INSERT INTO tickets VALUES ('"+stored+"', '12A')")
	// An id that equals the stored one once written alike is that id; one digit off is likely a typing error, no more.
	for name, c := range map[string]struct{ asked, table, key, standing string }{
		"letter case":       {"SPRING-SALE-77", "vouchers", "Spring-Sale-77", "established"},
		"blanks around it":  {" Spring-Sale-77 ", "vouchers", "Spring-Sale-77", "established"},
		"one digit of uuid": {"3f2b9c64-5a1e-4f0c-9b7d-2f60c1a85e11", "tickets", stored, "established"},
		"braces":            {"{3F2B9C64-5A1E-4F0C-9B7D-2F60C1A85E10}", "tickets", stored, "established"},
		"no hyphens":        {"3f2b9c645a1e4f0c9b7d2f60c1a85e10", "tickets", stored, "established"},
	} {
		for _, role := range []string{"", "kit", "reader"} {
			for _, flags := range [][]string{{"--table", c.table}, nil} {
				in.ask(role, c.asked, flags...)
				if in.Fate.Kind != "present" || in.Fate.Standing != c.standing {
					t.Errorf("%s, as %q, %v: %s, %s\n%s", name, role, flags, in.Fate.Kind, in.Fate.Standing, in.tell())
				}
				lead, _ := in.leading()
				if name == "braces" || name == "no hyphens" {
					continue // PostgreSQL reads these as the same uuid: either name for it is right
				}
				if lead != "id-mismatch" || !strings.Contains(in.Fate.Summary+in.Hypotheses[0].Summary, c.key) {
					t.Errorf("%s, as %q, %v: %q leads: %s", name, role, flags, lead, in.Fate.Summary)
				}
			}
		}
	}
	// An id that resembles none is nowhere.
	in.ask("kit", "7c1a5b0e-9d52-4a57-8d35-0f3e8a1f2b11", "--table", "tickets")
	in.expect("undetermined", "undetermined", "")
}

// TestNothingIsLeft checks that a run leaves no session of its own behind.
func TestNothingIsLeft(t *testing.T) {
	in := newIncident(t, quietLog, parcels)
	id := in.parcel("there")
	in.ask("kit", id)
	conn := in.connect("postgres", "", "")
	defer in.leave(conn)
	var open int
	for range 50 { // a backend takes a moment to end
		if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'inquest'").Scan(&open); err != nil {
			t.Fatal(err)
		}
		if open == 0 {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if open > 0 {
		t.Errorf("%d sessions of inquest are open after it ended", open)
	}
	if b, err := os.ReadFile(in.server.LogFile()); err != nil || bytes.Contains(b, []byte("ERROR")) {
		t.Errorf("the run caused errors in the server's log: %v\n%s", err, b)
	}
}
