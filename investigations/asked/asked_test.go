package asked_test

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"inquest/investigations/asked"
	"inquest/sources"
	"inquest/sources/pgserver"
	"inquest/sources/pgserver/pgservertest"
	"inquest/sources/postgres"
)

func TestCheckAgainstAServer(t *testing.T) {
	server := pgservertest.New(t, pgserver.Config{})
	conn, err := pgx.Connect(t.Context(), server.DSN("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = conn.Exec(t.Context(), `CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text);
CREATE TABLE "Dtros" ("Id" uuid PRIMARY KEY); CREATE TABLE parts (id int, d date) PARTITION BY RANGE (d);
CREATE VIEW v_orders AS SELECT * FROM orders; CREATE MATERIALIZED VIEW m_orders AS SELECT * FROM orders; CREATE VIEW fixed AS SELECT 1 AS one;
CREATE SCHEMA sales; CREATE TABLE sales.lines (id int); CREATE ROLE app; CREATE ROLE "App User";
CREATE TABLE person (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY); ALTER TABLE person RENAME TO people; CREATE TABLE person_notes (id int PRIMARY KEY)`)
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	db, err := postgres.Open("db:prod", server.DSN("postgres"), postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	lost, err := postgres.Open("db:lost", "host=127.0.0.1 port=1 dbname=x", postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer lost.Close()
	for _, c := range []struct {
		table, role string
		wrong       bool
		says        string // parts of what is said with | between them; empty: nothing
	}{
		{table: "orders"},
		{table: "ORDERS"},
		{table: "public.orders"},
		{table: `"Dtros"`},
		{table: "dtros"},
		{table: "parts"},
		{table: "sales.lines", role: "app"},
		{role: "App User"},
		{table: "odrers", says: "there is no table odrers in database postgres (db:prod)|Did you mean public.orders?|was dropped"},
		{table: "person", says: "there is no table person|belongs to public.people (by person_|give that name"},
		{table: "public.lines", says: "Did you mean sales.lines?"},
		{table: "zzzz", says: "there is no table zzzz"},
		{table: "v_orders", wrong: true, says: "public.v_orders is a view|Name the table behind it: public.orders"},
		{table: "m_orders", wrong: true, says: "a materialized view|public.orders"},
		{table: "orders_pkey", wrong: true, says: "an index|public.orders"},
		{table: "orders_id_seq", wrong: true, says: "a sequence|public.orders"},
		{table: "fixed", wrong: true, says: "a view|found by itself"},
		{table: "or ders;--"}, // no name at all: the probe that reads it says why
		{role: "ap", wrong: true, says: "there is no role ap on db:prod|Did you mean app"},
		{role: "app user", wrong: true, says: "Did you mean App User"},
	} {
		got := asked.Check(t.Context(), []sources.Source{db, lost}, c.table, c.role)
		if c.says == "" {
			if len(got) > 0 {
				t.Errorf("%+v: %v", c, got)
			}
			continue
		}
		if len(got) != 1 || got[0].Wrong != c.wrong {
			t.Errorf("%+v: %+v", c, got)
			continue
		}
		for _, part := range strings.Split(c.says, "|") {
			if !strings.Contains(got[0].String(), part) {
				t.Errorf("%+v: %q is not in %s", c, part, got[0])
			}
		}
	}
}

func TestNothingIsSaidWhereNothingAnswers(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	lost, err := postgres.Open("db:lost", "host=127.0.0.1 port=1 dbname=x", postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer lost.Close()
	if got := asked.Check(ctx, []sources.Source{lost}, "orders", "app"); len(got) > 0 {
		t.Errorf("%v", got)
	}
}
