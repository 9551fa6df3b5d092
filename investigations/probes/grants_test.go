package probes_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	inv "inquest/investigations"
	"inquest/investigations/probes"
	"inquest/sources"
	"inquest/sources/pgserver"
	"inquest/sources/pgserver/pgservertest"
)

// grantSchema has something for every probe that asks the database: views, history
// in another schema, a migration table, row-level security, sequences, a job's
// function, children and parents.
const grantSchema = `CREATE TABLE customers (id serial PRIMARY KEY, name text);
CREATE SCHEMA audit; CREATE SCHEMA "Billing";
CREATE TABLE orders (id serial PRIMARY KEY, customer_id int REFERENCES customers ON DELETE CASCADE, total int, deleted_at timestamptz);
CREATE TABLE "Billing"."Lines" (line int PRIMARY KEY, order_id int, note text);
CREATE TABLE audit.orders_history (hid serial PRIMARY KEY, order_id int, op text, at timestamptz DEFAULT now());
CREATE TABLE orders_archive (LIKE orders);
CREATE TABLE flyway_schema_history (installed_rank int PRIMARY KEY, script text, description text, type text, success bool, installed_by text, installed_on timestamptz DEFAULT now());
CREATE VIEW open_orders AS SELECT id, total FROM orders WHERE deleted_at IS NULL;
CREATE FUNCTION purge() RETURNS void LANGUAGE sql AS $$ DELETE FROM orders WHERE deleted_at < now() $$;
CREATE FUNCTION audit.keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO audit.orders_history (order_id, op) VALUES (old.id, tg_op); RETURN old; END $$;
CREATE TRIGGER keep BEFORE DELETE ON orders FOR EACH ROW EXECUTE FUNCTION audit.keep();
INSERT INTO customers (name) VALUES ('a'); INSERT INTO orders (customer_id, total) SELECT 1, g FROM generate_series(1, 30) g;
INSERT INTO "Billing"."Lines" VALUES (1, 17, 'x'); INSERT INTO flyway_schema_history VALUES (1, 'V1.sql', 'first', 'SQL', true, 'owner');`

var grantWords = regexp.MustCompile(`(?:GRANT .+? TO|ALTER ROLE) (?:"[^"]+"|\w+)(?: BYPASSRLS)?`)

// grantsIn are the statements that an answer names as what would open it, without
// the alternatives to them.
func grantsIn(opens string) []string {
	opens, _, _ = strings.Cut(opens, "; or, ")
	return grantWords.FindAllString(opens, -1)
}

// lacks is why a probe could not look, and the statements that would open it.
type lacks struct{ probe, why string }

// blinds are the reasons of all probes that name a GRANT.
func blinds(s inv.State, a inv.Assessment) map[lacks][]string {
	out := map[lacks][]string{}
	add := func(probe, why, opens string) {
		if g := grantsIn(opens); len(g) > 0 {
			out[lacks{probe, why}] = g
		}
	}
	for id, run := range s.Runs {
		for _, b := range run.Blind {
			add(id, b.Why, b.Opens)
		}
		if r := readingOf(a, id); r.Outcome == inv.BlindOutcome {
			add(id, r.Summary, r.Opens)
		}
	}
	return out
}

// onEnds runs a test on the oldest and the newest version that this machine has.
func onEnds(t *testing.T, settings map[string]string, test func(t *testing.T, l *live)) {
	t.Helper()
	majors := pgservertest.Majors()
	if len(majors) == 0 {
		pgservertest.New(t, pgserver.Config{}) // skips, or fails in CI
	}
	for _, major := range slices.Compact([]int{slices.Min(majors), slices.Max(majors)}) {
		t.Run(fmt.Sprint(major), func(t *testing.T) {
			l := &live{t: t, server: pgservertest.New(t, pgserver.Config{Major: major, Settings: settings})}
			l.conn = l.connect()
			l.do(grantSchema)
			l.do("DELETE FROM orders WHERE id = 17")
			test(t, l)
		})
	}
}

