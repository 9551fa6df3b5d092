package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"inquest/sources"
	"inquest/sources/pgserver"
	"inquest/sources/postgres"
)

func TestQueryLimits(t *testing.T) {
	s := cluster(t)
	sql(t, s, "drop schema if exists q cascade; create schema q; grant usage on schema q to public; create table q.wide as select g, repeat('z', 1000) pad from generate_series(1, 20000) g; grant select on q.wide to public; analyze q.wide")
	ask := func(opt postgres.Options, q sources.Query) (*sources.Table, error) {
		return open(t, s, "plain", opt).Query(t.Context(), q)
	}
	t.Run("rows", func(t *testing.T) {
		tab, err := ask(postgres.Options{}, sources.Query{SQL: "select generate_series(1, 100000000) as n", MaxRows: 5})
		if err != nil || len(tab.Rows) != 5 || !tab.Truncated || tab.Columns[0] != "n" {
			t.Errorf("%v %v", tab, err)
		}
	})
	t.Run("no rows keep their columns", func(t *testing.T) {
		tab, err := ask(postgres.Options{}, sources.Query{SQL: "select 1 as a, null as b where false"})
		if err != nil || len(tab.Columns) != 2 || tab.Truncated {
			t.Errorf("%v %v", tab, err)
		}
	})
	t.Run("null and args", func(t *testing.T) {
		tab, err := ask(postgres.Options{}, sources.Query{SQL: "select null as a, $1::uuid as b", Args: []string{id1}})
		if _, ok := tab.Cell(0, "a"); err != nil || ok || tab.Text(0, "b") != id1 {
			t.Errorf("%v %v", tab, err)
		}
	})
	t.Run("statement time", func(t *testing.T) {
		start := time.Now()
		_, err := ask(postgres.Options{}, sources.Query{SQL: "select pg_sleep(10)", Timeout: 100 * time.Millisecond})
		if !isBlind(err) || !strings.Contains(err.Error(), "100ms") || time.Since(start) > 2*time.Second {
			t.Error(err)
		}
	})
	t.Run("scan budget", func(t *testing.T) {
		_, err := ask(postgres.Options{Budget: postgres.Budget{ScanBytes: 1 << 20}}, sources.Query{SQL: "select count(*) from q.wide where pad = $1", Args: []string{"x"}, Scans: true})
		if !isBlind(err) || !strings.Contains(err.Error(), "MB") || !strings.Contains(err.Error(), "--budget large") {
			t.Error(err)
		}
		if _, err := ask(postgres.Options{}, sources.Query{SQL: "select count(*) from q.wide where pad = $1", Args: []string{"x"}, Scans: true}); err != nil {
			t.Error(err)
		}
	})
	t.Run("lock", func(t *testing.T) {
		release := hold(t, s, "begin; lock table q.wide in access exclusive mode")
		defer release()
		_, err := ask(postgres.Options{LockTimeout: 50 * time.Millisecond}, sources.Query{SQL: "select 1 from q.wide limit 1"})
		if !isBlind(err) || !strings.Contains(err.Error(), "lock") {
			t.Error(err)
		}
	})
	t.Run("total", func(t *testing.T) {
		db := open(t, s, "plain", postgres.Options{Total: 50 * time.Millisecond})
		_, _ = db.Query(t.Context(), sources.Query{SQL: "select pg_sleep(0.1)"})
		if _, err := db.Query(t.Context(), sources.Query{SQL: "select 1"}); !isBlind(err) {
			t.Error(err)
		}
	})
	t.Run("mistake in the SQL", func(t *testing.T) {
		db := open(t, s, "plain", postgres.Options{})
		if _, err := db.Query(t.Context(), sources.Query{SQL: "select nothing from nowhere"}); err == nil || isBlind(err) || !strings.Contains(err.Error(), "42P01") {
			t.Error(err)
		}
		if _, err := db.Query(t.Context(), sources.Query{SQL: "select 1"}); err != nil {
			t.Errorf("the next query: %v", err)
		}
	})
	t.Run("writing", func(t *testing.T) {
		for _, text := range []string{"create table x (y int)", "delete from q.wide", "select pg_catalog.nextval('q.s')"} {
			if _, err := open(t, s, "", postgres.Options{}).Query(t.Context(), sources.Query{SQL: text}); err == nil {
				t.Errorf("%s was let through", text)
			}
		}
	})
}

// hold runs statements in a session of its own until release is called.
func hold(t *testing.T, s *pgserver.Server, text string) (release func()) {
	t.Helper()
	c := connectSuper(t, s)
	if _, err := c.Exec(t.Context(), text).ReadAll(); err != nil {
		t.Fatal(err)
	}
	return func() { _ = c.Close(context.Background()) }
}

