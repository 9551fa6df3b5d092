package wal_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"inquest/sources/heap"
	"inquest/sources/pgserver"
	"inquest/sources/wal"
)

// systemCatalogue asks a server for what a Graveyard needs to know.
func (d *db) systemCatalogue() wal.SystemCatalogue {
	d.t.Helper()
	var cat wal.SystemCatalogue
	for name, into := range map[string]*wal.CatalogueTable{"pg_class": &cat.Class, "pg_attribute": &cat.Attribute, "pg_index": &cat.Index, "pg_namespace": &cat.Namespace, "pg_type": &cat.Type} {
		into.Columns = d.columns(name)
		into.Rel = wal.RelFile{Spc: 1663, DB: num32(d.text("select oid::text from pg_database where datname = current_database()")), Rel: num32(d.text("select pg_relation_filenode($1::text::regclass)::text", name))}
		cat.DB = into.Rel.DB
	}
	return cat
}

func num32(s string) uint32 { return uint32(num(s)) }

// dropped lists the tables that were dropped since the last checkpoint.
func (d *db) dropped(cat wal.SystemCatalogue) []wal.DroppedTable {
	d.t.Helper()
	src, err := wal.OpenDir(d.s.WALDir())
	if err != nil {
		d.t.Fatal(err)
	}
	defer src.Close()
	from, err := wal.ParseLSN(d.text("select redo_lsn::text from pg_control_checkpoint()"))
	if err != nil {
		d.t.Fatal(err)
	}
	plan, err := wal.MakePlan(d.t.Context(), src, 0)
	if err != nil {
		d.t.Fatal(err)
	}
	g := wal.NewGraveyard(cat)
	r := wal.NewReader(src, plan, wal.ReaderOptions{From: from})
	for r.Next(d.t.Context()) {
		g.Record(r.Record())
	}
	if r.Err() != nil {
		d.t.Fatal(r.Err())
	}
	return g.Dropped()
}

func TestTablesThatWereDropped(t *testing.T) {
	t.Parallel()
	for _, major := range []int{13, 14, 15, 16, 17, 18} {
		if !installed(major) {
			t.Logf("\n*** SKIPPED, NOT PASSED: no server %d is installed ***", major)
			continue
		}
		for _, level := range []string{"replica", "logical"} {
			t.Run(fmt.Sprintf("%d %s", major, level), func(t *testing.T) {
				t.Parallel()
				d := start(t, pgserver.Config{Major: major, Settings: map[string]string{"wal_level": level}})
				d.exec(`create schema s
					create domain s.code as varchar(12)
					create domain s.codes as s.code
					create type mood as enum ('sad', 'glad')
					create table s.orders (gone int, id uuid primary key, tenant int not null, note text, m mood, amount numeric(10,2), c s.codes, unique (tenant, note))
					alter table s.orders drop column gone
					create index on s.orders (amount) where amount > 0
					create unlogged table s.fast (a bigint, b varchar(20), primary key (b, a) include (a))
					create table stays (id int primary key)
					insert into s.orders values ('` + id1 + `', 7, repeat('long', 3000))`)
				cat := d.systemCatalogue()
				wantColumns := d.columns("s.orders")
				d.exec("checkpoint\nbegin\ncreate table fleeting (id int primary key)\ndrop table fleeting\ncommit\nvacuum full stays\nbegin\ndrop table stays\nrollback\nbegin\nsavepoint a\ndrop schema s cascade\nrelease a\ncommit")
				list := d.dropped(cat)
				if len(list) != 2 {
					t.Fatalf("%d tables: %+v", len(list), list)
				}
				slices.SortFunc(list, func(a, b wal.DroppedTable) int { return strings.Compare(b.Name, a.Name) })
				o, fast := list[0], list[1]
				if o.Schema != "s" || o.Name != "orders" || o.Persistence != "p" || o.Unread != "" || o.Made != 0 || o.Toast.Zero() || o.Time.IsZero() || fast.Name != "fast" || fast.Persistence != "u" {
					t.Errorf("%+v\n%+v", o, fast)
				}
				if len(o.Columns) != len(wantColumns) || o.TypeMods[5] != 10<<16+2+4 {
					t.Fatalf("columns %+v %v", o.Columns, o.TypeMods)
				}
				if c := o.Columns[6]; c.Base != 1043 || c.TypeName != "codes" {
					t.Errorf("a domain that went with the table: %+v", c)
				}
				for i, c := range o.Columns {
					w := wantColumns[i]
					if c.Name != w.Name || !w.Dropped && c.TypeOID != w.TypeOID || c.Len != w.Len || c.Align != w.Align || c.Dropped != w.Dropped || c.NotNull != w.NotNull {
						t.Errorf("column %+v, want %+v", c, w)
					}
				}
				var keys []string
				for _, ix := range append(o.Indexes, fast.Indexes...) {
					keys = append(keys, fmt.Sprintf("%s %v/%d unique=%v primary=%v partial=%v btree=%v", ix.Name, ix.Columns, ix.Keys, ix.Unique, ix.Primary, ix.Partial, ix.BTree && !ix.File.Zero()))
				}
				want := "orders_pkey [2]/1 unique=true primary=true partial=false btree=true\norders_tenant_note_key [3 4]/2 unique=true primary=false partial=false btree=true\norders_amount_idx [6]/1 unique=false primary=false partial=true btree=true\nfast_pkey [2 1 1]/2 unique=true primary=true partial=false btree=true"
				if got := strings.Join(keys, "\n"); got != want {
					t.Errorf("indexes\n%s\nwant\n%s", got, want)
				}
			})
		}
	}
}

// TestKeyInADroppedTable: what WAL says of a dropped table is enough to find a row of it.
func TestKeyInADroppedTable(t *testing.T) {
	t.Parallel()
	d := start(t, pgserver.Config{Major: 15})
	cat := d.systemCatalogue()
	d.exec(subst("create table t (pad text, id uuid primary key, note text)\ncheckpoint\ninsert into t values ('x', 'ID', 'kept'), ('y', 'OTHER', 'b')\nupdate t set note = 'changed' where pad = 'x'\ndrop table t\ncreate table t (a int)"))
	list := d.dropped(cat)
	if len(list) != 1 || list[0].Unread != "" {
		t.Fatalf("%+v", list)
	}
	tg := wal.Target{OID: list[0].OID, Table: "t", Rel: list[0].File, Columns: list[0].Columns, Key: []heap.KeyPart{{AttNum: 2, Text: id1}}}
	l := d.since(wal.Options{}, tg)
	if got := story(l); got != "insert:committed update:committed drop:committed" && got != "insert:committed hot-update:committed drop:committed" {
		t.Errorf("story %s", got)
	}
	if e := l.Events[len(l.Events)-1]; e.Row["note"] == nil || *e.Row["note"] != "changed" {
		t.Errorf("last content %v", e.Row)
	}
}
