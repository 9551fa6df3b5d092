package investigations_test

import (
	"strings"
	"testing"

	inv "inquest/investigations"
)

func TestRestoreSQLIsQuotedAndDoesNotCommit(t *testing.T) {
	name, path := `O'Connell"; DROP TABLE x; --`, `C:\temp`
	got := inv.RestoreSQL(inv.Recovered{Table: `public.We"ird`, Unknown: []string{"Da\nta"}, Row: map[string]*string{"Name": &name, `Pa"th`: &path, "Gone": nil}}, nil)
	want := "BEGIN;\n-- could not be read and is left to its default: Da⏎ta\n" +
		"-- not checked against the table as it is now: generated and identity columns, parents, triggers (step 9, with a connection)\n" +
		`INSERT INTO "public"."We""ird" ("Gone", "Name", "Pa""th")` + "\n" +
		`VALUES (NULL, 'O''Connell"; DROP TABLE x; --', E'C:\\temp');` + "\nROLLBACK; -- COMMIT once you have read what it did"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestRestoreSQLNamesTheTableAsSQLDoes(t *testing.T) {
	one := "1"
	for table, want := range map[string]string{
		"public.Dtros": `"public"."Dtros"`, `public."Dtros"`: `public."Dtros"`, `"a.b"."c""d"`: `"a.b"."c""d"`, "orders": `"orders"`,
		`x"; DROP TABLE y; --`: `"x""; DROP TABLE y; --"`, "a\nb": `"a⏎b"`,
	} {
		if got := inv.RestoreSQL(inv.Recovered{Table: table, Row: map[string]*string{"id": &one}}, nil); !strings.Contains(got, "INSERT INTO "+want+" (") {
			t.Errorf("%s: %s", table, got)
		}
	}
	if got := inv.RestoreSQL(inv.Recovered{Table: "t", Unknown: []string{"id"}}, nil); strings.Contains(got, "INSERT") || !strings.HasSuffix(got, "ROLLBACK;") {
		t.Error(got)
	}
}

func TestRestoreSQLHeedsWhatWasChecked(t *testing.T) {
	one, gross := "7", "120"
	facts := inv.Facts{
		{Kind: inv.TableProperty, Attrs: map[string]string{
			"table": "public.orders", "name": "restore", "generated": "gross", "identity": "id", "gone": "public.customers id=3",
			"unsure": "public.sites id=9", "invalid": "note", "triggers": "audit,push\nDROP TABLE x",
		}},
		{Kind: inv.TableProperty, Attrs: map[string]string{"table": "public.orders", "name": "swallows"}, Says: "trigger keep can return NULL"},
		{Kind: inv.TableProperty, Attrs: map[string]string{"table": "public.other", "name": "restore", "generated": "id"}},
	}
	got := inv.RestoreSQL(inv.Recovered{Table: "public.orders", Row: map[string]*string{"id": &one, "gross": &gross, "note": nil}}, facts)
	for _, want := range []string{
		"-- the server generates it, so it is left out: gross\n", "put that back first: public.customers id=3\n", "is not known: public.sites id=9\n",
		"check it: note\n", "fires on the INSERT, read what it does: audit\n", "push⏎DROP TABLE x\n", "-- trigger keep can return NULL\n",
		"INSERT INTO \"public\".\"orders\" (\"id\", \"note\")\nOVERRIDING SYSTEM VALUE\nVALUES ('7', NULL);\nROLLBACK;",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
	if strings.Contains(got, "not checked") || strings.Contains(got, "\nDROP") {
		t.Error(got)
	}
}
