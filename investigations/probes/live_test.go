package probes_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	inv "inquest/investigations"
	"inquest/sources"
	"inquest/sources/pgserver"
	"inquest/sources/pgserver/pgservertest"
	"inquest/sources/postgres"
)

// live is a throwaway server with a superuser's session and sources of other roles.
type live struct {
	t      *testing.T
	server *pgserver.Server
	conn   *pgx.Conn
}

func newLive(t *testing.T, schema string) *live {
	t.Helper()
	l := &live{t: t, server: pgservertest.New(t, pgserver.Config{})}
	l.conn = l.connect()
	l.do("CREATE ROLE reader LOGIN PASSWORD 'p'; GRANT pg_read_all_data TO reader")
	l.do(schema)
	return l
}

func (l *live) connect() *pgx.Conn {
	l.t.Helper()
	conn, err := pgx.Connect(l.t.Context(), l.server.DSN("postgres"))
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { conn.Close(l.t.Context()) })
	return conn
}

func (l *live) do(sql string) {
	l.t.Helper()
	if _, err := l.conn.Exec(l.t.Context(), sql, pgx.QueryExecModeSimpleProtocol); err != nil {
		l.t.Fatalf("%s: %v", sql, err)
	}
}

// as is the server as a role sees it; "" is the superuser.
func (l *live) as(role string) *postgres.Server {
	l.t.Helper()
	dsn := l.server.DSN("postgres")
	if role != "" {
		dsn = l.server.DSNAs(role, "p", "postgres")
	}
	db, err := postgres.Open("db:test", dsn, postgres.Options{})
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { db.Close() })
	return db
}

func (l *live) examine(role string, rec inv.Record, probe ...string) inv.Assessment {
	l.t.Helper()
	_, a := examine(l.t, rec, sources.Window{}, []sources.Source{l.as(role)}, append(probe, "database.tables")...)
	return a
}

func TestSequenceBehind(t *testing.T) {
	l := newLive(t, `CREATE SCHEMA "Shop"; CREATE TABLE "Shop".orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text);
CREATE SEQUENCE numbers; CREATE TABLE tickets (id int PRIMARY KEY DEFAULT nextval('numbers'), note text);
CREATE TABLE plain (id int PRIMARY KEY); INSERT INTO "Shop".orders (note) SELECT 'x' FROM generate_series(1, 50); INSERT INTO tickets (note) SELECT 'x' FROM generate_series(1, 90);`)
	for _, c := range []struct {
		id, role string
		outcome  inv.Outcome
		behind   string
	}{{"70", "", inv.Found, "Shop.orders"}, {"30", "", inv.Absent, ""}, {"95", "reader", inv.Found, "Shop.orders public.tickets"}, {"e7a4bff2-adc7-4847-a9d8-25734601b405", "", inv.NotApplicable, ""}} {
		a := l.examine(c.role, inv.Record{ID: c.id}, "integrity.sequence")
		r := reading(t, a, "integrity.sequence")
		var behind []string
		for _, f := range a.Facts.Of(inv.TableProperty).With("name", "sequence") {
			if strings.Contains(f.Says, "behind") {
				behind = append(behind, f.Attr("table"))
			}
		}
		if r.Outcome != c.outcome || strings.Join(behind, " ") != c.behind {
			t.Errorf("%s as %q: %s %q, behind %v", c.id, c.role, r.Outcome, r.Summary, behind)
		}
	}
	l.do("CREATE ROLE stranger LOGIN PASSWORD 'p'; GRANT USAGE ON SCHEMA \"Shop\" TO stranger")
	if r := reading(t, l.examine("stranger", inv.Record{ID: "70", Table: "Shop.orders"}, "integrity.sequence"), "integrity.sequence"); r.Outcome != inv.BlindOutcome || !strings.HasPrefix(r.Opens, "GRANT SELECT ON SEQUENCE") {
		t.Errorf("a role without a right on the sequence: %s %q %q", r.Outcome, r.Summary, r.Opens)
	}
}

func TestOpenTransactionsAndWhatTheyWrite(t *testing.T) {
	l := newLive(t, `CREATE TABLE orders (id int PRIMARY KEY); CREATE TABLE other (id int)`)
	writer := l.connect()
	if _, err := writer.Exec(t.Context(), "BEGIN; INSERT INTO orders VALUES (42)", pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Fatal(err)
	}
	for _, role := range []string{"", "reader"} {
		open := l.examine(role, inv.Record{ID: "42"}, "concurrency.open").Facts.Of(inv.XactOpen)
		if role == "reader" { // sees that there is one, and its locks, but not its state
			if len(open) > 0 && open[0].Attr("writes") != "public.orders" {
				t.Errorf("as %q: %+v", role, open)
			}
			continue
		}
		if len(open) != 1 || open[0].Attr("writes") != "public.orders" || open[0].Attr("server") != "db:test" {
			t.Errorf("as %q: %+v", role, open)
		}
	}
}
