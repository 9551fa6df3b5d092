package postgres_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"inquest/sources"
	"inquest/sources/pgserver"
	"inquest/sources/pgserver/pgservertest"
	"inquest/sources/postgres"
)

func ownLog(t *testing.T, db *postgres.Server) sources.LogSearcher {
	t.Helper()
	c := db.Companion(t.Context())
	if c == nil {
		t.Fatal("the server's log is no source")
	}
	if again := db.Companion(t.Context()); again != c {
		t.Error("a second companion")
	}
	if st := c.Check(t.Context()); st.State != sources.StateReady {
		t.Error(st.Problem)
	}
	return c.(sources.LogSearcher)
}

// written waits until the logging collector, a process of its own, has written a
// text to every kind of log file there is.
func written(t *testing.T, s *pgserver.Server, text string) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		files, err := filepath.Glob(filepath.Join(s.DataDir(), "log", "*"))
		if err != nil {
			t.Fatal(err)
		}
		missing := map[string]bool{}
		for _, f := range files {
			data, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			kind := filepath.Ext(f)
			if has := strings.Contains(string(data), text); has {
				missing[kind] = false
			} else if _, known := missing[kind]; !known {
				missing[kind] = true
			}
		}
		all := len(missing) > 0
		for kind, m := range missing {
			all = all && (!m || kind == ".log" && len(missing) > 1)
		}
		if all {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the server has not logged %q", text)
		}
	}
}

func find(t *testing.T, l sources.LogSearcher, text string, w sources.Window) *sources.LogResult {
	t.Helper()
	res, err := l.SearchLogs(t.Context(), sources.LogQuery{Needles: []sources.Needle{{Text: text, How: "a test"}}, Window: w})
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func TestOwnLogOfEachDestination(t *testing.T) {
	for _, destination := range []string{"stderr", "csvlog", "stderr,csvlog"} {
		t.Run(destination, func(t *testing.T) {
			s := pgservertest.New(t, pgserver.Config{Settings: map[string]string{
				"logging_collector": "on", "log_destination": destination, "log_statement": "ddl", "log_timezone": "Asia/Kathmandu", "log_line_prefix": "%t %p: ",
			}})
			sql(t, s, rolesSQL)
			began := time.Now().Add(-time.Minute)
			sql(t, s, "create table spoken_of_once (x int)")
			written(t, s, "spoken_of_once")
			for _, role := range []string{"", "kit"} {
				res := find(t, ownLog(t, open(t, s, role, postgres.Options{})), "spoken_of_once", sources.Window{})
				if len(res.Events) != 1 || res.Events[0].Source != res.Coverage.Source || !strings.HasPrefix(res.Coverage.Source, "serverlog:") {
					t.Fatalf("role %q: %+v", role, res)
				}
				e := res.Events[0]
				if e.ZoneUnknown || e.Time.Before(began) || e.Time.After(time.Now().Add(time.Minute)) || !strings.HasPrefix(e.Format, "postgres") {
					t.Errorf("%+v", e)
				}
			}
		})
	}
}

func TestOwnLogOfAPlainRole(t *testing.T) {
	s := cluster(t)
	if c := open(t, s, "plain", postgres.Options{}).Companion(t.Context()); c != nil {
		t.Error("a role without the right reads the log")
	}
}

// TestOwnLogThatIsLarge writes a week of lines and looks at one hour with a
// budget of a tenth of them.
func TestOwnLogThatIsLarge(t *testing.T) {
	s := pgservertest.New(t, pgserver.Config{Settings: map[string]string{"logging_collector": "on", "log_line_prefix": "%m [%p] ", "log_timezone": "UTC", "log_filename": "now.log"}})
	start := time.Date(2025, 11, 20, 0, 0, 0, 0, time.UTC)
	var b strings.Builder
	const lines = 120_000
	step := 7 * 24 * time.Hour / lines
	for i := range lines {
		fmt.Fprintf(&b, "%s [%d] LOG:  line number %d of the old log\n", start.Add(step*time.Duration(i)).Format("2006-01-02 15:04:05.000 UTC"), 100+i%7, i)
		if i%50 == 0 {
			b.WriteString("\tDETAIL without a time\n")
		}
	}
	path := filepath.Join(s.DataDir(), "log", "old.log")
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	end := start.Add(7 * 24 * time.Hour)
	if err := os.Chtimes(path, end, end); err != nil {
		t.Fatal(err)
	}
	at := start.Add(3*24*time.Hour + 11*time.Hour)
	window := sources.Window{From: at, To: at.Add(time.Hour)}
	db := open(t, s, "", postgres.Options{Budget: postgres.Budget{LogBytes: int64(b.Len()) / 10}})
	log := ownLog(t, db)
	n := int(at.Add(30*time.Minute).Sub(start) / step)
	res := find(t, log, fmt.Sprintf("line number %d of", n), window)
	if len(res.Events) != 1 {
		t.Fatalf("%d events; %+v", len(res.Events), res.Coverage)
	}
	if !res.Coverage.Covers(window) || res.Coverage.Bytes > int64(b.Len())/20 || len(res.Coverage.Limits) == 0 {
		t.Errorf("coverage %+v", res.Coverage)
	}
	if res := find(t, log, "line number 5 of", window); len(res.Events) != 0 {
		t.Errorf("found outside of the window: %+v", res.Events)
	}
	if res := find(t, log, fmt.Sprintf("line number %d of", lines-1), sources.Window{}); len(res.Coverage.Limits) == 0 {
		t.Errorf("nothing says that the log was cut: %+v", res.Coverage)
	}
	none := ownLog(t, open(t, s, "", postgres.Options{Budget: postgres.Budget{LogBytes: 1000}}))
	if _, err := none.SearchLogs(t.Context(), sources.LogQuery{Window: window}); !isBlind(err) || !strings.Contains(err.Error(), "--from") {
		t.Error(err)
	}
}

func TestOwnLogGrowsAndIsCut(t *testing.T) {
	s := pgservertest.New(t, pgserver.Config{Settings: map[string]string{"logging_collector": "on", "log_statement": "ddl", "log_filename": "now.log"}})
	now := time.Now()
	db := open(t, s, "", postgres.Options{Now: func() time.Time { now = now.Add(time.Minute); return now }})
	log := ownLog(t, db)
	for i := range 3 {
		name := fmt.Sprintf("grown_%d_times", i)
		sql(t, s, "create table "+name+" (x int)")
		written(t, s, name)
		if res := find(t, log, name, sources.Window{}); len(res.Events) != 1 {
			t.Errorf("%s: %+v", name, res)
		}
	}
	path := filepath.Join(s.DataDir(), "log", "now.log")
	if err := os.WriteFile(path, []byte("2026-01-01 00:00:00.000 UTC [1] LOG:  a new beginning\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if res := find(t, log, "a new beginning", sources.Window{}); len(res.Events) != 1 {
		t.Errorf("%+v", res)
	}
}
