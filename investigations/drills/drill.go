package drills

import (
	"context"
	"errors"
	"fmt"

	"inquest/sources"
)

// Drill is one practice incident.
type Drill struct {
	ID    string // stable slug, as typed after `inquest drill`
	Title string // the symptom in a few words; gives nothing away
	// Story is what the on-call person is told. It gives nothing away either.
	Story string
	// Domain names the schema: dtro, orders, bookings, documents, events.
	Domain string
	Truth  Truth
	Spec   ServerSpec
	// Stage makes the incident happen. It returns when everything has happened;
	// traffic and logs that it leaves running are ended by Run.
	Stage func(ctx context.Context, s *Stage) (Scene, error)
}

// Scene is what an investigator is given. It says nothing of the answer.
type Scene struct {
	Record string
	Table  string            // often empty: to be found
	Hints  map[string]string // natural keys
	DBs    []Connection      // the first is the primary
	Logs   []string          // log files
	// LogFormats and LogZones are what a person would have to tell about a log, by path.
	LogFormats map[string]string
	LogZones   map[string]string
	WALDirs    []string
	// AppRole is the application's role, AppSettings its session settings.
	AppRole     string
	AppSettings map[string]string
	Window      sources.Window // zero: to be derived
	// API is a URL template with {id} at which the application answers until Close.
	API string
	// Repo is a git repository of the application; empty where git is not installed.
	Repo string

	// Proof is the superuser's way into the server that it happened on, for checking
	// that it did; empty: that of the first connection. No investigator gets it.
	Proof string

	linger []func(context.Context) error
}

// Connection is a database that the investigator may connect to.
type Connection struct {
	Name string // unique in the scene
	DSN  string // with the privileges that the drill gives the investigator
	// Superuser is the same database without limits: for checking that the
	// incident happened, and for comparing what privileges change.
	Superuser string
}

// Close ends what the incident needs to stay alive while it is investigated,
// such as an open transaction. It may be called more than once.
func (s *Scene) Close(ctx context.Context) error {
	var errs []error
	for _, end := range s.linger {
		errs = append(errs, end(ctx))
	}
	s.linger = nil
	return errors.Join(errs...)
}

// Run starts the drill's server at the host and makes the incident happen. The
// scene is the caller's to Close; servers are the host's to close. On error
// nothing of the drill is left running.
func (d Drill) Run(ctx context.Context, h Host) (Scene, error) {
	srv, err := h.Server(ctx, d.Spec)
	if err != nil {
		return Scene{}, fmt.Errorf("start the server of drill %s: %w", d.ID, err)
	}
	st := newStage(h, srv)
	scene, err := d.Stage(ctx, st)
	if err = errors.Join(err, st.close(context.WithoutCancel(ctx))); err != nil {
		return Scene{}, errors.Join(fmt.Errorf("stage drill %s: %w", d.ID, err), scene.Close(context.WithoutCancel(ctx)))
	}
	return scene, nil
}
