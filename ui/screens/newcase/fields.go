package newcase

import (
	"strings"
	"time"

	"inquest/ui/backend"
	"inquest/ui/parts"
	"inquest/ui/typed"
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
	fieldPlace // as many as there are further places, and an empty one
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
	id                 fieldID
	label, help, empty string
	timed              bool
	several            bool // several things with ; between them
	// away marks places that are reached over a network: they are asked when the
	// field is left or was pasted, never while it is half typed.
	away  bool
	input parts.Input
}

// newFields returns the fields, those of places apart.
func newFields(c backend.NewCase) [fields]*field {
	list := func(s []string) parts.Input { return parts.NewInput(typed.Join(s)) }
	clock := func(t time.Time) parts.Input {
		if t.IsZero() {
			return parts.Input{}
		}
		return parts.NewInput(t.Format(time.RFC3339))
	}
	out := [fields]*field{
		fieldRecord:    {label: "Record id", help: "The id that is missing, as it was handed out: a uuid, a number, text, or tenant_id=7,doc_id=42.", empty: "required", input: parts.NewInput(c.Record)},
		fieldTable:     {label: "Table", help: "schema.table, when you know it. Otherwise it is found by itself.", empty: "found by itself", input: parts.NewInput(c.Table)},
		fieldProfile:   {label: "Profile", help: "A named set of connections from the config file. ← → choose.", empty: "none", input: parts.NewInput(c.Profile)},
		fieldDatabases: {label: "Database", help: "A PostgreSQL connection, read-only: postgres://host/db, host=… dbname=…, NAME=DSN. Several: put ; between them.", empty: "none: only logs and files are read", several: true, away: true, input: list(c.Databases)},
		fieldLogs:      {label: "Logs", help: "Log files, folders or patterns; the format is found by itself. Several: put ; between them.", empty: "none", several: true, input: list(c.Logs)},
		fieldAt:        {label: "Last known good", help: "When you last know it was there, or when it was created: " + when.Examples + ".", empty: "from the id or the first log line that names it", timed: true, input: clock(c.At)},
		fieldFrom:      {label: "Window from", help: "Where the time that matters begins, in place of an hour around the last known good time.", empty: "half an hour before", timed: true, input: clock(c.Window.From)},
		fieldTo:        {label: "Window to", help: "Where the time that matters ends.", empty: "half an hour after", timed: true, input: clock(c.Window.To)},
		fieldWAL:       {label: "WAL folder", help: "A copy of pg_wal or an archive: ground truth of every insert, delete and rollback.", empty: "over the connection, where the role may", several: true, input: list(c.WAL)},
		fieldAPI:       {label: "API URL", help: "What the API says now: a URL with {id} in it. Only GET is sent.", empty: "not asked", away: true, input: parts.NewInput(c.API)},
		fieldRepo:      {label: "Repository", help: "The application's git repository: delete paths and deployments near the time.", empty: "not read", input: parts.NewInput(c.Repo)},
		fieldRole:      {label: "Application role", help: "The role the application connects with, to see what it sees under row security.", empty: "not known", input: parts.NewInput(c.AppRole)},
		fieldZone:      {label: "Log zone", help: "The zone of log times that are written without one, such as Europe/London.", empty: "not known: such times are not ordered", input: parts.NewInput(c.Zone)},
	}
	for id, f := range out {
		if f != nil {
			f.id = fieldID(id)
		}
	}
	return out
}

// newPlaces returns the fields of further places, the last of them empty.
func newPlaces(list []string) []*field {
	out := make([]*field, 0, len(list)+1)
	for _, text := range append(append([]string{}, list...), "") {
		out = append(out, &field{id: fieldPlace, away: true, input: parts.NewInput(text)})
	}
	return out
}

// ofTheCase are the fields that belong to the case and not to its sources.
var ofTheCase = map[fieldID]bool{fieldRecord: true, fieldTable: true, fieldAt: true, fieldFrom: true, fieldTo: true}

// rows are the fields in the order in which they are shown.
func (s *Screen) rows() []*field {
	out := make([]*field, 0, int(fields)+len(s.places))
	for id, f := range s.fields {
		switch {
		case s.path != "" && ofTheCase[fieldID(id)]:
		case fieldID(id) == fieldPlace:
			out = append(out, s.places...)
		default:
			out = append(out, f)
		}
	}
	return out
}

// current is the field with the cursor.
func (s *Screen) current() *field {
	rows := s.rows()
	return rows[min(s.at, len(rows)-1)]
}

// goTo puts the cursor on a field.
func (s *Screen) goTo(f *field) {
	for i, row := range s.rows() {
		if row == f {
			s.at = i
		}
	}
}

// tidy leaves one empty place behind those that are filled in.
func (s *Screen) tidy() {
	at := s.current()
	kept := s.places[:0:0]
	for i, p := range s.places {
		if i == len(s.places)-1 || p == at || value(p) != "" {
			kept = append(kept, p)
		}
	}
	if value(kept[len(kept)-1]) != "" {
		kept = append(kept, newPlaces(nil)...)
	}
	s.places = kept
	s.goTo(at)
}

func value(f *field) string { return strings.TrimSpace(f.input.Value()) }

func (s *Screen) value(id fieldID) string { return value(s.fields[id]) }
