package investigations

import (
	"slices"
	"strconv"
	"time"
)

// FactKind names what a fact states. The attributes of each kind are listed
// beside it; all are text.
type FactKind string

// Facts read from PostgreSQL itself.
const (
	// A row under the asked id: table, column, key; as=role when read in a role;
	// via=index or heap.
	RowVisible FactKind = "row-visible"
	// The table was read by the asked key and no row came: table, via, as.
	RowAbsent FactKind = "row-absent"
	// A visible row whose key equals the id once normalised or within one edit:
	// table, column, key, difference=normalised|one-edit.
	RowNear FactKind = "row-near"
	// The visible row carries a set soft-delete flag: table, column, value.
	RowFlagged FactKind = "row-flagged"
	// The row exists but is not seen as the application's role: table, as, policy.
	RowMasked FactKind = "row-masked"
	// The key stands in a place that is not the asked one: table, server or
	// database, reason (why the application does not look there), kind=schema|
	// database|table.
	RowElsewhere FactKind = "row-elsewhere"
	// A history or audit table holds a version: table, operation, key. copy=true:
	// a table with the same columns, whose row xmin wrote.
	RowInHistory FactKind = "row-in-history"
	// A row version of the key was written: table, xid, tid, lsn, from=wal|heap; old
	// when an update gave a row the key: the one it had; seen, the position of the page
	// image that shows it (from=image, without lsn).
	TupleInserted FactKind = "tuple-inserted"
	// The key's row was updated without changing the key: table, xid, tid, lsn, sets.
	TupleUpdated FactKind = "tuple-updated"
	// The key's row version was deleted: table, xid, tid, lsn, from.
	TupleDeleted FactKind = "tuple-deleted"
	// An update changed the key: table, xid, lsn, old, new; moved=true and to-table
	// when it moved the row to another partition; followed=true when the row was
	// followed from there to the present, lost says why it was not. Of a row that had
	// lost the asked key already this and TupleDeleted have under, the key it had, and
	// left, the position of the update that took the asked one.
	TupleRekeyed FactKind = "tuple-rekeyed"
	// The table was asked for the row under the last key that updates gave it: table,
	// found=true|false, xmin.
	RowRekeyed FactKind = "row-rekeyed"
	// The transaction committed: xid, lsn, origin. Time is the commit time.
	XactCommitted FactKind = "xact-committed"
	// The transaction aborted: xid, lsn; record=true when an ABORT record was
	// read (false: the server says aborted and no record is there, as after a crash).
	XactAborted FactKind = "xact-aborted"
	// The transaction is prepared and not finished: xid, gid, writes.
	XactPrepared FactKind = "xact-prepared"
	// The transaction is still running: xid, pid, role, application, state, writes
	// (the tables that it holds the lock of a write on).
	XactOpen FactKind = "xact-open"
	// No end of the transaction is in the covered WAL: xid.
	XactUnfinished FactKind = "xact-unfinished"
	// The server says that this xid lies in the future although it was seen: xid.
	XactFuture FactKind = "xact-future"
	// What one transaction did, table by table: xid, tables, inserts, updates,
	// deletes, order, subxacts, origin; deleted, inserted and updated name the
	// tables in the order they were first touched, deleted-rows and inserted-rows
	// count them (table=rows,…).
	XactContents FactKind = "xact-contents"
	// The table was truncated, dropped or given a new file: table, xid, lsn.
	TableTruncated FactKind = "table-truncated"
	TableDropped   FactKind = "table-dropped"
	TableRewritten FactKind = "table-rewritten"
	// WAL was read without a hole: from, to (LSN); Time..Until are its times; last=
	// true when it reaches up to now; since= the time of initdb when it begins with
	// the cluster; unread counts changes in it that could not be told.
	WALCovered FactKind = "wal-covered"
	// WAL in the covered stretch holds no tuple of the key: from, to, tables.
	WALKeyAbsent FactKind = "wal-key-absent"
	// The server went through crash recovery: from=log|wal|catalogue.
	CrashRecovery FactKind = "crash-recovery"
	// A new timeline began: timeline, lsn (where it left the old one), reason,
	// how=failover|restore when that is told.
	TimelineSwitch FactKind = "timeline-switch"
	// A setting of the server, role or database: name, value, scope.
	Setting FactKind = "setting"
	// A catalogue property of the table: table, name (candidate, partition, file,
	// persistence, row-security, swallows, trigger-deletes, cascade, lookalike,
	// soft-delete, rewritten, migration …), value.
	TableProperty FactKind = "table-property"
	// An index and its heap disagree about the key: table, index.
	IndexDisagrees FactKind = "index-disagrees"
)

