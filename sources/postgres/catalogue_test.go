package postgres_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"inquest/sources/postgres"
)

const catalogueSQL = `
drop schema if exists cat cascade; create schema cat; set search_path = cat;
create type mood as enum ('ok', 'bad');
create domain small as int check (value > 0); create domain smaller as small;
create table "Customers" (id uuid primary key, name text);
create table orders (
  id uuid primary key, gone int, customer uuid references "Customers" on delete cascade, m mood default 'ok', ms mood[], d smaller,
  ref varchar(8) unique, note text, deleted_at timestamptz);
alter table orders drop column gone;
insert into "Customers" values ('00000000-0000-0000-0000-0000000000c1', 'c');
insert into orders (id) values ('00000000-0000-0000-0000-000000000001');
alter table orders add column later text default 'it''s, "new"', add column at timestamptz default '2025-11-27 14:58:00+00';
create index on orders (customer, id) include (ref);
create index on orders (note collate "C" desc);
alter table orders enable row level security;
create policy p on orders for select to tenant using (customer::text = current_setting('app.tenant', true));
create function swallow() returns trigger language plpgsql as 'begin return null; end';
create trigger eat before insert on orders for each row when (false) execute function swallow();
create rule norule as on delete to "Customers" where false do instead nothing;
create table orders_history (id bigserial primary key, order_id uuid, op text);
create table items (id bigint primary key, order_id uuid references orders);
create table events (id uuid, at timestamptz not null, primary key (id, at)) partition by range (at);
create table events_a partition of events for values from ('2025-01-01') to ('2025-07-01');
create table events_b partition of events for values from ('2025-07-01') to ('2026-01-01');
create unlogged table scratch (id uuid primary key);
create view v as select id from orders;
`

const id1 = "00000000-0000-0000-0000-000000000001"

func TestCatalogue(t *testing.T) {
	s := cluster(t)
	sql(t, s, catalogueSQL)
	db := open(t, s, "", postgres.Options{})
	all, err := db.Candidates(t.Context(), postgres.Key{ID: id1}, 0)
	if err != nil {
		t.Fatal(err)
	}
	by := map[string]postgres.TableInfo{}
	var order []string
	for _, c := range all {
		if c.Schema == "cat" {
			by[c.Name] = c
			order = append(order, c.Name)
		}
	}
	o := by["orders"]
	t.Run("order", func(t *testing.T) {
		if len(order) < 6 || by["orders_history"].History == "" || order[len(order)-1] != "orders_history" && order[len(order)-1] != "items" {
			t.Errorf("order %v", order)
		}
		if _, ok := by["v"]; ok {
			t.Error("a view holds no rows")
		}
		if _, ok := by["events_a"]; ok {
			t.Error("a partition stands beside its parent")
		}
	})
	t.Run("columns", func(t *testing.T) {
		if len(o.Columns) != 11 || !o.Columns[1].Dropped || o.Columns[1].Len != 4 || o.Columns[1].Align != 'i' {
			t.Fatalf("columns %+v", o.Columns)
		}
		if c := o.Column("d"); c.Base != 23 || c.Len != 4 {
			t.Errorf("domain of a domain: %+v", c)
		}
		if c := o.Column("m"); len(c.Labels) != 2 {
			t.Errorf("enum labels: %+v", c)
		}
		if c := o.Column("ms"); len(c.Labels) != 2 {
			t.Errorf("labels of an enum array: %+v", c)
		}
		if c := o.Column("later"); c.Missing == nil || *c.Missing != `it's, "new"` {
			t.Errorf("missing value: %+v", c)
		}
		if c := o.Column("at"); c.Missing == nil || *c.Missing != "2025-11-27 14:58:00+00" {
			t.Errorf("missing time: %+v", c)
		}
		if c := o.Column("id"); !c.NotNull || c.TypeName != "uuid" || c.Align != 'c' || c.Len != 16 {
			t.Errorf("id: %+v", c)
		}
	})
	t.Run("properties", func(t *testing.T) {
		if o.File.Rel == 0 || o.File.Spc != 1663 || o.File.DB == 0 || o.Toast == nil || o.Toast.Index == 0 || o.Persistence != "p" || o.Rewritten || o.ClassXmin == 0 {
			t.Errorf("%+v", o)
		}
		if len(o.SoftDelete) != 1 || !o.RLS.Enabled || len(o.Policies) != 1 || o.Policies[0].Roles[0] != "tenant" {
			t.Errorf("soft delete %v, rls %+v, policies %+v", o.SoftDelete, o.RLS, o.Policies)
		}
		if len(o.Triggers) != 1 || !o.Triggers[0].Swallows || o.Triggers[0].Timing != "before" || !o.Triggers[0].Insert || o.Triggers[0].Delete {
			t.Errorf("triggers %+v", o.Triggers)
		}
		if r := by["Customers"].Rules; len(r) != 1 || r[0].Event != "delete" || !r[0].Instead {
			t.Errorf("rules %+v", r)
		}
		if len(o.Parents) != 1 || o.Parents[0].OnDelete != "c" || o.Parents[0].Parent != `cat."Customers"` || len(o.Children) != 1 || o.Children[0].Child != "cat.items" {
			t.Errorf("foreign keys %+v %+v", o.Parents, o.Children)
		}
		if by["scratch"].Persistence != "u" {
			t.Error("unlogged")
		}
		if p := by["items"].Parents; len(p) != 1 {
			t.Errorf("parents of items: %+v", p)
		}
	})
	t.Run("indexes", func(t *testing.T) {
		if len(o.Indexes) != 4 || !o.Indexes[0].Primary || o.Indexes[0].File.Rel == 0 {
			t.Fatalf("indexes %+v", o.Indexes)
		}
		for _, ix := range o.Indexes[2:] {
			cols, ok := o.HeapColumns(ix)
			if !ok {
				t.Errorf("%s is not readable", ix.Name)
			}
			switch len(cols) {
			case 3:
				if ix.Keys != 2 || cols[0].Name != "customer" || cols[2].Name != "ref" || cols[2].AttNum != 3 {
					t.Errorf("%+v", ix)
				}
			case 1:
				if !cols[0].Desc || !cols[0].Bytewise {
					t.Errorf("%+v", ix)
				}
			}
		}
		if m := o.Matches; len(m) < 3 || !m[0].Primary || !m[0].Unique || m[0].Index != o.Indexes[0].OID {
			t.Errorf("matches %+v", m)
		}
	})
	t.Run("partitions", func(t *testing.T) {
		e := by["events"]
		if e.Kind != "p" || len(e.Leaves) != 2 || len(e.Stored()) != 2 || !strings.Contains(e.Leaves[0].Partition.Bound, "FOR VALUES FROM") {
			t.Errorf("%+v", e)
		}
		if e.Leaves[0].Partition.RootOID != e.OID || len(e.Leaves[0].Match(postgres.Key{ID: id1})) == 0 {
			t.Errorf("%+v", e.Leaves[0])
		}
	})
	t.Run("json", func(t *testing.T) {
		raw, err := json.Marshal(all)
		if err != nil {
			t.Fatal(err)
		}
		var back []postgres.TableInfo
		if err := json.Unmarshal(raw, &back); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(all, back); d != "" {
			t.Error(d)
		}
		t.Logf("%d tables, %d bytes", len(all), len(raw))
	})
}

