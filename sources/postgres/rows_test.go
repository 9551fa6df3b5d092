package postgres_test

import (
	"strings"
	"testing"

	"inquest/sources"
	"inquest/sources/postgres"
)

const rowsSQL = `
drop schema if exists r cascade; create schema r; set search_path = r; grant usage on schema r to public;
create extension if not exists citext schema public;
create table t (id uuid primary key, ref varchar(8) unique, name public.citext unique, n numeric(6, 2), is_deleted bool, deleted_at timestamptz, price numeric(10, 2) unique);
insert into t values ('00000000-0000-0000-0000-000000000001', 'AB-1', 'Bob', 1.5, true, null, 12.50), ('00000000-0000-0000-0000-000000000002', 'AB-2', 'Eve', 2, false, null, 1);
create table texts (id text primary key);
insert into texts values ('01HV8QZ3E9WKXY5T2N7M4C6B8D '), ('ORDER-000000000042'), ('e7a4bff2-adc7-4847-a9d8-25734601b405');
create table secured (id uuid primary key, tenant text);
insert into secured values ('00000000-0000-0000-0000-000000000001', 'a'), ('00000000-0000-0000-0000-000000000002', 'b');
alter table secured enable row level security;
create policy p on secured using (tenant = current_setting('app.tenant', true));
grant select on secured to tenant, app, kit;
grant app to kit;
grant select on t to kit;
create table hidden (id uuid primary key); create view view as select * from t;
create table only_tenant (tenant int primary key);
create table loose (ref_id uuid, x text);
insert into loose values ('00000000-0000-0000-0000-000000000001', 'x');
create table docs (ref text, doc_id uuid, tenant int, primary key (tenant, ref));
insert into docs values ('d1', '00000000-0000-0000-0000-000000000001', 7), ('d1', '00000000-0000-0000-0000-000000000003', 8);
`

func table(t *testing.T, db *postgres.Server, name string, key postgres.Key) (*postgres.TableInfo, postgres.Match) {
	t.Helper()
	key.Table = name
	tabs, err := db.Candidates(t.Context(), key, 1)
	if err != nil || len(tabs) == 0 || len(tabs[0].Matches) == 0 {
		t.Fatalf("%s: %v %v", name, tabs, err)
	}
	return &tabs[0], tabs[0].Matches[0]
}

func TestRows(t *testing.T) {
	s := cluster(t)
	sql(t, s, rowsSQL)
	db := open(t, s, "", postgres.Options{})
	rows := func(t *testing.T, db *postgres.Server, name string, key postgres.Key, how postgres.Access) *sources.Table {
		t.Helper()
		info, m := table(t, db, name, key)
		tab, err := db.Rows(t.Context(), info, m, how)
		if err != nil {
			t.Fatal(err)
		}
		return tab
	}
	for name, c := range map[string]struct {
		table string
		key   postgres.Key
		want  int
	}{
		"uuid":                     {"r.t", postgres.Key{ID: id1}, 1},
		"uuid spelled otherwise":   {"r.t", postgres.Key{ID: "{" + strings.ToUpper(id1) + "}"}, 1},
		"varchar":                  {"r.t", postgres.Key{Parts: []postgres.KeyPart{{Column: "ref", Value: "AB-1"}}}, 1},
		"varchar is not cut":       {"r.t", postgres.Key{Parts: []postgres.KeyPart{{Column: "ref", Value: "AB-1    longer"}}}, 0},
		"citext":                   {"r.t", postgres.Key{Parts: []postgres.KeyPart{{Column: "NAME", Value: "BOB"}}}, 1},
		"numeric is not rounded":   {"r.t", postgres.Key{Parts: []postgres.KeyPart{{Column: "price", Value: "12.5001"}}}, 0},
		"numeric by value":         {"r.t", postgres.Key{Parts: []postgres.KeyPart{{Column: "price", Value: "12.5"}}}, 1},
		"composite":                {"r.docs", postgres.Key{Parts: []postgres.KeyPart{{Column: "tenant", Value: "7"}, {Column: "ref", Value: "d1"}}}, 1},
		"one column of the key":    {"r.docs", postgres.Key{ID: "d1"}, 2},
		"a quote stays text":       {"r.texts", postgres.Key{ID: `' or '1'='1`}, 0},
		"a view":                   {"r.view", postgres.Key{ID: id1}, 1},
		"absent":                   {"r.t", postgres.Key{ID: uuidN(0xfff)}, 0},
		"superuser is not masked":  {"r.secured", postgres.Key{ID: id1}, 1},
		"column without any index": {"r.loose", postgres.Key{ID: id1}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			for _, noIndex := range []bool{false, true} {
				tab := rows(t, db, c.table, c.key, postgres.Access{NoIndex: noIndex})
				if len(tab.Rows) != c.want || tab.Filtered {
					t.Errorf("noIndex=%t: %d rows, want %d", noIndex, len(tab.Rows), c.want)
				}
			}
		})
	}
	t.Run("soft delete", func(t *testing.T) {
		info, m := table(t, db, "r.t", postgres.Key{ID: id1})
		tab, err := db.Rows(t.Context(), info, m, postgres.Access{})
		if err != nil {
			t.Fatal(err)
		}
		if f := info.Flagged(tab, 0); len(f) != 1 || f["is_deleted"] != "t" {
			t.Errorf("%v", f)
		}
		if tab.Text(0, "ctid") != "(0,1)" || tab.Text(0, "tableoid") != "r.t" || tab.Text(0, "xmin") == "" {
			t.Errorf("%v", tab)
		}
	})
	t.Run("as the application", func(t *testing.T) {
		key := postgres.Key{ID: id1}
		for tenant, want := range map[string]int{"": 0, "a": 1, "b": 0} {
			for _, role := range []string{"", "kit"} {
				how := postgres.Access{As: "app"}
				if tenant != "" {
					how.Settings = map[string]string{"app.tenant": tenant}
				}
				tab := rows(t, open(t, s, role, postgres.Options{}), "r.secured", key, how)
				if len(tab.Rows) != want || tab.Filtered {
					t.Errorf("tenant %q as %q: %d rows, want %d", tenant, role, len(tab.Rows), want)
				}
			}
		}
	})
	t.Run("under row-level security", func(t *testing.T) {
		tab := rows(t, open(t, s, "tenant", postgres.Options{}), "r.secured", postgres.Key{ID: id1}, postgres.Access{})
		if len(tab.Rows) != 0 || !tab.Filtered {
			t.Errorf("%+v", tab)
		}
	})
	t.Run("blind", func(t *testing.T) {
		plain := open(t, s, "plain", postgres.Options{})
		info, m := table(t, plain, "r.t", postgres.Key{ID: id1})
		_, err := plain.Rows(t.Context(), info, m, postgres.Access{})
		if !isBlind(err) || !strings.Contains(err.Error(), `GRANT SELECT ON r.t TO "plain" (afterwards: REVOKE SELECT ON r.t FROM "plain")`) {
			t.Error(err)
		}
		_, err = plain.Rows(t.Context(), info, m, postgres.Access{As: "app"})
		if !isBlind(err) || !strings.Contains(err.Error(), `GRANT "app" TO "plain"`) {
			t.Error(err)
		}
		_, err = plain.Rows(t.Context(), info, m, postgres.Access{As: "nobody here"})
		if !isBlind(err) || !strings.Contains(err.Error(), "does not exist") {
			t.Error(err)
		}
	})
}

