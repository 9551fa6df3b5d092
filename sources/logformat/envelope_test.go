package logformat

import (
	"encoding/json"
	"strings"
	"testing"

	"inquest/sources"
)

func TestEnvelopesAreOpened(t *testing.T) {
	for _, c := range []struct{ name, line, format string }{
		{"docker", `{"log":"2025-11-27 14:58:12.104 UTC [42] ann@app LOG:  statement: DELETE FROM t\n","stream":"stderr","time":"2025-11-27T14:58:12.2Z"}`, "postgres in json"},
		{"cri", "2025-11-27T14:58:12.200000000Z stderr F 2025-11-27 14:58:12.104 UTC [42] ann@app LOG:  statement: DELETE FROM t", "postgres in cri"},
		{"syslog", "2025-11-27T14:58:12.2Z db1 postgres[42]: 2025-11-27 14:58:12.104 UTC [42] ann@app LOG:  statement: DELETE FROM t", "postgres in syslog"},
	} {
		r := Detect(strings.Split(strings.Repeat(c.line+"\n", 4), "\n")[:4], Context{})
		if r.Name() != c.format {
			t.Errorf("%s: %s", c.name, r.Name())
		}
		var e sources.Event
		if !r.Parse([]byte(c.line), &e) || e.Op != sources.OpDelete || e.Actor != "ann" || e.Fields["statement"] != "DELETE FROM t" || e.Message != "statement: DELETE FROM t" {
			t.Errorf("%s: %+v", c.name, e)
		}
	}
	line := `{"textPayload":"[Time: 27-11-2025 14:58:12 | Level: ERR | Source: X | Message: not found | Exception: ]","timestamp":"2025-11-27T14:58:12.3Z"}`
	r := Detect([]string{line, line}, Context{})
	var e sources.Event
	if !r.Parse([]byte(line), &e) || e.Message != "not found" || e.Level != sources.LevelError || e.ZoneUnknown {
		t.Errorf("%s %+v", r.Name(), e)
	}
}

// TestAServerLogInAnEnvelope reads a record of several lines, each in an
// envelope of its own, that other writers interrupt.
func TestAServerLogInAnEnvelope(t *testing.T) {
	messages := []struct{ who, text string }{
		{"postgres", "2025-11-27 14:58:12.104 UTC [42] ann@app ERROR:  duplicate key"},
		{"sshd", "Accepted publickey for ann"},
		{"postgres", "2025-11-27 14:58:12.104 UTC [42] ann@app DETAIL:  Key (id)=(e7a4)"},
		{"postgres", "2025-11-27 14:58:12.104 UTC [42] ann@app STATEMENT:  INSERT INTO t"},
		{"postgres", "\tVALUES ('e7a4')"},
		{"postgres", "2025-11-27 14:58:13.104 UTC [42] ann@app LOG:  statement: SELECT 1"},
	}
	write := map[string]func(who, text string) string{
		"journald": func(who, text string) string {
			b, _ := json.Marshal(map[string]string{"__REALTIME_TIMESTAMP": "1764255492104321", "SYSLOG_IDENTIFIER": who, "_PID": who + "1", "MESSAGE": text})
			return string(b)
		},
		"syslog": func(who, text string) string { return "2025-11-27T14:58:12.2Z db1 " + who + "[42]: " + text },
	}
	for name, line := range write {
		var lines []string
		for _, m := range messages {
			lines = append(lines, line(m.who, m.text))
		}
		r := Detect(lines, Context{})
		if !strings.HasPrefix(r.Name(), "postgres in "+name) {
			t.Errorf("%s: %s", name, r.Name())
		}
		want := []bool{true, true, false, false, false, true}
		for i, l := range lines {
			if r.Begins([]byte(l)) != want[i] {
				t.Errorf("%s: Begins(%s) is %v", name, l, !want[i])
			}
		}
		if r.Continues([]byte(lines[0]), []byte(lines[1])) || !r.Continues([]byte(lines[0]), []byte(lines[2])) {
			t.Errorf("%s: what goes on with the first line is wrong", name)
		}
		var e sources.Event
		if !r.Parse([]byte(strings.Join([]string{lines[0], lines[2], lines[3], lines[4]}, "\n")), &e) || e.Format != "postgres" ||
			e.Fields["detail"] != "Key (id)=(e7a4)" || e.Fields["statement"] != "INSERT INTO t\nVALUES ('e7a4')" || e.Message != "duplicate key" {
			t.Errorf("%s: %+v", name, e)
		}
		if !r.Parse([]byte(lines[1]), &e) || e.Format != name || e.Message != "Accepted publickey for ann" {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

// TestHAProxyInSyslog is how its lines are usually found.
func TestHAProxyInSyslog(t *testing.T) {
	line := `Nov 27 14:58:12 lb1 haproxy[14389]: 10.0.1.2:33317 [27/Nov/2025:14:58:12.104] http-in static/srv1 10/0/30/69/109 204 2750 - - ---- 1/1/1/1/0 0/0 "DELETE /dtros/e7a4 HTTP/1.1"`
	r := Detect([]string{line, line, line}, Context{Near: near})
	var e sources.Event
	if !r.Parse([]byte(line), &e) || e.Path != "/dtros/e7a4" || e.Status != 204 || e.Op != sources.OpDelete || e.Format != "syslog" {
		t.Errorf("%s %+v", r.Name(), e)
	}
}
