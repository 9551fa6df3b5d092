package probes_test

import (
	"strings"
	"testing"

	inv "inquest/investigations"
)

// How many were stored together with the row, and how many of them stand: from WAL
// and a count, never from survivors alone.
func TestHowManySharedTheFate(t *testing.T) {
	l := newLive(t, `CREATE TABLE orders (id int PRIMARY KEY, tenant int, total int)`)
	l.do("INSERT INTO orders SELECT g, 1, g FROM generate_series(1, 100) g")
	l.do("BEGIN; INSERT INTO orders SELECT g, 7, g FROM generate_series(1001, 1040) g; SAVEPOINT a; INSERT INTO orders SELECT g, 7, g FROM generate_series(1041, 1050) g; RELEASE a; COMMIT")
	l.do("DELETE FROM orders WHERE id BETWEEN 1010 AND 1019") // the row and nine others
	l.do("UPDATE orders SET total = 0 WHERE id = 1001")
	l.do("DELETE FROM orders WHERE id IN (5, 6)")
	all := []string{"database.server", "database.versions", "database.lineage", "database.row", "integrity.siblings"}
	cohort := func(role, id string) inv.Fact {
		list := l.examine(role, inv.Record{ID: id, Table: "orders"}, all...).Facts.Of(inv.Cohort)
		if len(list) != 1 {
			t.Fatalf("%s as %q: %+v", id, role, list)
		}
		return list[0]
	}
	f := cohort("", "1015")
	if f.Attr("removed") != "9" || f.Attr("born-with") != "49" || f.Attr("stand") != "39" || f.Attr("others") != "1" || f.Attr("others-removed") != "2" {
		t.Errorf("%+v", f)
	}
	if !strings.Contains(f.Says, "had inserted it with 49 other rows, of which 39 stand as it wrote them and 10 were changed since or are gone") || !strings.Contains(f.Says, "1 other transaction took 2 rows") {
		t.Error(f.Says)
	}
	// A savepoint that was rolled back: how many were stored is not told.
	l.do("BEGIN; INSERT INTO orders SELECT g, 8, g FROM generate_series(2001, 2010) g; SAVEPOINT a; INSERT INTO orders SELECT g, 8, g FROM generate_series(2011, 2020) g; ROLLBACK TO a; COMMIT")
	l.do("DELETE FROM orders WHERE id = 2005")
	if f := cohort("", "2005"); f.Attr("stand") != "" && f.Attr("born-with") != "9" {
		t.Errorf("%+v", f)
	}
	// From survivors alone nothing is said of what is not there.
	l.do("GRANT SELECT ON orders TO reader")
	a := l.examine("reader", inv.Record{ID: "1015", Table: "orders"}, all...)
	for _, f := range a.Facts.Of(inv.Cohort) {
		if f.Attr("born-with") != "" || f.Attr("others") != "" || f.Attr("removed") != "0" {
			t.Errorf("%+v", f)
		}
	}
}