func TestNear(t *testing.T) {
	s := cluster(t)
	sql(t, s, rowsSQL)
	db := open(t, s, "kit", postgres.Options{})
	sql(t, s, "grant select on all tables in schema r to kit")
	for name, c := range map[string]struct{ table, id, want string }{
		"one digit":      {"r.t", "00000000-0000-0000-0000-0000000000f1", "one-edit"},
		"blank":          {"r.texts", "01HV8QZ3E9WKXY5T2N7M4C6B8D", "normalised"},
		"case":           {"r.texts", "order-000000000042", "normalised"},
		"one character":  {"r.texts", "ORDER-000000000043", "one-edit"},
		"braces":         {"r.texts", "{E7A4BFF2-ADC7-4847-A9D8-25734601B405}", "normalised"},
		"no hyphens":     {"r.texts", "e7a4bff2adc74847a9d825734601b405", "normalised"},
		"swapped digits": {"r.texts", "ORDER-000000000024", "one-edit"},
		"nothing near":   {"r.t", "99999999-0000-0000-0000-0000000000f1", ""},
	} {
		t.Run(name, func(t *testing.T) {
			info, m := table(t, db, c.table, postgres.Key{ID: c.id})
			tab, err := db.Near(t.Context(), info, m)
			if err != nil {
				t.Fatal(err)
			}
			if got := tab.Text(0, "difference"); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestFindIn(t *testing.T) {
	s := cluster(t)
	sql(t, s, rowsSQL)
	db := open(t, s, "kit", postgres.Options{})
	sql(t, s, "grant select on r.loose to kit; grant select on r.docs to kit; alter role kit nobypassrls")
	defer sql(t, s, "alter role kit bypassrls")
	places := func() (out []postgres.Place) {
		p, err := db.Places(t.Context(), postgres.Key{ID: id1})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range p.List {
			if p.Schema == "r" {
				out = append(out, p)
			}
		}
		return out
	}()
	found, err := db.FindIn(t.Context(), places, id1)
	if err != nil {
		t.Fatal(err)
	}
	hits := map[string]string{}
	for _, h := range found.Hits {
		hits[h.Table+"."+h.Column] = h.TID
	}
	if len(hits) != 3 || hits["t.id"] != "(0,1)" || hits["loose.ref_id"] != "(0,1)" || hits["docs.doc_id"] != "(0,1)" {
		t.Errorf("hits %v", hits)
	}
	skipped := map[string]bool{}
	for _, k := range found.Skipped {
		skipped[k.Table] = true
		if k.Why == "" {
			t.Errorf("%+v", k)
		}
	}
	if !skipped["hidden"] || !skipped["secured"] {
		t.Errorf("skipped %v", skipped)
	}
}
