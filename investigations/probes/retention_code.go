package probes

import (
	"context"
	"fmt"
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
			return ask(ctx, c, "schedulers", sources.Query{SQL: schedulersSQL, Note: "schedulers that are installed"})
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
ORDER BY 1 LIMIT 200`

const schedulersSQL = `SELECT extname, extversion FROM pg_extension WHERE extname IN ('pg_cron', 'pg_partman', 'timescaledb', 'pgagent', 'pg_timetable') ORDER BY 1`

func readRetention(in inv.Input) inv.Reading {
	functions, schedulers := answers(in, "functions"), answers(in, "schedulers")
	if len(functions)+len(schedulers) == 0 {
		return noAnswer(in)
	}
	r := inv.Reading{Outcome: inv.Absent, Summary: "no function of the database removes rows, and no scheduler is installed in it"}
	said := ""
	for _, a := range schedulers {
		for i := range a.Rows {
			name := a.Text(i, "extname")
			r.Facts = append(r.Facts, propertyOn(a, "", "scheduler", name, fmt.Sprintf("the scheduler %s %s is installed", name, a.Text(i, "extversion"))))
			said = joinLine(said, name+" is installed")
		}
	}
	for _, a := range functions {
		for i := range a.Rows {
			name := a.Text(i, "function")
			r.Facts = append(r.Facts, propertyOn(a, "", "deleting-function", name, fmt.Sprintf("%s holds %q", name, short(a.Text(i, "code"), 120))))
			said = joinLine(said, name)
		}
	}
	if said != "" {
		r.Outcome, r.Summary = inv.Found, short(said, 300)
	}
	return r
}
