package postgres_test

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"inquest/sources/catalog"
	"inquest/sources/heap"
	"inquest/sources/pgserver"
	"inquest/sources/postgres"
)

const pagesSQL = `
drop schema if exists pg cascade; create schema pg; set search_path = pg;
create extension if not exists pageinspect schema public;
create table t (id uuid primary key, n int, note text);
insert into t select ('00000000-0000-0000-0000-' || lpad(to_hex(g), 12, '0'))::uuid, g, repeat('x', 40) from generate_series(1, 20000) g;
create table noindex (id uuid, n bigint);
insert into noindex select ('00000000-0000-0000-0000-' || lpad(to_hex(g), 12, '0'))::uuid, g from generate_series(1, 5000) g;
create table big (id bigint primary key, doc text);
alter table big alter column doc set storage external;
insert into big values (7, repeat('abcdefgh', 2000));
create table parts (id uuid, at date not null, primary key (id, at)) partition by range (at);
create table parts_a partition of parts for values from ('2025-01-01') to ('2025-07-01');
create table parts_b (at date not null, id uuid not null);
alter table parts attach partition parts_b for values from ('2025-07-01') to ('2026-01-01');
insert into parts values ('00000000-0000-0000-0000-000000000009', '2025-08-01');
create table words (code text collate "en-x-icu" primary key, n int);
insert into words select 'Code-' || g, g from generate_series(1, 5000) g;
grant usage on schema pg to public; grant select on all tables in schema pg to public;
`

