package postgres_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"inquest/sources"
	"inquest/sources/pgserver"
	"inquest/sources/pgserver/pgservertest"
	"inquest/sources/postgres"
)

const harmlessSQL = `
create extension pageinspect;
create table h (id uuid primary key, pad text);
insert into h select ('00000000-0000-0000-0000-' || lpad(to_hex(g), 12, '0'))::uuid, repeat('p', 200) from generate_series(1, 3000) g;
grant select on h to kit;
create table noindex as select * from h; grant select on noindex to kit;
vacuum analyze h;
`

// everything asks a server all that the driver can, in the order that preserves.
func everything(t *testing.T, db *postgres.Server, id string) {
	t.Helper()
	ctx := t.Context()
	if st := db.Check(ctx); st.State == sources.StateFailed {
		t.Fatal(st.Problem)
	}
	for _, name := range []string{"h", "noindex"} {
		info, m := table(t, db, name, postgres.Key{ID: id})
		if _, err := db.SearchPages(ctx, info, m); err != nil {
			t.Error(err)
		}
		for _, how := range []postgres.Access{{}, {NoIndex: true}} {
			if _, err := db.Rows(ctx, info, m, how); err != nil {
				t.Error(err)
			}
		}
		if _, err := db.Near(ctx, info, m); err != nil {
			t.Error(err)
		}
	}
	src, err := db.OpenWAL(ctx)
	if err != nil {
		t.Fatal(err)
	}
	countRecords(t, src, 0)
	if _, err := db.XactStatus(ctx, []uint32{700, 5_000_000}); err != nil {
		t.Error(err)
	}
	p, err := db.Places(ctx, postgres.Key{ID: id})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.FindIn(ctx, p.List, id); err != nil {
		t.Error(err)
	}
}

func TestNothingIsChanged(t *testing.T) {
	s := pgservertest.New(t, pgserver.Config{Settings: map[string]string{"autovacuum": "off", "track_commit_timestamp": "on", "checkpoint_timeout": "1h"}})
	sql(t, s, rolesSQL)
	for stmt := range strings.SplitSeq(harmlessSQL, ";") {
		sql(t, s, stmt)
	}
	sql(t, s, "create role boss superuser login password 'pw'; checkpoint")
	state := func() string {
		return answer(t, s, `select format('%s %s %s %s %s %s', pg_snapshot_xmax(pg_current_snapshot()),
 (select md5(string_agg(c::text, '' order by oid)) from pg_class c), (select count(*) from pg_proc), (select count(*) from pg_extension),
 (select md5(string_agg(h::text, '' order by id)) from h), (select string_agg(slot_name, ',') from pg_replication_slots))`)
	}
	for _, role := range []string{"kit", "boss"} {
		t.Run(role, func(t *testing.T) {
			before, redo := state(), answer(t, s, "select redo_lsn from pg_control_checkpoint()")
			db := open(t, s, role, postgres.Options{})
			modes := watchLocks(t, s, func() {
				everything(t, db, uuidN(5))
				// Long enough to be seen for certain, so that the watch is known to work.
				if _, err := db.Query(t.Context(), sources.Query{SQL: "select pg_sleep(0.2) from public.h limit 1"}); err != nil {
					t.Error(err)
				}
			})
			if after := state(); before != after {
				t.Errorf("the server changed:\n%s\n%s", before, after)
			}
			if now := answer(t, s, "select redo_lsn from pg_control_checkpoint()"); now != redo {
				t.Error("a checkpoint was made")
			}
			for mode := range modes {
				if mode != "AccessShareLock" {
					t.Errorf("took %s", mode)
				}
			}
			if len(modes) == 0 {
				t.Error("no lock was seen: the watch sees nothing")
			}
			for _, st := range db.Statements() {
				if st.Took > 5*time.Second {
					t.Errorf("%s took %s", st.SQL, st.Took)
				}
			}
			if n := answer(t, s, "select count(*) from pg_stat_activity where application_name = 'inquest' and state <> 'idle'"); n != "0" {
				t.Error("a transaction is open")
			}
		})
	}
}

