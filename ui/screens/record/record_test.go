package record

import (
	"testing"

	"inquest/investigations"
)

func TestRestoreSQLIsQuotedAndDoesNotCommit(t *testing.T) {
	name, path := `O'Connell"; DROP TABLE x; --`, `C:\temp`
	got := RestoreSQL(investigations.Recovered{Table: `public.We"ird`, Unknown: []string{"Da\nta"}, Row: map[string]*string{"Name": &name, `Pa"th`: &path, "Gone": nil}})
	want := "BEGIN;\n-- could not be read and is left to its default: Da⏎ta\n" +
		`INSERT INTO public.We"ird ("Gone", "Name", "Pa""th")` + "\n" +
		`VALUES (NULL, 'O''Connell"; DROP TABLE x; --', E'C:\\temp');` + "\nROLLBACK; -- COMMIT once you have read what it did"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := tableName("public.Dtros"); got != `"public"."Dtros"` {
		t.Error(got)
	}
}
