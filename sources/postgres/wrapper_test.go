package postgres_test

import (
	"errors"
	"strings"
	"testing"

	"inquest/sources"
	"inquest/sources/pgserver"
	"inquest/sources/pgserver/pgservertest"
	"inquest/sources/postgres"
	"inquest/sources/wal"
)

// makes cuts the SQL of a function out of what would open the way.
func makes(t *testing.T, err error) string {
	t.Helper()
	var b *sources.Blind
	if !errors.As(err, &b) {
		t.Fatal(err)
	}
	_, text, ok := strings.Cut(b.Opens, "as superuser ")
	text, _, _ = strings.Cut(text, " (afterwards: DROP FUNCTION")
	if !ok {
		t.Fatalf("no function is offered: %s", b.Opens)
	}
	return text
}

func TestFunctionsOfASuperuserStandInForTheGrant(t *testing.T) {
	pgservertest.Each(t, pgserver.Config{Settings: map[string]string{"autovacuum": "off"}}, func(t *testing.T, s *pgserver.Server) {
		sql(t, s, `create role narrow login password 'pw'; grant pg_monitor to narrow; create role forger login createrole password 'pw'; create schema forger authorization forger;
create table "It's" (id uuid primary key, pad text); create table other (id uuid primary key); create table noindex (id uuid); grant select on "It's", other, noindex to narrow;
insert into "It's" select ('00000000-0000-0000-0000-' || lpad(to_hex(g), 12, '0'))::uuid, 'x' from generate_series(1, 2000) g; insert into other select id from "It's"; insert into noindex select id from "It's"; checkpoint`)
		db := open(t, s, "narrow", postgres.Options{})
		_, err := db.WAL(t.Context())
		walSQL := makes(t, err)
		info, m := table(t, db, `"It's"`, postgres.Key{ID: uuidN(5)})
		_, err = db.SearchPages(t.Context(), info, m)
		pageSQL := makes(t, err)
		// One that somebody else made is not used.
		sql(t, s, "set role forger; "+strings.ReplaceAll(walSQL[:strings.Index(walSQL, "; REVOKE")], "public.", "forger.")+"; reset role; grant usage on schema forger to narrow")
		if _, err := open(t, s, "narrow", postgres.Options{}).WAL(t.Context()); !isBlind(err) {
			t.Fatalf("the forger's function was used: %v", err)
		}
		for _, text := range []string{walSQL, pageSQL} {
			for stmt := range strings.SplitSeq(text, "; ") {
				sql(t, s, stmt)
			}
		}
		db = open(t, s, "narrow", postgres.Options{})
		src, err := db.OpenWAL(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if n, _ := countRecords(t, src, 0); n < 2000 {
			t.Errorf("%d records", n)
		}
		if segs, err := src.List(t.Context()); err != nil || len(segs) == 0 {
			t.Error(err)
		} else if got, err := src.Skim(t.Context(), []wal.Stretch{{Segment: segs[0], To: wal.PageSize}}, []wal.Pattern{{Bytes: []byte("x")}}, true); err != nil || len(got) != 1 {
			t.Errorf("%v %v", got, err)
		}
		if _, err := src.Histories(t.Context()); err != nil {
			t.Error(err)
		}
		info, m = table(t, db, `"It's"`, postgres.Key{ID: uuidN(5)})
		if ps, err := db.SearchPages(t.Context(), info, m); err != nil || len(ps) != 1 || len(ps[0].Versions) != 1 {
			t.Errorf("%+v %v", ps, err)
		}
		for _, name := range []string{"other", "noindex"} {
			info, m = table(t, db, name, postgres.Key{ID: uuidN(5)})
			if ps, err := db.SearchPages(t.Context(), info, m); !isBlind(err) {
				t.Errorf("%s: %+v %v", name, ps, err)
			}
		}
		for _, path := range []string{"../global/1260", "x/../../PG_VERSION", "archive_status"} {
			if got := answer(t, s, "select public.inquest_wal_read('"+path+"', 0, 100) is null"); got != "t" {
				t.Errorf("%s is read", path)
			}
		}
	})
}