func TestTypesDecideThePlaces(t *testing.T) {
	s := cluster(t)
	sql(t, s, `drop schema if exists types cascade; create schema types; create table types.k (a int2, b int4, c int8, d numeric, e text, f varchar(3), g uuid, h bytea, i bool, j "char", k date)`)
	db := open(t, s, "", postgres.Options{})
	for id, want := range map[string]string{
		"42":         "a b c d e f",
		"70000":      "b c d e",
		"4200000000": "c d e",
		"x42":        "e f",
		"-1.5":       "d e",
		id1:          "e g h", // in bytea as its 16 bytes
		"{" + strings.ToUpper(strings.ReplaceAll(id1, "-", "")) + "}": "e g h",
		`\xab`: "e h",
	} {
		p, err := db.Places(t.Context(), postgres.Key{ID: id, Table: "types.k"})
		if err != nil {
			t.Fatal(err)
		}
		var have []string
		for _, c := range p.List {
			have = append(have, c.Column)
		}
		if got := strings.Join(have, " "); got != want {
			t.Errorf("%s: %s, want %s", id, got, want)
		}
	}
}

func TestResolve(t *testing.T) {
	s := cluster(t)
	sql(t, s, `drop schema if exists res cascade; drop schema if exists "Res2" cascade; create schema res; create schema "Res2"; create table res."Thing" (id int); create table res.thing (id int); create table "Res2"."Only.One" (id int); create table res."MixedCase" (id int)`)
	db := open(t, s, "", postgres.Options{})
	for name, want := range map[string]string{
		"res.Thing": "1", `res."thing"`: "1", "THING": "2", "mixedcase": "1", `"mixedcase"`: "0", "res2.only.one": "error", `"Res2"."Only.One"`: "1",
		`res2."Only.One"`: "1", "nothing": "0", "": "error", "a.b.c": "error", `"open`: "error", "res.": "error",
	} {
		oids, err := db.Resolve(t.Context(), name)
		got := string(rune('0' + len(oids)))
		if err != nil && !isBlind(err) {
			got = "error"
		}
		if got != want {
			t.Errorf("%s: %s (%v), want %s", name, got, err, want)
		}
	}
	_, err := db.Resolve(t.Context(), "mixed")
	if err == nil || !strings.Contains(err.Error(), `res."MixedCase"`) {
		t.Errorf("no proposal: %v", err)
	}
}
