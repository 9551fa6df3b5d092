package logformat

import (
	"strings"
	"testing"

	"inquest/sources"
)

func TestEnvelopesAreOpened(t *testing.T) {
	for _, c := range []struct{ name, line, format string }{
		{"docker", `{"log":"2025-11-27 14:58:12.104 UTC [42] ann@app LOG:  statement: DELETE FROM t\n","stream":"stderr","time":"2025-11-27T14:58:12.2Z"}`, "json(postgres)"},
		{"cri", "2025-11-27T14:58:12.200000000Z stderr F 2025-11-27 14:58:12.104 UTC [42] ann@app LOG:  statement: DELETE FROM t", "cri(postgres)"},
		{"syslog", "2025-11-27T14:58:12.2Z db1 postgres[42]: 2025-11-27 14:58:12.104 UTC [42] ann@app LOG:  statement: DELETE FROM t", "syslog(postgres)"},
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
