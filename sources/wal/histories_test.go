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

// since traces from the last checkpoint on.
func (d *db) since(opt wal.Options, targets ...wal.Target) *wal.Lineage {
	d.t.Helper()
	from, err := wal.ParseLSN(d.text("select redo_lsn::text from pg_control_checkpoint()"))
	if err != nil {
		d.t.Fatal(err)
	}
	opt.From = from
	return d.trace(opt, targets...)
}

func TestRowOlderThanTheWAL(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, level, fpw, sql, want string
		known                       bool
	}{
		{"delete alone, images on", "replica", "on", "delete from t where id='ID'", "image:committed delete:committed", false},
		{"delete alone, key in record", "logical", "off", "delete from t where id='ID'", "delete:committed", false},
		{"delete alone, address known", "replica", "off", "delete from t where id='ID'", "delete:committed", true},
		{"delete alone, nothing known", "replica", "off", "delete from t where id='ID'", "", false},
		{"update then delete, images on", "replica", "on", "update t set note='zz' where id='ID'\ndelete from t where id='ID'", "image:committed hot-update:committed delete:committed", false},
		{"moved by an indexed update", "replica", "off", "update t set n=77 where id='ID'\ndelete from t where id='ID'", "update:committed delete:committed", false},
		{"key given to another row", "replica", "off", "update t set id='FRESH' where id='ID'", "update(ID>FRESH):committed", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := start(t, pgserver.Config{Major: 15, Settings: map[string]string{"wal_level": c.level, "full_page_writes": c.fpw}})
			d.exec("create table t (id uuid primary key, n int, note text)\ncreate index on t(n)")
			d.exec(subst("insert into t select md5(g::text)::uuid, g, 'x' from generate_series(1,20) g\ninsert into t values ('ID',50,'keep me')"))
			tg := d.target("t", "id="+id1)
			opt := wal.Options{}
			if c.known {
				tid, err := heap.ParseTID(d.text("select ctid::text from t where id='" + id1 + "'"))
				if err != nil {
					t.Fatal(err)
				}
				opt.Known = []wal.KnownTID{{TID: tid}}
			}
			d.exec("checkpoint")
			fresh := strings.NewReplacer("FRESH", "ffffffff-0000-4000-8000-00000000000f")
			d.exec(subst(fresh.Replace(c.sql)))
			l := d.since(opt, tg)
			if got, want := story(l), subst(fresh.Replace(c.want)); got != want {
				t.Errorf("story\n got %s\nwant %s", got, want)
			}
			if c.fpw == "on" && (len(l.Events) == 0 || l.Events[0].Row["note"] == nil || *l.Events[0].Row["note"] != "keep me") {
				t.Error("the row's content is in the image")
			}
		})
	}
}

func TestKeyTypes(t *testing.T) {
	t.Parallel()
	d := start(t, pgserver.Config{Major: 15})
	for _, c := range []struct{ typ, key, filler string }{
		{"bigint", "300", "g"},
		{"int", "300", "g"},
		{"smallint", "300", "g"},
		{"text", "k300", "'k'||g"},
		{"numeric", "300", "g::numeric/1"},
		{"varchar(20)", "k300", "'k'||g"},
		{"char(6)", "k300", "'k'||g"},
		{"timestamptz", "2025-01-01 05:00:00+00", "'2025-01-01'::timestamptz+g*'1 min'::interval"},
		{"date", "2000-10-27", "'2000-01-01'::date+g"},
		{"bytea", `\x6b333030`, "('k'||g)::bytea"},
	} {
		t.Run(c.typ, func(t *testing.T) {
			d.t = t
			// Look-alikes: the same bytes stand in other columns of every row.
			d.exec(fmt.Sprintf("drop table if exists k\ncreate table k (pad text, id %s primary key, other bigint, copy text)\ncheckpoint\ninsert into k select repeat('p',g%%9), %s, 300, '300' from generate_series(1,500) g\ndelete from k where id='%s'", c.typ, c.filler, c.key))
			tg := d.target("k", "id="+c.key)
			l := d.since(wal.Options{}, tg)
			if got := story(l); got != "insert:committed delete:committed" {
				t.Errorf("story %s", got)
			}
		})
	}
	d.t = t
	d.exec("create table c (tenant int, doc text, n int, primary key (tenant, doc))\ncheckpoint\ninsert into c select g%10, 'd'||g/10, g from generate_series(0,999) g\ndelete from c where tenant=7 and doc='d42'")
	if got := story(d.since(wal.Options{}, d.target("c", "tenant=7", "doc=d42"))); got != "insert:committed delete:committed" {
		t.Errorf("composite key: %s", got)
	}
}

