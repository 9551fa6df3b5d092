package probes

import (
	"strings"
	"testing"

	"inquest/sources/catalog"
	"inquest/sources/heap"
)

func ordersTable() *catalog.Table {
	col := func(n int16, name, typ string) heap.Column {
		return heap.Column{AttNum: n, Name: name, TypeName: typ}
	}
	return &catalog.Table{Schema: "public", Name: "orders", Kind: "r", PrimaryKey: []int16{1}, Columns: []heap.Column{
		col(1, "id", "bigint"), col(2, "status", "text"), col(3, "created_at", "timestamp with time zone"), col(4, "Total", "numeric(10,2)"),
		col(5, "expires", "date"), col(6, "data", "jsonb"), col(7, "date", "timestamp(3) without time zone"),
	}}
}

func TestReadCondition(t *testing.T) {
	for in, want := range map[string]string{
		"created_at < now() - interval '90 days'":                                       `(t."created_at" < (($1::timestamptz) - $2::interval))`,
		"status = 'draft' AND created_at < (now() - '90 days'::interval)":               `((t."status" = $1) AND (t."created_at" < (($2::timestamptz) - ($3)::interval)))`,
		"o.status IN ('a', 'b') or not orders.status like 'x%'":                         `((t."status" IN ($1, $2)) OR (NOT (t."status" LIKE $3)))`,
		"status = ANY (ARRAY['a'::text, 'b'::text])":                                    `(t."status" = ANY (ARRAY[($1)::text, ($2)::text]))`,
		`"Total" > -1.5 * 2 and "Total" is not null`:                                    `((t."Total" > ((- 1.5) * 2)) AND (t."Total" IS NOT NULL))`,
		"expires < current_date - 30":                                                   `(t."expires" < (($1::timestamptz)::date - 30))`,
		"created_at BETWEEN '2025-01-01' AND now() RETURNING id":                        `(t."created_at" BETWEEN $1 AND ($2::timestamptz)) … returning`,
		"id IN (SELECT o2.id FROM orders o2 WHERE o2.status = 'x' ORDER BY id LIMIT 9)": `(t."status" = $1)`,
		"ctid = ANY (ARRAY(SELECT ctid FROM public.orders WHERE status = 'x' LIMIT 9))": `(t."status" = $1)`,
		"created_at < now() - make_interval(days => 30)":                                `(t."created_at" < (($1::timestamptz) - make_interval(days => 30)))`,
		"coalesce(status, 'x') <> 'y' /* why */ -- more":                                `(coalesce(t."status", $1) <> $2)`,
		"extract(epoch from created_at) < 5":                                            `(EXTRACT(epoch FROM t."created_at") < 5)`,
		"date < now()":                                                                  `(t."date" < ($1::timestamptz))`,
		"created_at AT TIME ZONE 'UTC' < '2025-01-01'":                                  `((t."created_at" AT TIME ZONE $1) < $2)`,
		"status IS NOT DISTINCT FROM 'x' AND true":                                      `((t."status" IS NOT DISTINCT FROM $1) AND TRUE)`,

		"created_at < now() - days":                               "!it depends on days, which is no column of public.orders",
		"id = $1":                                                 "!it depends on the parameter $1",
		"id IN (SELECT order_id FROM doomed)":                     "!it depends on order_id",
		"id IN (SELECT id FROM doomed)":                           "!it holds a sub-select of another table",
		"id NOT IN (SELECT id FROM orders WHERE true)":            "!it holds a sub-select",
		"status IN (SELECT status FROM orders WHERE id = 1)":      "!it holds a sub-select",
		"id IN (SELECT id FROM orders WHERE true UNION SELECT 1)": "!it holds a sub-select",
		"EXISTS (SELECT 1)":                                       "!EXISTS is not understood",
		"pg_sleep(10) IS NULL":                                    "!it calls pg_sleep()",
		"pg_catalog.pg_sleep(10) IS NULL":                         "!it depends on pg_catalog.pg_sleep",
		"status = pg_read_file('/etc/passwd')":                    "!it calls pg_read_file()",
		"(SELECT pg_terminate_backend(1)) IS NULL":                "!it holds a sub-select",
		"status = E'\\x27; DROP TABLE orders; --'":                `!"E" is not understood`,
		"status::regclass IS NULL":                                "!a cast to regclass",
		"status::\"evil\" IS NULL":                                `!a cast to "evil"`,
		"data->>'x' = 'y'":                                        "!the type of data is not one of the plain ones",
		"status ~ 'x'":                                            `(t."status") … ~`,
		"(status = 'x'":                                           "!\"\" is not understood",
		"status = 'x'; DROP TABLE orders":                         `(t."status" = $1) … ;`,
		"status = 'it''s; DELETE FROM x'":                         `(t."status" = $1)`,
		strings.Repeat("(", 500) + "true":                         "!it is nested too deep",
		"status OPERATOR(evil.=) 'x'":                             `t."status" … operator`,
		"make_interval(secs => 1, days => pg_sleep(1)) IS NULL":   "!it calls pg_sleep()",
		"created_at < now(pg_sleep(1))":                           `!"pg_sleep" is not understood`,
		"id IN (SELECT id FROM orders WHERE id IN (SELECT id FROM orders WHERE true))": "!it holds a sub-select",
	} {
		p, rest, err := readCondition(lexSQL(in), ordersTable(), "orders", "o")
		got := p.sql
		if err != nil {
			got = "!" + err.Error()
		} else if len(rest) > 0 {
			got += " … " + rest[0].text
		}
		if got != want && !(strings.HasPrefix(want, "!") && strings.HasPrefix(got, want)) && !(strings.Contains(want, `") … ~`) && got == `t."status" … ~`) {
			t.Errorf("%s\n got %s\nwant %s", in, got, want)
		}
	}
}

