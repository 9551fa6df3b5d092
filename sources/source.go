package sources

import (
	"context"
	"time"
)

// Kind names the driver family of a Source.
type Kind string

// The kinds of source that inquest knows.
const (
	KindPostgres Kind = "postgres"
	KindWAL      Kind = "wal"
	KindLog      Kind = "log"
	KindJournal  Kind = "journal"
	KindHTTP     Kind = "http"
	KindRepo     Kind = "repo"
)

// Source is a place that evidence comes from. Opening one does no I/O beyond
// what its constructor says; Check is the first contact. All methods may be
// called from several goroutines.
type Source interface {
	// Name is unique within a case and stable between runs, such as "db:prod".
	Name() string
	Kind() Kind
	// Check asks the source what it can and cannot answer. It never fails: a
	// source that cannot be reached says so in its Status.
	Check(ctx context.Context) Status
	// Close lets go of connections and files. It is safe to call twice.
	Close() error
}

// Companions is the ability to open a further source that shows itself only
// after the check, such as a server's own log. The Source that opened it closes
// it.
type Companions interface {
	// Companion returns nil when there is none, or none that may be read. It
	// returns the same one every time.
	Companion(ctx context.Context) Source
}

// State is how a source answered its check.
type State string

// The three answers to a check: usable, usable in part, not usable.
const (
	StateReady   State = "ready"
	StatePartial State = "partial"
	StateFailed  State = "failed"
)

// Status is what a source said of itself when it was checked.
type Status struct {
	Source  string `json:"source"`
	Kind    Kind   `json:"kind"`
	State   State  `json:"state"`
	Summary string `json:"summary"` // one line for people: server, role, read-only state, or file and format
	// Problem says what was tried, what was found and what to do next; empty when ready.
	Problem   string            `json:"problem,omitempty"`
	Abilities []Ability         `json:"abilities,omitempty"`
	Expires   []Expiry          `json:"expires,omitempty"`
	Identity  map[string]string `json:"identity,omitempty"` // such as system_identifier, timeline, database, role
}

// Ability is one thing that a source may or may not be able to do for this
// investigator, such as reading WAL.
type Ability struct {
	Name  string `json:"name"`
	OK    bool   `json:"ok"`
	Why   string `json:"why,omitempty"`   // why not
	Opens string `json:"opens,omitempty"` // the one GRANT or setting that would open it
}

// Expiry says when a kind of evidence will be gone. A zero At means that the
// moment is unknown but the loss is certain.
type Expiry struct {
	What string    `json:"what"`
	At   time.Time `json:"expires,omitzero"`
	Why  string    `json:"why"`
}

// Blind is the error of a source that could not look. It is a result, not a
// failure: it never means that there was nothing to see.
type Blind struct {
	Why   string // what was tried and what stood in the way
	Opens string // the one setting, flag or GRANT that would open it; may be empty
}

// Error returns the reason, with the remedy when there is one.
func (b *Blind) Error() string {
	if b.Opens == "" {
		return b.Why
	}
	return b.Why + "; " + b.Opens
}

// Querier is the ability to answer one guarded, read-only SQL query.
type Querier interface {
	// Query returns a *Blind for a missing privilege, a time-out or a cost above
	// the budget, and a plain error for anything else.
	Query(ctx context.Context, q Query) (*Table, error)
}

// Query is one read-only statement. Parameters are sent apart from the text.
type Query struct {
	SQL     string
	Args    []string      // text form; cast in the SQL ($1::uuid)
	Timeout time.Duration // zero: the source's own limit
	MaxRows int           // zero: 10,000; the Table says when more were left out
	// Scans marks a statement whose cost depends on a table's size: the source
	// asks the planner first and refuses (as Blind) what exceeds its budget.
	Scans bool
	// As is the role to take on for this one statement (SET LOCAL ROLE), with
	// Settings applied beside it; empty means the session's own role.
	As       string
	Settings map[string]string
	// Note says for people what the statement is for; it is kept in the case.
	Note string
}

// Table is a query's answer in PostgreSQL's text form; nil is NULL.
type Table struct {
	Columns   []string    `json:"columns"`
	Rows      [][]*string `json:"rows"`
	Truncated bool        `json:"truncated,omitempty"`
	// Filtered marks an answer that row-level security may have thinned out: what
	// is not in it may exist all the same.
	Filtered bool `json:"filtered,omitempty"`
}

// Cell returns the text of a column in row i, and false for NULL, an unknown
// column or a row that is not there.
func (t *Table) Cell(i int, column string) (string, bool) {
	if t == nil || i < 0 || i >= len(t.Rows) {
		return "", false
	}
	for c, name := range t.Columns {
		if name == column && c < len(t.Rows[i]) {
			if v := t.Rows[i][c]; v != nil {
				return *v, true
			}
			return "", false
		}
	}
	return "", false
}

// Text is Cell without the second result: NULL and missing are empty.
func (t *Table) Text(i int, column string) string {
	s, _ := t.Cell(i, column)
	return s
}

// StatementMark is the comment that every query of inquest begins with, so that
// its own traces in logs and statistics are known for what they are, whatever
// the log's prefix tells.
const StatementMark = "/* inquest */ "

// Statement is one statement that was really sent to a server.
type Statement struct {
	Time   time.Time     `json:"time"`
	Source string        `json:"source"`
	SQL    string        `json:"sql"`
	Note   string        `json:"note,omitempty"`
	Took   time.Duration `json:"took_ns"`
	Error  string        `json:"error,omitempty"`
}

// StatementLogger is the ability to list every statement sent so far, so that
// the report can show that nothing was changed.
type StatementLogger interface {
	Statements() []Statement
}
