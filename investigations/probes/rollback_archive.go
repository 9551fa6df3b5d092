package probes

import (
	"context"
	"fmt"
	"time"

	inv "inquest/investigations"
	"inquest/sources"
)

func rollbackArchive() inv.Probe {
	return inv.Probe{
		ID: "rollback.archive", Step: inv.StepRollback, Phase: inv.PhaseCatalogue, Title: "Archives and replicas",
		Asks:     "Is WAL archived, are there replicas or slots that keep it, and how far back does the server's own WAL reach?",
		Why:      "They decide whether the record can be brought back by a point-in-time recovery, and until when.",
		Negative: "Backups made outside the server: volume snapshots, managed services, dumps.",
		Needs:    "a connection (--db)",
		Timeout:  20 * time.Second,
		Sends:    archiveSQL,
		Collect: func(ctx context.Context, c *inv.Collector) error {
			return ask(ctx, c, "archive", sources.Query{SQL: archiveSQL, Note: "archiving, slots and the oldest WAL"})
		},
		Read: readArchive,
	}
}

var archiveSQL = `SELECT current_setting('archive_mode') AS archive_mode, a.archived_count, a.last_archived_wal, ` + utc("a.last_archived_time") + ` AS last_archived,
  a.failed_count, (SELECT count(*) FROM pg_replication_slots) AS slots, (SELECT redo_lsn::text FROM pg_control_checkpoint()) AS redo,
  ` + utc("(SELECT checkpoint_time FROM pg_control_checkpoint())") + ` AS checkpoint, current_setting('wal_keep_size') AS wal_keep_size
FROM pg_stat_archiver a`

func readArchive(in inv.Input) inv.Reading {
	list := answers(in, "archive")
	if len(list) == 0 {
		return noAnswer(in)
	}
	r := inv.Reading{Outcome: inv.Found}
	for _, a := range list {
		mode := a.Text(0, "archive_mode")
		s := "WAL is not archived: only backups outside the server can go back in time"
		if mode != "off" {
			s = fmt.Sprintf("WAL is archived (%s segments, last %s at %s, %s failures)", a.Text(0, "archived_count"), orElse(a.Text(0, "last_archived_wal"), "none"), clock(pgTime(a.Text(0, "last_archived"))), a.Text(0, "failed_count"))
		}
		s += fmt.Sprintf("; the server itself surely keeps WAL since %s", a.Text(0, "redo"))
		r.Facts = append(r.Facts, propertyOn(a, "", "archive", mode, s))
		r.Summary = joinLine(r.Summary, s)
	}
	return r
}
