package probes

import (
	"context"
	"strings"

	inv "inquest/investigations"
	"inquest/sources"
	"inquest/sources/catalog"
)

// databaseQuerier is the ability to ask another database of the same cluster.
type databaseQuerier interface {
	QueryIn(ctx context.Context, database string, q sources.Query) (*sources.Table, error)
}

// cron is pg_cron as it works on one server. Its tables stand in one database of
// the cluster (cron.database_name), whatever databases its jobs run in.
type cron struct {
	server inv.Able[sources.Querier]
	// here is the database that is investigated, home the one with the tables.
	here, home string
	role       string
	// keeps is false when runs are not recorded (cron.log_run = off).
	keeps bool
}

const cronHomeSQL = `SELECT current_database() AS here, current_user AS role,
  EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'cron' AND c.relname = 'job') AS there,
  (SELECT setting FROM pg_settings WHERE name = 'cron.database_name') AS home, (SELECT setting FROM pg_settings WHERE name = 'cron.log_run') AS keeps,
  (SELECT setting FROM pg_settings WHERE name = 'shared_preload_libraries') AS libraries`

// findCron returns nil when pg_cron does not run jobs on the server, and when that
// cannot be told: then the reason is recorded.
func findCron(ctx context.Context, c *inv.Collector, s inv.Able[sources.Querier]) (*cron, error) {
	t, err := s.Ability.Query(ctx, sources.Query{SQL: cronHomeSQL, Note: "is pg_cron there"})
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		blindTo(c, s.Source.Name(), err)
		return nil, nil
	}
	k := &cron{server: s, here: t.Text(0, "here"), home: t.Text(0, "home"), role: t.Text(0, "role"), keeps: t.Text(0, "keeps") != "off"}
	loaded := strings.Contains(t.Text(0, "libraries"), "pg_cron")
	switch {
	case t.Text(0, "there") == "t":
		k.home = k.here
	case k.home != "" && loaded:
	case loaded:
		c.Blind(s.Source.Name()+": pg_cron is loaded, and in which database it keeps its jobs is not told", "GRANT pg_read_all_settings TO "+catalog.QuoteIdent(k.role))
		return nil, nil
	case t.Text(0, "libraries") == "" && !visible(t, "libraries"):
		c.Blind(s.Source.Name()+": whether pg_cron runs jobs from another database, this role may not see", "GRANT pg_read_all_settings TO "+catalog.QuoteIdent(k.role))
		return nil, nil
	default:
		return nil, nil
	}
	return k, nil
}

// visible reports that a value of the first row is not NULL.
func visible(t *sources.Table, column string) bool {
	for i, name := range t.Columns {
		if name == column && len(t.Rows) > 0 {
			return t.Rows[0][i] != nil
		}
	}
	return false
}

// ask sends a query to the database that has pg_cron's tables. What row-level
// security may have taken from the answer is recorded as blind.
func (k *cron) ask(ctx context.Context, c *inv.Collector, q sources.Query) (*sources.Table, error) {
	var t *sources.Table
	var err error
	where := k.server.Source.Name()
	if k.home == k.here {
		t, err = k.server.Ability.Query(ctx, q)
	} else if other, ok := k.server.Source.(databaseQuerier); ok {
		where += ", database " + k.home
		t, err = other.QueryIn(ctx, k.home, q)
	} else {
		err = &sources.Blind{Why: "pg_cron keeps its jobs in database " + k.home, Opens: "name it with --db as well"}
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		blindTo(c, where+": pg_cron", err)
		return nil, nil
	}
	if t.Filtered {
		c.Blind(where+": pg_cron shows a role its own jobs only (row-level security)", "ALTER ROLE "+catalog.QuoteIdent(k.role)+" BYPASSRLS (afterwards: NOBYPASSRLS)")
	}
	return t, nil
}

// cronRunsSQL are the runs in a database that stand at a moment, and when the
// oldest run that is kept began.
var cronRunsSQL = `SELECT d.jobid, coalesce(j.jobname, '') AS job, d.command, coalesce(d.return_message, '') AS message, d.status,
  ` + utc("d.start_time") + ` AS started, ` + utc("d.end_time") + ` AS ended
FROM cron.job_run_details d LEFT JOIN cron.job j USING (jobid)
WHERE d.database = $2 AND d.start_time <= $1::timestamptz + interval '2 s' AND coalesce(d.end_time, d.start_time + interval '1 h') >= $1::timestamptz - interval '2 s' LIMIT 50`

var cronSinceSQL = `SELECT ` + utc("start_time") + ` AS since FROM cron.job_run_details ORDER BY runid LIMIT 1`

const cronJobsSQL = `SELECT coalesce(nullif(jobname, ''), 'cron job ' || jobid) AS job, command FROM cron.job WHERE database = $1 ORDER BY jobid LIMIT 200`

// recorded says from when on runs are recorded: before that, none at a moment is
// no proof that none ran.
func (k *cron) recorded(ctx context.Context, c *inv.Collector, wanted inv.Facts) error {
	if !k.keeps {
		c.Blind(k.server.Source.Name()+": pg_cron keeps no record of its runs (cron.log_run = off)", "cron.log_run = on (restart) tells of later runs")
		return nil
	}
	t, err := k.ask(ctx, c, sources.Query{SQL: cronSinceSQL, Note: "since when runs of pg_cron are kept"})
	if err != nil || t == nil {
		return err
	}
	since := pgTime(t.Text(0, "since"))
	for _, end := range wanted {
		if since.IsZero() || since.After(end.Time) {
			from := "are not kept"
			if !since.IsZero() {
				from = "from before " + clock(since) + " are not kept"
			}
			c.Blind(k.server.Source.Name()+": runs of pg_cron "+from, "a backup of the database "+k.home+", or the server log (cron.log_statement)")
			return nil
		}
	}
	return nil
}
