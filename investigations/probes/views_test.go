package probes_test

import (
	"strings"
	"testing"

	inv "inquest/investigations"
)

func TestViewsThatLeaveTheRowOut(t *testing.T) {
	l := newLive(t, `CREATE SCHEMA "My App"; CREATE TABLE "My App".accounts (id int PRIMARY KEY, "user" text, is_active boolean DEFAULT true, region text DEFAULT 'eu');
CREATE VIEW "My App"."Active accounts" AS SELECT id, "user" FROM "My App".accounts WHERE is_active;
CREATE VIEW all_accounts AS SELECT * FROM "My App".accounts;
CREATE VIEW us_accounts AS SELECT * FROM "My App".accounts WHERE region = 'us';
CREATE VIEW counts AS SELECT count(*) AS n FROM "My App".accounts WHERE is_active;
CREATE VIEW pairs AS SELECT a.id, b.id AS other FROM "My App".accounts a JOIN all_accounts b USING (region) WHERE a.is_active;
INSERT INTO "My App".accounts SELECT g, 'u' || g, g <> 77 FROM generate_series(1, 100) g;`)
	for _, role := range []string{"", "reader"} {
		a := l.examine(role, inv.Record{ID: "77"}, "database.views")
		lacks := a.Facts.Of(inv.TableProperty).With("name", "view-lacks")
		if p := reading(t, a, "database.views"); p.Outcome != inv.Found || len(lacks) != 2 {
			t.Fatalf("%s %q %v", p.Outcome, p.Summary, lacks)
		}
		if f := lacks[0]; f.Attr("value") != "My App.Active accounts" || f.Attr("column") != "is_active" || !strings.Contains(f.Says, "is_active is f") {
			t.Errorf("%+v", f)
		}
		if f := lacks[1]; f.Attr("value") != "public.us_accounts" || f.Attr("column") != "" {
			t.Errorf("%+v", f)
		}
		a = l.examine(role, inv.Record{ID: "78"}, "database.views")
		if lacks := a.Facts.Of(inv.TableProperty).With("name", "view-lacks"); len(lacks) != 1 {
			t.Errorf("%v", lacks)
		}
		a = l.examine(role, inv.Record{ID: "7800"}, "database.views")
		if p := reading(t, a, "database.views"); p.Outcome != inv.NotApplicable || !strings.Contains(p.Summary, "itself does not show") {
			t.Errorf("a row that is nowhere is missed by no view: %q", p.Summary)
		}
	}
}
