package probes_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	inv "inquest/investigations"
	"inquest/sources/pgserver"
	"inquest/sources/pgserver/pgservertest"
	"inquest/sources/postgres"
)

// without remembers servers that have not the files of an extension.
var without = map[string]bool{}

// withExtension is a server of an installation that has the extension's files,
// which fetched ones have not. settings may name its library.
func withExtension(t *testing.T, extension string, settings map[string]string) *live {
	t.Helper()
	for _, major := range pgservertest.Majors() {
		if without[fmt.Sprint(major, extension)] {
			continue
		}
		plain := &live{t: t, server: pgservertest.New(t, pgserver.Config{Major: major})}
		var there bool
		if err := plain.connect().QueryRow(t.Context(), "SELECT count(*) > 0 FROM pg_available_extensions WHERE name = $1", extension).Scan(&there); err != nil {
			t.Fatal(err)
		}
		if !there {
			without[fmt.Sprint(major, extension)] = true
			continue
		}
		l := &live{t: t, server: pgservertest.New(t, pgserver.Config{Major: major, Settings: settings})}
		l.conn = l.connect()
		return l
	}
	if os.Getenv("INQUEST_REQUIRE_EXTENSIONS") == "1" {
		t.Fatalf("INQUEST_REQUIRE_EXTENSIONS=1, and no PostgreSQL server here has %s", extension)
	}
	t.Skipf("\n*** SKIPPED, NOT PASSED: no PostgreSQL server here has %s (apt-get install postgresql-15-cron postgresql-15-partman)", extension)
	return nil
}

const removedID = "0b9a5f9e-6a0e-4a83-9a3c-1d0f6f7a2b11"

// removedBefore stores and removes a row, and returns when, in the server's words.
func (l *live) removedBefore() {
	l.t.Helper()
	l.do("CREATE TABLE sessions (id uuid PRIMARY KEY, expires timestamptz); INSERT INTO sessions VALUES ('" + removedID + "', now() - interval '1 day')")
	l.do("DELETE FROM sessions WHERE expires < now()")
}

func (l *live) in(database, sql string) {
	l.t.Helper()
	conn, err := pgx.Connect(l.t.Context(), l.server.DSN(database))
	if err != nil {
		l.t.Fatal(err)
	}
	defer conn.Close(l.t.Context())
	if _, err := conn.Exec(l.t.Context(), sql, pgx.QueryExecModeSimpleProtocol); err != nil {
		l.t.Fatalf("%s: %v", sql, err)
	}
}

// database is another database of the server as the superuser sees it.
func (l *live) database(name string) *postgres.Server {
	l.t.Helper()
	db, err := postgres.Open("db:"+name, l.server.DSN(name), postgres.Options{})
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { db.Close() })
	return db
}

func (l *live) runs(role string) (inv.Reading, inv.Facts) {
	l.t.Helper()
	a := l.examine(role, inv.Record{ID: removedID, Table: "sessions"}, "database.server", "database.lineage", "retention.runs")
	return reading(l.t, a, "retention.runs"), a.Facts.Of(inv.JobRun)
}

// pg_cron keeps its tables in one database, runs jobs in any, and shows a role its
// own jobs only: what cannot be seen of it is blind with the grant that opens it,
// and open after that grant.
func TestCronInAnotherDatabase(t *testing.T) {
	l := withExtension(t, "pg_cron", map[string]string{"shared_preload_libraries": "pg_cron", "cron.database_name": "jobs"})
	l.do("CREATE DATABASE jobs")
	l.in("jobs", "CREATE EXTENSION pg_cron; CREATE ROLE oncall LOGIN PASSWORD 'p'; GRANT pg_monitor TO oncall; CREATE ROLE plain LOGIN PASSWORD 'p'")
	l.removedBefore()
	l.do("GRANT EXECUTE ON FUNCTION pg_read_binary_file(text, bigint, bigint, boolean) TO oncall; GRANT SELECT ON sessions TO oncall, plain")

	said, _ := l.runs("")
	if said.Outcome != inv.BlindOutcome || !strings.Contains(said.Summary, "are not kept") {
		t.Errorf("no run is kept: %s %s", said.Outcome, said.Summary)
	}
	run := func(database, status, message string) string {
		return "INSERT INTO cron.job_run_details (jobid, runid, database, username, command, status, return_message, start_time, end_time) VALUES (1, nextval('cron.runid_seq'), '" +
			database + "', 'postgres', 'delete from sessions where expires < now()', '" + status + "', '" + message + "', now() - interval '1 minute', now() + interval '1 minute');"
	}
	l.in("jobs", run("other", "succeeded", "DELETE 1")+run("postgres", "failed", "ERROR")+"UPDATE cron.job_run_details SET start_time = start_time - interval '1 hour'")
	if _, facts := l.runs(""); len(facts) != 0 {
		t.Errorf("a run in another database, or one that failed, is taken for this: %+v", facts)
	}
	l.in("jobs", run("postgres", "succeeded", "DELETE 1"))
	if said, facts := l.runs(""); said.Outcome != inv.Found || len(facts) != 1 || facts[0].Attr("removed") != "1" || facts[0].Attr("server") != "db:test" {
		t.Errorf("%s %s %+v", said.Outcome, said.Summary, facts)
	}
	for _, step := range []struct{ grant, opens string }{
		{"", `GRANT USAGE ON SCHEMA cron TO "oncall"`}, {"GRANT USAGE ON SCHEMA cron TO oncall", `ALTER ROLE "oncall" BYPASSRLS`},
	} {
		if step.grant != "" {
			l.in("jobs", step.grant)
		}
		if said, facts := l.runs("oncall"); said.Outcome != inv.BlindOutcome || !strings.Contains(said.Opens, step.opens) || len(facts) > 0 {
			t.Errorf("after %q: %s %q opens %q", step.grant, said.Outcome, said.Summary, said.Opens)
		}
	}
	l.do("ALTER ROLE oncall BYPASSRLS")
	if said, facts := l.runs("oncall"); said.Outcome != inv.Found || len(facts) != 1 {
		t.Errorf("after all grants: %s %s", said.Outcome, said.Summary)
	}
	code := reading(t, l.examine("oncall", inv.Record{ID: removedID}, "retention.code"), "retention.code")
	if code.Outcome != inv.Found || !strings.Contains(code.Summary, "the database jobs") {
		t.Errorf("%s %s", code.Outcome, code.Summary)
	}
}

