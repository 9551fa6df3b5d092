package sources

import "time"

// Operation is what an event did, as far as its format tells.
type Operation string

// Operations that formats normalise to.
const (
	OpCreate  Operation = "create"
	OpRead    Operation = "read"
	OpUpdate  Operation = "update"
	OpDelete  Operation = "delete"
	OpLogin   Operation = "login"
	OpDeploy  Operation = "deploy"
	OpRestart Operation = "restart"
	OpJob     Operation = "job"
)

// Level is a normalised severity.
type Level string

// Levels from quiet to loud.
const (
	LevelDebug   Level = "debug"
	LevelInfo    Level = "info"
	LevelNotice  Level = "notice"
	LevelWarning Level = "warning"
	LevelError   Level = "error"
	LevelFatal   Level = "fatal"
)

// Event is something that a source says happened at a time.
type Event struct {
	// Time is on the source's own clock, in UTC. Zero: the event carries no time
	// at all; then Time and Until may hold the interval of its neighbours.
	Time time.Time `json:"time"`
	// Until is the end of the interval when the moment is only bracketed.
	Until time.Time `json:"until,omitzero"`
	// ZoneUnknown marks a time that was written without a zone and read as if it
	// were UTC: it must not be ordered against other sources.
	ZoneUnknown bool `json:"zone_unknown,omitempty"`
	// NoTime marks an event whose line has no time; Time..Until are its neighbours'.
	NoTime bool `json:"no_time,omitempty"`

	Source    string    `json:"source"`
	Format    string    `json:"format,omitempty"`
	Level     Level     `json:"level,omitempty"`
	Op        Operation `json:"op,omitempty"`
	Actor     string    `json:"actor,omitempty"`
	RequestID string    `json:"request_id,omitempty"`
	Method    string    `json:"method,omitempty"`
	Path      string    `json:"path,omitempty"`
	Status    int       `json:"status,omitempty"`
	Message   string    `json:"message"`
	// Position is where the line stands, such as "app.log:1042".
	Position string `json:"position"`
	// Fields are the line's own fields under the format's names. PostgreSQL's
	// formats use the names of jsonlog (user, dbname, pid, remote_host,
	// session_id, session_start, vxid, txid, error_severity, state_code, message,
	// detail, hint, context, statement, application_name, backend_type).
	Fields map[string]string `json:"fields,omitempty"`
	Raw    string            `json:"raw"`
	// Why says why the line is here: "names the id", "same request as app.log:12".
	Why string `json:"why,omitempty"`
	// Weak marks a line that only a weak needle (such as a prefix) hit.
	Weak bool `json:"weak,omitempty"`
}

// Field returns a field of the event, or "" when it has none of that name.
func (e Event) Field(name string) string { return e.Fields[name] }
