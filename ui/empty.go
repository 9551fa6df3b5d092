package ui

import (
	"context"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"inquest/investigations"
	"inquest/sources"
	"inquest/ui/backend"
	"inquest/ui/live"
	"inquest/ui/nav"
	"inquest/ui/screens/casefile"
	"inquest/ui/screens/coverage"
	"inquest/ui/screens/drills"
	"inquest/ui/screens/evidence"
	"inquest/ui/screens/home"
	"inquest/ui/screens/matrix"
	"inquest/ui/screens/newcase"
	"inquest/ui/screens/record"
	"inquest/ui/screens/report"
	"inquest/ui/screens/statements"
	"inquest/ui/screens/timeline"
)

// emptyScreens returns one of each screen over nothing, for their tables.
func emptyScreens() []nav.Screen {
	ctx := context.Background()
	c := live.New(ctx, nothing{}, func(tea.Msg) {})
	return []nav.Screen{
		home.New(ctx, nothing{}, ""), newcase.New(ctx, newcase.Deps{Backend: nothing{}, Now: time.Now, Zone: time.UTC}, backend.NewCase{}),
		casefile.New(c), timeline.New(c, "", time.Now, time.UTC), evidence.New(c, "", ""), record.New(c), matrix.New(c, ""),
		coverage.New(c), statements.New(c), report.New(ctx, c), drills.New(nothing{}),
	}
}

// nothing is a backend and a session without anything in it.
type nothing struct{}

func (nothing) List(context.Context) ([]backend.CaseSummary, error)   { return nil, nil }
func (nothing) Open(context.Context, string) (backend.Session, error) { return nothing{}, nil }
func (nothing) Connect(context.Context, string, backend.NewCase) (backend.Session, error) {
	return nothing{}, nil
}
func (nothing) Defaults(context.Context) (d backend.Defaults, err error) { return d, nil }
func (nothing) Create(context.Context, backend.NewCase) (backend.Session, error) {
	return nothing{}, nil
}

func (nothing) Export(context.Context, backend.Session, string) (string, error) { return "", nil }

func (nothing) Drills() []backend.Drill { return nil }

func (nothing) CheckSources(context.Context, backend.NewCase, func(sources.Status)) error { return nil }

func (nothing) StartDrill(context.Context, string, func(backend.Progress)) (backend.Session, error) {
	return nothing{}, nil
}
func (nothing) Path() string                               { return "" }
func (nothing) State() (s investigations.State)            { return s }
func (nothing) Assessment() (a investigations.Assessment)  { return a }
func (nothing) Watch(func()) func()                        { return func() {} }
func (nothing) Cancel(string) bool                         { return false }
func (nothing) Record(investigations.EntryKind, any) error { return nil }
func (nothing) Undo() (bool, error)                        { return false, nil }
func (nothing) Report(context.Context) (string, error)     { return "", nil }
func (nothing) ReadOnly() string                           { return "" }
func (nothing) Close() error                               { return nil }
func (nothing) Run(context.Context, func(investigations.Probe) bool, func(investigations.Update)) error {
	return nil
}
