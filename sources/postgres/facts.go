package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"inquest/sources/wal"
)

// Facts are what a server says of itself to this role. They are JSON so that a
// case can keep them.
type Facts struct {
	Version       string    `json:"version"`     // such as 15.20 (Debian 15.20-0+deb12u1)
	VersionNum    int       `json:"version_num"` // such as 150020
	Database      string    `json:"database"`
	DatabaseOID   uint32    `json:"database_oid"`
	DefaultSpc    uint32    `json:"default_tablespace"` // oid of the database's tablespace
	Role          string    `json:"role"`
	Superuser     bool      `json:"superuser"`
	BypassRLS     bool      `json:"bypass_rls"`
	Replication   bool      `json:"replication"`
	Monitor       bool      `json:"monitor"`          // member of pg_monitor
	ReadFiles     bool      `json:"read_files"`       // member of pg_read_server_files
	InRecovery    bool      `json:"in_recovery"`      // a standby, or a restore that has not ended
	Started       time.Time `json:"started,omitzero"` // pg_postmaster_start_time
	Now           time.Time `json:"now"`              // the server's clock
	ReplayedUntil time.Time `json:"replayed_until,omitzero"`
	// InsertLSN and FlushLSN bound the WAL there is; on a standby both are the
	// replay position.
	InsertLSN wal.LSN `json:"insert_lsn"`
	FlushLSN  wal.LSN `json:"flush_lsn"`
	Segment   string  `json:"segment,omitempty"` // name of the segment being written; empty on a standby
	// SegmentSize is wal_segment_size in bytes.
	SegmentSize int64             `json:"segment_size"`
	Settings    map[string]string `json:"settings"` // pg_settings.setting with its unit, those this role may see
	Overrides   []Override        `json:"overrides,omitempty"`
	Extensions  map[string]string `json:"extensions,omitempty"` // name to schema
	Functions   map[string]bool   `json:"functions"`            // EXECUTE on the functions that the driver may use
	// Wrappers are functions that stand in for pg_read_binary_file, by name, with
	// their schema.
	Wrappers  map[string]string `json:"wrappers,omitempty"`
	Slots     []Slot            `json:"slots,omitempty"`
	Databases []string          `json:"databases,omitempty"` // others that this role may enter
	Control   *Control          `json:"control,omitempty"`   // nil when pg_control_*() is refused
	WAL       *WALFolder        `json:"wal,omitempty"`       // nil when pg_ls_waldir is refused
}

// Override is a setting of a role or database (pg_db_role_setting).
type Override struct {
	Role     string `json:"role,omitempty"`     // empty: every role
	Database string `json:"database,omitempty"` // empty: every database
	Setting  string `json:"setting"`            // name=value
}

// Slot is a replication slot; it keeps WAL back.
type Slot struct {
	Name       string  `json:"name"`
	Active     bool    `json:"active"`
	RestartLSN wal.LSN `json:"restart_lsn"`
}

// Control is what pg_control_system and pg_control_checkpoint say.
type Control struct {
	SystemIdentifier  string    `json:"system_identifier"`
	Timeline          uint32    `json:"timeline"` // of the last checkpoint; lags after a promotion
	RedoLSN           wal.LSN   `json:"redo_lsn"`
	CheckpointLSN     wal.LSN   `json:"checkpoint_lsn"`
	CheckpointTime    time.Time `json:"checkpoint_time"`
	NextXID           string    `json:"next_xid"` // epoch:xid
	OldestXID         string    `json:"oldest_xid"`
	OldestCommitTSXID string    `json:"oldest_commit_ts_xid"`
}

// WALFolder sums up pg_ls_waldir.
type WALFolder struct {
	Files    int       `json:"files"`
	Bytes    int64     `json:"bytes"`
	Oldest   string    `json:"oldest"` // first segment name in order
	Newest   string    `json:"newest"` // last segment name in order; may be a recycled file
	OldestAt time.Time `json:"oldest_at,omitzero"`
	// Histories are the names of timeline history files.
	Histories []string `json:"histories,omitempty"`
}

// functionsUsed are the functions whose EXECUTE privilege is asked for.
var functionsUsed = []string{
	fnReadBinary, fnLsWAL, fnLsLog, fnControlSystem, fnControlCheckpoint, fnCurrentLogfile,
	"pg_xact_status(xid8)", "pg_xact_commit_timestamp(xid)", "pg_stat_file(text,boolean)",
}

