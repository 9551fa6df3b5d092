package main

import (
	"fmt"
	"strings"
	"testing"
)

// TestLookAlikes plays what leaves nearly the same traces as a lost row, and must not be told as one, or the other way
// round.
func TestLookAlikes(t *testing.T) {
	type want struct{ fate, standing, mechanism string }
	for name, c := range map[string]struct {
		script []string // as the role clerk, each in a session of its own; %s is the id of a parcel stored before
		want   want
	}{
		"the delete was rolled back":         {[]string{"BEGIN; DELETE FROM parcels WHERE id = %s; ROLLBACK"}, want{"present", "established", "still-present"}},
		"locked for update only":             {[]string{"BEGIN; SELECT * FROM parcels WHERE id = %s FOR UPDATE; COMMIT"}, want{"present", "established", "still-present"}},
		"updated in place":                   {[]string{"UPDATE parcels SET weight = 3 WHERE id = %s", "UPDATE parcels SET weight = 4 WHERE id = %s"}, want{"present", "established", "still-present"}},
		"updated, then deleted":              {[]string{"UPDATE parcels SET weight = 3 WHERE id = %s", "DELETE FROM parcels WHERE id = %s"}, want{"deleted", "established", ""}},
		"deleted and stored again":           {[]string{"DELETE FROM parcels WHERE id = %s", "INSERT INTO parcels (id, label) OVERRIDING SYSTEM VALUE VALUES (%s, 'again')"}, want{"present", "established", "still-present"}},
		"deleted within a savepoint":         {[]string{"BEGIN; SAVEPOINT a; DELETE FROM parcels WHERE id = %s; RELEASE a; COMMIT"}, want{"deleted", "established", ""}},
		"a savepoint's delete rolled back":   {[]string{"BEGIN; SAVEPOINT a; DELETE FROM parcels WHERE id = %s; ROLLBACK TO a; INSERT INTO parcels (label) VALUES ('b'); COMMIT"}, want{"present", "established", "still-present"}},
		"deleted, stored again, rolled back": {[]string{"DELETE FROM parcels WHERE id = %s", "BEGIN; INSERT INTO parcels (id, label) OVERRIDING SYSTEM VALUE VALUES (%s, 'again'); ROLLBACK"}, want{"deleted", "established", ""}},
		"a neighbour was deleted":            {[]string{"DELETE FROM parcels WHERE label = 'neighbour'"}, want{"present", "established", "still-present"}},
	} {
		t.Run(name, func(t *testing.T) {
			in := newIncident(t, quietLog, parcels, "INSERT INTO parcels (label) VALUES ('neighbour')")
			id := in.parcel("mine")
			for _, s := range c.script {
				if strings.Contains(s, "%s") {
					s = fmt.Sprintf(s, id)
				}
				in.do("app", "clerk", strings.Split(s, "; ")...)
			}
			in.parcel("later")
			for _, role := range []string{"", "kit"} {
				in.ask(role, id, append(in.log(), "--table", "parcels")...)
				in.expect(c.want.fate, c.want.standing, c.want.mechanism)
			}
		})
	}
}

// TestSavepoint stores a parcel within a savepoint that is rolled back while its transaction commits.
func TestSavepoint(t *testing.T) {
	in := newIncident(t, quietLog, parcels)
	conn := in.connect("app", "clerk", "")
	in.must(conn, "BEGIN; INSERT INTO parcels (label) VALUES ('outer'); SAVEPOINT a")
	var id int64
	if err := conn.QueryRow(t.Context(), "INSERT INTO parcels (label) VALUES ('inner') RETURNING id").Scan(&id); err != nil {
		t.Fatal(err)
	}
	in.must(conn, "ROLLBACK TO a; COMMIT")
	in.leave(conn)
	in.parcel("later")
	in.ask("kit", fmt.Sprint(id), "--table", "parcels")
	in.expect("never-committed", "established", "")
}

// TestKeys finds a record by keys of many kinds.
func TestKeys(t *testing.T) {
	in := newIncident(t, quietLog,
		`CREATE TABLE "Odd ""Names"" Öl" ("The Key" text PRIMARY KEY, v int)`,
		`INSERT INTO "Odd ""Names"" Öl" VALUES ('it''s; DROP TABLE x --', 1), ('naïve ☃ key', 2), ('tenant/42', 3), ('100%', 4)`,
		`CREATE TABLE docs (tenant_id int, doc_id bigint, body text, PRIMARY KEY (tenant_id, doc_id))`,
		`INSERT INTO docs VALUES (7, 42, 'a'), (8, 42, 'b'), (7, -5, 'c')`,
		`CREATE TABLE months (month date, n int, PRIMARY KEY (month, n)) PARTITION BY RANGE (month)`,
		`CREATE TABLE months_1 PARTITION OF months FOR VALUES FROM ('2025-01-01') TO ('2025-02-01')`,
		`INSERT INTO months VALUES ('2025-01-15', 10042)`)
	for record, table := range map[string]string{
		"it's; DROP TABLE x --":    `"Odd ""Names"" Öl"`,
		"naïve ☃ key":              `public."Odd ""Names"" Öl"`,
		"tenant/42":                "",
		"100%":                     "",
		"tenant_id=7,doc_id=42":    "docs",
		"tenant_id=7,doc_id=-5":    "public.docs",
		"month=2025-01-15,n=10042": "months",
	} {
		flags := []string{}
		if table != "" {
			flags = append(flags, "--table", table)
		}
		for _, role := range []string{"", "kit", "reader"} {
			in.ask(role, record, flags...)
			if in.Fate.Kind != "present" || in.Fate.Standing != "established" {
				t.Errorf("%q in %s as %q: %s, %s\n%s", record, table, role, in.Fate.Kind, in.Fate.Standing, in.tell())
			}
		}
	}
	in.ask("kit", "tenant_id=9,doc_id=42", "--table", "docs")
	in.expect("undetermined", "undetermined", "")
	// A composite key that went away.
	in.do("app", "clerk", "DELETE FROM docs WHERE tenant_id = 7 AND doc_id = 42", "DELETE FROM months")
	in.ask("kit", "tenant_id=7,doc_id=42", "--table", "docs")
	in.expect("deleted", "established", "")
	in.ask("kit", "tenant_id=8,doc_id=42", "--table", "docs")
	in.expect("present", "established", "still-present")
	in.ask("kit", "month=2025-01-15,n=10042", "--table", "months")
	in.expect("deleted", "established", "")
}
