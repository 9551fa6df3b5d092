package probes_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	inv "inquest/investigations"
	"inquest/investigations/journal"
	"inquest/investigations/probes"
	"inquest/sources"
	"inquest/sources/gitrepo"
	"inquest/sources/httpapi"
	"inquest/sources/logfile"
	"inquest/sources/logscan"
	"inquest/sources/pgserver"
	"inquest/sources/pgserver/pgservertest"
	"inquest/sources/postgres"
)

const recordID = "e7a4bff2-adc7-4847-a9d8-25734601b405"

var t0 = time.Date(2025, 11, 27, 14, 58, 3, 0, time.UTC)

// examine runs the named probes for a record and returns the state they leave, and what is made of it.
func examine(t *testing.T, rec inv.Record, window sources.Window, srcs []sources.Source, ids ...string) (inv.State, inv.Assessment) {
	t.Helper()
	r := newRunner(t, rec, window, srcs, ids...)
	if err := r.Run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	return r.Case.State(), r.Engine.Assess(r.Case.State())
}

// newRunner is a case with these probes, which have not run.
func newRunner(t *testing.T, rec inv.Record, window sources.Window, srcs []sources.Source, ids ...string) *inv.Runner {
	t.Helper()
	redact, err := sources.NewRedactor([]string{rec.ID})
	if err != nil {
		t.Fatal(err)
	}
	c, err := inv.NewCase(&journal.Memory{}, nil, redact, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Record(inv.EntryOpened, inv.Opened{Schema: inv.CaseSchema, Record: rec, Window: window, Version: "test"}); err != nil {
		t.Fatal(err)
	}
	var list []inv.Probe
	for _, p := range probes.All() {
		if slices.Contains(ids, p.ID) {
			list = append(list, p)
		}
	}
	if len(list) != len(ids) {
		t.Fatalf("of %v only %d probes are in the list", ids, len(list))
	}
	return &inv.Runner{Case: c, Engine: inv.Engine{Probes: list}, Sources: srcs, Redact: redact, Now: time.Now, Version: "test"}
}

func reading(t *testing.T, a inv.Assessment, id string) inv.Reading {
	t.Helper()
	for _, st := range a.Steps {
		for _, p := range st.Probes {
			if p.Probe.ID == id {
				return p.Reading
			}
		}
	}
	t.Fatalf("%s was not read", id)
	return inv.Reading{}
}

func TestAPINow(t *testing.T) {
	plain := "application/json"
	cases := map[string]struct {
		status     int
		kind, body string
		outcome    inv.Outcome
		op         string
	}{
		"shown":          {200, plain, `{"id":"` + strings.ToUpper(recordID) + `","x":1}`, inv.Found, "read"},
		"no hyphens":     {200, plain, `[{"dtro":{"key":"` + strings.ReplaceAll(recordID, "-", "") + `"}}]`, inv.Found, "read"},
		"denied":         {404, plain, `{"message":"TRO '` + recordID + `' not found"}`, inv.Absent, "read"},
		"gone":           {410, "", ``, inv.Absent, "read"},
		"empty list":     {200, plain, `[]`, inv.BlindOutcome, ""},
		"soft error":     {200, plain, `{"error":"not found","id":"` + recordID + `"}`, inv.BlindOutcome, ""},
		"in a message":   {200, plain, `{"message":"no ` + recordID + ` here"}`, inv.BlindOutcome, ""},
		"a page":         {200, "text/html", `<html>` + recordID, inv.BlindOutcome, ""},
		"no route":       {404, "text/plain", "404 page not found\n", inv.BlindOutcome, ""},
		"no such page":   {404, "text/html; charset=utf-8", "<html>nginx</html>", inv.BlindOutcome, ""},
		"express":        {404, plain, "Cannot GET /x", inv.BlindOutcome, ""},
		"no right":       {403, plain, `{}`, inv.BlindOutcome, ""},
		"no login":       {401, plain, `{}`, inv.BlindOutcome, ""},
		"too many":       {429, plain, `{}`, inv.BlindOutcome, ""},
		"broken":         {500, plain, `{"id":"` + recordID + `"}`, inv.BlindOutcome, ""},
		"bad request":    {400, plain, `{}`, inv.BlindOutcome, ""},
		"nothing":        {204, "", ``, inv.BlindOutcome, ""},
		"xml":            {200, "application/xml", `<dtro id="` + recordID + `"/>`, inv.Found, "read"},
		"hostile":        {200, plain, strings.Repeat("<\x00\x1b[2J", 20_000), inv.BlindOutcome, ""},
		"hostile, large": {200, plain, strings.Repeat("<\x01>", 30_000), inv.BlindOutcome, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", c.kind)
				w.WriteHeader(c.status)
				fmt.Fprint(w, c.body)
			}))
			defer s.Close()
			api, err := httpapi.Open(s.URL+"/dtros/{id}?token=hunter2hunter2", httpapi.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer api.Close()
			state, a := examine(t, inv.Record{ID: recordID}, sources.Window{}, []sources.Source{api}, "logs.api")
			r := reading(t, a, "logs.api")
			if r.Outcome != c.outcome || len(r.Facts) != 1 || r.Facts[0].Attr("op") != c.op || r.Facts[0].Number("status") != int64(c.status) {
				t.Fatalf("%+v", r)
			}
			if r.Outcome == inv.BlindOutcome && r.Opens == "" {
				t.Error("nothing says what would open it")
			}
			if !state.Window.IsZero() {
				t.Errorf("the window is %+v: an answer of today tells nothing of then", state.Window)
			}
			if all := fmt.Sprintf("%+v %+v", state.Evidence, r); strings.Contains(all, "hunter2") {
				t.Error("a token of the URL is in the case")
			}
		})
	}
}

