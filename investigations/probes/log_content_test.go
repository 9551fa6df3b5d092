package probes

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	inv "inquest/investigations"
	"inquest/sources"
)

func TestLoggedContents(t *testing.T) {
	candidate := func(table, columns, fields string) inv.Fact {
		return inv.Fact{Kind: inv.TableProperty, Attrs: map[string]string{"name": "candidate", "table": table, "columns": columns, "fields": fields}}
	}
	const id = "5d0c1a7e-2f4b-4c19-8a77-1f2e3d4c5b6a"
	dtros := candidate(`public.Dtros`, "Id", "Id,Data,Deleted,Name")
	pairs := candidate("public.pairs", "tenant,doc", "tenant,doc,note")
	for _, c := range []struct {
		rec               inv.Record
		fact              inv.Fact
		statement, detail string
		want              string
	}{
		{inv.Record{ID: id}, dtros, `INSERT INTO "Dtros" ("Id", "Data", "Deleted", "Name") VALUES ($1, $2, $3, $4)`, `parameters: $1 = '` + id + `', $2 = '{"a": "it''s"}', $3 = 'f', $4 = NULL`, `Data={"a": "it's"} Deleted=f Id=` + id + ` Name=NULL unknown []`},
		{inv.Record{ID: id}, dtros, `insert into public."Dtros" ("Id", "Data") values ($1::uuid, '{}'::jsonb)`, `Parameters: $1 = '` + strings.ToUpper(id) + `'`, `Data={} Id=` + strings.ToUpper(id) + ` unknown [Deleted Name]`},
		{inv.Record{ID: id}, dtros, `INSERT INTO "Dtros" ("Id", "Data", "Name") VALUES ($1, $2, upper($3)) RETURNING "Id"`, `parameters: $1 = '` + id + `', $2 = 'cut...', $3 = 'x'`, `Id=` + id + ` unknown [Data Deleted Name]`},
		{inv.Record{ID: id}, dtros, `INSERT INTO "Dtros" ("Id", "Data") VALUES ('00000000-0000-4000-8000-000000000000', '1'), ('` + id + `', '2')`, ``, `Data=2 Id=` + id + ` unknown [Deleted Name]`},
		{inv.Record{ID: id}, dtros, `INSERT INTO "Dtros" VALUES ($1, $2)`, `parameters: $1 = '` + id + `', $2 = 'x'`, ``},
		{inv.Record{ID: id}, dtros, `INSERT INTO "Dtros" ("Name", "Id") SELECT 'x', $1`, `parameters: $1 = '` + id + `'`, ``},
		{inv.Record{ID: id}, dtros, `INSERT INTO log ("Id", "Data") VALUES ($1, '')`, `parameters: $1 = '` + id + `'`, ``},
		{inv.Record{ID: id}, dtros, `INSERT INTO "Dtros" ("Id", "Name") VALUES (gen_random_uuid(), $1)`, `parameters: $1 = '` + id + `'`, ``},
		{inv.Record{ID: "tenant=7,doc=a"}, pairs, `INSERT INTO pairs (tenant, doc, note) VALUES (7, 'a', true)`, ``, `doc=a note=t tenant=7 unknown []`},
		{inv.Record{ID: "tenant=8,doc=a"}, pairs, `INSERT INTO pairs (tenant, doc, note) VALUES (7, 'a', true)`, ``, ``},
	} {
		e := sources.Event{Format: "postgres-csv", Message: "execute <unnamed>: " + c.statement, Fields: map[string]string{"detail": c.detail}}
		got := ""
		for _, rec := range loggedContents(inv.Input{Record: c.rec, Facts: inv.Facts{c.fact}}, []logged{{Event: e, evidence: "E1"}}) {
			var parts []string
			for k, v := range rec.Row {
				text := "NULL"
				if v != nil {
					text = *v
				}
				parts = append(parts, k+"="+text)
			}
			slices.Sort(parts)
			got += strings.Join(parts, " ") + fmt.Sprintf(" unknown %v", rec.Unknown)
		}
		if got != c.want {
			t.Errorf("%s %s\n got %s\nwant %s", c.statement, c.detail, got, c.want)
		}
	}
}
