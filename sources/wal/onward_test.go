package wal_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"inquest/sources/pgserver"
	"inquest/sources/wal"
)

// onward compares what a lineage tells of rows under their later keys with what was really done to them.
func (c *checker) onward(l *wal.Lineage, k rowKey, whole bool, fail func(string)) {
	c.t.Helper()
	var lefts []wal.LSN
	got := map[wal.LSN][]told{}
	for _, e := range l.Events {
		if e.Under != nil && !slices.Contains(lefts, e.Left) {
			lefts = append(lefts, e.Left)
		}
		if e.Under == nil && departed(l, e, k) {
			lefts = append(lefts, e.LSN)
		}
	}
	for _, e := range l.Events {
		if e.Under == nil {
			continue
		}
		under := rowKey{k.table, strings.Join(e.Under, ",")}
		if g, ok := c.token(l, e, under); ok {
			g.next = under
			got[e.Left] = append(got[e.Left], g)
		}
	}
	slices.Sort(lefts)
	for _, left := range slices.Compact(lefts) {
		i := slices.IndexFunc(l.Events, func(e wal.Event) bool { return e.LSN == left && e.Under == nil && e.KeyChanged })
		if i < 0 {
			fail(fmt.Sprintf("events under another key since %s, where nothing took the key", left))
			return
		}
		start := l.Events[i]
		if whole && start.NotFollowed != "" && len(l.Missed) == 0 && lastOf(l, start) {
			fail("not followed: " + start.NotFollowed)
		}
		want := c.w.afterwards(k, left, l.Xacts[start.XID])
		here := got[left]
		followed := !slices.ContainsFunc(l.Events, func(e wal.Event) bool { return e.NotFollowed != "" && (e.LSN == left || e.Left == left) })
		if whole && followed && lastOf(l, start) {
			if !slices.EqualFunc(here, want, underIs) {
				fail(fmt.Sprintf("after %s the row was not followed rightly:\n got %v\nwant %v", left, here, want))
			}
			c.followed += len(want)
			continue
		}
		at := 0
		for _, g := range here {
			for at < len(want) && !underIs(g, want[at]) {
				at++
			}
			if at == len(want) {
				fail(fmt.Sprintf("after %s an event that never was: %s, of %v", left, g, want))
				return
			}
		}
	}
}

// departed reports that an event took the key from its row for good.
func departed(l *wal.Lineage, e wal.Event, k rowKey) bool {
	return e.KeyChanged && !slices.Equal(e.NewKey, k.parts()) && l.Xacts[e.XID].State == wal.Committed
}

// lastOf reports that no later event of the life took the key, so that the row is to be followed from this one.
func lastOf(l *wal.Lineage, start wal.Event) bool {
	lives := 0
	seen := map[int]bool{}
	for _, e := range slices.Backward(l.Events) {
		if e.Under != nil || !e.KeyChanged || slices.Equal(e.NewKey, e.OldKey) || seen[e.Incarnation] || l.Xacts[e.XID].State != wal.Committed && l.Xacts[e.XID].State != wal.Prepared && l.Xacts[e.XID].State != wal.Unfinished {
			continue
		}
		if e.LSN == start.LSN {
			return lives < 2
		}
		if !slices.Equal(e.OldKey, start.OldKey) {
			continue // it gave the key
		}
		seen[e.Incarnation] = true
		lives++
	}
	return false
}

func underIs(g, truth told) bool { return g.is(truth) && g.next == truth.next }

// afterwards lists what happened to the row that a transaction took the key from, under the keys that it got.
func (w *world) afterwards(k rowKey, left wal.LSN, x *wal.Xact) []told {
	top := x.XID
	if x.TopXID != 0 {
		top = x.TopXID
	}
	var from told
	for _, t := range w.truth[k] {
		if t.kind == "to" && t.xid == top && t.at <= left {
			from = t
		}
	}
	var out []told
	asked := k
	for k = from.next; k != asked && k.key != ""; {
		next := rowKey{}
		for _, t := range w.truth[k] {
			if t.at < from.at || t.kind == "insert" || t.kind == "from" {
				continue
			}
			under := t
			under.next = k
			out = append(out, under)
			if t.state == "committed" && (t.kind == "delete" || t.kind == "to") {
				from, next = t, t.next
				break
			}
		}
		k = next
	}
	return out
}

// told returns what happened to the row since it lost the asked key: op, outcome, and the key it had.
func afterwardsOf(l *wal.Lineage) string {
	var out []string
	for _, e := range l.Events {
		x := l.Xacts[e.XID]
		switch {
		case e.Under == nil && e.KeyChanged:
			out = append(out, fmt.Sprintf("%s>%s", strings.Join(e.OldKey, ","), strings.Join(e.NewKey, ",")))
		case e.Under != nil && e.Op != wal.OpLock && e.Op != wal.OpImage:
			out = append(out, fmt.Sprintf("%s:%s as %s", e.Op, x.State, strings.Join(e.Under, ",")))
		}
		if e.NotFollowed != "" {
			out = append(out, "not followed: "+e.NotFollowed)
		}
	}
	return strings.Join(out, " | ")
}

