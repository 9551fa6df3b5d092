package probes_test

import (
	"testing"

	inv "inquest/investigations"
	"inquest/sources/pgserver"
	"inquest/sources/pgserver/pgservertest"
)

// TestPreparedTransactionsAndWhatTheyWrite looks before and after a restart, by
// which the locks of a prepared transaction change their owner's name.
func TestPreparedTransactionsAndWhatTheyWrite(t *testing.T) {
	l := &live{t: t, server: pgservertest.New(t, pgserver.Config{Settings: map[string]string{"max_prepared_transactions": "3"}})}
	l.conn = l.connect()
	l.do("CREATE ROLE reader LOGIN PASSWORD 'p'; CREATE TABLE orders (id int PRIMARY KEY); CREATE TABLE other (id int); GRANT SELECT ON orders TO reader")
	l.do("BEGIN; INSERT INTO orders VALUES (42); PREPARE TRANSACTION 'forgotten'")
	l.do("BEGIN; INSERT INTO other VALUES (42); PREPARE TRANSACTION 'another'")
	look := func(when string) {
		for _, role := range []string{"", "reader"} {
			writes := map[string]string{}
			for _, f := range l.examine(role, inv.Record{ID: "42"}, "concurrency.open").Facts.Of(inv.XactPrepared) {
				writes[f.Attr("gid")] = f.Attr("writes")
			}
			if writes["forgotten"] != "public.orders" || writes["another"] != "public.other" {
				t.Errorf("%s, as %q: %v", when, role, writes)
			}
		}
	}
	look("in the life of the server")
	if err := l.server.Restart(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	look("after a restart")
}
