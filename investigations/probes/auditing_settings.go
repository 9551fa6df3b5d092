package probes

import (
	"context"
	"fmt"
	"strings"
	"time"

	inv "inquest/investigations"
	"inquest/sources"
)

func auditingSettings() inv.Probe {
	return inv.Probe{
		ID: "auditing.settings", Step: inv.StepAuditing, Phase: inv.PhaseCatalogue, Title: "What was not being logged",
		Asks:     "Which kinds of event would the server not have logged, as it is set now?",
		Why:      "Silence means something only where an event would have been written.",
		Negative: "Settings that were different when it happened.",
		Needs:    "a connection (--db)",
		Timeout:  20 * time.Second,
		Sends:    auditSQL,
		Collect: func(ctx context.Context, c *inv.Collector) error {
			return ask(ctx, c, "audit", sources.Query{SQL: auditSQL, Note: "what the server logs"})
		},
		Read: readAuditing,
	}
}

const auditSQL = `SELECT name, setting FROM pg_settings WHERE name IN (
  'log_statement','log_connections','log_disconnections','log_min_messages','log_line_prefix','track_commit_timestamp',
  'wal_level','log_min_duration_statement','pgaudit.log') ORDER BY name`

// auditGap is a setting that leaves a kind of event unlogged.
type auditGap struct {
	name  string
	open  func(value string) bool
	means string
	opens string
}

var auditGaps = []auditGap{
	{"log_statement", func(v string) bool { return v == "none" || v == "ddl" }, "statements that change rows are not logged", "ALTER SYSTEM SET log_statement = 'mod'"},
	{"log_connections", func(v string) bool { return v == "off" || v == "" }, "who connected is not logged", "ALTER SYSTEM SET log_connections = on"},
	{"log_disconnections", func(v string) bool { return v == "off" }, "when sessions ended is not logged", "ALTER SYSTEM SET log_disconnections = on"},
	{"log_min_messages", func(v string) bool { return v == "log" || v == "fatal" || v == "panic" }, "errors are not logged", "ALTER SYSTEM SET log_min_messages = 'warning'"},
	{"log_line_prefix", func(v string) bool { return !strings.Contains(v, "%x") }, "log lines carry no transaction id", "add %x to log_line_prefix, or log in csvlog or jsonlog"},
	{"track_commit_timestamp", func(v string) bool { return v == "off" }, "commit times are known from WAL only", "ALTER SYSTEM SET track_commit_timestamp = on (needs a restart)"},
	{"wal_level", func(v string) bool { return v != "logical" }, "a DELETE in WAL carries no key of its row", "ALTER SYSTEM SET wal_level = 'logical' (needs a restart)"},
}

func readAuditing(in inv.Input) inv.Reading {
	list := answers(in, "audit")
	if len(list) == 0 {
		return noAnswer(in)
	}
	r := inv.Reading{Outcome: inv.Absent, Summary: "connections, statements, errors and transaction ids are logged"}
	var gaps []string
	for _, a := range list {
		for i := range a.Rows {
			for _, g := range auditGaps {
				if a.Text(i, "name") == g.name && g.open(a.Text(i, "setting")) {
					gaps = append(gaps, fmt.Sprintf("%s = %s: %s", g.name, a.Text(i, "setting"), g.means))
					r.Facts = append(r.Facts, setting(a, "not-logged."+g.name, g.means+"; next time: "+g.opens, "now"))
				}
			}
		}
	}
	if len(gaps) > 0 {
		r.Outcome, r.Summary = inv.Found, strings.Join(gaps, "; ")
	}
	return r
}