func TestRowsUnderLaterKeys(t *testing.T) {
	t.Parallel()
	for _, major := range []int{13, 15, 18} {
		if !installed(major) {
			t.Logf("\n*** SKIPPED, NOT PASSED: no server %d is installed ***", major)
			continue
		}
		d := start(t, pgserver.Config{Major: major, Settings: map[string]string{"max_prepared_transactions": "5"}})
		for _, c := range []struct{ name, ddl, key, sql, want string }{
			{
				"deleted", "create table t (id int primary key, note text)", "id=1",
				"insert into t values (1,'a')\nupdate t set id=2 where id=1\nupdate t set note='b' where id=2\ndelete from t where id=2\ninsert into t values (2,'another')\ndelete from t where id=2",
				"1>2 | hot-update:committed as 2 | delete:committed as 2",
			},
			{
				"several keys", "create table t (id int primary key, note text)", "id=1",
				"insert into t values (1,'a')\nupdate t set id=2 where id=1\nupdate t set id=3 where id=2\nbegin\ndelete from t where id=3\nrollback\ntruncate t",
				"1>2 | update:committed as 2 | delete:aborted as 3 | truncate:committed as 3",
			},
			{
				"and back", "create table t (id int primary key, note text)", "id=1",
				"insert into t values (1,'a')\nupdate t set id=2 where id=1\nupdate t set id=1 where id=2\ndelete from t where id=1",
				"1>2 | 2>1 | update:committed as 2",
			},
			{
				"undone", "create table t (id int primary key, note text)", "id=1",
				"insert into t values (1,'a')\nbegin\nupdate t set id=2 where id=1\ndelete from t where id=2\nrollback\nbegin\nsavepoint s\nupdate t set id=3 where id=1\nrollback to s\nupdate t set id=4 where id=1\ncommit\ndelete from t where id=4",
				"1>2 | 1>3 | 1>4 | delete:committed as 4",
			},
			{
				"swapped", "create table t (id int primary key, note text)", "id=1",
				"insert into t values (1,'a'),(2,'b')\nbegin\nupdate t set id=99 where id=1\nupdate t set id=1 where id=2\nupdate t set id=2 where id=99\ncommit\ndelete from t where id=2",
				"1>99 | 2>1 | update:committed as 99 | delete:committed as 2",
			},
			{
				"rewritten", "create table t (id int primary key, note text)", "id=1",
				"insert into t values (1,'a'),(5,'b')\nupdate t set id=2 where id=1\nvacuum full t\ndelete from t where id=2",
				"1>2 | rewrite:committed as 2 | delete:committed as 2",
			},
			{
				"dropped", "create table t (id int primary key, note text)", "id=1",
				"insert into t values (1,'a')\nupdate t set id=2 where id=1\ndrop table t",
				"1>2 | drop:committed as 2",
			},
			{
				"composite, in another order than the columns", "create table t (doc text, tenant int, note text, primary key (tenant, doc))", "tenant=7 doc=d1",
				"insert into t values ('d1',7,'a')\nupdate t set tenant=8 where doc='d1'\nupdate t set doc='d2' where tenant=8\ndelete from t where tenant=8",
				"7,d1>8,d1 | update:committed as 8,d1 | delete:committed as 8,d2",
			},
			{
				"natural key to null", "create table t (n int, ref text unique)", "ref=R-118",
				"insert into t values (1,'R-118')\nupdate t set ref=null where n=1\ndelete from t where n=1",
				"R-118> | not followed: the key that the row got is not known",
			},
			{
				"long values", "create table t (id text primary key, doc text)\nalter table t alter doc set storage external", "id=a",
				"insert into t values ('a', repeat('long',3000))\nupdate t set id='b' where id='a'\ndelete from t where id='b'",
				"a>b | delete:committed as b",
			},
		} {
			t.Run(fmt.Sprintf("%d/%s", major, c.name), func(t *testing.T) {
				d.t = t
				d.exec("drop table if exists t\n" + c.ddl)
				tg := d.target("t", strings.Fields(c.key)...)
				d.exec("checkpoint\n" + c.sql)
				l := d.since(wal.Options{}, tg)
				if got := afterwardsOf(l); got != c.want {
					t.Errorf("\n got %s\nwant %s\n%s", got, c.want, raw(l))
				}
				for _, e := range l.Events {
					if c.name == "long values" && e.Op == wal.OpDelete && (e.Row["doc"] == nil || len(*e.Row["doc"]) != 12000) {
						t.Errorf("content of the deleted row: %v unknown %v", e.Row, e.Unknown)
					}
				}
			})
		}
		t.Run(fmt.Sprintf("%d/moved to another partition", major), func(t *testing.T) {
			d.t = t
			d.exec("create table p (id int, n int, note text, primary key (id,n)) partition by range (n)\ncreate table p1 partition of p for values from (0) to (10)\ncreate table p2 (note text, id int not null, n int not null)\nalter table p attach partition p2 for values from (10) to (20)")
			a, b := d.target("p1", "id=1", "n=1"), d.target("p2", "id=1", "n=1")
			d.exec("checkpoint\ninsert into p values (1,1,'a')\nupdate p set n=15 where id=1\nupdate p set n=3 where id=1\ndelete from p where id=1")
			l := d.since(wal.Options{}, a, b)
			if got, want := afterwardsOf(l), "1,1>1,15 | insert:committed as 1,15 | partition-move:committed as 1,15 | insert:committed as 1,3 | delete:committed as 1,3"; got != want {
				t.Errorf("\n got %s\nwant %s\n%s", got, want, raw(l))
			}
		})
	}
}