// watchLocks (the lock on the database while a session starts is the server's own)
// runs fn and returns the modes of the relation locks that sessions
// of inquest held meanwhile.
func watchLocks(t *testing.T, s *pgserver.Server, fn func()) map[string]bool {
	t.Helper()
	c := connectSuper(t, s)
	defer func() { _ = c.Close(context.Background()) }()
	ctx, stop := context.WithCancel(t.Context())
	modes := map[string]bool{}
	var wg sync.WaitGroup
	wg.Go(func() {
		for ctx.Err() == nil {
			r, err := c.Exec(context.WithoutCancel(ctx), "select distinct mode from pg_locks l join pg_stat_activity a using (pid) where application_name = 'inquest' and locktype <> 'virtualxid' and classid is distinct from 'pg_database'::regclass").ReadAll()
			if err != nil {
				t.Error(err)
				return
			}
			for _, row := range r[0].Rows {
				modes[string(row[0])] = true
			}
		}
	})
	fn()
	stop()
	wg.Wait()
	return modes
}

// The order matters: the SELECT at the end prunes what the raw read has seen.
func TestRawPagesAreReadBeforeTheSelectPrunes(t *testing.T) {
	s := pgservertest.New(t, pgserver.Config{Settings: map[string]string{"autovacuum": "off"}})
	sql(t, s, "create extension pageinspect schema public")
	sql(t, s, "create table full_page (id uuid primary key, pad text) with (fillfactor = 100); insert into full_page select ('00000000-0000-0000-0000-' || lpad(to_hex(g), 12, '0'))::uuid, repeat('p', 200) from generate_series(1, 1000) g")
	sql(t, s, "delete from full_page where id = '"+uuidN(3)+"'")
	db := open(t, s, "", postgres.Options{})
	info, m := table(t, db, "full_page", postgres.Key{ID: uuidN(3)})
	pointer := func() string {
		ps, err := db.SearchPages(t.Context(), info, m)
		if err != nil || len(ps) != 1 || len(ps[0].Versions) != 1 {
			t.Fatalf("%+v %v", ps, err)
		}
		v := ps[0].Versions[0]
		return fmt.Sprint(v.Pointer, " ", v.Deleter != 0)
	}
	for range 3 {
		if got := pointer(); got != "normal true" {
			t.Fatalf("after a raw read: %s", got)
		}
	}
	if tab, err := db.Rows(t.Context(), info, m, postgres.Access{}); err != nil || len(tab.Rows) != 0 {
		t.Fatal(tab, err)
	}
	if got := pointer(); got != "dead false" {
		t.Errorf("after the SELECT: %s; the test no longer shows that the order matters", got)
	}
}

func TestStandby(t *testing.T) {
	s := pgservertest.New(t, pgserver.Config{Settings: map[string]string{"autovacuum": "off", "track_commit_timestamp": "on"}})
	sql(t, s, "create table st (id int primary key); insert into st select generate_series(1, 100); delete from st where id = 7")
	sb, err := s.Standby(t.Context(), pgserver.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sb.Close() }()
	db := openDSN(t, sb.SocketDSN("postgres", "postgres"), postgres.Options{})
	st := db.Check(t.Context())
	if st.State == sources.StateFailed || st.Identity["in_recovery"] != "true" || st.Identity["timeline"] != "1" || !strings.Contains(st.Summary, "standby") {
		t.Fatalf("%+v", st)
	}
	if st.Identity["replay_lsn"] == "" {
		t.Errorf("identity of a standby: %v", st.Identity)
	}
	primary := open(t, s, "", postgres.Options{}).Check(t.Context()).Identity
	if primary["system_identifier"] != st.Identity["system_identifier"] || primary["in_recovery"] != "false" || primary["replay_lsn"] != "" {
		t.Errorf("the primary cannot be told from its standby: %v", primary)
	}
	info, m := table(t, db, "st", postgres.Key{ID: "7"})
	ps, err := db.SearchPages(t.Context(), info, m)
	if err != nil || len(ps[0].Versions) != 1 || ps[0].Versions[0].Deleter == 0 {
		t.Fatalf("%+v %v", ps, err)
	}
	x, err := db.XactStatus(t.Context(), []uint32{ps[0].Versions[0].Deleter, 900_000})
	if err != nil || x[0].Status != postgres.XactCommitted || x[1].Status != postgres.XactFuture {
		t.Errorf("%+v %v", x, err)
	}
	src, err := db.OpenWAL(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if n, last := countRecords(t, src, 0); n == 0 || src.Flushed() == 0 || last > src.Flushed() {
		t.Errorf("%d records to %s, replayed to %s", n, last, src.Flushed())
	}
}
