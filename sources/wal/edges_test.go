package wal_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"inquest/sources/pgserver"
	"inquest/sources/wal"
)

func TestChangesAppliedFromAnotherServer(t *testing.T) {
	t.Parallel()
	d := start(t, pgserver.Config{Major: 15})
	d.exec("create table t (id uuid primary key, n int)")
	d.exec(subst("insert into t values ('ID',1)"))
	tg := d.target("t", "id="+id1)
	d.exec(subst("select pg_replication_origin_create('upstream')\nselect pg_replication_origin_session_setup('upstream')\nbegin\nselect pg_replication_origin_xact_setup('0/ABC', now())\ndelete from t where id='ID'\ncommit\nselect pg_replication_origin_session_reset()"))
	l := d.trace(wal.Options{}, tg)
	if story(l) != "insert:committed delete:committed" {
		t.Fatal(story(l))
	}
	for i, want := range []uint16{0, 1} {
		if e := l.Events[i]; e.Origin != want || l.Xacts[e.XID].Origin != want {
			t.Errorf("%s: origin %d, of its transaction %d, want %d", e.Op, e.Origin, l.Xacts[e.XID].Origin, want)
		}
	}
}

// TestRowLocksRemoveNothing has several lock a row at once, and one of them update it.
func TestRowLocksRemoveNothing(t *testing.T) {
	t.Parallel()
	for _, major := range []int{13, 15, 18} {
		if !installed(major) {
			continue
		}
		d := start(t, pgserver.Config{Major: major})
		d.exec("create table t (id uuid primary key, n int)\ncreate table child (t uuid references t)\ncheckpoint")
		d.exec(subst("insert into t values ('ID',1)"))
		tg := d.target("t", "id="+id1)
		other := d.session()
		execOn(t, other, subst("begin\nselect 1 from t where id='ID' for key share"))
		d.exec(subst("begin\nselect 1 from t where id='ID' for key share\ninsert into child values ('ID')\nupdate t set n=2 where id='ID'\ncommit"))
		execOn(t, other, subst("select 1 from t where id='ID' for share\nrollback"))
		d.exec("checkpoint") // the next record brings an image of the page with the number of the lockers
		d.exec(subst("begin\nselect 1 from t where id='ID' for share\ncommit"))
		l := d.trace(wal.Options{}, tg)
		got := story(l)
		if strings.Contains(got, "delete") || !strings.HasPrefix(got, "insert:committed lock:") || !strings.Contains(got, "hot-update:committed") {
			t.Errorf("%d: %s", major, got)
		}
		for _, e := range l.Events {
			if e.Op == wal.OpImage && e.Xmax != 0 {
				t.Errorf("%d: lockers taken for a transaction that removed the row: %+v", major, e)
			}
		}
	}
}