// rows is where the row of a key stands in one relation.
func searchOne(t *testing.T, db *postgres.Server, table, id string) []postgres.PageSearch {
	t.Helper()
	tabs, err := db.Candidates(t.Context(), postgres.Key{ID: id, Table: table}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if len(tabs) != 1 || len(tabs[0].Matches) == 0 {
		t.Fatalf("no table %s for %s", table, id)
	}
	ps, err := db.SearchPages(t.Context(), &tabs[0], tabs[0].Matches[0])
	if err != nil {
		t.Fatal(err)
	}
	return ps
}

func uuidN(n int) string { return fmt.Sprintf("00000000-0000-0000-0000-%012x", n) }

func TestPagesHoldDeadVersionsAndStayAsTheyAre(t *testing.T) {
	s := cluster(t)
	sql(t, s, pagesSQL)
	sql(t, s, `set search_path = pg; begin; insert into t values ('00000000-0000-0000-0000-0000000f0001', 1, 'rolled back'); rollback`)
	sql(t, s, `set search_path = pg; delete from t where n = 10; update t set note = 'changed' where n = 11; update t set id = '00000000-0000-0000-0000-0000000f0002' where n = 12;
 delete from noindex where n = 77; delete from words where n = 4321; delete from big; delete from parts`)
	sql(t, s, "checkpoint") // for the roles that read files
	before := pageOf(t, s, "pg.t", 0)
	for _, role := range []string{"", "kit"} {
		t.Run("as "+role, func(t *testing.T) {
			db := open(t, s, role, postgres.Options{})
			via := catalog.ViaBuffers
			if role == "kit" {
				via = catalog.ViaFile
			}
			t.Run("deleted", func(t *testing.T) {
				ps := searchOne(t, db, "pg.t", uuidN(10))[0]
				if ps.Method != "index" || ps.Via != via || !ps.Complete || len(ps.Versions) != 1 || ps.Blocks > 5 {
					t.Fatalf("%+v", ps)
				}
				v := ps.Versions[0]
				if v.Deleter == 0 || v.Next != nil || v.Key != "same" || *v.Row["n"] != "10" || *v.Row["id"] != uuidN(10) || v.PageLSN == 0 || v.Index.Name != "t_pkey" {
					t.Errorf("%+v", v)
				}
				st, err := db.XactStatus(t.Context(), []uint32{v.Xmin, v.Deleter})
				if err != nil || st[0].Status != postgres.XactCommitted || st[1].Status != postgres.XactCommitted || st[1].Time.IsZero() {
					t.Errorf("%+v %v", st, err)
				}
			})
			t.Run("updated", func(t *testing.T) {
				vs := searchOne(t, db, "pg.t", uuidN(11))[0].Versions
				if len(vs) != 2 {
					t.Fatalf("%+v", vs)
				}
				old := slices.IndexFunc(vs, func(v postgres.RowVersion) bool { return v.Next != nil })
				if old < 0 || *vs[old].Next != vs[1-old].TID || *vs[1-old].Row["note"] != "changed" || vs[1-old].Xmin != vs[old].Xmax {
					t.Errorf("%+v", vs)
				}
			})
			t.Run("key changed", func(t *testing.T) {
				vs := searchOne(t, db, "pg.t", uuidN(12))[0].Versions
				if len(vs) != 2 || !slices.ContainsFunc(vs, func(v postgres.RowVersion) bool {
					return v.Key == "different" && v.Found == "chain" && *v.Row["n"] == "12"
				}) {
					t.Errorf("%+v", vs)
				}
			})
			t.Run("rolled back", func(t *testing.T) {
				vs := searchOne(t, db, "pg.t", uuidN(0xf0001))[0].Versions
				if len(vs) != 1 || vs[0].Deleter != 0 || *vs[0].Row["note"] != "rolled back" {
					t.Fatalf("%+v", vs)
				}
				st, err := db.XactStatus(t.Context(), []uint32{vs[0].Xmin, vs[0].Xmin + 100000})
				if err != nil || st[0].Status != postgres.XactAborted || st[1].Status != postgres.XactFuture {
					t.Errorf("%+v %v", st, err)
				}
			})
			t.Run("absent", func(t *testing.T) {
				ps := searchOne(t, db, "pg.t", uuidN(0xabcdef))[0]
				if len(ps.Versions) != 0 || !ps.Complete {
					t.Errorf("%+v", ps)
				}
			})
			t.Run("without an index", func(t *testing.T) {
				ps := searchOne(t, db, "pg.noindex", uuidN(77))[0]
				if ps.Method != "heap" || len(ps.Versions) != 1 || ps.Versions[0].Deleter == 0 || *ps.Versions[0].Row["n"] != "77" || !ps.Complete {
					t.Errorf("%+v", ps)
				}
			})
			t.Run("texts in the order of a collation", func(t *testing.T) {
				ps := searchOne(t, db, "pg.words", "Code-4321")[0]
				if ps.Method != "index-search" || len(ps.Entries) != 1 || len(ps.Versions) != 1 || ps.Versions[0].Deleter == 0 || *ps.Versions[0].Row["n"] != "4321" {
					t.Errorf("%+v", ps)
				}
			})
			t.Run("toasted", func(t *testing.T) {
				ps := searchOne(t, db, "pg.big", "7")[0]
				if len(ps.Versions) != 1 || len(ps.Versions[0].Unknown) != 0 || *ps.Versions[0].Row["doc"] != strings.Repeat("abcdefgh", 2000) {
					t.Errorf("%+v", ps)
				}
			})
			t.Run("partition with other column order", func(t *testing.T) {
				all := searchOne(t, db, "pg.parts", uuidN(9))
				if len(all) != 2 || len(all[0].Versions) != 0 || len(all[1].Versions) != 1 || *all[1].Versions[0].Row["at"] != "2025-08-01" {
					t.Errorf("%+v", all)
				}
			})
		})
	}
	if after := pageOf(t, s, "pg.t", 0); before != after {
		t.Error("the page was changed by reading it raw")
	}
}

// pageOf returns a page as hex digits, read as the superuser through buffers.
func pageOf(t *testing.T, s *pgserver.Server, rel string, block int) string {
	t.Helper()
	return answer(t, s, fmt.Sprintf("select encode(public.get_raw_page('%s', %d), 'hex')", rel, block))
}

func answer(t *testing.T, s *pgserver.Server, text string) string {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	c := connectSuper(t, s)
	defer func() { _ = c.Close(ctx) }()
	r, err := c.Exec(ctx, text).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	last := r[len(r)-1]
	if len(last.Rows) == 0 {
		return ""
	}
	return string(last.Rows[0][0])
}

func TestReadBlocks(t *testing.T) {
	s := cluster(t)
	sql(t, s, "drop schema if exists rb cascade; create schema rb; create table rb.t as select g, repeat('x', 500) from generate_series(1, 100) g; grant usage on schema rb to kit")
	sql(t, s, "create extension if not exists pageinspect schema public; checkpoint")
	oid := answer(t, s, "select 'rb.t'::regclass::oid")
	var rel uint32
	if _, err := fmt.Sscan(oid, &rel); err != nil {
		t.Fatal(err)
	}
	for _, role := range []string{"", "kit"} {
		db := open(t, s, role, postgres.Options{})
		b, err := db.ReadBlocks(t.Context(), rel, "main", 1, 1000)
		if err != nil {
			t.Fatal(err)
		}
		for i, p := range b.Pages {
			if hex.EncodeToString(p) != pageOf(t, s, "rb.t", i+1) {
				t.Errorf("%s: block %d differs", b.Via, i+1)
			}
			if _, err := heap.DecodePage(p); err != nil && i < 5 {
				t.Error(err) // from 16 on the file may be extended by pages that are empty yet
			}
		}
		if n := answer(t, s, "select pg_relation_size('rb.t') / 8192 - 1"); strconv.Itoa(len(b.Pages)) != n {
			t.Errorf("%s: %d pages, want %s", b.Via, len(b.Pages), n)
		}
	}
	_, err := open(t, s, "plain", postgres.Options{}).ReadBlocks(t.Context(), rel, "main", 0, 1)
	if !isBlind(err) || !strings.Contains(err.Error(), "pg_read_binary_file(text,bigint,bigint,boolean)") {
		t.Errorf("a plain role: %v", err)
	}
	_, err = open(t, s, "", postgres.Options{Budget: postgres.Budget{HeapBytes: 8192}}).ReadBlocks(t.Context(), rel, "main", 0, 2)
	if !isBlind(err) || errors.Is(err, context.Canceled) {
		t.Errorf("above the budget: %v", err)
	}
}