func TestAPINotThereIsBlind(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	s.Close()
	api, err := httpapi.Open(s.URL+"/{id}", httpapi.Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, a := examine(t, inv.Record{ID: recordID}, sources.Window{}, []sources.Source{api}, "logs.api")
	if r := reading(t, a, "logs.api"); r.Outcome != inv.BlindOutcome || len(r.Facts) != 0 || !strings.Contains(r.Summary, "refuses the connection") {
		t.Errorf("%+v", r)
	}
	_, a = examine(t, inv.Record{ID: recordID}, sources.Window{}, nil, "logs.api", "code.changes")
	for _, id := range []string{"logs.api", "code.changes"} {
		if r := reading(t, a, id); r.Outcome != inv.BlindOutcome || r.Opens == "" {
			t.Errorf("%s: %+v", id, r)
		}
	}
}

func TestCodeChanges(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("*** SKIPPED, NOT PASSED: git is not installed ***")
	}
	dir := t.TempDir()
	git := func(at time.Time, args ...string) {
		cmd := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=Ada", "-c", "user.email=ada@example.org"}, args...)...)
		cmd.Env = append(os.Environ(), "GIT_AUTHOR_DATE="+at.Format(time.RFC3339), "GIT_COMMITTER_DATE="+at.Format(time.RFC3339))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	git(t0, "init", "-q")
	if err := os.WriteFile(filepath.Join(dir, "purge.sql"), []byte("DELETE FROM dtros WHERE draft;\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	git(t0, "add", "-A")
	git(t0.Add(-3*time.Hour), "commit", "-qm", "Purge drafts")
	git(t0.Add(-2*time.Hour), "tag", "v3.4.0")
	repo, err := gitrepo.Open(dir, gitrepo.Options{Environ: os.Environ()})
	if err != nil {
		t.Fatal(err)
	}
	rec := inv.Record{ID: recordID, Table: "public.Dtros"}
	_, a := examine(t, rec, sources.Around(t0, 30*time.Minute), []sources.Source{repo}, "code.changes")
	r := reading(t, a, "code.changes")
	changed, removes, released := a.Facts.Of(inv.CodeChanged), a.Facts.Of(inv.CodeRemoves), a.Facts.Of(inv.Released)
	if r.Outcome != inv.Found || len(changed) != 1 || len(removes) != 1 || len(released) != 1 {
		t.Fatalf("%+v", r)
	}
	if f := changed[0]; f.Attr("op") != "delete" || f.Attr("file") != "purge.sql" || f.Attr("line") != "1" || !f.Time.Equal(t0.Add(-3*time.Hour)) {
		t.Errorf("%+v", f)
	}
	if !strings.Contains(r.Summary, "purge.sql:1") || !strings.Contains(r.Summary, "v3.4.0") || strings.Contains(fmt.Sprintf("%+v", a), "ada@") {
		t.Error(r.Summary)
	}

	// Far from the time no commit counts; the code as it stands still does.
	_, a = examine(t, rec, sources.Around(t0.Add(-1000*time.Hour), time.Hour), []sources.Source{repo}, "code.changes")
	if a.Facts.Any(inv.CodeChanged) || !a.Facts.Any(inv.CodeRemoves) {
		t.Errorf("%+v", a.Facts)
	}
	// Without a time, commits near it cannot be told, and that is said.
	state, _ := examine(t, rec, sources.Window{}, []sources.Source{repo}, "code.changes")
	if b := state.Runs["code.changes"].Blind; len(b) != 1 || !strings.Contains(b[0].Why, "not known") {
		t.Errorf("%+v", b)
	}
	// A table that no code removes is absent, with what that does not exclude.
	_, a = examine(t, inv.Record{ID: recordID, Table: "orders"}, sources.Around(t0, time.Hour), []sources.Source{repo}, "code.changes")
	if r := reading(t, a, "code.changes"); r.Outcome != inv.Absent || !strings.Contains(r.Summary, "no line") {
		t.Errorf("%+v", r)
	}
}

func logs(t *testing.T, files map[string]string) []sources.Source {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return logfile.OpenAll([]string{dir}, func(string) logfile.Options {
		return logfile.Options{Options: logscan.Options{Now: time.Now}}
	})
}

func TestHintsInLogs(t *testing.T) {
	const twin = "0b9f6a1e-1111-4222-8333-444455556666"
	srcs := logs(t, map[string]string{
		"app.log": `{"time":"2025-11-27T14:58:03.1Z","msg":"create","reference":"TTRO-118","request_id":"req-first-1"}
{"time":"2025-11-27T14:58:03.2Z","msg":"created","id":"` + recordID + `","request_id":"req-first-1"}
{"time":"2025-11-27T14:58:09.1Z","msg":"create","reference":"TTRO-118","request_id":"req-second-2","method":"POST","path":"/dtros","status":201}
{"time":"2025-11-27T14:58:09.2Z","msg":"created","id":"` + twin + `","request_id":"req-second-2"}
{"time":"2025-11-27T14:58:10.2Z","msg":"other","reference":"TTRO-1180","request_id":"req-third-3"}
{"time":"2025-11-27T14:58:11.2Z","msg":"mail about TTRO-118 sent","request_id":"req-fourth-4"}
{"time":"2025-11-27T14:58:12.2Z","msg":"quantity","count":"42","customer":"7"}
{"time":"2025-11-27T14:58:13.2Z","msg":"quantity","count":"7","customer":"42"}
`,
	})
	rec := inv.Record{ID: recordID, Hints: map[string]string{"reference": "TTRO-118", "customer": "42"}}
	_, a := examine(t, rec, sources.Window{}, srcs, "logs.hints")
	r := reading(t, a, "logs.hints")
	facts := a.Facts.Of(inv.HintNamed)
	if r.Outcome != inv.Found || len(facts) != 4 {
		t.Fatalf("%+v", r)
	}
	byHint := map[string]inv.Facts{}
	for _, f := range facts {
		byHint[f.Attr("hint")] = append(byHint[f.Attr("hint")], f)
	}
	if c := byHint["customer"]; len(c) != 1 || !strings.Contains(c[0].Says, "quantity") || c[0].Attr("position") == "" || !strings.HasSuffix(c[0].Attr("position"), ":8") {
		t.Errorf("a short value counts in the field of its name alone: %+v", c)
	}
	ref := byHint["reference"]
	if len(ref) != 3 || ref[0].Attr("same") != "true" || ref[1].Attr("id") != twin || ref[1].Attr("status") != "201" || ref[2].Attr("weak") != "true" {
		t.Fatalf("%+v", ref)
	}
	if !strings.Contains(r.Summary, twin) {
		t.Error(r.Summary)
	}

	_, a = examine(t, inv.Record{ID: recordID, Hints: map[string]string{"reference": "TTRO-999"}}, sources.Window{}, srcs, "logs.hints")
	if r := reading(t, a, "logs.hints"); r.Outcome != inv.Absent || !strings.Contains(r.Summary, "read from") {
		t.Errorf("%+v", r)
	}
	_, a = examine(t, inv.Record{ID: recordID}, sources.Window{}, srcs, "logs.hints", "database.hints")
	for _, id := range []string{"logs.hints", "database.hints"} {
		if r := reading(t, a, id); r.Outcome != inv.NotApplicable {
			t.Errorf("%+v", r)
		}
	}
	_, a = examine(t, rec, sources.Window{}, nil, "logs.hints", "database.hints")
	for _, id := range []string{"logs.hints", "database.hints"} {
		if r := reading(t, a, id); r.Outcome != inv.BlindOutcome {
			t.Errorf("%+v", r)
		}
	}
}

func TestHintsInTables(t *testing.T) {
	server := pgservertest.New(t, pgserver.Config{})
	conn, err := pgx.Connect(t.Context(), server.DSN("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	const twin = "0b9f6a1e-1111-4222-8333-444455556666"
	_, err = conn.Exec(t.Context(), `
CREATE TABLE "Dtros" ("Id" uuid PRIMARY KEY, "TroName" text, "Quantity" int, "Data" jsonb, "Created" timestamptz);
INSERT INTO "Dtros" VALUES ('`+twin+`', 'High St', 42, '{"source": {"reference": "TTRO-118"}}', '2025-11-27 14:58:09+00');
INSERT INTO "Dtros" SELECT gen_random_uuid(), 'Low St', 7, '{}', now() FROM generate_series(1, 10);
CREATE TABLE pairs (tenant int, doc text, reference text, PRIMARY KEY (tenant, doc));
INSERT INTO pairs VALUES (7, 'a', 'TTRO-118'), (7, 'b', 'TTRO-119');`, pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		t.Fatal(err)
	}
	db, err := postgres.Open("db:test", server.DSN("postgres"), postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	look := func(rec inv.Record) (inv.Reading, inv.Facts, inv.State) {
		s, a := examine(t, rec, sources.Window{}, []sources.Source{db}, "database.tables", "database.hints")
		return reading(t, a, "database.hints"), a.Facts.Of(inv.RowTwin), s
	}

	r, twins, _ := look(inv.Record{ID: recordID, Hints: map[string]string{"tro_name": "High St"}})
	if r.Outcome != inv.Found || len(twins) != 1 || twins[0].Attr("key") != twin || twins[0].Attr("by") != "TroName" || twins[0].Attr("xid") == "" || !strings.HasPrefix(twins[0].Attr("created"), "2025-11-27") {
		t.Fatalf("%+v %+v", r, twins)
	}
	if r, twins, _ = look(inv.Record{ID: recordID, Hints: map[string]string{"Data.source.reference": "TTRO-118", "Quantity": "42"}}); len(twins) != 1 || twins[0].Attr("by") != "Data.source.reference, Quantity" {
		t.Errorf("%+v %+v", r, twins)
	}
	if r, twins, _ = look(inv.Record{ID: recordID, Hints: map[string]string{"TroName": "Low St"}}); len(twins) != 0 || r.Outcome != inv.Absent || !strings.Contains(r.Summary, "too many") {
		t.Errorf("ten rows are no twins: %+v %+v", r, twins)
	}
	if r, twins, _ = look(inv.Record{ID: twin, Hints: map[string]string{"TroName": "High St"}}); len(twins) != 0 || r.Outcome != inv.Absent {
		t.Errorf("the record's own row is no twin: %+v %+v", r, twins)
	}
	if r, _, _ = look(inv.Record{ID: recordID, Hints: map[string]string{"TroName": "x'; DROP TABLE \"Dtros\"; --"}}); r.Outcome != inv.Absent {
		t.Errorf("%+v", r)
	}
	r, _, s := look(inv.Record{ID: recordID, Hints: map[string]string{"Quantity": "many", "nothing": "x"}})
	if r.Outcome != inv.BlindOutcome || len(s.Runs["database.hints"].Blind) == 0 {
		t.Errorf("%+v", r)
	}
	if _, twins, _ = look(inv.Record{ID: "tenant=7,doc=b", Hints: map[string]string{"reference": "TTRO-118"}}); len(twins) != 1 || twins[0].Attr("key") != "tenant=7,doc=a" {
		t.Errorf("%+v", twins)
	}
}
