// Package backend is the contract between the screens and the program around
// them: everything that does I/O stands behind these interfaces, which cmd
// implements. The screens call them only from commands, never from Init, Update
// or View.
package backend

import (
	"context"
	"time"

	"inquest/investigations"
	"inquest/sources"
)

// Backend opens and makes cases. Its methods may be called from several
// goroutines; they return soon after their context ends.
type Backend interface {
	// List returns the saved cases, newest first. A case that cannot be read is
	// still listed, with Broken saying why.
	List(ctx context.Context) ([]CaseSummary, error)
	// Open opens a saved case. A case that another process holds, or one without
	// connections, opens all the same: Session.ReadOnly or the State's sources say so.
	Open(ctx context.Context, path string) (Session, error)
	// Defaults returns what the New form starts with, from configuration and
	// environment.
	Defaults(ctx context.Context) (Defaults, error)
	// Create makes a case file and opens its sources. It does not run probes.
	Create(ctx context.Context, c NewCase) (Session, error)
	// Connect opens a saved case again, with the sources that c names in place of
	// those it had. The record and the window stay the case's own.
	Connect(ctx context.Context, path string, c NewCase) (Session, error)
	// CheckSources asks each source of c what it can answer and hands every
	// answer over as it comes. Nothing is saved. A status may come twice for one
	// source; the later counts. What c asks for and its servers do not have comes as
	// a failed status of SourceTable or SourceRole.
	CheckSources(ctx context.Context, c NewCase, each func(sources.Status)) error
	// Export writes the report of a session and returns the path it wrote. The
	// ending of path chooses the format; an empty path means the default place.
	Export(ctx context.Context, s Session, path string) (string, error)
	// Drills lists the practice incidents. It does no I/O.
	Drills() []Drill
	// StartDrill builds a practice incident and opens its case.
	StartDrill(ctx context.Context, id string, progress func(Progress)) (Session, error)
}

// The sources by whose name CheckSources tells that the table, or the
// application's role, is not there.
const (
	SourceTable = "the table"
	SourceRole  = "the application's role"
)

// Session is one open case. Its methods may be called from several goroutines.
type Session interface {
	// Path names the case file, exactly as List does; it is the key under which the
	// place where the screen stood is remembered.
	Path() string
	State() investigations.State
	// Assessment judges the State. It may take a moment: it is called from commands.
	Assessment() investigations.Assessment
	// Watch calls f after every new entry until stop is called. f never blocks.
	Watch(f func()) (stop func())
	// Run runs the chosen probes (nil: all) and returns when they ended. update
	// is called from several goroutines and never blocks.
	Run(ctx context.Context, choose func(investigations.Probe) bool, update func(investigations.Update)) error
	// Cancel cancels one running probe and reports whether it was running.
	Cancel(probe string) bool
	Record(kind investigations.EntryKind, body any) error
	// Undo takes back the newest answer, verdict or note; false: there is none.
	Undo() (bool, error)
	// Report returns the report in Markdown, as Export would write it.
	Report(ctx context.Context) (string, error)
	// ReadOnly says why nothing may be run or recorded, or "" when all may.
	ReadOnly() string
	// Close cancels what runs, waits for it, and closes sources and file. It may
	// be called twice, and is called when the program ends for whatever reason.
	Close() error
}

// Checker is the ability of a Session to ask its sources what they can answer
// before anything is run. It does nothing when there is no source, or when they
// have been asked in this case already.
type Checker interface {
	Check(ctx context.Context) error
}

// Connected is the ability of a Session to say why its probes cannot be run, as
// in a saved case that was opened without its connections; "" when they can.
type Connected interface {
	CannotRun() string
}

// Asked is the ability of a Session to say which sources it was opened with, so
// that others can be named in their place.
type Asked interface {
	// Asked returns them; none when the case was opened without connections. why
	// says why others cannot be named, or "".
	Asked() (c NewCase, why string)
}

// CaseSummary is a saved case as Home lists it.
type CaseSummary struct {
	Path     string
	Record   string
	Table    string
	Fate     investigations.FateKind // empty before the first judgement
	Standing investigations.Standing
	Leading  string // mechanism id; empty: cause undetermined
	Done     int    // steps with a verdict
	Steps    int
	Updated  time.Time
	// Locked says that another process has the case open.
	Locked bool
	// Broken says why the case cannot be trusted or read; empty when it can.
	Broken string
	// Recording says in words that this is a recorded practice incident.
	Recording string
}

// NewCase is what the New form and the command line ask for. Lists hold one
// source each, written as on the command line.
type NewCase struct {
	Record      string
	Table       string
	Hints       map[string]string
	At          time.Time // last known good; zero: not known
	Window      sources.Window
	Profile     string
	Databases   []string // [NAME=]DSN
	Logs        []string // path, glob or folder
	WAL         []string // folders
	Places      []string // further sources: the word of a Place, a blank, and its value
	API         string   // URL template with {id}
	Repo        string
	AppRole     string
	AppSettings map[string]string
	Budget      investigations.Budget
	Zone        string // zone of log times without one
}

// Defaults is what the New form starts with.
type Defaults struct {
	Case     NewCase
	Profiles []Profile
	Places   []Place
}

// Place is a kind of further source, named as the flag of the command line is.
type Place struct {
	Word  string // such as "ssh"
	Value string // what follows, for people: "HOST:PATH"
	Means string // what it is, for people; it may begin with Value
	Bare  bool   // nothing need follow
}

// Profile is a named set of connections from the configuration.
type Profile struct {
	Name    string
	Summary string // one line for people, without secrets
}

// Drill is a practice incident.
type Drill struct {
	ID    string
	Title string
	Story string // what the investigator is told, in a sentence or two
	// Unavailable says why it cannot be started here; empty when it can.
	Unavailable string
	// Recorded says that it opens as a recording, because no server can be built.
	Recorded bool
}

// Progress is one sign of life while a drill is built.
type Progress struct {
	What        string
	Done, Total int // steps; Total zero: unknown
}