// Facts read from logs.
const (
	// A log shows that the id was handed out: source, status, by.
	IDIssued FactKind = "id-issued"
	// A request for the id was answered: method, path, status, op, actor.
	APIAnswer FactKind = "api-answer"
	// The server logged an error: sqlstate, xid, pid, user, application, message,
	// joins=xid|pid|time|id (how it was tied to the record).
	LogError FactKind = "log-error"
	// The application logged a failure of the record's request, or of work on it,
	// that it had queued: source, request, message.
	RequestFailed FactKind = "request-failed"
	// A line says in words that the record was removed, and no status with it:
	// source, actor, request, job (when it is a job's line), message.
	RemovalSaid FactKind = "removal-said"
	// A statement that names the record or its table was logged: op, pid, user,
	// application, statement, joins.
	LogStatement FactKind = "log-statement"
	// The PostgreSQL log covers a moment at error level: of=what, Time.
	LogCovers FactKind = "log-covers"
	// A session could have done it: of=xid, pid, user, application, client,
	// count (how many could), complete=true when no other session can have, pace.
	SessionAtCommit FactKind = "session-at-commit"
	// The server restarted, crashed, ran out of memory or disk: what.
	SystemEvent FactKind = "system-event"
	// A job ran: job, op, of=xid (the commit it stands beside), removed, started=
	// the time it began in RFC 3339, from=log|schedule.
	JobRun FactKind = "job-run"
)

// Facts that set a record beside others: other rows, transactions and nodes.
const (
	// Another transaction deleted rows of the same table: table, xid, deletes,
	// same=true when it did the same to the same tables as the one in question.
	XactPeer FactKind = "xact-peer"
	// A transaction that wrote the row, or deleted from its table, ran at the same
	// time as one of the row's: xid, of (the row's), touches=true when it wrote the
	// row, deletes, older=true when its number is the smaller one, end.
	XactOverlap FactKind = "xact-overlap"
	// What went with the row, and what is left: table, xid, removed (other rows of
	// the same transaction), rows (left in the table), none-left and left (values of
	// the row that no row, or some, still have); batch, born-with and stand (the
	// transaction that inserted it, with how many others, and how many of those are as
	// it wrote them); others and others-removed (other transactions in the WAL that was
	// read, and what they took of the table).
	Cohort FactKind = "cohort"
	// A row of the same table holds the lost row's content or natural key under
	// another key: table, key, by (columns), xid.
	RowTwin FactKind = "row-twin"
	// The server log names a damaged block of a file: file, block, zeroed=true.
	BlockDamaged FactKind = "block-damaged"
	// A rule that removes rows, or swallows inserts, was held against the record's
	// content: table, kind=delete|swallow, from=function|cron|statement|log|trigger|
	// rule, name, job, rule (its text), holds=true|false|unknown, why, of=xid and at=
	// the moment for which, row= where the content is from.
	PredicateChecked FactKind = "predicate-checked"
)

// Ground ranks where a fact comes from: truth (WAL, row versions, catalogue)
// before logs before absence.
type Ground int

// Grounds from strongest to weakest.
const (
	GroundTruth Ground = iota
	GroundLog
	GroundAbsence
)

// Fact is a typed statement read off evidence without opinion.
type Fact struct {
	ID     string            `json:"id"`
	Kind   FactKind          `json:"kind"`
	Ground Ground            `json:"ground"`
	Probe  string            `json:"probe"`
	Time   time.Time         `json:"time,omitzero"`
	Until  time.Time         `json:"until,omitzero"` // end of a bracket; zero: Time is exact
	Attrs  map[string]string `json:"attrs,omitempty"`
	// Says is the fact in one sentence for people.
	Says     string   `json:"says"`
	Evidence []string `json:"evidence"`
}

// Attr returns an attribute, or "".
func (f Fact) Attr(name string) string { return f.Attrs[name] }

// Number returns an attribute as a number, or 0 when it is none.
func (f Fact) Number(name string) int64 {
	n, _ := strconv.ParseInt(f.Attrs[name], 10, 64)
	return n
}

// Facts is a list of facts in the order they were read.
type Facts []Fact

// Of returns the facts of one kind.
func (fs Facts) Of(kind FactKind) Facts {
	n := 0
	for i := range fs {
		if fs[i].Kind == kind {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	out := make(Facts, 0, n)
	for i := range fs {
		if fs[i].Kind == kind {
			out = append(out, fs[i])
		}
	}
	return out
}

// With returns the facts whose attribute has this value.
func (fs Facts) With(name, value string) Facts {
	return fs.Where(func(f Fact) bool { return f.Attrs[name] == value })
}

// Where returns the facts that ok accepts.
func (fs Facts) Where(ok func(Fact) bool) Facts {
	var out Facts
	for i := range fs {
		if ok(fs[i]) {
			out = append(out, fs[i])
		}
	}
	return out
}

// Any reports whether there is a fact of one of the kinds.
func (fs Facts) Any(kinds ...FactKind) bool {
	return slices.ContainsFunc(fs, func(f Fact) bool { return slices.Contains(kinds, f.Kind) })
}

// Evidence returns the ids of all evidence behind the facts, without repeats.
func (fs Facts) Evidence() []string {
	var out []string
	seen := map[string]bool{}
	for _, f := range fs {
		for _, e := range f.Evidence {
			if !seen[e] {
				seen[e] = true
				out = append(out, e)
			}
		}
	}
	return out
}