func TestRemovalRules(t *testing.T) {
	code := `
BEGIN
  -- DELETE FROM orders WHERE true
  RAISE NOTICE 'DELETE FROM orders WHERE true';
  DELETE FROM customers WHERE id = 1;
  DELETE FROM ONLY public.orders AS o WHERE o.status = 'draft' AND o.created_at < now() - interval '90 days';
  DELETE FROM orders USING x WHERE x.id = orders.id;
  WITH gone AS (DELETE FROM "orders" WHERE status = 'x' RETURNING *) INSERT INTO log SELECT * FROM gone;
  DELETE FROM orders WHERE CURRENT OF c;
  DELETE FROM orders;
END`
	var got []string
	for _, r := range removalRules(code, ordersTable()) {
		got = append(got, strings.TrimSpace(r.cond.sql+" "+r.why+map[bool]string{true: "all"}[r.all]))
	}
	want := []string{
		`((t."status" = $1) AND (t."created_at" < (($2::timestamptz) - $3::interval)))`, "it joins another table", `(t."status" = $1)`,
		"it depends on current, which is no column of public.orders", "all",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for command, want := range map[string]bool{"SELECT purge_orders(90)": true, "CALL app.purge_orders()": false, "select public.purge_orders(1)": true, "VACUUM orders": false} {
		if got := callsFunction(command, "public.purge_orders(integer)"); got != want {
			t.Errorf("%s calls it: %v", command, got)
		}
	}
}

// FuzzReadCondition holds that nothing of the text gets into the SQL but what is on the lists: names of the table's
// columns, keywords, numbers, and numbers of parameters.
func FuzzReadCondition(f *testing.F) {
	for _, s := range []string{"created_at < now() - interval '90 days'", "id in (select id from orders where status='x' limit 1)", "a'b", `"x" = 'y'`, "$$x$$ = 1", "E'\\'"} {
		f.Add(s)
	}
	table := ordersTable()
	known := map[string]bool{"t": true, "$": true}
	for _, w := range strings.Fields(`and or not is null true false unknown distinct from in like ilike between any some all array at time zone extract
 year month day hour minute second epoch dow isodow doy week quarter boolean smallint integer bigint numeric real double precision text uuid date interval timestamptz timestamp inet
 years months weeks days hours mins secs`) {
		known[w] = true
	}
	for _, w := range harmless {
		known[w] = true
	}
	f.Fuzz(func(t *testing.T, in string) {
		p, _, err := readCondition(lexSQL(in), table, "o")
		if err != nil {
			return
		}
		for _, tok := range lexSQL(p.sql) {
			switch tok.kind {
			case tokenString, tokenOther:
				t.Fatalf("%q became %s", in, p.sql)
			case tokenName:
				if table.Column(tok.text) == nil {
					t.Fatalf("%q became %s", in, p.sql)
				}
			case tokenWord:
				if !known[tok.text] && tok.text != "ctid" {
					t.Fatalf("%q became %s, with the word %s", in, p.sql, tok.text)
				}
			case tokenSign:
				if strings.ContainsAny(tok.text, ";\"'\\") {
					t.Fatalf("%q became %s", in, p.sql)
				}
			}
		}
		removalRules(in, table)
	})
}