func TestCronThatKeepsNoRuns(t *testing.T) {
	l := withExtension(t, "pg_cron", map[string]string{"shared_preload_libraries": "pg_cron", "cron.log_run": "off"})
	l.do("CREATE EXTENSION pg_cron")
	l.removedBefore()
	if said, _ := l.runs(""); said.Outcome != inv.BlindOutcome || !strings.Contains(said.Summary, "cron.log_run") {
		t.Errorf("%s %s", said.Outcome, said.Summary)
	}
}

// What pg_partman takes off by its retention is known for what it is, also in
// another schema; its own tables are no candidates.
func TestPartmanRetention(t *testing.T) {
	for _, c := range []struct{ set, does, where string }{
		{"retention_keep_table = true", "detach", "public"}, {"retention_schema = 'archive'", "move", "archive"}, {"retention_keep_table = false", "drop", ""},
	} {
		t.Run(c.does, func(t *testing.T) {
			l := withExtension(t, "pg_partman", nil)
			l.do("CREATE SCHEMA partman; CREATE EXTENSION pg_partman SCHEMA partman; CREATE SCHEMA archive")
			l.do("CREATE TABLE readings (id uuid NOT NULL, at timestamptz NOT NULL, v int, PRIMARY KEY (id, at)) PARTITION BY RANGE (at)")
			l.do("SELECT partman.create_parent('public.readings', 'at', 'native', 'daily', p_start_partition := (now() - interval '10 days')::text)")
			l.do("INSERT INTO readings VALUES ('" + removedID + "', now() - interval '9 days', 1)")
			l.do("UPDATE partman.part_config SET retention = '7 days', " + c.set + "; SELECT partman.run_maintenance()")
			a := l.examine("", inv.Record{ID: removedID}, "database.server", "database.row", "retention.code")
			set := a.Facts.Of(inv.TableProperty).With("name", "partition-retention")
			if len(set) != 1 || set[0].Attr("value") != c.does || set[0].Attr("table") != "public.readings" || set[0].Attr("after") != "7 days" {
				t.Errorf("%+v", set)
			}
			for _, f := range a.Facts.Of(inv.TableProperty).With("name", "candidate") {
				if strings.HasPrefix(f.Attr("table"), "partman.") {
					t.Errorf("a table of the extension is a candidate: %s", f.Attr("table"))
				}
			}
			former := a.Facts.Of(inv.TableProperty).With("name", "lookalike").Where(func(f inv.Fact) bool {
				return len(a.Facts.Of(inv.RowVisible).With("table", f.Attr("table"))) > 0
			})
			if (c.where == "") != (len(former) == 0) || c.where != "" && !strings.HasPrefix(former[0].Attr("table"), c.where+".") {
				t.Errorf("the former partition that holds the row: %+v", former)
			}
			l.do("CREATE ROLE plain LOGIN PASSWORD 'p'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO plain")
			if r := reading(t, l.examine("plain", inv.Record{ID: removedID}, "retention.code"), "retention.code"); len(set) > 0 && r.Outcome == inv.Absent {
				t.Errorf("a role that may not read part_config: %s %s", r.Outcome, r.Summary)
			}
		})
	}
}
