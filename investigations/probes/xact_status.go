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

// xactStatusSQL asks the server how transactions ended. An xid at or above the
// next one is in the future: asking pg_xact_status for it would be an error. The
// 32-bit xid gets the epoch that puts it below the next one.
var xactStatusSQL = `WITH next AS (SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS x),
full_xid AS (SELECT t.x AS xid, CASE WHEN ((n.x >> 32) << 32 | t.x) < n.x THEN (n.x >> 32) << 32 | t.x
  WHEN n.x >> 32 > 0 THEN ((n.x >> 32) - 1) << 32 | t.x END AS f
  FROM next n, unnest($1::bigint[]) AS t(x))
SELECT xid, CASE WHEN f IS NULL THEN 'in the future' ELSE coalesce(pg_xact_status(f::text::xid8), 'unknown') END AS status,
  CASE WHEN f IS NOT NULL AND current_setting('track_commit_timestamp') = 'on' THEN ` + utc("pg_xact_commit_timestamp(xid::text::xid)") + ` END AS committed
FROM full_xid`

func xactTag(server string) string { return "xacts:" + server }

// askXacts asks the server about those transactions of the key that have no end
// in the WAL that was read.
func askXacts(ctx context.Context, c *inv.Collector, server sources.Source, l *wal.Lineage) error {
	q, ok := server.(sources.Querier)
	xids := unended(l)
	if !ok || len(xids) == 0 {
		return nil
	}
	query := sources.Query{SQL: xactStatusSQL, Args: []string{"{" + strings.Join(xids, ",") + "}"}, Note: "how the key's transactions ended"}
	t, err := q.Query(ctx, query)
	if err != nil {
		blindTo(c, server.Name(), err)
		return nil
	}
	return c.Keep(inv.EvidenceTable, server.Name(), statement(query), xactTag(server.Name()), t)
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
