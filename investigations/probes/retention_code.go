package probes

import (
	"context"
	"fmt"
	"strings"
	"time"

	inv "inquest/investigations"
	"inquest/sources"
)

func retentionCode() inv.Probe {
	return inv.Probe{
		ID: "retention.code", Step: inv.StepRetention, Phase: inv.PhaseCatalogue, Title: "Code in the database that removes rows",
		Asks:     "Which functions and procedures of the database delete, truncate or drop, and is a scheduler installed?",
		Why:      "Retention often lives in the database itself, where no application log shows it.",
		Negative: "Jobs of other hosts: cron, systemd timers, Kubernetes, cloud functions.",
		Needs:    "a connection (--db)",
		Timeout:  30 * time.Second,
		Sends:    deletingFunctionsSQL + ";\n\n" + schedulersSQL,
		Collect: func(ctx context.Context, c *inv.Collector) error {
			if err := ask(ctx, c, "functions", sources.Query{SQL: deletingFunctionsSQL, Note: "functions that remove rows"}); err != nil {
				return err
			}
			if err := ask(ctx, c, "schedulers", sources.Query{SQL: schedulersSQL, Note: "schedulers that are installed"}); err != nil {
				return err
			}
			return collectPartman(ctx, c)
		},
		Read: readRetention,
	}
}

const deletingFunctionsSQL = `SELECT p.oid::regprocedure::text AS function, p.prokind AS kind,
  substring(p.prosrc FROM '(?i)\m((delete\s+from|truncate|drop\s+table|detach\s+partition|merge\s+into)\M[^;]{0,160})') AS code,
  p.prosrc ~* '\mexecute\M' AS dynamic
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND l.lanname NOT IN ('c', 'internal')
  AND p.prosrc ~* '\m(delete\s+from|truncate|drop\s+table|detach\s+partition|merge\s+into)\M'
  AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid AND e.deptype = 'e')
ORDER BY 1 LIMIT 200`

const schedulersSQL = `SELECT extname, extversion, extnamespace::regnamespace::text AS schema,
  (SELECT setting FROM pg_settings WHERE name = 'shared_preload_libraries') AS libraries, (SELECT setting FROM pg_settings WHERE name = 'cron.database_name') AS cron_home
FROM (SELECT 1) AS one LEFT JOIN pg_extension ON extname IN ('pg_cron', 'pg_partman', 'timescaledb', 'pgagent', 'pg_timetable') ORDER BY 1`

func readRetention(in inv.Input) inv.Reading {
	functions, schedulers := answers(in, "functions"), answers(in, "schedulers")
	if len(functions)+len(schedulers) == 0 {
		return noAnswer(in)
	}
	r := inv.Reading{Outcome: inv.Absent, Summary: "no function of the database removes rows, and no scheduler is installed in it"}
	said := ""
	for _, a := range schedulers {
		if home := a.Text(0, "cron_home"); strings.Contains(a.Text(0, "libraries"), "pg_cron") && !a.has("extname", "pg_cron") {
			says := "pg_cron is loaded on the server, and keeps its jobs in the database " + orElse(home, "that cron.database_name names")
			r.Facts = append(r.Facts, propertyOn(a, "", "scheduler", "pg_cron", says))
			said = joinLine(said, says)
		}
		for i := range a.Rows {
			name := a.Text(i, "extname")
			if name == "" {
				continue
			}
			r.Facts = append(r.Facts, propertyOn(a, "", "scheduler", name, fmt.Sprintf("the scheduler %s %s is installed", name, a.Text(i, "extversion"))))
			said = joinLine(said, name+" is installed")
		}
	}
	for _, f := range partmanFacts(in) {
		r.Facts = append(r.Facts, f)
		said = joinLine(said, f.Says)
	}
	for _, a := range functions {
		for i := range a.Rows {
			name := a.Text(i, "function")
			r.Facts = append(r.Facts, propertyOn(a, "", "deleting-function", name, fmt.Sprintf("%s holds %q", name, short(a.Text(i, "code"), 120))))
			said = joinLine(said, name)
		}
	}
	switch {
	case said != "":
		r.Outcome, r.Summary = inv.Found, short(said, 300)
	case len(in.Blind) > 0:
		b := inv.BlindReading(in.Blind)
		r.Outcome, r.Summary, r.Opens = inv.BlindOutcome, r.Summary+"; "+b.Summary, b.Opens
	}
	return r
}
