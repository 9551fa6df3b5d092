package probes_test

import (
	"strings"
	"testing"
	"time"

	inv "inquest/investigations"
	"inquest/investigations/probes"
	"inquest/sources"
)

var noon = time.Date(2025, 11, 27, 12, 0, 0, 0, time.UTC)

func probe(t *testing.T, id string) inv.Probe {
	t.Helper()
	for _, p := range probes.All() {
		if p.ID == id {
			return p
		}
	}
	t.Fatalf("there is no probe %s", id)
	return inv.Probe{}
}

// A server that writes its log in another language is not called silent.
func TestForeignWordsAreNotAbsence(t *testing.T) {
	for language, blind := range map[string]bool{"de_DE.UTF-8": true, "fr_FR": true, "C": false, "en_US.UTF-8": false, "C.UTF-8": false, "": false} {
		facts := inv.Facts{
			{Kind: inv.Setting, Attrs: map[string]string{"name": "lc_messages", "value": language, "server": "db:p", "scope": "configuration file"}},
			{Kind: inv.Setting, Attrs: map[string]string{"name": "log_min_messages", "value": "warning", "server": "db:p", "scope": "default"}},
			{Kind: inv.Setting, Attrs: map[string]string{"name": "log_statement", "value": "all", "server": "db:p", "scope": "default"}},
			{Kind: inv.TupleDeleted, Attrs: map[string]string{"xid": "764", "server": "db:p", "table": "public.orders"}},
			{Kind: inv.XactCommitted, Time: noon, Evidence: []string{"E1"}, Attrs: map[string]string{"xid": "764", "server": "db:p"}},
		}
		in := inv.Input{
			Record: inv.Record{ID: "48213"}, Facts: facts,
			Coverage: []sources.Coverage{{Source: "log:pg", Format: "postgres-stderr", From: noon.Add(-time.Hour), To: noon.Add(time.Hour)}},
		}
		for _, p := range []string{"database.serverlog", "system.restarts", "concurrency.statements"} {
			r := probe(t, p).Read(in)
			if (r.Outcome == inv.BlindOutcome) != blind {
				t.Errorf("%s under %q: %s %s", p, language, r.Outcome, r.Summary)
			}
			if blind && (!strings.Contains(r.Summary, language) || !strings.Contains(r.Opens, "lc_messages")) {
				t.Errorf("%s under %q: %s, %s", p, language, r.Summary, r.Opens)
			}
		}
		if covers := inv.Facts(probe(t, "database.serverlog").Read(in).Facts).Of(inv.LogCovers); (len(covers) == 0) != blind {
			t.Errorf("under %q the log covers: %+v", language, covers)
		}
	}
}

// A key whose letters the database stores in other bytes is not called absent from
// WAL and pages.
func TestKeysInOtherEncodings(t *testing.T) {
	l := newLive(t, "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
	const table = "CREATE TABLE k (id text PRIMARY KEY, n int); INSERT INTO k VALUES ('Größe-5', 1), ('plain-5', 2); DELETE FROM k"
	l.in("latin", table)
	l.do(table)
	for _, c := range []struct {
		database, id string
		told, absent bool
	}{{"latin", "Größe-5", false, false}, {"latin", "plain-5", true, false}, {"postgres", "Größe-5", true, false}, {"postgres", "Größe-6", false, true}, {"latin", "Größe-6", false, false}, {"latin", "plain-6", false, true}} {
		db := l.database(c.database)
		_, a := examine(t, inv.Record{ID: c.id, Table: "k"}, sources.Window{}, []sources.Source{db}, "database.server", "database.tables", "database.versions", "database.lineage", "database.row")
		told := a.Facts.Any(inv.TupleDeleted)
		if c.told && !told {
			t.Errorf("%s in %s: told %v", c.id, c.database, told)
		}
		if absent := a.Facts.Any(inv.WALKeyAbsent); absent != c.absent {
			t.Errorf("%s in %s: absent from WAL %v", c.id, c.database, absent)
		}
		if !told && !c.absent {
			if r := reading(t, a, "database.lineage"); r.Outcome == inv.Absent {
				t.Errorf("%s in %s: %s %s", c.id, c.database, r.Outcome, r.Summary)
			}
		}
	}
}
