package logformat

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"inquest/sources"
)

// lines are log lines with %d where the second goes.
func each(n int, format ...string) []string {
	var out []string
	for i := range n {
		for _, f := range format {
			out = append(out, strings.ReplaceAll(f, "%d", fmt.Sprintf("%02d", i+10)))
		}
	}
	return out
}

func parsed(t *testing.T, r *Reader, rec string) sources.Event {
	t.Helper()
	var e sources.Event
	if !r.Parse([]byte(rec), &e) {
		t.Fatalf("%s does not read %q", r.Name(), rec)
	}
	return e
}

var lateNovember = Context{Near: time.Date(2025, 11, 28, 0, 0, 0, 0, time.UTC)}

func TestTheRecordInsideTellsTheTimeBetter(t *testing.T) {
	for name, c := range map[string]struct {
		line, want string // the time of the line for second 10
		unknown    bool
	}{
		"syslog around PostgreSQL": {line: "Nov 27 14:58:%d db postgres[77]: [5-1] 2025-11-27 14:58:%d.104 UTC [77] LOG:  statement: SELECT 1", want: "14:58:10.104"},
		"syslog in another zone":   {line: "Nov 27 09:58:%d db postgres[77]: 2025-11-27 14:58:%d.104 UTC [77] LOG:  statement: SELECT 1", want: "14:58:10.104"},
		"syslog around JSON":       {line: `Nov 27 15:58:%d db app[77]: {"time":"2025-11-27T14:58:%d.104567Z","level":"info","msg":"made"}`, want: "14:58:10.104567"},
		"rsyslog's cookie":         {line: `Nov 27 15:58:%d db app[77]: @cee: {"time":"2025-11-27T14:58:%d.104567Z","level":"info","msg":"made"}`, want: "14:58:10.104567"},
		"docker":                   {line: `{"log":"{\"time\":\"2025-11-27T14:58:%d.104567891Z\",\"msg\":\"made\"}\n","stream":"stdout","time":"2025-11-27T14:58:%d.905Z"}`, want: "14:58:10.104567891"},
		"CRI, finer itself":        {line: `2025-11-27T14:58:%d.905123456Z stdout F {"time":"2025-11-27T14:58:%d.104Z","msg":"made"}`, want: "14:58:10.905123456"},
		"too far apart":            {line: `{"log":"{\"time\":\"2025-11-27T11:08:%d.104567891Z\",\"msg\":\"made\"}\n","stream":"stdout","time":"2025-11-27T14:58:%d.905Z"}`, want: "14:58:10.905"},
		"no zone of a known kind":  {line: `Nov 27 14:58:%d db app[77]: {"time":"2025-11-27T14:31:%d.104567Z","msg":"made"}`, want: "14:58:10", unknown: true},
		"no zone inside":           {line: `{"log":"{\"time\":\"2025-11-27T14:58:%d.104567891\",\"msg\":\"made\"}\n","stream":"stdout","time":"2025-11-27T14:58:%d.905Z"}`, want: "14:58:10.905"},
		"no zone anywhere":         {line: `Nov 27 14:58:%d db app[77]: {"time":"2025-11-27T14:58:%d.104567","msg":"made"}`, want: "14:58:10.104567", unknown: true},
	} {
		t.Run(name, func(t *testing.T) {
			lines := each(20, c.line)
			e := parsed(t, Detect(lines, lateNovember), lines[0])
			if got := e.Time.Format("15:04:05.999999999"); got != c.want || e.ZoneUnknown != c.unknown || e.Time.Year() != 2025 {
				t.Errorf("%s %s, zone unknown %v; want %s", e.Time, got, e.ZoneUnknown, c.want)
			}
		})
	}
}

