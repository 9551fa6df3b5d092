package probes_test

import (
	"strings"
	"testing"

	inv "inquest/investigations"
	"inquest/investigations/mechanisms"
	"inquest/sources"
)

// Rows that are about a record are not the record: lines that refer to it without a
// foreign key, versions beside its key, an audit tool's rows. What a role without
// WAL is told of a record that is gone while they stand.
func TestWhatIsAboutARecordIsNotTheRecord(t *testing.T) {
	const id = "5d0c1a7e-2f4b-4c19-8a77-1f2e3d4c5b6a"
	l := newLive(t, "")
	for _, c := range []struct{ name, schema, rows, fate, says string }{
		{"lines that refer to it by name", "CREATE TABLE order_items (order_id uuid, pos int, sku text, PRIMARY KEY (order_id, pos))", "INSERT INTO order_items VALUES ('ID', 1, 'a')", "undetermined", "A row of public.order_items still refers to it by order_id"},
		{"one row that refers to it by name", `CREATE TABLE "orderState" ("orderId" uuid PRIMARY KEY, s text)`, `INSERT INTO "orderState" VALUES ('ID', 'ok')`, "undetermined", "still refers to it by orderId"},
		{"Hibernate Envers", "CREATE TABLE orders_aud (id uuid, rev int, revtype smallint, note text, PRIMARY KEY (id, rev))", "INSERT INTO orders_aud VALUES ('ID', 1, 0, 'x'), ('ID', 2, 2, NULL)", "undetermined", "is in public.orders_aud"},
		{"versions of another name", "CREATE TABLE orders_h (id uuid, version int, note text, PRIMARY KEY (id, version))", "INSERT INTO orders_h VALUES ('ID', 1, 'x')", "undetermined", "is in public.orders_h"},
		{"paper_trail", "CREATE TABLE versions (id serial PRIMARY KEY, item_type text, item_id text, event text)", "INSERT INTO versions (item_type, item_id, event) VALUES ('Order', 'ID', 'create'), ('Order', 'ID', 'destroy')", "deleted", "public.versions"},
		{"django-simple-history", "CREATE TABLE historicalorders (history_id serial PRIMARY KEY, id uuid, note text, total int, history_type varchar(1))", "INSERT INTO historicalorders (id, history_type) VALUES ('ID', '+'), ('ID', '-')", "deleted", "public.historicalorders"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l.do("DROP SCHEMA public CASCADE; CREATE SCHEMA public; GRANT USAGE ON SCHEMA public TO reader")
			l.do("CREATE TABLE orders (id uuid PRIMARY KEY, note text, total int); CREATE TABLE customers (id uuid PRIMARY KEY, name text);" + c.schema)
			l.do("INSERT INTO orders VALUES ('" + id + "', 'mine', 5)")
			l.do(strings.ReplaceAll(c.rows, "ID", id))
			l.do("DELETE FROM orders; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
			_, a := examine(t, inv.Record{ID: id}, sources.Window{}, []sources.Source{l.as("reader")}, "database.server", "database.tables", "database.row", "versions.history")
			j := mechanisms.NewJudge(mechanisms.All())(inv.Deliberation{Record: inv.Record{ID: id}, Facts: a.Facts})
			if string(j.Fate.Kind) != c.fate || !strings.Contains(j.Fate.Summary, c.says) || j.Fate.Standing == inv.Established {
				t.Errorf("%s %s: %s", j.Fate.Kind, j.Fate.Standing, j.Fate.Summary)
			}
			if strings.Contains(j.Fate.Summary, "nothing shows") {
				t.Errorf("it is shown to have existed: %s", j.Fate.Summary)
			}
			if lead, ok := j.Leading(); ok {
				t.Errorf("%s leads", lead.Mechanism)
			}
		})
	}
}

// A row that is switched off, or whose validity has ended, is there, and may be shown
// to nobody: that it is simply present is not said, nor that it is removed.
func TestARowThatIsPerhapsFormer(t *testing.T) {
	const id = "5d0c1a7e-2f4b-4c19-8a77-1f2e3d4c5b6a"
	l := newLive(t, `CREATE TABLE a (id uuid PRIMARY KEY, valid_from timestamptz, valid_to timestamptz); CREATE TABLE b (id uuid PRIMARY KEY, "IsActive" boolean);
CREATE TABLE c (id uuid PRIMARY KEY, sys_period tstzrange); CREATE TABLE d (id uuid PRIMARY KEY, effective_to date)`)
	for _, c := range []struct{ table, values, fate string }{
		{"a", "now() - interval '2 days', now() - interval '1 day'", "hidden probable"},
		{"a", "now() - interval '2 days', 'infinity'", "present established"},
		{"a", "now(), now() + interval '1 day'", "present established"},
		{"b", "false", "hidden probable"},
		{"b", "true", "present established"},
		{"b", "NULL", "present established"},
		{"c", "tstzrange(now() - interval '2 days', now() - interval '1 day')", "hidden probable"},
		{"c", "tstzrange(now(), NULL)", "present established"},
		{"d", "current_date - 3", "hidden probable"},
		{"d", "current_date + 3", "present established"},
	} {
		l.do("INSERT INTO " + c.table + " VALUES ('" + id + "', " + c.values + ")")
		rec := inv.Record{ID: id, Table: c.table}
		_, a := examine(t, rec, sources.Window{}, []sources.Source{l.as("")}, "database.server", "database.tables", "database.row")
		j := mechanisms.NewJudge(mechanisms.All())(inv.Deliberation{Record: rec, Facts: a.Facts})
		lead, leads := j.Leading()
		if got := string(j.Fate.Kind) + " " + string(j.Fate.Standing); got != c.fate || leads != (j.Fate.Kind == inv.FatePresent) {
			t.Errorf("%s %s: %s, %s leads %v: %s", c.table, c.values, got, lead.Mechanism, leads, j.Fate.Summary)
		}
		l.do("TRUNCATE " + c.table)
	}
}
