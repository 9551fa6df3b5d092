package main

import (
	"strings"
	"testing"
)

// TestTablesOfEveryShape: what became of a row is told whatever its table is: one that was replaced by renaming, one whose rows are moved to an
// archive, one without a key, one of many, one partition of many.
func TestTablesOfEveryShape(t *testing.T) {
	const id = "7d1683c9-b081-4071-bc2b-4fe8b14b8fd%d"
	in := newIncident(t, nil,
		"CREATE TABLE orders (id uuid PRIMARY KEY, note text, n int); INSERT INTO orders SELECT gen_random_uuid(), 'x', n FROM generate_series(1, 40) n",
		"CREATE TABLE invoices (id uuid PRIMARY KEY, note text, n int); CREATE TABLE invoices_archive (LIKE invoices)",
		"CREATE TABLE events (id uuid, note text); INSERT INTO events SELECT gen_random_uuid(), 'x' FROM generate_series(1, 40)",
		"DO $$ BEGIN FOR i IN 1..60 LOOP EXECUTE format('CREATE TABLE many%s (id uuid PRIMARY KEY, note text)', i); END LOOP; END $$",
		"CREATE TABLE visits (id uuid, day int, PRIMARY KEY (id, day)) PARTITION BY LIST (day)",
		"DO $$ BEGIN FOR i IN 1..230 LOOP EXECUTE format('CREATE TABLE visits_%s PARTITION OF visits FOR VALUES IN (%s)', i, i); END LOOP; END $$")
	for i, table := range []string{"orders (id, note, n)", "invoices (id, note, n)", "events (id, note)", "many47 (id, note)", "visits (id, day)"} {
		values := map[bool]string{true: "229", false: "'the lost one'"}[strings.HasPrefix(table, "visits")]
		if strings.Contains(table, ", n)") {
			values += ", 777"
		}
		in.do("app", "clerk", "INSERT INTO "+table+" VALUES ('"+strings.Replace(id, "%d", string(rune('0'+i)), 1)+"', "+values+")")
	}
	in.do("app", "", "BEGIN", "CREATE TABLE orders_new (LIKE orders INCLUDING ALL)", "INSERT INTO orders_new SELECT * FROM orders WHERE n <> 777",
		"ALTER TABLE orders RENAME TO orders_old", "ALTER TABLE orders_new RENAME TO orders", "COMMIT", "DROP TABLE orders_old",
		"WITH d AS (DELETE FROM invoices WHERE n = 777 RETURNING *) INSERT INTO invoices_archive SELECT * FROM d",
		"DELETE FROM events WHERE note = 'the lost one'", "DELETE FROM many47", "DELETE FROM visits")
	for i, c := range []struct{ table, says string }{
		{"orders", "dropped"}, {"invoices", "invoices_archive"}, {"events", "public.events"}, {"", "public.many47"}, {"visits", "public.visits_229"},
	} {
		flags := []string{"--table", c.table}
		if c.table == "" {
			flags = nil
		}
		in.ask("", strings.Replace(id, "%d", string(rune('0'+i)), 1), flags...)
		if in.Fate.Kind != "deleted" || in.Fate.Standing != "established" || !strings.Contains(in.Fate.Summary, c.says) {
			t.Errorf("%s: %s\n%s", c.table, in.Fate.Kind, in.tell())
		}
	}
}