// TestTheZoneOfOneHostIsNotThatOfAnother has a file in which one host's records tell
// the zone of its envelopes, and a line of another host.
func TestTheZoneOfOneHostIsNotThatOfAnother(t *testing.T) {
	lines := each(20, "Nov 27 16:58:%d db postgres[77]: 2025-11-27 14:58:%d.104 UTC [77] LOG:  statement: SELECT 1", "Nov 27 16:58:%d db sshd[9]: Accepted publickey for ann")
	r := Detect(lines, lateNovember)
	own, other := parsed(t, r, lines[1]), parsed(t, r, "Nov 27 16:58:10 web sshd[9]: Accepted publickey for ann")
	if own.ZoneUnknown || own.Time.Hour() != 14 || !other.ZoneUnknown || other.Time.Hour() != 16 {
		t.Errorf("%s %v, %s %v", own.Time, own.ZoneUnknown, other.Time, other.ZoneUnknown)
	}
	if !strings.Contains(strings.Join(r.Limits, ";"), "UTC+02:00") {
		t.Error(r.Limits)
	}
	for name, more := range map[string][]string{
		"two hosts": each(20, "Nov 27 14:58:%d web sshd[9]: Accepted publickey for ann"),
		"two zones": each(20, "Nov 27 15:58:%d db postgres[77]: 2025-11-27 14:58:%d.104 UTC [77] LOG:  statement: SELECT 1"),
	} {
		r := Detect(append(more, lines...), lateNovember)
		if e := parsed(t, r, lines[1]); !e.ZoneUnknown || r.Context.Location != nil {
			t.Errorf("%s: %s", name, e.Time)
		}
		if e := parsed(t, r, lines[0]); e.ZoneUnknown || e.Time.Hour() != 14 || e.Time.Nanosecond() == 0 {
			t.Errorf("%s: the record tells its own time, not %s", name, e.Time)
		}
	}
	c := lateNovember
	c.Location = time.FixedZone("", 3600) // as a person said it
	if e := parsed(t, Detect(lines, c), lines[1]); e.Time.Hour() != 15 {
		t.Error(e.Time)
	}
}

// TestPartsOfARecordInSyslog reads what PostgreSQL sends to syslog piece by piece.
func TestPartsOfARecordInSyslog(t *testing.T) {
	head := "Nov 27 14:58:12 db postgres[77]: "
	long := strings.Repeat("x", 850)
	rec := []string{
		head + "[5-1] 2025-11-27 14:58:12.104 UTC [77] ann@app ERROR:  duplicate key",
		head + "[5-2] 2025-11-27 14:58:12.104 UTC [77] ann@app DETAIL:  Key (id)=(e7a4)",
		head + "[5-3] 2025-11-27 14:58:12.104 UTC [77] ann@app STATEMENT:  INSERT INTO t " + long,
		head + "[5-4]  VALUES ('#011f2a')",
		head + "[5-5] #011RETURNING id",
	}
	rest := []string{
		head + "[6-1] 2025-11-27 14:58:12.204 UTC [77] ann@app LOG:  statement: SELECT 1",
		"Nov 27 14:58:12 db postgres[78]: [5-2] #011of another process",
		"Nov 27 14:58:12 db sshd[9]: Accepted publickey for ann",
	}
	r := Detect(append(append([]string{}, rec...), rest...), lateNovember)
	if !strings.HasPrefix(r.Name(), "postgres in syslog") {
		t.Fatal(r.Name())
	}
	for i, l := range rec {
		if r.Begins([]byte(l)) != (i == 0) || i > 0 && !r.Continues([]byte(rec[0]), []byte(l)) {
			t.Errorf("%.60s: begins %v", l, r.Begins([]byte(l)))
		}
	}
	for _, l := range rest {
		if r.Continues([]byte(rec[0]), []byte(l)) {
			t.Errorf("%s goes on with another record", l)
		}
	}
	e := parsed(t, r, strings.Join(rec, "\n"))
	want := "INSERT INTO t " + long + " VALUES ('#011f2a')\nRETURNING id"
	if e.Fields["detail"] != "Key (id)=(e7a4)" || e.Fields["statement"] != want || e.Fields["pid"] != "77" || e.Message != "duplicate key" {
		t.Errorf("%q", e.Fields)
	}
}
