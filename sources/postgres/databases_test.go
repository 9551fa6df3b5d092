package postgres_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"inquest/sources/catalog"
	"inquest/sources/pgserver"
	"inquest/sources/pgserver/pgservertest"
	"inquest/sources/postgres"
)

func sqlIn(t *testing.T, s *pgserver.Server, database, text string) {
	t.Helper()
	c := connectTo(t, s, database)
	defer func() { _ = c.Close(t.Context()) }()
	if _, err := c.Exec(t.Context(), text).ReadAll(); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

func TestEveryDatabaseOfTheCluster(t *testing.T) {
	majors := append([]int{0}, pgservertest.Majors()...)
	for _, major := range slices.Compact([]int{0, majors[len(majors)-1]}) { // whatever is here, and the oldest
		s := pgservertest.New(t, pgserver.Config{Major: major, Settings: map[string]string{"autovacuum": "off", "fsync": "off"}})
		for _, stmt := range []string{
			"create role reader login password 'pw' bypassrls", "create database archive", "create database shut", "create database empty", "create database near",
			"revoke connect on database shut from public", "create database gone allow_connections false",
			"create table own (id uuid primary key); grant select on own to reader",
		} {
			sql(t, s, stmt)
		}
		sqlIn(t, s, "archive", `create schema old; grant usage on schema old to reader;
create table old."Moved Rows" (id uuid primary key, n int); insert into old."Moved Rows" values ('`+uuidN(7)+`', 1);
create table old.docs (n int, body jsonb, ids uuid[]); insert into old.docs values (1, '{"a": {"ref": "`+strings.ToUpper(uuidN(7))+`"}}', array['`+uuidN(7)+`']::uuid[]), (2, '{}', '{}');
create table old.parts (ref text, at int) partition by range (at); create table old.parts_1 partition of old.parts for values from (0) to (10); create index on old.parts (ref);
insert into old.parts values ('`+uuidN(7)+`', 1); create table old.secret (id uuid primary key); insert into old.secret values ('`+uuidN(7)+`');
grant select on all tables in schema old to reader; revoke select on old.secret from reader;
create foreign data wrapper nowhere; create server s foreign data wrapper nowhere; create foreign table old.remote (id uuid) server s`)
		sqlIn(t, s, "near", `create table n (id uuid primary key); insert into n values ('`+uuidN(8)+`'); grant select on n to reader`)
		db := open(t, s, "reader", postgres.Options{})
		got, err := db.SearchDatabases(t.Context(), postgres.Key{ID: uuidN(7)}, false)
		if err != nil {
			t.Fatal(err)
		}
		by := map[string]catalog.DatabaseSearch{}
		for _, d := range got {
			by[d.Database] = d
		}
		if !by["postgres"].Own || len(by["postgres"].Looked) == 0 || len(by["postgres"].Hits) > 0 {
			t.Errorf("own database: %+v", by["postgres"])
		}
		a := by["archive"]
		where := func(d catalog.DatabaseSearch) (out []string) {
			for _, h := range d.Hits {
				out = append(out, fmt.Sprint(h.Table, ".", h.Column, " ", h.Within))
			}
			slices.Sort(out)
			return out
		}
		if fmt.Sprint(where(a)) != "[Moved Rows.id false parts.ref false]" || a.Hits[0].TID == "" {
			t.Errorf("archive: %v", where(a))
		}
		var skipped []string
		for _, p := range a.Skipped {
			skipped = append(skipped, p.Table+": "+p.Why+" "+p.Opens)
		}
		if all := fmt.Sprint(skipped); !strings.Contains(all, "remote: a foreign table") || !strings.Contains(all, `GRANT SELECT ON "old"."secret" TO "reader"`) {
			t.Errorf("skipped: %s", all)
		}
		if d := by["shut"]; !strings.Contains(d.Opens, `GRANT CONNECT ON DATABASE "shut" TO "reader"`) {
			t.Errorf("shut: %+v", d)
		}
		if d, ok := by["empty"]; !ok || d.Why != "" || len(d.Hits) > 0 {
			t.Errorf("empty: %+v", d)
		}
		if _, ok := by["gone"]; ok {
			t.Error("a database that takes no connections was entered")
		}
		if n := by["near"].Near; len(n) != 1 || n[0].Key != uuidN(8) || n[0].Difference != postgres.NearOneEdit {
			t.Errorf("near: %+v", n)
		}
		none(t, s, "select count(*) from pg_stat_activity where application_name = 'inquest' and datname <> 'postgres'")
		if !slices.ContainsFunc(db.Statements(), func(st sourcesStatement) bool { return strings.HasSuffix(st.Source, "/archive") }) {
			t.Error("statements in other databases are not listed")
		}
		got, err = db.SearchDatabases(t.Context(), postgres.Key{ID: uuidN(7)}, true)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range got {
			if d.Database == "archive" && fmt.Sprint(where(d)) != "[Moved Rows.id false docs.body true docs.ids true parts.ref false]" {
				t.Errorf("inside: %v %+v", where(d), d.Skipped)
			}
		}
		small := open(t, s, "reader", postgres.Options{Budget: postgres.Budget{ScanBytes: 1}})
		if got, err = small.SearchDatabases(t.Context(), postgres.Key{ID: "1"}, true); err != nil {
			t.Fatal(err)
		}
		for _, d := range got {
			for _, h := range d.Hits {
				t.Errorf("read above the budget: %+v", h)
			}
		}
	}
}
