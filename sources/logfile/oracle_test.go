package logfile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"inquest/sources"
)

// TestPostgresPrefixesAgainstItsOwnJSON reads logs that PostgreSQL 15 wrote
// with many a log_line_prefix and compares each record with the one that the server
// wrote as JSON at the same time: what is read off a prefix may be less, but never wrong.
func TestPostgresPrefixesAgainstItsOwnJSON(t *testing.T) {
	logs, _ := filepath.Glob("testdata/postgres/*.log")
	if len(logs) == 0 {
		t.Fatal("testdata/postgres is missing")
	}
	escapes := map[string]string{"user": "%u", "dbname": "%d", "application_name": "%a", "pid": "%p", "txid": "%x", "state_code": "%e", "session_id": "%c", "vxid": "%v"}
	for _, p := range logs {
		template, err := os.ReadFile(strings.TrimSuffix(p, ".log") + ".prefix")
		if err != nil {
			t.Fatal(err)
		}
		t.Run(strings.TrimSpace(string(template)), func(t *testing.T) {
			got := search(t, open(t, p, Options{})[0], sources.LogQuery{Limit: 1 << 20})
			truth := search(t, open(t, strings.TrimSuffix(p, ".log")+".json", Options{})[0], sources.LogQuery{Limit: 1 << 20})
			csv := search(t, open(t, strings.TrimSuffix(p, ".log")+".csv", Options{})[0], sources.LogQuery{Limit: 1 << 20})
			t.Log(got.Coverage.Format)
			if len(got.Events) != len(truth.Events) || len(csv.Events) != len(truth.Events) {
				t.Fatalf("%d records, csv %d, truth %d", len(got.Events), len(csv.Events), len(truth.Events))
			}
			missing := map[string]int{}
			for i, e := range got.Events {
				w, c := truth.Events[i], csv.Events[i]
				for _, k := range []string{"message", "detail", "hint", "statement", "error_severity"} {
					if e.Fields[k] != w.Fields[k] || c.Fields[k] != w.Fields[k] {
						t.Fatalf("%s: %s is %q (csv %q), truth %q", e.Position, k, e.Fields[k], c.Fields[k], w.Fields[k])
					}
				}
				if d := e.Time.Sub(w.Time).Abs(); d >= 1e9+5e8 || e.Op != w.Op || e.Level != w.Level || c.Op != w.Op || !c.Time.Equal(w.Time) {
					t.Fatalf("%s: %v %v %v, truth %v %v %v", e.Position, e.Time, e.Op, e.Level, w.Time, w.Op, w.Level)
				}
				for k, esc := range escapes {
					if v := e.Fields[k]; v != "" && v != w.Fields[k] && !(k == "state_code" && v == "00000") && !(w.Fields[k] == "" && strings.HasPrefix(e.Message, "connection ")) {
						t.Errorf("%s: %s is %q, truth %q in %q", e.Position, k, v, w.Fields[k], firstOf(e.Raw))
					} else if v == "" && w.Fields[k] != "" && strings.Contains(string(template), esc) {
						missing[k]++
					}
				}
			}
			if len(missing) > 0 {
				t.Log("not read: ", missing)
			}
		})
	}
}

func firstOf(s string) string { s, _, _ = strings.Cut(s, "\n"); return s }