func TestDatabasesComeAndGo(t *testing.T) {
	t.Parallel()
	for _, major := range []int{15, 17, 18} { // before, there are neither strategies nor tablespaces in place
		if !installed(major) {
			continue
		}
		d := start(t, pgserver.Config{Major: major, Settings: map[string]string{"allow_in_place_tablespaces": "on"}})
		d.exec("create database shop\ncreate database gone")
		in := func(name string) *db {
			c, err := pgx.Connect(t.Context(), d.s.DSN(name))
			if err != nil {
				t.Fatal(err)
			}
			return &db{t: t, s: d.s, c: c}
		}
		targets := map[string]wal.Target{}
		for _, name := range []string{"shop", "gone"} {
			s := in(name)
			s.exec("create table t (id uuid primary key, n int)\n" + subst("insert into t values ('ID',1)"))
			targets[name] = s.target("t", "id="+id1)
			if err := s.c.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		d.exec("create database a template shop strategy wal_log\ncreate database b template shop strategy file_copy")
		for _, name := range []string{"a", "b"} {
			s := in(name)
			targets[name] = s.target("t", "id="+id1)
			s.exec(subst("delete from t where id='ID'"))
			if err := s.c.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		d.exec("drop database gone\ncreate tablespace elsewhere location ''\nalter database shop set tablespace elsewhere")
		s := in("shop")
		moved := s.target("t", "id="+id1)
		if _, err := fmt.Sscan(s.text("select dattablespace::text from pg_database where datname='shop'"), &moved.Rel.Spc); err != nil {
			t.Fatal(err)
		}
		for i := range moved.Indexes {
			moved.Indexes[i].Rel.Spc = moved.Rel.Spc
		}
		targets["shop, as it is now"] = moved
		s.exec(subst("delete from t where id='ID'"))
		if err := s.c.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]string{"shop": "insert:committed delete:committed", "shop, as it is now": "insert:committed delete:committed", "gone": "insert:committed drop-database", "a": "delete:committed", "b": "delete:committed"} {
			l := d.trace(wal.Options{}, targets[name])
			got := story(l)
			for _, r := range l.Relations {
				got += " " + string(r.Op)
			}
			if got != want && !strings.HasSuffix(got, " "+want) {
				t.Errorf("%d: %s: %q, want %q", major, name, got, want)
			}
			if name != "gone" && strings.Contains(got, "drop") {
				t.Errorf("%d: %s was not dropped: %q", major, name, got)
			}
		}
	}
}

// TestColumnThatChangedItsType has rows of an older file that are laid out otherwise than the table's are now.
func TestColumnThatChangedItsType(t *testing.T) {
	t.Parallel()
	d := start(t, pgserver.Config{Major: 15})
	for _, c := range []struct{ name, ddl, sql, want string }{
		{"copied", "n int, id uuid primary key, note text", "alter table t alter n type bigint\ndelete from t where id='ID'", "insert:committed rewrite:committed delete:committed"},
		{"deleted before", "n int, id uuid primary key, note text", "delete from t where id='ID'\nalter table t alter n type bigint", "insert:committed delete:committed"},
		{"deleted before, with an image", "n int, id uuid primary key, note text", "checkpoint\ndelete from t where id='ID'\nalter table t alter n type bigint", "insert:committed delete:committed"},
		{"another representation", "n text, id uuid primary key, note text", "alter table t alter n type int using n::int\ndelete from t where id='ID'", "insert:committed rewrite:committed delete:committed"},
		{"behind the key", "id uuid primary key, note text, n int", "alter table t alter n type bigint\ndelete from t where id='ID'", "insert:committed rewrite:committed delete:committed"},
		{"twice", "n int, id uuid primary key, note text", "alter table t alter n type bigint\nalter table t alter n type numeric\ndelete from t where id='ID'", "insert:committed rewrite:committed rewrite:committed delete:committed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d.t = t
			d.exec("drop table if exists t\ncreate table t (" + c.ddl + ")\ncheckpoint")
			from, err := wal.ParseLSN(d.text("select redo_lsn::text from pg_control_checkpoint()"))
			if err != nil {
				t.Fatal(err)
			}
			d.exec(subst("insert into t (n, id, note) values (17,'ID','a'),(2,'OTHER','b')\n" + c.sql))
			l := d.trace(wal.Options{From: from}, d.target("t", "id="+id1))
			if got := story(l); got != c.want {
				t.Errorf("story %s, want %s", got, c.want)
			}
			if len(l.Missed) == 0 {
				t.Error("rows of the older file may be misread, and nothing says so")
			}
			for _, e := range l.Events {
				older := e.Rel != l.Events[len(l.Events)-1].Rel || e.Op == wal.OpDelete && strings.HasPrefix(c.name, "deleted before")
				if n := e.Row["n"]; older && n != nil || !older && n != nil && *n != "17" {
					t.Errorf("%s in %s tells of a column whose type was another: %s", e.Op, e.Rel, *n)
				}
			}
		})
	}
}
