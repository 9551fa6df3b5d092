package drills_test

import (
	"context"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"inquest/investigations"
	"inquest/investigations/drills"
)

// happened is how the test makes sure, as superuser, that an incident is real.
type happened struct {
	// sql gives, for each query, the text of its only value; $ID is the record.
	sql map[string]string
	// log has to match the scene's server logs, silent must not.
	log, silent []string
	// second runs on the second connection of the scene.
	second map[string]string
	// tuple is what became of the transactions that wrote row versions with the
	// record's key: "insert status" or "insert status, delete status", one for each
	// version in the table's pages; "none" when there must not be one.
	tuple string
}

// slowest is what a drill may take on the stage of a machine under load, where a
// restart alone can take long; on an idle one it is four seconds.
const slowest = time.Minute

// short are the drills that -short plays: one of each domain.
var short = []string{"vanished-dtro", "psql-delete", "insert-refused", "row-security", "detached-partition"}

func TestDrillsReallyHappen(t *testing.T) {
	for _, d := range drills.List() {
		t.Run(d.ID, func(t *testing.T) {
			t.Parallel() // most of a drill is waiting
			if testing.Short() && !slices.Contains(short, d.ID) {
				t.Skip("-short plays one drill of each domain only")
			}
			check, ok := proofs()[d.ID]
			if !ok {
				t.Fatal("no proof is written for this drill")
			}
			h := newHost(t)
			begun := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), slowest)
			defer cancel()
			scene, err := d.Run(ctx, h)
			if err != nil {
				t.Fatal(err)
			}
			took := time.Since(begun)
			t.Logf("staged in %.1f s", took.Seconds())
			defer func() {
				if err := scene.Close(context.WithoutCancel(t.Context())); err != nil {
					t.Error(err)
				}
			}()
			wellFormed(t, d, scene)
			check.verify(t, scene)
		})
	}
}

func wellFormed(t *testing.T, d drills.Drill, s drills.Scene) {
	t.Helper()
	if err := (investigations.Record{ID: s.Record, Table: s.Table}).Validate(); err != nil {
		t.Error(err)
	}
	if len(s.DBs) == 0 && len(s.Logs) == 0 {
		t.Error("the scene has nothing to look into")
	}
	names := map[string]bool{}
	for _, c := range s.DBs {
		if c.Name == "" || names[c.Name] {
			t.Errorf("connection name %q is empty or taken", c.Name)
		}
		names[c.Name] = true
		for _, dsn := range []string{c.DSN, c.Superuser} {
			value(t, dsn, "select 'reached'")
		}
	}
	for _, path := range s.Logs {
		fi, err := os.Stat(path)
		if err != nil || fi.Size() == 0 {
			t.Errorf("log %s: %v, or empty", path, err)
		}
	}
	text := strings.ToLower(d.Title + " " + d.Story)
	for _, m := range d.Truth.Mechanisms {
		if strings.Contains(text, strings.ReplaceAll(m, "-", " ")) {
			t.Errorf("title and story give %s away", m)
		}
	}
}

func (h happened) verify(t *testing.T, s drills.Scene) {
	t.Helper()
	if h.tuple != "" {
		// Traffic prunes pages that are nearly full, and takes the dead versions along.
		pruned := h.tuple != "in progress"
		if got := versions(t, s); got != h.tuple && (got != "none" || !pruned) {
			t.Errorf("row versions of the record: %q, want %q", got, h.tuple)
		}
	}
	for sql, want := range h.sql {
		if strings.Contains(sql, "($ID)") { // a composite key
			sql = strings.ReplaceAll(sql, "($ID)", "("+strings.ReplaceAll(s.Record, ",", " AND ")+")")
		}
		sql = strings.ReplaceAll(sql, "$ID", s.Record)
		if got := value(t, proof(s), sql); got != want && want != "*" {
			t.Errorf("%s = %q, want %q", sql, got, want)
		}
	}
	for sql, want := range h.second {
		sql = strings.ReplaceAll(sql, "$ID", s.Record)
		if got := value(t, s.DBs[1].Superuser, sql); got != want {
			t.Errorf("on %s: %s = %q, want %q", s.DBs[1].Name, sql, got, want)
		}
	}
	var logs strings.Builder
	for _, path := range s.Logs {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		logs.Write(b)
	}
	for _, pattern := range h.log {
		if !regexp.MustCompile(strings.ReplaceAll(pattern, "$ID", regexp.QuoteMeta(s.Record))).MatchString(logs.String()) {
			t.Errorf("no log matches %q", pattern)
		}
	}
	for _, pattern := range h.silent {
		if m := regexp.MustCompile(strings.ReplaceAll(pattern, "$ID", regexp.QuoteMeta(s.Record))).FindString(logs.String()); m != "" {
			t.Errorf("a log matches %q: %q", pattern, m)
		}
	}
}

// proof is the superuser's way to where it happened.
func proof(s drills.Scene) string {
	if s.Proof != "" {
		return s.Proof
	}
	return s.DBs[0].Superuser
}

// value runs a query and returns its only value as text; no row is "".
func value(t *testing.T, dsn, sql string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	rows, err := conn.Query(t.Context(), sql, pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	defer rows.Close()
	v := ""
	if rows.Next() {
		v = string(rows.RawValues()[0])
	}
	rows.Close()
	if err := rows.Err(); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return v
}

func TestListIsComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, d := range drills.List() {
		if d.ID == "" || seen[d.ID] || d.Title == "" || d.Story == "" || d.Domain == "" || d.Stage == nil || d.Truth.Why == "" {
			t.Errorf("drill %q is a duplicate or lacks something", d.ID)
		}
		seen[d.ID] = true
		if (d.Truth.Mechanisms == nil) != (d.Truth.Causes == nil) || len(d.Truth.Standings) == 0 {
			t.Errorf("drill %s: the truth is not whole", d.ID)
		}
	}
	if got := drills.List()[0].ID; got != "vanished-dtro" {
		t.Errorf("the default drill is %s", got)
	}
	if _, ok := drills.Find("no-such-drill"); ok {
		t.Error("a drill that does not exist was found")
	}
	for id := range proofs() {
		if !seen[id] {
			t.Errorf("a proof is left of drill %s", id)
		}
	}
}

func TestSomebodyStandsInForPsql(t *testing.T) {
	t.Setenv("PATH", "")
	d, ok := drills.Find("psql-delete")
	if !ok {
		t.Fatal("there is no such drill")
	}
	scene, err := d.Run(t.Context(), newHost(t))
	if err != nil {
		t.Fatal(err)
	}
	proofs()[d.ID].verify(t, scene)
}