func TestTransactionsAroundTheKey(t *testing.T) {
	t.Parallel()
	d := start(t, pgserver.Config{Major: 15, Settings: map[string]string{"max_prepared_transactions": "5"}})
	d.exec(`create table parent (id int primary key)
		create table t (id uuid primary key, n int references parent on delete cascade, note text)
		create table audit (what text)
		insert into parent values (1),(2)`)
	d.exec(subst("insert into t select md5(g::text)::uuid, 1, 'x' from generate_series(1,30) g\ninsert into t values ('ID',1,'doomed')"))
	tg := d.target("t", "id="+id1)
	d.exec("begin\ninsert into audit values ('start')\nsavepoint s\ndelete from parent where id=1\nrelease s\ninsert into audit values ('end')\ncommit")
	l := d.trace(wal.Options{}, tg)
	del := l.Events[len(l.Events)-1]
	if del.Op != wal.OpDelete || *del.Row["note"] != "doomed" {
		t.Fatalf("last event %+v", del)
	}
	sub := l.Xacts[del.XID]
	if sub == nil || sub.TopXID == 0 || sub.State != wal.Committed {
		t.Fatalf("the delete ran in a subtransaction: %+v", sub)
	}
	top := l.Xacts[sub.TopXID]
	var steps []string
	for _, s := range top.Steps {
		if s.Table != "" || s.Rel.Rel >= 16384 {
			steps = append(steps, fmt.Sprintf("%s%s×%d", s.Table, s.Op, s.Rows))
		}
	}
	if got, want := strings.Join(steps, " "), "insert×1 delete×1 tdelete×31 insert×1"; got != want {
		t.Errorf("fingerprint %q, want %q", got, want)
	}
	if s := top.Siblings; s == nil || s.Removed != 30 || len(s.Keys) != 20 || len(s.Keys[0][0]) != 36 {
		t.Errorf("siblings %+v", s)
	}
	if top.Time.IsZero() || !del.Before.Equal(top.Time) || del.After.After(del.Before) {
		t.Errorf("times: commit %v, event between %v and %v", top.Time, del.After, del.Before)
	}

	d.exec(subst("begin\ninsert into t values ('ID',2,'p')\nprepare transaction 'gid one'"))
	l = d.trace(wal.Options{}, tg)
	last := l.Xacts[l.Events[len(l.Events)-1].XID]
	if last.State != wal.Prepared || last.GID != "gid one" {
		t.Errorf("prepared: %+v", last)
	}
	d.exec("commit prepared 'gid one'")
	l = d.trace(wal.Options{}, tg)
	if last := l.Xacts[l.Events[len(l.Events)-1].XID]; last.State != wal.Committed || last.GID != "gid one" || last.Time.IsZero() {
		t.Errorf("commit prepared: %+v", last)
	}
}

func TestCommitTimesAreTheServers(t *testing.T) {
	t.Parallel()
	d := start(t, pgserver.Config{Major: 15, Settings: map[string]string{"track_commit_timestamp": "on"}})
	d.exec("create table t (id uuid primary key)")
	d.exec(subst("insert into t values ('ID')"))
	l := d.trace(wal.Options{}, d.target("t", "id="+id1))
	e := l.Events[0]
	want := d.text(fmt.Sprintf("select to_char(pg_xact_commit_timestamp('%d'::xid) at time zone 'UTC','YYYY-MM-DD HH24:MI:SS.US')", e.XID))
	if got := l.Xacts[e.XID].Time.Format("2006-01-02 15:04:05.000000"); got != want {
		t.Errorf("commit time %s, server says %s", got, want)
	}
	if want := d.text("select ctid::text from t"); e.TID.String() != want {
		t.Errorf("address %s, server says %s", e.TID, want)
	}
}

