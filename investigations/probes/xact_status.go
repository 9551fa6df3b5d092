package probes

import (
	"context"
	"fmt"
	"slices"
	"strings"

	inv "inquest/investigations"
	"inquest/sources"
	"inquest/sources/wal"
)

// xactStatusSQL asks the server how transactions ended. A 32-bit xid gets the epoch
// that puts it within 2^31 of the next one, as the server itself compares them
// (access/transam.c, TransactionIdPrecedes). One that would then be ahead of the
// snapshot is running, when somebody holds its lock, or was never handed out by this
// server: asking pg_xact_status for it would be an error. A standby holds no locks
// of transactions.
var xactStatusSQL = `WITH next AS (SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS x),
near AS (SELECT t.x AS xid, n.x AS next, (t.x - n.x % 4294967296 + 6442450944) % 4294967296 - 2147483648 AS d FROM next n, unnest($1::bigint[]) AS t(x)),
full_xid AS (SELECT xid, d >= 0 OR next + d < 3 AS ahead, next + d AS f FROM near),
held AS (SELECT transactionid::text AS x FROM pg_locks WHERE locktype = 'transactionid' AND mode = 'ExclusiveLock' AND granted)
SELECT xid, CASE WHEN ahead AND xid::text IN (SELECT x FROM held) THEN 'in progress' WHEN ahead AND pg_is_in_recovery() THEN 'unknown'
  WHEN ahead THEN 'in the future' ELSE coalesce(pg_xact_status(f::text::xid8), 'unknown') END AS status,
  CASE WHEN NOT ahead AND current_setting('track_commit_timestamp') = 'on' THEN ` + utc("pg_xact_commit_timestamp(xid::text::xid)") + ` END AS committed
FROM full_xid`

// askStatus asks how transactions ended. One that seems to be ahead of the server may
// have ended between the snapshot and the look at its lock: it is asked for once more.
func askStatus(ctx context.Context, c *inv.Collector, server sources.Source, xids []string, note string) error {
	q, ok := server.(sources.Querier)
	if !ok || len(xids) == 0 {
		return nil
	}
	query := sources.Query{SQL: xactStatusSQL, Args: []string{"{" + strings.Join(xids, ",") + "}"}, Note: note}
	t, err := q.Query(ctx, query)
	if err == nil && (answer{Table: *t}).has("status", "in the future") {
		t, err = q.Query(ctx, query)
	}
	if err != nil {
		blindTo(c, server.Name(), err)
		return nil
	}
	return c.Keep(inv.EvidenceTable, server.Name(), statement(query), xactTag(server.Name()), t)
}

func xactTag(server string) string { return "xacts:" + server }

// askXacts asks the server about those transactions of the key that have no end
// in the WAL that was read.
func askXacts(ctx context.Context, c *inv.Collector, server sources.Source, l *wal.Lineage) error {
	return askStatus(ctx, c, server, unended(l), "how the key's transactions ended")
}

// unended are the xids of the key's events without a commit or abort.
func unended(l *wal.Lineage) []string {
	var out []string
	add := func(xid uint32) {
		x := l.Xacts[xid]
		open := x == nil || x.State == wal.Unfinished
		if s := fmt.Sprint(xid); xid > 2 && open && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	for _, e := range l.Events {
		add(e.XID)
		add(e.Xmin)
		add(e.Xmax)
	}
	return out
}

// statusFacts state how transactions ended by the server's own commit log. It
// speaks for now: an xid that was lost in a crash may have been handed out again.
func statusFacts(a answer) []inv.Fact {
	var out []inv.Fact
	for i := range a.Rows {
		xid, status := a.Text(i, "xid"), a.Text(i, "status")
		f := inv.Fact{
			Ground: inv.GroundTruth, Evidence: []string{a.evidence}, Time: pgTime(a.Text(i, "committed")),
			Attrs: map[string]string{"xid": xid, "from": "server", "server": a.source},
			Says:  fmt.Sprintf("the server says that xid %s is %s", xid, status),
		}
		switch status {
		case "committed":
			f.Kind = inv.XactCommitted
		case "aborted":
			f.Kind, f.Attrs["record"] = inv.XactAborted, "unknown"
		case "in progress":
			f.Kind = inv.XactUnfinished
		case "in the future":
			f.Kind = inv.XactFuture
		default:
			continue
		}
		out = append(out, f)
	}
	return out
}

// serverSays adds how transactions ended that WAL leaves open. When WAL was read
// to the end without a hole, a missing ABORT record was never written.
func (l lineage) serverSays(in inv.Input, r *inv.Reading, tables []answer) {
	for _, a := range tables {
		for _, f := range statusFacts(a) {
			if f.Kind == inv.XactAborted && l.readToEnd() && !l.standby(in) {
				f.Attrs["record"] = "false"
			}
			r.Facts = append(r.Facts, f)
		}
	}
}

// readToEnd reports whether the WAL that was read reaches the server's present
// without a hole, so that a missing ABORT record was never written.
func (l lineage) readToEnd() bool { return l.live() && len(l.Covered) == 1 && len(l.Gaps) == 0 }