func readingOf(a inv.Assessment, id string) inv.Reading {
	for _, st := range a.Steps {
		for _, p := range st.Probes {
			if p.Probe.ID == id {
				return p.Reading
			}
		}
	}
	return inv.Reading{}
}

func everyProbe() []string {
	var ids []string
	for _, p := range probes.All() {
		ids = append(ids, p.ID)
	}
	return ids
}

func (l *live) everything(role string) (inv.State, inv.Assessment) {
	l.t.Helper()
	r := newRunner(l.t, inv.Record{ID: "17", Table: "orders"}, sources.Window{}, []sources.Source{l.as(role)}, everyProbe()...)
	if _, err := r.CheckSources(l.t.Context(), time.Minute); err != nil { // opens the server's own log as well
		l.t.Fatal(err)
	}
	if err := r.Run(l.t.Context(), nil); err != nil {
		l.t.Fatal(err)
	}
	return r.Case.State(), r.Engine.Assess(r.Case.State())
}

// Every statement that a blind probe of a role without any right names as what
// would open it can be executed as it stands, and does open it.
func TestEveryGrantThatIsNamedOpens(t *testing.T) {
	collector := map[string]string{"logging_collector": "on", "log_directory": "log", "log_statement": "mod"}
	onEnds(t, collector, func(t *testing.T, l *live) {
		l.do("CREATE ROLE stranger LOGIN PASSWORD 'p'")
		given, was := map[string]bool{}, map[lacks][]string{}
		opened := map[string]bool{}
		for round := 0; ; round++ {
			now := blinds(l.everything("stranger"))
			for l, grants := range was {
				if again, still := now[l]; still && slices.Equal(again, grants) {
					t.Errorf("round %d: %s is blind as before after %q: %s", round, l.probe, grants, l.why)
				}
				opened[l.probe] = true
			}
			fresh := false
			for _, grants := range now {
				for _, g := range grants {
					if !given[g] {
						l.do(g)
						given[g], fresh = true, true
					}
				}
			}
			if was = now; !fresh || round == 8 || t.Failed() {
				break
			}
		}
		for left, grants := range was {
			t.Errorf("%s is still blind: %s, after %q", left.probe, left.why, grants)
		}
		for _, id := range []string{"database.versions", "database.lineage", "database.serverlog", "database.row", "code.migrations", "integrity.sequence", "versions.history"} {
			if !opened[id] {
				t.Errorf("%s was not blind to a role without rights, or named no GRANT", id)
			}
		}
		t.Logf("%d statements: %q", len(given), slices.Sorted(maps.Keys(given)))
	})
}

// The role of the README's least-privilege kit is blind to nothing but what is the
// case's own: history tables and a migration tool's, each with its GRANT.
func TestTheReadmesKit(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, kit, ok := strings.Cut(string(readme), "```sql\nCREATE ROLE oncall")
	kit, _, closed := strings.Cut(kit, "```")
	if !ok || !closed {
		t.Fatal("the README has no kit")
	}
	give, take, _ := strings.Cut("CREATE ROLE oncall"+strings.ReplaceAll(kit, "'...'", "'p'"), "\n\n")
	collector := map[string]string{"logging_collector": "on", "log_directory": "log", "log_statement": "mod"}
	onEnds(t, collector, func(t *testing.T, l *live) {
		l.do(give)
		s, a := l.everything("oncall")
		for b, grants := range blinds(s, a) {
			if b.probe != "code.migrations" && b.probe != "versions.history" {
				t.Errorf("%s is blind to the kit: %s, opened by %q", b.probe, b.why, grants)
			}
		}
		for _, id := range []string{"database.row", "database.lineage", "database.serverlog", "integrity.sequence"} {
			if r := readingOf(a, id); r.Outcome == inv.BlindOutcome {
				t.Errorf("%s is blind to the kit: %s", id, r.Summary)
			}
		}
		l.do(take) // and nothing is left behind that keeps the role
	})
}
