package newcase

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"inquest/investigations"
	"inquest/sources"
	"inquest/ui/backend"
	"inquest/ui/parts"
	"inquest/ui/when"
)

// fieldID names a field of the form.
type fieldID int

const (
	fieldRecord fieldID = iota
	fieldTable
	fieldProfile
	fieldDatabases
	fieldLogs
	fieldAt
	fieldFrom
	fieldTo
	fieldWAL
	fieldAPI
	fieldRepo
	fieldRole
	fieldZone
	fields
)

// field is one line of the form.
type field struct {
	label, help, empty string
	timed              bool
	input              parts.Input
}

func newFields(c backend.NewCase) [fields]field {
	list := func(s []string) parts.Input { return parts.NewInput(strings.Join(s, " ; ")) }
	clock := func(t time.Time) parts.Input {
		if t.IsZero() {
			return parts.Input{}
		}
		return parts.NewInput(t.Format(time.RFC3339))
	}
	return [fields]field{
		fieldRecord:    {label: "Record id", help: "The id that is missing, as it was handed out: a uuid, a number, text, or tenant_id=7,doc_id=42.", empty: "required", input: parts.NewInput(c.Record)},
		fieldTable:     {label: "Table", help: "schema.table, when you know it. Otherwise it is found by itself.", empty: "found by itself", input: parts.NewInput(c.Table)},
		fieldProfile:   {label: "Profile", help: "A named set of connections from the config file. ← → choose.", empty: "none", input: parts.NewInput(c.Profile)},
		fieldDatabases: {label: "Database", help: "A PostgreSQL connection, read-only: postgres://host/db, host=… dbname=…, NAME=DSN. Several: put ; between them.", empty: "none: only logs and files are read", input: list(c.Databases)},
		fieldLogs:      {label: "Logs", help: "Log files, folders or patterns; the format is found by itself. Several: put ; between them.", empty: "none", input: list(c.Logs)},
		fieldAt:        {label: "Last known good", help: "When you last know it was there, or when it was created: " + when.Examples + ".", empty: "from the id or the first log line that names it", timed: true, input: clock(c.At)},
		fieldFrom:      {label: "Window from", help: "Where the time that matters begins, in place of an hour around the last known good time.", empty: "half an hour before", timed: true, input: clock(c.Window.From)},
		fieldTo:        {label: "Window to", help: "Where the time that matters ends.", empty: "half an hour after", timed: true, input: clock(c.Window.To)},
		fieldWAL:       {label: "WAL folder", help: "A copy of pg_wal or an archive: ground truth of every insert, delete and rollback.", empty: "over the connection, where the role may", input: list(c.WAL)},
		fieldAPI:       {label: "API URL", help: "What the API says now: a URL with {id} in it. Only GET is sent.", empty: "not asked", input: parts.NewInput(c.API)},
		fieldRepo:      {label: "Repository", help: "The application's git repository: delete paths and deployments near the time.", empty: "not read", input: parts.NewInput(c.Repo)},
		fieldRole:      {label: "Application role", help: "The role the application connects with, to see what it sees under row security.", empty: "not known", input: parts.NewInput(c.AppRole)},
		fieldZone:      {label: "Log zone", help: "The zone of log times that are written without one, such as Europe/London.", empty: "not known: such times are not ordered", input: parts.NewInput(c.Zone)},
	}
}

func (s *Screen) value(id fieldID) string { return strings.TrimSpace(s.fields[id].input.Value()) }

func split(s string) []string {
	var out []string
	for part := range strings.SplitSeq(s, ";") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

// instant reads a time field; an empty one is the zero time.
func (s *Screen) instant(id fieldID) (when.Result, error) {
	if s.value(id) == "" {
		return when.Result{}, nil
	}
	return when.Parse(s.value(id), s.now(), s.zone)
}

// errAmbiguous says that a date must be chosen first.
var errAmbiguous = errors.New("the date can be read in two ways")

// build reads the whole form. The field of the first mistake comes with it.
func (s *Screen) build() (backend.NewCase, fieldID, error) {
	c := s.base
	c.Record, c.Table, c.Profile = s.value(fieldRecord), s.value(fieldTable), s.value(fieldProfile)
	c.Databases, c.Logs, c.WAL = split(s.value(fieldDatabases)), split(s.value(fieldLogs)), split(s.value(fieldWAL))
	c.API, c.Repo, c.AppRole, c.Zone = s.value(fieldAPI), s.value(fieldRepo), s.value(fieldRole), s.value(fieldZone)
	if c.Record == "" {
		return c, fieldRecord, errors.New("type the id of the record that is missing")
	}
	if err := (investigations.Record{ID: c.Record}).Validate(); err != nil {
		return c, fieldRecord, err
	}
	var times [fields]time.Time
	for _, id := range []fieldID{fieldAt, fieldFrom, fieldTo} {
		r, err := s.instant(id)
		if err != nil {
			return c, id, err
		}
		if len(r.Ambiguous) > 0 {
			return c, id, errAmbiguous
		}
		times[id] = r.Time
	}
	c.At, c.Window = times[fieldAt], sources.Window{From: times[fieldFrom], To: times[fieldTo]}
	if !c.Window.From.IsZero() && !c.Window.To.IsZero() && !c.Window.To.After(c.Window.From) {
		return c, fieldTo, errors.New("the window ends before it begins")
	}
	if c.API != "" && !strings.Contains(c.API, "{id}") {
		return c, fieldAPI, fmt.Errorf("the URL needs {id} where the record's id goes")
	}
	return c, 0, nil
}

var (
	urlPassword  = regexp.MustCompile(`(://[^:/@;]*:)[^@;]*(@)`)
	wordPassword = regexp.MustCompile(`(?i)(password\s*=\s*)('[^']*'|[^\s;&]+)`)
)

// masked hides passwords in a connection that is not being edited.
func masked(s string) string {
	return wordPassword.ReplaceAllString(urlPassword.ReplaceAllString(s, "$1••••$2"), "$1••••")
}
