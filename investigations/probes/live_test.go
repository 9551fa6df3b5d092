package probes_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	inv "inquest/investigations"
	"inquest/sources"
	"inquest/sources/catalog"
	"inquest/sources/logfile"
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
	l.do("CREATE ROLE reader LOGIN PASSWORD 'p'")
	l.do(schema)
	l.do(`DO $$ DECLARE s text; BEGIN
  FOR s IN SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' LOOP
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO reader; GRANT SELECT ON ALL TABLES IN SCHEMA %I TO reader; GRANT SELECT ON ALL SEQUENCES IN SCHEMA %I TO reader', s, s, s);
  END LOOP; END $$`)
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

// ask returns what the checked rules say of the record, by the function's, trigger's or job's name.
func (l *live) rules(rec inv.Record, probe ...string) map[string]string {
	l.t.Helper()
	a := l.examine("", rec, append(probe, "database.server", "database.versions", "database.lineage", "database.row", "retention.predicate")...)
	out := map[string]string{}
	for _, f := range a.Facts.Of(inv.PredicateChecked) {
		out[f.Attr("name")] = strings.TrimSpace(f.Attr("holds") + " " + f.Attr("why"))
	}
	return out
}

func TestRulesAgainstTheRow(t *testing.T) {
	l := newLive(t, `CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE TABLE orders (id int PRIMARY KEY, status text, created_at timestamptz NOT NULL, expires date, total numeric(8,2), mood mood, note text, closed timestamptz DEFAULT '2019-12-31 20:00+00');
CREATE FUNCTION old() RETURNS void LANGUAGE sql AS $$ DELETE FROM orders WHERE created_at < now() - interval '90 days' $$;
CREATE FUNCTION drafts() RETURNS void LANGUAGE plpgsql AS $$ BEGIN DELETE FROM public.orders o WHERE o.status = 'draft' AND o.note IS NULL; END $$;
CREATE FUNCTION batch() RETURNS void LANGUAGE sql AS $$ DELETE FROM orders WHERE id IN (SELECT id FROM orders WHERE status LIKE 'pa%' ORDER BY id LIMIT 100) $$;
CREATE FUNCTION days(n int) RETURNS void LANGUAGE sql AS $$ DELETE FROM orders WHERE created_at < now() - make_interval(days => n) $$;
CREATE FUNCTION moody() RETURNS void LANGUAGE sql AS $$ DELETE FROM orders WHERE mood = 'sad' $$;
CREATE FUNCTION local() RETURNS void LANGUAGE sql AS $$ DELETE FROM orders WHERE closed < '2020-01-01' $$;
CREATE FUNCTION far() RETURNS void LANGUAGE sql AS $$ DELETE FROM orders WHERE expires < current_date - 30 $$;
CREATE FUNCTION noted() RETURNS void LANGUAGE sql AS $$ DELETE FROM orders WHERE note = 'x' $$;
CREATE FUNCTION broken() RETURNS void LANGUAGE plpgsql AS $$ BEGIN DELETE FROM orders WHERE total / 0 > 1; END $$;
CREATE FUNCTION hostile() RETURNS void LANGUAGE plpgsql AS $$ BEGIN DELETE FROM orders WHERE status = (SELECT pg_terminate_backend(pg_backend_pid())::text); END $$;
CREATE FUNCTION everything() RETURNS void LANGUAGE sql AS $$ DELETE FROM orders $$;
INSERT INTO orders VALUES (42, 'paid', now() - interval '10 days', current_date, 12.50, 'happy', NULL), (43, 'draft', now() - interval '100 days', '2020-01-01', 1, 'sad', NULL);
DELETE FROM orders WHERE id IN (42, 43);`)
	for id, want := range map[string]map[string]string{
		"42": {
			"public.old()": "false", "public.drafts()": "false", "public.batch()": "true", "public.everything()": "true", "public.noted()": "false", "public.far()": "false",
			"public.days(integer)": "unknown it depends on n, which is no column of public.orders", "public.moody()": "unknown the type of mood is not one of the plain ones",
			"public.local()": "unknown it depends on the time zone of the session that ran it", "public.hostile()": "unknown it holds a sub-select",
		},
		"43": {"public.old()": "true", "public.drafts()": "true", "public.batch()": "false", "public.far()": "true"},
	} {
		got := l.rules(inv.Record{ID: id})
		for name, w := range want {
			if got[name] != w {
				t.Errorf("%s, %s: %q, want %q", id, name, got[name], w)
			}
		}
		if !strings.HasPrefix(got["public.broken()"], "unknown the server could not evaluate it") {
			t.Errorf("a division by zero: %q", got["public.broken()"])
		}
	}
}