const (
	fnReadBinary        = "pg_read_binary_file(text,bigint,bigint,boolean)"
	fnLsWAL             = "pg_ls_waldir()"
	fnLsLog             = "pg_ls_logdir()"
	fnControlSystem     = "pg_control_system()"
	fnControlCheckpoint = "pg_control_checkpoint()"
	fnCurrentLogfile    = "pg_current_logfile()"
)

var settingsAsked = []string{
	"wal_level", "track_commit_timestamp", "fsync", "synchronous_commit", "synchronous_standby_names", "full_page_writes", "wal_compression",
	"wal_log_hints", "log_statement", "log_min_duration_statement", "log_min_duration_sample", "log_statement_sample_rate", "log_min_messages", "log_min_error_statement",
	"log_connections", "log_disconnections", "log_duration", "log_lock_waits", "log_checkpoints", "log_autovacuum_min_duration",
	"log_error_verbosity", "log_line_prefix", "logging_collector", "log_directory", "log_filename", "log_destination", "log_timezone",
	"log_rotation_age", "log_rotation_size", "log_truncate_on_rotation", "log_parameter_max_length",
	"TimeZone", "wal_keep_size", "min_wal_size", "max_wal_size", "max_slot_wal_keep_size", "checkpoint_timeout", "checkpoint_completion_target",
	"archive_mode", "archive_command", "archive_library", "archive_timeout", "restore_command", "recovery_target_time", "data_checksums", "data_directory",
	"ignore_checksum_failure", "zero_damaged_pages", "ignore_system_indexes", "shared_preload_libraries", "autovacuum", "autovacuum_naptime",
	"autovacuum_vacuum_threshold", "autovacuum_vacuum_scale_factor", "vacuum_defer_cleanup_age", "wal_segment_size", "wal_writer_delay", "commit_delay",
	"server_encoding", "lc_messages", "block_size", "default_transaction_read_only", "row_security", "session_replication_role", "max_prepared_transactions",
	"idle_in_transaction_session_timeout", "statement_timeout", "transaction_timeout", "summarize_wal", "hot_standby", "primary_slot_name", "cluster_name",
}

// The facts that every role may ask for, as one JSON value. Columns that came
// with later versions are read through to_jsonb.
const factsSQL = `select json_build_object(
 'version', current_setting('server_version'), 'version_num', current_setting('server_version_num')::int,
 'database', current_database(), 'database_oid', d.oid::bigint, 'default_tablespace', d.dattablespace::bigint,
 'role', current_user, 'superuser', r.rolsuper, 'bypass_rls', r.rolbypassrls, 'replication', r.rolreplication,
 'monitor', pg_has_role('pg_monitor', 'usage'), 'read_files', pg_has_role('pg_read_server_files', 'usage'),
 'in_recovery', pg_is_in_recovery(),
 'started', to_char(pg_postmaster_start_time(), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
 'now', to_char(clock_timestamp(), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
 'replayed_until', case when pg_is_in_recovery() then to_char(pg_last_xact_replay_timestamp(), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') end,
 'insert_lsn', case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_insert_lsn() end,
 'flush_lsn', case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_flush_lsn() end,
 'segment', case when not pg_is_in_recovery() then pg_walfile_name(pg_current_wal_insert_lsn()) end,
 'segment_size', (select setting::bigint from pg_settings where name = 'wal_segment_size'),
 'settings', (select json_object_agg(name, setting || coalesce(case when unit is not null and setting not in ('-1', '0') then ' ' || unit end, '')) from pg_settings where name = any($1::text[])),
 'overrides', (select json_agg(json_build_object('role', case when setrole <> 0 then pg_get_userbyid(setrole) end,
    'database', (select datname from pg_database where oid = setdatabase), 'setting', v)) from pg_db_role_setting, unnest(setconfig) v),
 'extensions', (select json_object_agg(extname, nspname) from pg_extension join pg_namespace n on n.oid = extnamespace),
 'functions', (select json_object_agg(f, coalesce(has_function_privilege(to_regprocedure('pg_catalog.' || f), 'execute'), false)) from unnest($2::text[]) f),
 'wrappers', (select json_object_agg(p.proname, n.nspname) from pg_proc p join pg_namespace n on n.oid = p.pronamespace join pg_roles o on o.oid = p.proowner
   where p.proname || '(' || oidvectortypes(p.proargtypes) || ')' in ('inquest_wal_read(text, bigint, bigint)', 'inquest_page_read(oid, bigint)') and p.prorettype = 'bytea'::regtype
   and p.prosecdef and o.rolsuper and has_function_privilege(p.oid, 'execute') and has_schema_privilege(n.oid, 'usage')),
 'slots', (select json_agg(json_build_object('name', slot_name, 'active', active, 'restart_lsn', restart_lsn)) from pg_replication_slots where restart_lsn is not null),
 'databases', (select json_agg(datname order by datname) from pg_database where datallowconn and not datistemplate and datname <> current_database() and has_database_privilege(oid, 'connect'))
)::text as facts
from pg_database d, pg_roles r where d.datname = current_database() and r.rolname = current_user`

