package probes

import (
	"context"
	"fmt"
	"time"

	inv "inquest/investigations"
	"inquest/sources"
)

func concurrencyOpen() inv.Probe {
	return inv.Probe{
		ID: "concurrency.open", Step: inv.StepConcurrency, Phase: inv.PhaseCatalogue, Title: "Open and prepared transactions",
		Asks:     "Is a transaction that wrote something still open, idle, or prepared and forgotten?",
		Why:      "A row in an open transaction exists for nobody else yet, and looks lost.",
		Negative: "Transactions that ended before anyone looked; on PostgreSQL the statements of other roles without pg_monitor.",
		Needs:    "a connection (--db); pg_monitor to see what other roles run",
		Timeout:  20 * time.Second,
		Sends:    activitySQL + ";\n\n" + preparedSQL,
		Collect: func(ctx context.Context, c *inv.Collector) error {
			if err := ask(ctx, c, "activity", sources.Query{SQL: activitySQL, Note: "transactions that hold an xid"}); err != nil {
				return err
			}
			return ask(ctx, c, "prepared", sources.Query{SQL: preparedSQL, Note: "prepared transactions"})
		},
		Read: readOpen,
	}
}

var activitySQL = `SELECT pid, coalesce(usename, '') AS role, coalesce(datname, '') AS database, application_name AS application,
  coalesce(host(client_addr), '') AS client, coalesce(state, '') AS state, backend_xid::text AS xid,
  ` + utc("xact_start") + ` AS xact_start, left(query, 300) AS query, ` + writtenSQL("l.pid = a.pid") + ` AS writes
FROM pg_stat_activity a WHERE (backend_xid IS NOT NULL OR state LIKE 'idle in transaction%') AND pid <> pg_backend_pid()`

var preparedSQL = `SELECT transaction::text AS xid, gid, owner, database, ` + utc("prepared") + ` AS prepared,
  ` + writtenSQL(preparedLocks) + ` AS writes FROM pg_prepared_xacts p`

// preparedLocks are the locks of a prepared transaction: they have no pid, and share
// the virtual transaction of the lock on its own xid.
const preparedLocks = `l.pid IS NULL AND l.virtualtransaction = (SELECT x.virtualtransaction FROM pg_locks x
    WHERE x.locktype = 'transactionid' AND x.transactionid = p.transaction AND x.pid IS NULL LIMIT 1)`

// writtenSQL lists the tables of this database that a transaction holds the lock of
// a write on (ROW EXCLUSIVE, which INSERT, UPDATE and DELETE keep to their end).
func writtenSQL(whose string) string {
	return `coalesce((SELECT string_agg(DISTINCT n.nspname || '.' || c.relname, ',') FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
    JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ` + whose + ` AND l.locktype = 'relation' AND l.mode = 'RowExclusiveLock' AND l.granted
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND c.relkind IN ('r', 'p') AND n.nspname <> 'pg_catalog'), '')`
}

func readOpen(in inv.Input) inv.Reading {
	activity, prepared := answers(in, "activity"), answers(in, "prepared")
	if len(activity)+len(prepared) == 0 {
		return noAnswer(in)
	}
	r := inv.Reading{Outcome: inv.Absent, Summary: "no transaction holds an xid, and none is prepared"}
	for _, a := range activity {
		for i := range a.Rows {
			r.Facts = append(r.Facts, openFact(a, i))
		}
	}
	for _, a := range prepared {
		for i := range a.Rows {
			r.Facts = append(r.Facts, preparedFact(a, i))
		}
	}
	if n := len(r.Facts); n > 0 {
		r.Outcome, r.Summary = inv.Found, fmt.Sprintf("%s; %s", plural(n, "unfinished transaction"), r.Facts[0].Says)
	}
	return r
}

func openFact(a answer, i int) inv.Fact {
	return inv.Fact{
		Kind: inv.XactOpen, Ground: inv.GroundTruth, Time: pgTime(a.Text(i, "xact_start")), Evidence: []string{a.evidence},
		Attrs: map[string]string{
			"xid": a.Text(i, "xid"), "pid": a.Text(i, "pid"), "role": a.Text(i, "role"), "application": a.Text(i, "application"),
			"client": a.Text(i, "client"), "state": a.Text(i, "state"), "database": a.Text(i, "database"), "server": a.source,
			"writes": a.Text(i, "writes"),
		},
		Says: fmt.Sprintf("pid %s (%s, %s) is %s with xid %s since %s", a.Text(i, "pid"), orElse(a.Text(i, "role"), "unknown role"),
			orElse(a.Text(i, "application"), "no application name"), orElse(a.Text(i, "state"), "active"), orElse(a.Text(i, "xid"), "none"), clock(pgTime(a.Text(i, "xact_start")))),
	}
}

func preparedFact(a answer, i int) inv.Fact {
	return inv.Fact{
		Kind: inv.XactPrepared, Ground: inv.GroundTruth, Time: pgTime(a.Text(i, "prepared")), Evidence: []string{a.evidence},
		Attrs: map[string]string{"xid": a.Text(i, "xid"), "gid": a.Text(i, "gid"), "role": a.Text(i, "owner"), "database": a.Text(i, "database"), "server": a.source, "writes": a.Text(i, "writes")},
		Says:  fmt.Sprintf("xid %s is prepared as %q by %s since %s", a.Text(i, "xid"), a.Text(i, "gid"), a.Text(i, "owner"), clock(pgTime(a.Text(i, "prepared")))),
	}
}