func TestStatementsAreListed(t *testing.T) {
	s := cluster(t)
	db := open(t, s, "kit", postgres.Options{})
	_, err := db.Query(t.Context(), sources.Query{
		SQL: "select $1::text, $2::int", Args: []string{"it's", "7"}, Note: "why",
		Settings: map[string]string{"app.token": secret, "app.tenant": "a"},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, _ = db.Query(t.Context(), sources.Query{SQL: "select 1 from nowhere"})
	list := db.Statements()
	var all strings.Builder
	for _, st := range list {
		if st.Time.IsZero() || st.Source != "db:test" {
			t.Errorf("%+v", st)
		}
		fmt.Fprintln(&all, st.SQL, st.Note, st.Error)
	}
	text := all.String()
	if len(list) != 8 || !strings.Contains(text, "$1 = 'it''s', $2 = '7'") || !strings.Contains(text, "begin read only") || !strings.Contains(text, "why") || !strings.Contains(text, "42P01") {
		t.Errorf("%d statements:\n%s", len(list), text)
	}
	if strings.Contains(text, secret) || strings.Contains(text, "'pw'") {
		t.Errorf("a secret shows:\n%s", text)
	}
}

func TestALostConnectionIsBlindAndComesBackOnce(t *testing.T) {
	s := cluster(t)
	db := open(t, s, "kit", postgres.Options{})
	for i, want := range []bool{true, true, false} {
		_, err := db.Query(t.Context(), sources.Query{SQL: "select 1"})
		if (err == nil) != want {
			t.Fatalf("query %d: %v", i, err)
		}
		if !want {
			if !isBlind(err) || !strings.Contains(err.Error(), "twice") {
				t.Error(err)
			}
			break
		}
		pid := db.BackendPID()
		go func() {
			time.Sleep(100 * time.Millisecond)
			answer(t, s, fmt.Sprintf("select pg_terminate_backend(%d)", pid))
		}()
		_, err = db.Query(t.Context(), sources.Query{SQL: "select pg_sleep(3)"})
		if !isBlind(err) || !strings.Contains(err.Error(), "lost in the middle") || !strings.Contains(err.Error(), "57P01") {
			t.Errorf("killed: %v", err)
		}
	}
}

func TestACancelledQueryLeavesNothingRunning(t *testing.T) {
	s := cluster(t)
	db := open(t, s, "kit", postgres.Options{StatementTimeout: time.Minute})
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, err := db.Query(ctx, sources.Query{SQL: "select pg_sleep(30), 'leave no backend'"})
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 2*time.Second {
		t.Errorf("%v after %s", err, time.Since(start))
	}
	if n := answer(t, s, "select count(*) from pg_stat_activity where state = 'active' and query like '%leave no backend%' and pid <> pg_backend_pid()"); n != "0" {
		t.Errorf("%s backends go on", n)
	}
	if _, err := db.Query(t.Context(), sources.Query{SQL: "select 1"}); err != nil {
		t.Errorf("the next query: %v", err)
	}
	t.Run("while waiting for the connection", func(t *testing.T) {
		var wg sync.WaitGroup
		wg.Go(func() { _, _ = db.Query(t.Context(), sources.Query{SQL: "select pg_sleep(0.5)"}) })
		time.Sleep(50 * time.Millisecond)
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if _, err := db.Query(ctx, sources.Query{SQL: "select 1"}); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		wg.Wait()
	})
}

func TestAnotherDatabaseOfTheCluster(t *testing.T) {
	s := cluster(t)
	db := open(t, s, "kit", postgres.Options{})
	f, err := db.Facts(t.Context())
	if err != nil || len(f.Databases) != 0 && f.Databases[0] == "postgres" {
		t.Fatalf("%+v %v", f, err)
	}
	other := db.OtherDatabase("template1")
	defer func() { _ = other.Close() }()
	tab, err := other.Query(t.Context(), sources.Query{SQL: "select current_database() as d"})
	if err != nil || tab.Text(0, "d") != "template1" || other.Name() != "db:test/template1" {
		t.Errorf("%v %v %s", tab, err, other.Name())
	}
	_, err = db.Query(t.Context(), sources.Query{SQL: "select 1", Settings: map[string]string{"Statement_Timeout": "0"}})
	if !isBlind(err) {
		t.Errorf("the guard was lifted: %v", err)
	}
}

func TestOneConnectionForManyCallers(t *testing.T) {
	s := cluster(t)
	db := open(t, s, "kit", postgres.Options{})
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			tab, err := db.Query(t.Context(), sources.Query{SQL: "select $1::int + 1 as n", Args: []string{fmt.Sprint(i)}})
			if err != nil || tab.Text(0, "n") != fmt.Sprint(i+1) {
				t.Errorf("%d: %v %v", i, tab, err)
			}
		})
	}
	wg.Go(func() { db.Check(t.Context()) })
	wg.Wait()
	if n := answer(t, s, "select count(*) from pg_stat_activity where application_name = 'inquest'"); n != "1" {
		t.Errorf("%s sessions", n)
	}
	if err := errors.Join(db.Close(), db.Close()); err != nil {
		t.Error(err)
	}
	if _, err := db.Query(t.Context(), sources.Query{SQL: "select 1"}); !isBlind(err) {
		t.Errorf("after Close: %v", err)
	}
}