const controlSQL = `select json_build_object('system_identifier', s.system_identifier::text, 'timeline', c.timeline_id, 'redo_lsn', c.redo_lsn,
 'checkpoint_lsn', c.checkpoint_lsn, 'checkpoint_time', to_char(c.checkpoint_time, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'next_xid', c.next_xid,
 'oldest_xid', c.oldest_xid::text, 'oldest_commit_ts_xid', c.oldest_commit_ts_xid::text)::text as facts
from pg_control_system() s, pg_control_checkpoint() c`

const walFolderSQL = `select json_build_object('files', count(*) filter (where length(name) = 24),
 'bytes', coalesce(sum(size) filter (where length(name) = 24), 0), 'oldest', min(name collate "C") filter (where length(name) = 24),
 'newest', max(name collate "C") filter (where length(name) = 24),
 'oldest_at', to_char(min(modification) filter (where length(name) = 24), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
 'histories', json_agg(name) filter (where name like '%.history'))::text as facts from pg_ls_waldir()`

// Facts returns what the server says of itself. It is asked once; Check asks
// anew. Errors are *sources.Blind when the server cannot be reached.
func (s *Server) Facts(ctx context.Context) (*Facts, error) {
	if err := s.acquire(ctx); err != nil {
		return nil, err
	}
	defer s.release()
	return s.facts(ctx)
}

// facts is Facts for the holder of the queue.
func (s *Server) facts(ctx context.Context) (*Facts, error) {
	if s.known != nil {
		return s.known, nil
	}
	f := &Facts{}
	if err := s.askJSON(ctx, f, "what the server is", factsSQL, textArray(settingsAsked), textArray(functionsUsed)); err != nil {
		return nil, err
	}
	if f.Functions[fnControlSystem] && f.Functions[fnControlCheckpoint] {
		c := &Control{}
		if err := s.askJSON(ctx, c, "control file", controlSQL); err == nil {
			f.Control = c
		} else if ctx.Err() != nil {
			return nil, err
		}
	}
	if f.Functions[fnLsWAL] {
		w := &WALFolder{}
		if err := s.askJSON(ctx, w, "WAL folder", walFolderSQL); err == nil {
			f.WAL = w
		} else if ctx.Err() != nil {
			return nil, err
		}
	}
	s.known = f
	return f, nil
}

// askJSON reads one JSON value; the caller holds the queue.
func (s *Server) askJSON(ctx context.Context, v any, note, sql string, args ...string) error {
	w := work{note: note, free: true}
	err := s.transact(ctx, w, func(ctx context.Context, t *tx) error {
		tab, err := t.table(ctx, sql, 1, args...)
		if err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(tab.Text(0, "facts")), v); err != nil {
			return fmt.Errorf("read %s: %w", note, err)
		}
		return nil
	})
	return s.blindFor(ctx, w, err)
}

// Timeline returns the timeline that the server is on: from the segment being
// written, else from the control file; 0 when neither may be seen.
func (f *Facts) Timeline() uint32 {
	if tli, _, ok := wal.ParseSegmentName(f.Segment, f.SegmentSize); ok {
		return tli
	}
	if f.Control != nil {
		return f.Control.Timeline
	}
	return 0
}

// Major is the major version, such as 15.
func (f *Facts) Major() int { return f.VersionNum / 10000 }
