package wal_test

import (
	"strings"
	"testing"

	"inquest/sources/pgserver"
	"inquest/sources/wal"
)

const (
	id1 = "e7a4bff2-adc7-4847-a9d8-25734601b405"
	id2 = "00000000-0000-4000-8000-000000000002"
)

// cases are stories on a fresh table t (id, n, note, filler) that no checkpoint follows.
var cases = []struct {
	name, key, sql, want string
	ddl                  string
}{
	{name: "insert", sql: `insert into t values ('ID',1,'a')`, want: "insert:committed"},
	{name: "insert rolled back", sql: "begin\ninsert into t values ('ID',1,'a')\nrollback", want: "insert:aborted"},
	{
		name: "life", sql: "insert into t values ('ID',1,'a')\nupdate t set note='bb' where id='ID'\nupdate t set n=2 where id='ID'\ndelete from t where id='ID'",
		want: "insert:committed hot-update:committed hot-update:committed delete:committed",
	},
	{
		name: "indexed update", ddl: "create index on t(n)", sql: "insert into t values ('ID',1,'a')\nupdate t set n=2 where id='ID'\ndelete from t where id='ID'",
		want: "insert:committed update:committed delete:committed",
	},
	{name: "delete in savepoint", sql: "insert into t values ('ID',1,'a')\nbegin\nsavepoint a\ndelete from t where id='ID'\nrelease a\ncommit", want: "insert:committed delete:committed"},
	{name: "savepoint rolled back", sql: "begin\ninsert into t values ('OTHER',1,'a')\nsavepoint a\ninsert into t values ('ID',1,'a')\nrollback to a\ncommit", want: "insert:aborted"},
	{
		name: "aborted delete", sql: "insert into t values ('ID',1,'a')\nbegin\ndelete from t where id='ID'\nrollback\ndelete from t where id='ID'",
		want: "insert:committed delete:aborted delete:committed",
	},
	{
		name: "copy", sql: "insert into t select gen_random_uuid(),g,'x' from generate_series(1,50) g\ncreate table src as select 'ID'::uuid id,1 n,'c' note\ninsert into t select * from src\ndelete from t where id='ID'",
		want: "insert:committed delete:committed",
	},
	{name: "rekeyed", sql: "insert into t values ('ID',1,'a')\nupdate t set id='OTHER' where id='ID'", want: "insert:committed update(ID>OTHER):committed"},
	{name: "lock", sql: "insert into t values ('ID',1,'a')\nselect 1 from t where id='ID' for update", want: "insert:committed lock:committed"},
	{name: "truncate", sql: "insert into t values ('ID',1,'a')\ntruncate t", want: "insert:committed truncate:committed"},
	{name: "drop", sql: "insert into t values ('ID',1,'a')\ndrop table t", want: "insert:committed drop:committed"},
	{name: "vacuum full", sql: "insert into t values ('ID',1,'a')\nvacuum full t\ndelete from t where id='ID'", want: "insert:committed rewrite:committed delete:committed"},
	{name: "cluster", sql: "insert into t values ('ID',1,'a')\ncluster t using t_pkey\nupdate t set n=3 where id='ID'", want: "insert:committed rewrite:committed hot-update:committed"},
	{name: "reindex", sql: "insert into t values ('ID',1,'a')\nreindex table t", want: "insert:committed"},
	{name: "constraint dropped", sql: "insert into t values ('ID',1,'a')\nalter table t drop constraint t_pkey", want: "insert:committed"},
	{name: "index dropped", ddl: "create index i on t(n)", sql: "insert into t values ('ID',1,'a')\ndrop index i\ndelete from t where id='ID'", want: "insert:committed delete:committed"},
	{name: "column dropped", sql: "insert into t values ('ID',1,'a')\nalter table t drop column n", want: "insert:committed"},
	{name: "rewritten", sql: "insert into t values ('ID',1,'a')\nalter table t alter n type bigint", want: "insert:committed rewrite:committed"},
	{name: "reloaded without it", sql: "insert into t values ('ID',1,'a')\nbegin\ntruncate t\ninsert into t values ('OTHER',1,'a')\ncommit", want: "insert:committed truncate:committed"},
	{name: "deleted before truncate", sql: "insert into t values ('ID',1,'a')\ndelete from t where id='ID'\ntruncate t", want: "insert:committed delete:committed"},
	{name: "vacuum full after delete", sql: "insert into t values ('ID',1,'a'),('OTHER',1,'a')\ndelete from t where id='ID'\nvacuum full t", want: "insert:committed delete:committed"},
	{name: "truncated twice", sql: "insert into t values ('ID',1,'a')\ntruncate t\ntruncate t", want: "insert:committed truncate:committed"},
	{name: "truncate rolled back", sql: "insert into t values ('ID',1,'a')\nbegin\ntruncate t\nrollback\ndelete from t where id='ID'", want: "insert:committed delete:committed"},
	{name: "vacuumed", sql: "insert into t values ('ID',1,'a')\ndelete from t where id='ID'\nvacuum t", want: "insert:committed delete:committed prune vacuum"},
	{
		name: "used again", sql: "insert into t values ('ID',1,'a')\ndelete from t where id='ID'\nvacuum t\ninsert into t values ('OTHER',1,'a')\ndelete from t where id='OTHER'\ninsert into t values ('ID',5,'again')",
		want: "insert:committed delete:committed prune vacuum insert:committed",
	},
	{
		name: "on conflict", sql: "insert into t values ('ID',1,'a') on conflict do nothing\ninsert into t values ('ID',1,'b') on conflict (id) do update set note='c'",
		want: "speculative-insert:committed speculative-confirm:committed lock:committed hot-update:committed",
	},
}

func TestStories(t *testing.T) {
	t.Parallel()
	for _, level := range []string{"replica", "logical"} {
		for _, fpw := range []string{"on", "off"} {
			t.Run(level+"/fpw "+fpw, func(t *testing.T) {
				t.Parallel()
				d := start(t, pgserver.Config{Major: 15, Settings: map[string]string{"wal_level": level, "full_page_writes": fpw, "max_prepared_transactions": "5"}})
				for _, c := range cases {
					t.Run(c.name, func(t *testing.T) {
						d.t = t
						d.story(c.ddl, c.sql, c.want)
					})
				}
			})
		}
	}
}

func subst(s string) string {
	return strings.NewReplacer("OTHER", id2, "ID", id1).Replace(s)
}

func (d *db) story(ddl, sql, want string) {
	d.t.Helper()
	d.exec("drop table if exists t\ndrop table if exists src\ncreate table t (id uuid primary key, n int, note text)\n" + ddl)
	tg := d.target("t", "id="+id1)
	d.exec("checkpoint")
	d.exec(subst(sql))
	from, err := wal.ParseLSN(d.text("select redo_lsn::text from pg_control_checkpoint()"))
	if err != nil {
		d.t.Fatal(err)
	}
	if got, want := story(d.trace(wal.Options{From: from}, tg)), subst(want); got != want {
		d.t.Errorf("story\n got %s\nwant %s", got, want)
	}
}
