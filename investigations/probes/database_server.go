package probes

import (
	"context"
	"fmt"
	"strings"
	"time"

	inv "inquest/investigations"
	"inquest/sources"
)

func databaseServer() inv.Probe {
	return inv.Probe{
		ID: "database.server", Step: inv.StepDatabase, Phase: inv.PhaseCatalogue, Title: "Which server this is",
		Asks:     "Which server, database and role answer, since when is it up, and how is it set?",
		Why:      "A record asked of the wrong server looks lost; and settings decide which silences mean something.",
		Negative: "Settings that were different at the time of the incident.",
		Needs:    "a connection (--db)",
		Timeout:  20 * time.Second,
		Sends:    identitySQL + ";\n\n" + settingsSQL,
		Collect: func(ctx context.Context, c *inv.Collector) error {
			if err := ask(ctx, c, "identity", sources.Query{SQL: identitySQL, Note: "which server, database and role this is"}); err != nil {
				return err
			}
			return ask(ctx, c, "settings", sources.Query{SQL: settingsSQL, Note: "settings that decide what is durable and what is logged"})
		},
		Read: readServer,
	}
}

var identitySQL = `SELECT current_database() AS database, current_user AS role, version() AS version,
  pg_is_in_recovery() AS in_recovery, coalesce(host(inet_server_addr()), 'socket') AS address, inet_server_port() AS port,
  (SELECT system_identifier FROM pg_control_system()) AS system_identifier,
  (SELECT timeline_id FROM pg_control_checkpoint()) AS timeline,
  ` + utc("pg_postmaster_start_time()") + ` AS started,
  ` + utc("clock_timestamp()") + ` AS now,
  (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS superuser,
  CASE WHEN pg_is_in_recovery() THEN pg_is_wal_replay_paused() END AS replay_paused, pg_last_wal_replay_lsn()::text AS replay_lsn, pg_last_wal_receive_lsn()::text AS receive_lsn`

const settingsSQL = `SELECT name, setting, source FROM pg_settings WHERE name IN (
  'wal_level','track_commit_timestamp','fsync','synchronous_commit','full_page_writes','zero_damaged_pages','ignore_system_indexes',
  'log_statement','log_min_messages','log_min_error_statement','log_min_duration_statement','log_connections','log_disconnections',
  'log_line_prefix','log_timezone','log_destination','logging_collector','log_directory','log_lock_waits','log_error_verbosity','lc_messages','server_encoding',
  'archive_mode','wal_keep_size','max_slot_wal_keep_size','shared_preload_libraries','session_replication_role','TimeZone',
  'data_checksums','autovacuum','idle_in_transaction_session_timeout','statement_timeout','server_version_num','max_prepared_transactions','wal_segment_size')
UNION ALL
SELECT split_part(cfg, '=', 1), substr(cfg, strpos(cfg, '=') + 1),
  'set for ' || coalesce('role ' || r.rolname, '') || coalesce(' database ' || d.datname, '')
FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = s.setrole LEFT JOIN pg_database d ON d.oid = s.setdatabase,
  unnest(s.setconfig) AS cfg
ORDER BY 1`

func readServer(in inv.Input) inv.Reading {
	ids := answers(in, "identity")
	if len(ids) == 0 {
		return noAnswer(in)
	}
	r := inv.Reading{Outcome: inv.Found}
	for _, a := range ids {
		mode := "primary"
		if a.Text(0, "in_recovery") == "t" {
			mode = "standby"
		}
		version, _, _ := strings.Cut(a.Text(0, "version"), " on ")
		r.Summary = joinLine(r.Summary, fmt.Sprintf("%s: %s, database %s, role %s, %s, up since %s", a.source, version, a.Text(0, "database"), a.Text(0, "role"), mode, clock(pgTime(a.Text(0, "started")))))
		for _, name := range []string{"database", "role", "system_identifier", "timeline", "in_recovery", "superuser", "replay_paused", "replay_lsn", "receive_lsn"} {
			if _, ok := a.Cell(0, name); !ok {
				continue
			}
			r.Facts = append(r.Facts, setting(a, "server."+name, a.Text(0, name), "identity"))
		}
		start := setting(a, "server.started", a.Text(0, "started"), "identity")
		start.Time = pgTime(a.Text(0, "started"))
		r.Facts = append(r.Facts, start)
	}
	for _, a := range answers(in, "settings") {
		for i := range a.Rows {
			r.Facts = append(r.Facts, setting(a, a.Text(i, "name"), a.Text(i, "setting"), a.Text(i, "source")))
		}
	}
	return r
}

func setting(a answer, name, value, scope string) inv.Fact {
	return inv.Fact{
		Kind: inv.Setting, Ground: inv.GroundTruth, Evidence: []string{a.evidence},
		Attrs: map[string]string{"name": name, "value": value, "scope": scope, "server": a.source},
		Says:  fmt.Sprintf("%s = %s (%s)", name, value, scope),
	}
}

func joinLine(s, more string) string {
	if s == "" {
		return more
	}
	return s + "; " + more
}