func TestCrashCutsTransactionsOff(t *testing.T) {
	t.Parallel()
	d := start(t, pgserver.Config{Major: 15})
	d.exec("create table t (id uuid primary key, n int)\ncreate table u (n int)")
	tg := d.target("t", "id="+id1)
	d.exec(subst("begin\ninsert into t values ('ID',1)"))
	// Another session's commit takes the unfinished insert to disk.
	execOn(t, d.session(), "insert into u values (1)")
	d.s.Crash()
	if got := story(traceDir(t, d.s.WALDir(), wal.Options{}, tg)); got != "insert:unfinished" {
		t.Errorf("before the restart: %s", got)
	}
	if err := d.s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	d = connect(t, d.s)
	l := d.trace(wal.Options{}, tg)
	if got := story(l); got != "insert:crashed" {
		t.Errorf("after the restart: %s", got)
	}
	if !slices.ContainsFunc(l.Restarts, func(r wal.Restart) bool { return slices.Contains(r.Lost, l.Events[0].XID) }) {
		t.Errorf("restarts %+v", l.Restarts)
	}
}

func TestPartitionMove(t *testing.T) {
	t.Parallel()
	d := start(t, pgserver.Config{Major: 15})
	d.exec("create table t (id uuid, n int, primary key (id,n)) partition by range (n)\ncreate table t1 partition of t for values from (0) to (10)\ncreate table t2 partition of t for values from (10) to (20)")
	a, b := d.target("t1", "id="+id1), d.target("t2", "id="+id1)
	d.exec(subst("insert into t values ('ID',1)\nupdate t set n=15 where id='ID'\ndelete from t where id='ID'"))
	if got := story(d.trace(wal.Options{}, a, b)); got != "insert:committed partition-move:committed insert:committed delete:committed" {
		t.Errorf("story %s", got)
	}
}

func TestContentFromWAL(t *testing.T) {
	t.Parallel()
	d := start(t, pgserver.Config{Major: 15, Settings: map[string]string{"wal_compression": "zstd"}})
	d.exec("create table t (id uuid primary key, doc text, n numeric, later int default 3)\nalter table t alter doc set storage external")
	d.exec(subst("insert into t values ('ID', repeat('long',3000), 12.50)\nupdate t set n=99.99 where id='ID'\ndelete from t where id='ID'\nvacuum t"))
	l := d.trace(wal.Options{}, d.target("t", "id="+id1))
	for _, e := range l.Events {
		if e.Op != wal.OpDelete {
			continue
		}
		if e.Row["doc"] == nil || len(*e.Row["doc"]) != 12000 || *e.Row["n"] != "99.99" || *e.Row["later"] != "3" {
			t.Errorf("row %v unknown %v", e.Row, e.Unknown)
		}
		return
	}
	t.Errorf("no delete in %s", story(l))
}

func TestFullReplicaIdentity(t *testing.T) {
	t.Parallel()
	d := start(t, pgserver.Config{Major: 15, Settings: map[string]string{"wal_level": "logical", "full_page_writes": "off"}})
	d.exec("create table t (id uuid primary key, note text)\nalter table t replica identity full")
	d.exec(subst("insert into t values ('ID','whole')"))
	tg := d.target("t", "id="+id1)
	d.exec(subst("checkpoint\ndelete from t where id='ID'"))
	l := d.since(wal.Options{}, tg)
	if story(l) != "delete:committed" || *l.Events[0].Row["note"] != "whole" {
		t.Errorf("%s %v", story(l), l.Events)
	}
}

func TestOldFilesOfATruncatedTable(t *testing.T) {
	t.Parallel()
	d := start(t, pgserver.Config{Major: 15})
	d.exec("create table t (id int primary key, note text)\ncheckpoint\ninsert into t select g, 'row '||g from generate_series(1,50) g\ntruncate t\ninsert into t values (7,'second life')\nvacuum full t")
	// The caller knows the file of now only; the two before it must come out of the WAL.
	l := d.since(wal.Options{}, d.target("t", "id=7"))
	if got, want := story(l), "insert:committed truncate:committed insert:committed rewrite:committed"; got != want {
		t.Errorf("story\n got %s\nwant %s", got, want)
	}
	if len(l.Relations) != 2 || l.Relations[0].Op != wal.OpTruncate || l.Relations[1].Op != wal.OpRewrite {
		t.Errorf("relations %+v", l.Relations)
	}
}