func TestSwallowersAgainstTheValues(t *testing.T) {
	l := newLive(t, `CREATE TABLE orders (id uuid PRIMARY KEY, status text, total numeric, note text);
CREATE FUNCTION drop_it() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE FUNCTION drop_tests() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.status = 'test' THEN RETURN NULL; END IF; RETURN NEW; END $$;
CREATE FUNCTION drop_small() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.total < 5 THEN RETURN NULL; END IF; RETURN NEW; END $$;
CREATE FUNCTION drop_odd() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF EXISTS (SELECT 1 FROM orders) THEN RETURN NULL; END IF; RETURN NEW; END $$;
CREATE TRIGGER a_free BEFORE INSERT ON orders FOR EACH ROW WHEN (NEW.total = 0) EXECUTE FUNCTION drop_it();
CREATE TRIGGER b_tests BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION drop_tests();
CREATE TRIGGER c_small BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION drop_small();
CREATE TRIGGER d_odd BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION drop_odd();
CREATE TRIGGER e_odd_big BEFORE INSERT ON orders FOR EACH ROW WHEN (NEW.total > 1000) EXECUTE FUNCTION drop_odd();
CREATE TRIGGER f_noted BEFORE INSERT ON orders FOR EACH ROW WHEN (NEW.note IS NOT NULL) EXECUTE FUNCTION drop_it();
CREATE RULE g_rule AS ON INSERT TO orders WHERE NEW.status = 'void' DO INSTEAD NOTHING;`)
	dir := t.TempDir()
	log := filepath.Join(dir, "server.log")
	text := `2025-11-27 14:58:12.104 UTC [30802] LOG:  execute <unnamed>: INSERT INTO orders (id, status, total) VALUES ($1, $2, $3)
2025-11-27 14:58:12.104 UTC [30802] DETAIL:  parameters: $1 = '` + recordID + `', $2 = 'paid', $3 = '3.50'
`
	if err := os.WriteFile(log, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	srcs := append([]sources.Source{l.as("")}, logfile.OpenAll([]string{log}, func(string) logfile.Options { return logfile.Options{} })...)
	_, a := examine(t, inv.Record{ID: recordID}, sources.Window{}, srcs, "database.tables", "database.server", "database.versions", "database.lineage", "database.serverlog", "database.row", "retention.predicate")
	got := map[string]string{}
	for _, f := range a.Facts.Of(inv.PredicateChecked).With("kind", "swallow") {
		got[f.Attr("name")] = strings.TrimSpace(f.Attr("holds") + " " + f.Attr("why"))
	}
	for name, want := range map[string]string{
		"a_free": "false", "b_tests": "false", "c_small": "true", "d_odd": "unknown EXISTS is not understood", "e_odd_big": "false",
		"f_noted": "unknown the row's note is not known", "g_rule": "false",
	} {
		if got[name] != want {
			t.Errorf("%s: %q, want %q", name, got[name], want)
		}
	}
	if r := a.Recovered; r == nil || r.Origin != "log" || r.Row["total"] == nil || *r.Row["total"] != "3.50" || !slices.Equal(r.Unknown, []string{"note"}) {
		t.Errorf("recovered %+v", a.Recovered)
	}
}

func TestNearKeysOfText(t *testing.T) {
	l := newLive(t, `CREATE TABLE orders (order_no char(10) PRIMARY KEY, note text); INSERT INTO orders SELECT 'ORD' || lpad(n::text, 7, '0'), 'x' FROM generate_series(1, 40) n;
CREATE TABLE codes (code text PRIMARY KEY); INSERT INTO codes VALUES ('{3f-A}'), ('QX7O4K'), ('aB9x'), ('ZZTOP1 '), ('it''s "q" \x');`)
	for id, want := range map[string]string{
		"ord0000011": "ORD0000011 normalised", "3f-A": "{3f-A} normalised", "QX704K": "QX7O4K one-edit", "QX7OK4": "QX7O4K one-edit", "Ab9x": "aB9x case", "ZZTOP1": "ZZTOP1  normalised",
		"ORD0000077": "", `it's "q" \y`: `it's "q" \x one-edit`, "nothing-like-it": "",
	} {
		a := l.examine("", inv.Record{ID: id}, "database.server", "database.row")
		var got []string
		for _, f := range a.Facts.Of(inv.RowNear) {
			if s := f.Attr("key") + " " + f.Attr("difference"); !slices.Contains(got, s) {
				got = append(got, s)
			}
		}
		if strings.Join(got, "; ") != want {
			t.Errorf("%s: %q, want %q", id, got, want)
		}
	}
}

// TestStandbyFirst asks a primary and its standby for a row that only the primary has: the standby is read first, and once
// more after the primary has shown the row.
func TestStandbyFirst(t *testing.T) {
	l := newLive(t, `CREATE TABLE orders (id int PRIMARY KEY)`)
	standby, err := l.server.Standby(t.Context(), pgserver.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { standby.Close() })
	replica, err := postgres.Open("db:replica", standby.DSN("postgres"), postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { replica.Close() })
	pause, err := pgx.Connect(t.Context(), standby.DSN("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer pause.Close(t.Context())
	for _, sql := range []string{"SELECT pg_wal_replay_pause()", "DO $$ BEGIN WHILE pg_get_wal_replay_pause_state() <> 'paused' LOOP PERFORM pg_sleep(0.01); END LOOP; END $$"} {
		if _, err := pause.Exec(t.Context(), sql); err != nil && !strings.Contains(err.Error(), "pg_get_wal_replay_pause_state") { // 13 has no such function
			t.Fatal(err)
		}
	}
	l.do("INSERT INTO orders VALUES (42)")
	state, a := examine(t, inv.Record{ID: "42"}, sources.Window{}, []sources.Source{l.as(""), replica}, "database.server", "database.tables", "database.row", "database.versions")
	var order []string
	for _, e := range state.Runs["database.row"].Evidence {
		order = append(order, e.Source+" "+e.Tag)
	}
	first, last := order[0], order[len(order)-1]
	if first != "db:replica key:public.orders" || last != "db:replica later:public.orders" {
		t.Errorf("asked in the order %q", order)
	}
	if len(a.Facts.Of(inv.RowVisible).With("server", "db:test")) != 1 || len(a.Facts.Of(inv.RowAbsent).With("server", "db:replica").With("via", "later")) != 1 {
		t.Errorf("%+v", a.Facts.Of(inv.RowAbsent))
	}
}

func TestOverlapsAndSiblings(t *testing.T) {
	l := newLive(t, `CREATE TABLE orders (id int PRIMARY KEY, tenant int, status text, total numeric); CREATE TABLE other (id int);
INSERT INTO orders SELECT n, n % 4, CASE WHEN n % 7 = 0 THEN 'draft' ELSE 'paid' END, n FROM generate_series(1, 100) n`)
	slow, fast := l.connect(), l.connect()
	run := func(c *pgx.Conn, sql string) {
		t.Helper()
		if _, err := c.Exec(t.Context(), sql, pgx.QueryExecModeSimpleProtocol); err != nil {
			t.Fatal(err)
		}
	}
	run(slow, "BEGIN; DELETE FROM orders WHERE status = 'draft'")
	run(fast, "DELETE FROM orders WHERE id = 3")
	run(slow, "COMMIT")
	probes := []string{"database.server", "database.versions", "database.lineage", "database.row", "concurrency.overlap", "integrity.siblings"}
	a := l.examine("", inv.Record{ID: "42", Table: "orders"}, probes...)
	over := a.Facts.Of(inv.XactOverlap)
	if len(over) != 1 || over[0].Attr("touches") != "false" || over[0].Attr("deletes") != "1" || over[0].Attr("older") != "false" {
		t.Errorf("overlaps: %+v", over)
	}
	with := a.Facts.Of(inv.Cohort)
	if len(with) != 1 || with[0].Attr("removed") != "13" || with[0].Attr("rows") != "85" || with[0].Attr("none-left") != "status = draft" || !strings.Contains(with[0].Attr("left"), "with tenant = 2") {
		t.Errorf("siblings: %+v", with)
	}
	alone := l.examine("", inv.Record{ID: "3", Table: "orders"}, probes...)
	if c := alone.Facts.Of(inv.Cohort); len(c) != 1 || c[0].Attr("removed") != "0" || c[0].Attr("none-left") != "" {
		t.Errorf("siblings of one that went alone: %+v", c)
	}
	run(l.conn, "DELETE FROM orders WHERE id = 5")
	if r := reading(t, l.examine("", inv.Record{ID: "5", Table: "orders"}, probes...), "concurrency.overlap"); r.Outcome != inv.Absent {
		t.Errorf("nothing overlapped: %s %s", r.Outcome, r.Summary)
	}
	if r := reading(t, l.examine("reader", inv.Record{ID: "42", Table: "orders"}, probes...), "concurrency.overlap"); r.Outcome == inv.Absent {
		t.Errorf("a role that may not read WAL sees no overlap: %s", r.Summary)
	}
}

// TestAnotherLife deletes a row and gives its id to another one, in one transaction and by the same content.
func TestAnotherLife(t *testing.T) {
	l := newLive(t, `CREATE TABLE accounts (id int PRIMARY KEY, name text, town text, active boolean DEFAULT true);
INSERT INTO accounts VALUES (88, 'acc88', 'Ghent'), (89, 'acc89', 'Ghent'), (90, 'acc90', 'Ghent'), (91, 'acc91', 'Ghent')`)
	for _, sql := range []string{
		"BEGIN; DELETE FROM accounts WHERE id = 88; INSERT INTO accounts VALUES (88, 'newone', 'Bruges'); COMMIT",
		"BEGIN; DELETE FROM accounts WHERE id = 89; INSERT INTO accounts VALUES (89, 'acc89', 'Ghent'); COMMIT",
		"DELETE FROM accounts WHERE id = 90", "BEGIN; INSERT INTO accounts VALUES (90, 'again', 'Bruges'); ROLLBACK",
	} {
		l.do(sql)
	}
	for id, want := range map[string]string{"88": "0/2", "89": "2/2"} {
		a := l.examine("", inv.Record{ID: id, Table: "accounts"}, "database.server", "database.lineage", "database.row")
		got := ""
		for _, f := range a.Facts.Of(inv.TupleInserted) {
			got += f.Attr("like-before")
		}
		if got != want {
			t.Errorf("%s: %q columns as before, want %q", id, got, want)
		}
		if id == "88" && (a.Recovered == nil || *a.Recovered.Row["name"] != "acc88") {
			t.Errorf("the earlier life's content: %+v", a.Recovered)
		}
	}
	a := l.examine("", inv.Record{ID: "90", Table: "accounts"}, "database.server", "database.lineage", "database.row")
	if a.Recovered == nil {
		t.Errorf("nothing recovered")
	}
}

func TestCopiesInTablesOfTheSameColumns(t *testing.T) {
	l := newLive(t, `CREATE SCHEMA archive; CREATE TABLE invoice (id bigint PRIMARY KEY, customer int, event text);
CREATE TABLE archive.invoice (LIKE invoice); CREATE TABLE invoice_log (LIKE invoice, op text); CREATE TABLE customer (id bigint PRIMARY KEY, customer int);
CREATE TABLE keyed (LIKE invoice INCLUDING ALL); CREATE TABLE reminder (LIKE invoice); INSERT INTO reminder VALUES (1, 4, 'sent'), (2, 4, 'sent');
INSERT INTO invoice VALUES (1, 3, 'deleted'), (2, 3, 'deleted'); INSERT INTO invoice_log SELECT *, 'D' FROM invoice WHERE id = 1; INSERT INTO customer VALUES (1, 1);
INSERT INTO keyed SELECT * FROM invoice WHERE id = 1; WITH d AS (DELETE FROM invoice WHERE id = 1 RETURNING *) INSERT INTO archive.invoice SELECT * FROM d`)
	for _, role := range []string{"", "reader"} {
		a := l.examine(role, inv.Record{ID: "1", Table: "public.invoice"}, "database.server", "database.lineage", "versions.history", "database.row")
		list := a.Facts.Of(inv.RowInHistory)
		logged := list.With("operation", "delete")
		// The keyed table is another's by its name: only what WAL tells makes its row a copy.
		same := map[string]int{"": 1}[role]
		if len(list) != 2+same || len(list.With("copy", "true").With("of", "public.invoice")) != 2+same || len(list.With("table", "archive.invoice")) != 1 || len(list.With("table", "public.keyed")) != same {
			t.Errorf("as %q: %+v", role, list)
		}
		if len(logged) != 1 || logged[0].Attr("table") != "public.invoice_log" { // the record's own column says nothing of an operation
			t.Errorf("as %q: operations of %+v", role, list)
		}
		if r := a.Recovered; r == nil || r.Table != "public.invoice" || *r.Row["customer"] != "3" || len(r.Row) != 3 {
			t.Errorf("as %q: recovered %+v", role, r)
		}
	}
	if list := l.examine("", inv.Record{ID: "2", Table: "public.invoice"}, "versions.history").Facts.Of(inv.RowInHistory); len(list) != 0 {
		t.Errorf("another record: %+v", list)
	}
}

// TestManyTables: an id that means one thing wherever it stands is looked for in every table, also where no privilege reads the WAL.
func TestManyTables(t *testing.T) {
	const gone, stands = "0b0e7a52-5a1c-4c36-9d64-3a2c1d5e6f70", "0b0e7a52-5a1c-4c36-9d64-3a2c1d5e6f71"
	l := newLive(t, `DO $$ BEGIN FOR i IN 100..200 LOOP EXECUTE format('CREATE TABLE t%s (id uuid PRIMARY KEY, name text)', i); END LOOP; END $$;
CREATE TABLE fenced (id uuid PRIMARY KEY, name text); ALTER TABLE fenced ENABLE ROW LEVEL SECURITY; INSERT INTO fenced VALUES ('`+stands+`', 'behind');
INSERT INTO t177 VALUES ('`+gone+`', 'gone'), ('`+stands+`', 'stands'); DELETE FROM t177 WHERE id = '`+gone+`'`)
	a := l.examine("", inv.Record{ID: gone}, "database.server", "database.lineage", "versions.history", "database.row")
	if len(a.Facts.Of(inv.TupleDeleted).With("table", "public.t177")) != 1 || len(a.Facts.Of(inv.RowAbsent).With("table", "public.t177").With("via", "heap")) != 1 {
		t.Error("the table that WAL names was not asked for everything")
	}
	asked := map[string]bool{}
	for _, f := range a.Facts.Of(inv.RowAbsent) {
		asked[f.Attr("table")] = true
	}
	if len(asked) != 102 {
		t.Errorf("%d of 102 tables were asked", len(asked))
	}
	a = l.examine("reader", inv.Record{ID: stands}, "database.server", "database.row")
	if list := a.Facts.Of(inv.RowVisible); len(list) != 1 || list[0].Attr("table") != "public.t177" || list[0].Attr("xmin") == "" {
		t.Errorf("as a reader: %+v", list)
	}
	if len(a.Facts.Of(inv.RowAbsent).With("table", "public.fenced")) != 0 {
		t.Error("what row-level security may hide was called absent")
	}
}

// TestManyPartitions: the row lived in one of the last of many partitions of a wide table.
func TestManyPartitions(t *testing.T) {
	l := newLive(t, `DO $$ DECLARE cols text; BEGIN
SELECT string_agg(format('column_number_%s text', n), ', ') INTO cols FROM generate_series(1, 40) n;
EXECUTE 'CREATE TABLE visits (id bigint, day int, ' || cols || ', PRIMARY KEY (id, day)) PARTITION BY LIST (day)';
FOR i IN 1..320 LOOP EXECUTE format('CREATE TABLE visits_%s PARTITION OF visits FOR VALUES IN (%s)', i, i); END LOOP; END $$;
INSERT INTO visits (id, day) SELECT n, n FROM generate_series(1, 320) n; DELETE FROM visits WHERE id = 318`)
	s, a := examine(t, inv.Record{ID: "318", Table: "visits"}, sources.Window{}, []sources.Source{l.as("")}, "database.server", "database.tables", "database.versions", "database.lineage", "database.row")
	if del := a.Facts.Of(inv.TupleDeleted).With("table", "public.visits_318"); len(del) == 0 {
		t.Error("the delete in the last partitions was not seen")
	}
	if len(a.Facts.Of(inv.TableProperty).With("name", "cut")) != 0 {
		t.Error("partitions were left out")
	}
	kept := 0
	for _, e := range s.Runs["database.tables"].Evidence {
		var part struct{ Tables []catalog.Table }
		if e.Decode(&part) != nil {
			continue // the triggers
		}
		for _, table := range part.Tables {
			kept += len(table.Leaves)
			if n := len(table.Leaves[0].Columns); n != 42 {
				t.Errorf("a partition has %d columns", n)
			}
		}
	}
	if kept != 320 {
		t.Errorf("%d of 320 partitions are kept", kept)
	}
}

// TestKeysOfEveryKind: a table need not have a primary key on the id, and a uuid need not be a uuid there.
func TestKeysOfEveryKind(t *testing.T) {
	cases := []struct{ name, column, typ, rest, stored string }{
		{"no index", "id", "uuid", "", "%s"},
		{"an ordinary index", "order_id", "uuid", "CREATE INDEX ON %s (order_id)", "%s"},
		{"unique while not deleted", "id", "uuid", "ALTER TABLE %[1]s ADD deleted_at date; CREATE UNIQUE INDEX ON %[1]s (id) WHERE deleted_at IS NULL", "%s"},
		{"unique by an expression", "id", "text", "CREATE UNIQUE INDEX ON %s (lower(id))", "%s"},
		{"hash", "public_id", "uuid", "CREATE INDEX ON %s USING hash (public_id)", "%s"},
		{"text in upper case", "id", "text", "ALTER TABLE %s ADD PRIMARY KEY (id)", "upper"},
		{"text without hyphens", "id", "varchar(32)", "ALTER TABLE %s ADD PRIMARY KEY (id)", "bare"},
		{"padded, with braces", "id", "char(40)", "ALTER TABLE %s ADD PRIMARY KEY (id)", "{%s}"},
		{"sixteen bytes", "id", "bytea", "ALTER TABLE %s ADD PRIMARY KEY (id)", "bytes"},
	}
	l := newLive(t, "SELECT 1")
	for n, c := range cases {
		id, table := fmt.Sprintf("e7a4bff2-5d1%d-4bb0-87ab-2a9f0c1d2e3f", n), fmt.Sprintf("kind%d.orders", n)
		bare := strings.ReplaceAll(id, "-", "")
		stored, other := map[string]string{"upper": strings.ToUpper(id), "bare": bare, "bytes": `\x` + bare}[c.stored], "md5(n::text)::"+c.typ
		if stored == "" {
			stored = fmt.Sprintf(c.stored, id)
		}
		if c.typ == "bytea" {
			other = "decode(md5(n::text), 'hex')"
		}
		l.do(fmt.Sprintf("CREATE SCHEMA kind%d; CREATE TABLE %s (v text, %s %s)", n, table, c.column, c.typ))
		if c.rest != "" {
			l.do(fmt.Sprintf(c.rest, table))
		}
		l.do(fmt.Sprintf("INSERT INTO %s (v, %s) SELECT 'other', %s FROM generate_series(1, 9) n", table, c.column, other))
		l.do(fmt.Sprintf("INSERT INTO %[1]s (v, %[2]s) VALUES ('kept', '%[3]s')", table, c.column, stored))
		l.do(fmt.Sprintf("UPDATE %[1]s SET v = 'changed' WHERE %[2]s = '%[3]s'", table, c.column, stored))
		a := l.examine("", inv.Record{ID: id}, "database.server", "database.versions", "database.lineage", "database.row")
		if !a.Facts.Any(inv.RowVisible, inv.RowNear) {
			t.Errorf("%s: it stands, and was not seen: %+v", c.name, a.Facts.Of(inv.RowAbsent))
		}
		l.do(fmt.Sprintf("DELETE FROM %s WHERE %s = '%s'", table, c.column, stored))
		a = l.examine("", inv.Record{ID: id}, "database.server", "database.versions", "database.lineage", "database.row")
		if !a.Facts.Any(inv.TupleInserted) || !a.Facts.Any(inv.TupleUpdated) || !a.Facts.Any(inv.TupleDeleted) || a.Recovered == nil || *a.Recovered.Row["v"] != "changed" {
			t.Errorf("%s: its life was not read: %+v", c.name, a.Recovered)
		}
	}
	if f := l.examine("", inv.Record{ID: "11111111-5d10-4bb0-87ab-2a9f0c1d2e3f"}, "database.server", "database.lineage", "database.row").Facts; f.Any(inv.TupleDeleted, inv.TupleInserted, inv.RowVisible) {
		t.Error("another id has a life as well")
	}
}

// TestKeyChangeWithoutAnIndex: nothing in an update's record says that it changes a column of no index. A key that only an update which was
// rolled back gave to a row has no part in what became of the row.
func TestKeyChangeWithoutAnIndex(t *testing.T) {
	for _, index := range []string{"", "CREATE INDEX ON orders (id);"} {
		l := newLive(t, `CREATE TABLE orders (v text, id bigint);`+index+` INSERT INTO orders SELECT repeat('x', n::int), n FROM generate_series(1, 40) n`)
		l.do("UPDATE orders SET v = v || 'y' WHERE id = 7")
		l.do("BEGIN; UPDATE orders SET id = 90007 WHERE id = 7; ROLLBACK")
		l.do("UPDATE orders SET id = 90008 WHERE id = 8")
		l.do("DELETE FROM orders WHERE id IN (7, 90008)")
		for id, want := range map[string]string{"7": "deleted", "90007": "", "8": "rekeyed", "90008": "deleted"} {
			a := l.examine("", inv.Record{ID: id, Table: "orders"}, "database.server", "database.versions", "database.lineage", "database.row")
			got := ""
			for _, f := range a.Facts {
				committed := len(a.Facts.Of(inv.XactCommitted).With("xid", f.Attr("xid"))) > 0
				switch {
				case f.Kind == inv.TupleDeleted && committed && f.Attr("under") == "":
					got = "deleted"
				case f.Kind == inv.TupleRekeyed && committed && f.Attr("old") == id:
					got = "rekeyed"
				}
			}
			if id == "8" && !a.Facts.Of(inv.TupleDeleted).Any(inv.TupleDeleted) {
				t.Errorf("%q: the row is not followed under its new key", index)
			}
			if id == "90008" && index == "" && !a.Facts.Any(inv.WALKeyAbsent) {
				continue // the record holds a part of the row alone: it cannot be told, and is not called absent
			}
			if got != want {
				t.Errorf("%q, %s: %q, want %q: %+v", index, id, got, want, a.Facts.Of(inv.TupleDeleted))
			}
		}
	}
}

func TestHistoryInDocuments(t *testing.T) {
	l := newLive(t, `CREATE TABLE docs ("Id" uuid PRIMARY KEY, title text, pages int, draft boolean, parts jsonb);
CREATE TABLE hist (hid bigserial PRIMARY KEY, op text, at timestamptz DEFAULT now(), "row" jsonb);
CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO hist (op, "row") VALUES (TG_OP, to_jsonb(OLD)); RETURN OLD; END $$;
CREATE TRIGGER keep AFTER UPDATE OR DELETE ON docs FOR EACH ROW EXECUTE FUNCTION keep();
INSERT INTO docs VALUES ('`+recordID+`', 'Temporary closure', 7, true, '{"a": [1, 2]}'); UPDATE docs SET pages = 8; DELETE FROM docs;
CREATE TABLE pairs (tenant int, doc text, PRIMARY KEY (tenant, doc)); CREATE TABLE pairs_audit (op text, data json); INSERT INTO pairs_audit VALUES ('D', '{"tenant": 7, "doc": "a"}');`)
	for _, role := range []string{"", "reader"} {
		a := l.examine(role, inv.Record{ID: recordID}, "database.server", "versions.history", "database.row")
		list := a.Facts.Of(inv.RowInHistory)
		del := list.With("operation", "delete")
		if len(list) != 2 || len(del) != 1 || del[0].Attr("written-by") != "trigger" || del[0].Attr("of") != "public.docs" || del[0].Time.IsZero() {
			t.Fatalf("as %q: %+v", role, list)
		}
		r := a.Recovered
		if r == nil || r.Origin != "history" || r.Table != "public.docs" || *r.Row["pages"] != "8" || *r.Row["draft"] != "t" || *r.Row["parts"] != `{"a":[1,2]}` {
			t.Errorf("as %q: recovered %+v", role, r)
		}
	}
	if list := l.examine("", inv.Record{ID: "tenant=7,doc=a"}, "versions.history").Facts.Of(inv.RowInHistory); len(list) != 1 || list[0].Attr("written-by") != "" || list[0].Attr("operation") != "delete" {
		t.Errorf("a composite key, and no trigger: %+v", list)
	}
	if list := l.examine("", inv.Record{ID: "00000000-1111-4222-8333-444444444444"}, "versions.history").Facts.Of(inv.RowInHistory); len(list) != 0 {
		t.Errorf("another record: %+v", list)
	}
}

// TestMovedPartition updates the partition key, which is a part of the primary key: the row stands under another key then.
func TestMovedPartition(t *testing.T) {
	l := newLive(t, `CREATE TABLE places (id bigint, region text, v text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE places_eu PARTITION OF places FOR VALUES IN ('eu'); CREATE TABLE places_us PARTITION OF places FOR VALUES IN ('us');
INSERT INTO places SELECT n, 'eu', 'x' FROM generate_series(1, 20) n; UPDATE places SET region = 'us' WHERE id = 5`)
	for _, role := range []string{""} {
		a := l.examine(role, inv.Record{ID: "id=5,region=eu", Table: "places"}, "database.server", "database.versions", "database.lineage", "database.row")
		if del := a.Facts.Of(inv.TupleDeleted); len(del) > 0 {
			t.Errorf("as %q it was deleted: %+v", role, del)
		}
		if moved := a.Facts.Of(inv.TupleRekeyed); len(moved) != 1 || moved[0].Attr("moved") != "true" {
			t.Errorf("as %q: %+v", role, moved)
		}
	}
}

// TestColumnsChanged rewrites a table with another type after a row of it was stored and deleted: WAL from before cannot be
// decoded with the columns of today, and must not be called empty.
func TestColumnsChanged(t *testing.T) {
	l := newLive(t, `CREATE TABLE notes (id int PRIMARY KEY, v text UNIQUE); INSERT INTO notes SELECT n, 'x' || n FROM generate_series(1, 50) n; INSERT INTO notes VALUES (504, 'q4')`)
	l.do("DELETE FROM notes WHERE id = 504")
	l.do("ALTER TABLE notes ALTER COLUMN id TYPE bigint")
	a := l.examine("", inv.Record{ID: "504", Table: "notes"}, "database.server", "database.lineage", "database.row")
	r := reading(t, a, "database.lineage")
	changed := a.Facts.Of(inv.TableRewritten)
	if r.Outcome != inv.BlindOutcome || r.Opens == "" || len(changed) != 1 {
		t.Fatalf("%s %q %+v", r.Outcome, r.Summary, changed)
	}
	for _, f := range a.Facts.Of(inv.WALKeyAbsent) {
		if f.Time.Before(changed[0].Time) || f.Attr("since") != "" {
			t.Errorf("said to be absent from before the change: %s", f.Says)
		}
	}
	for _, f := range a.Facts.Of(inv.WALCovered) {
		if f.Attr("unread") == "" {
			t.Errorf("said to be read: %s", f.Says)
		}
	}
}

func TestPuttingBack(t *testing.T) {
	l := newLive(t, `CREATE TABLE customers (id int PRIMARY KEY); INSERT INTO customers VALUES (1), (2);
CREATE TABLE orders (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer int REFERENCES customers ON DELETE CASCADE, net numeric(8,2), "Gross" numeric GENERATED ALWAYS AS (net * 1.2) STORED,
  at timestamptz DEFAULT '2025-11-27 14:58:00.25+00', note text, referrer int REFERENCES customers);
INSERT INTO orders (customer, net, note) VALUES (1, 12.50, 'it''s "quoted" \ here'), (2, 3, repeat('x', 20000));
CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TRIGGER noting BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION noted();
DELETE FROM customers WHERE id = 1; DELETE FROM orders WHERE id = 2`)
	for id, want := range map[string][]string{
		"1": {"blocked", "leave out Gross", "OVERRIDING SYSTEM VALUE", "its parent id=1 of public.customers is gone"},
		"2": {"whole", "6 columns", "triggers fire on the INSERT: noting"},
	} {
		a := l.examine("", inv.Record{ID: id, Table: "orders"}, "database.server", "database.versions", "database.lineage", "database.row", "rollback.restore")
		list := a.Facts.Of(inv.TableProperty).With("name", "restore")
		if len(list) != 1 || list[0].Attr("value") != want[0] || list[0].Attr("generated") != "Gross" || list[0].Attr("identity") != "id" {
			t.Fatalf("%s: %+v", id, list)
		}
		for _, w := range want[1:] {
			if !strings.Contains(list[0].Says, w) {
				t.Errorf("%s: %q is not in %q", id, w, list[0].Says)
			}
		}
		if strings.Contains(list[0].Says, "otherwise") {
			t.Errorf("%s: a value does not come back as it was: %s", id, list[0].Says)
		}
		sql := inv.RestoreSQL(*a.Recovered, a.Facts)
		if id == "1" && !strings.Contains(sql, "put that back first: public.customers id=1") || !strings.Contains(sql, "fires on the INSERT, read what it does: noting") {
			t.Errorf("%s: %s", id, sql)
		}
		if id == "2" { // a person has read it
			l.do(strings.Replace(sql, "ROLLBACK;", "COMMIT;", 1))
			var net, gross string
			var note int
			if err := l.conn.QueryRow(t.Context(), `SELECT net::text, "Gross"::text, length(note) FROM orders WHERE id = 2`).Scan(&net, &gross, &note); err != nil || net != "3.00" || gross != "3.600" || note != 20000 {
				t.Errorf("%s %s %d %v", net, gross, note, err)
			}
		}
	}
}
