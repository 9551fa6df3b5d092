package ui

import (
	"context"
	"fmt"

	tea "github.com/charmbracelet/bubbletea"

	"inquest/ui/backend"
	"inquest/ui/live"
	"inquest/ui/nav"
	"inquest/ui/screens/casefile"
	"inquest/ui/screens/coverage"
	"inquest/ui/screens/drills"
	"inquest/ui/screens/evidence"
	"inquest/ui/screens/matrix"
	"inquest/ui/screens/newcase"
	"inquest/ui/screens/record"
	"inquest/ui/screens/report"
	"inquest/ui/screens/statements"
	"inquest/ui/screens/timeline"
	"inquest/ui/task"
	"inquest/ui/text"
)

// opened is a session that came out of opening, making or building a case.
type opened struct {
	session backend.Session
	place   string
}

// written is the path of a report.
type written struct{ path string }

// built is one sign of life of a drill under construction.
type built struct {
	id string
	p  backend.Progress
}

// intent goes where a screen asked to go.
func (a *App) intent(msg tea.Msg) (tea.Cmd, bool) {
	switch m := msg.(type) {
	case nav.Toast:
		a.say(m)
	case nav.Dialog:
		a.overlays = append(a.overlays, m.Overlay)
	case nav.Copy:
		return a.copyText(m), true
	case nav.Back:
		return a.back(), true
	case nav.Quit:
		return a.askQuit(), true
	case nav.Open:
		return a.openCase(m.Path), true
	case nav.New:
		return a.newCase(), true
	case nav.Create:
		b := a.opts.Backend
		return a.enter("the new case", func(ctx context.Context) (backend.Session, error) { return b.Create(ctx, m.Case) }), true
	case nav.Sources:
		return a.sources(m.Case), true
	case nav.Connect:
		return a.connect(m), true
	case nav.Drills:
		s := drills.New(a.opts.Backend)
		a.push(s, nil)
		return s.Init(), true
	case nav.StartDrill:
		return a.startDrill(m.ID), true
	case nav.Export:
		return a.export(m), true
	case nav.Show:
		return a.show(m), true
	case built:
		if a.drill == m.id && a.opening.Busy() {
			return a.broadcast(drills.Building{ID: m.id, Progress: m.p}), true
		}
	default:
		return nil, false
	}
	return nil, true
}

func (a *App) copyText(m nav.Copy) tea.Cmd {
	write := a.hooks.Copy
	return func() tea.Msg {
		if err := write(m.Text); err != nil {
			return nav.Toast{Text: err.Error(), Bad: true}
		}
		return nav.Toast{Text: "copied " + m.What}
	}
}

// openCase opens a case, or goes back to it when it is open already.
func (a *App) openCase(path string) tea.Cmd {
	for _, e := range a.screens {
		if e.live != nil && e.live.Session.Path() == path {
			return a.popTo(e.live)
		}
	}
	if c, ok := a.open[path]; ok {
		a.push(casefile.New(c), c)
		return nil
	}
	b := a.opts.Backend
	return a.enter(text.Clean(path), func(ctx context.Context) (backend.Session, error) { return b.Open(ctx, path) })
}

// enter opens a session beside the screen; the place where it was left comes
// with it.
func (a *App) enter(what string, open func(context.Context) (backend.Session, error)) tea.Cmd {
	recall := a.opts.Recall
	a.what = what
	a.toast = nav.Toast{}
	return a.opening.Start(a.ctx, func(ctx context.Context) (any, error) {
		s, err := open(ctx)
		if err != nil {
			return nil, err
		}
		return opened{s, recall(s.Path())}, nil
	})
}

func (a *App) newCase() tea.Cmd {
	if a.form == nil {
		c := backend.NewCase{}
		if a.opts.New != nil {
			c = *a.opts.New
		}
		a.form = newcase.New(a.ctx, a.formDeps(), c)
	}
	a.push(a.form, nil)
	return a.form.Init()
}

func (a *App) formDeps() newcase.Deps {
	return newcase.Deps{Backend: a.opts.Backend, Now: a.opts.Now, Zone: a.opts.Zone, Send: a.hooks.Send, After: a.hooks.After}
}

// sources shows the form that names other sources for the case in front.
func (a *App) sources(c backend.NewCase) tea.Cmd {
	of := a.top().live
	if of == nil {
		return nil
	}
	if path := of.Session.Path(); a.wires == nil || a.wires.Path() != path {
		a.wires = newcase.Connect(a.ctx, a.formDeps(), path, c)
	}
	a.push(a.wires, of)
	return a.wires.Init()
}

// connect closes the case that is open and opens it again with other sources:
// two sessions cannot hold one case.
func (a *App) connect(m nav.Connect) tea.Cmd {
	of, ok := a.open[m.Path]
	if !ok {
		return nil
	}
	var place tea.Cmd
	kept := a.screens[:0:0]
	for _, e := range a.screens {
		switch {
		case e.live != of:
			kept = append(kept, e)
		case place == nil:
			place = a.remember(m.Path, e.Screen)
		}
	}
	a.screens, a.wires = kept, nil
	delete(a.open, m.Path)
	b, closeIt := a.opts.Backend, of.Close()
	return a.enter("the case with its sources", func(ctx context.Context) (backend.Session, error) {
		for _, first := range []tea.Cmd{place, closeIt} {
			if first != nil {
				first()
			}
		}
		return b.Connect(ctx, m.Path, m.Case)
	})
}

func (a *App) startDrill(id string) tea.Cmd {
	b, send := a.opts.Backend, a.hooks.Send
	a.drill = id
	building := a.broadcast(drills.Building{ID: id, Progress: backend.Progress{What: "starting"}})
	return tea.Batch(building, a.enter("the drill "+id, func(ctx context.Context) (backend.Session, error) {
		return b.StartDrill(ctx, id, func(p backend.Progress) { send(built{id, p}) })
	}))
}

func (a *App) export(m nav.Export) tea.Cmd {
	b, s := a.opts.Backend, a.session(m.Path)
	if a.work.Busy() {
		return nav.Tell("a report is being written already")
	}
	return a.work.Start(a.ctx, func(ctx context.Context) (any, error) {
		if s == nil {
			opened, err := b.Open(ctx, m.Path)
			if err != nil {
				return nil, err
			}
			defer func() { _ = opened.Close() }()
			s = opened
		}
		path, err := b.Export(ctx, s, m.To)
		return written{path}, err
	})
}

// session returns the open session with this path, that of the case in front
// for "", or nil.
func (a *App) session(path string) backend.Session {
	if path == "" {
		if c := a.top().live; c != nil {
			return c.Session
		}
	}
	if c, ok := a.open[path]; ok {
		return c.Session
	}
	return nil
}

func (a *App) show(m nav.Show) tea.Cmd {
	c := a.top().live
	if c == nil {
		return nil
	}
	var s nav.Screen
	switch m.Page {
	case nav.PageEvidence:
		s = evidence.New(c, m.Item, m.Find)
	case nav.PageTimeline:
		s = timeline.New(c, m.Item, a.opts.Now, a.opts.Zone)
	case nav.PageMatrix:
		s = matrix.New(c, m.Item)
	case nav.PageCoverage:
		s = coverage.New(c)
	case nav.PageStatements:
		s = statements.New(c)
	case nav.PageRecord:
		s = record.New(c)
	case nav.PageReport:
		s = report.New(a.ctx, c)
	default:
		return nil
	}
	a.push(s, c)
	return s.Init()
}

// done takes the answers of the root's own work.
func (a *App) done(d task.Done) (tea.Cmd, bool) {
	switch {
	case a.opening.Take(d):
		return a.entered(d), true
	case a.work.Take(d):
		return a.wrote(d), true
	}
	if o, ok := d.Value.(opened); ok { // came too late: it is closed again
		return func() tea.Msg { _ = o.session.Close(); return nil }, true
	}
	return nil, false
}

func (a *App) entered(d task.Done) tea.Cmd {
	drill := a.drill
	a.drill = ""
	var stop tea.Cmd
	if drill != "" {
		stop = a.broadcast(drills.Building{Err: d.Err})
	}
	if d.Err != nil {
		failed := a.broadcast(newcase.Failed{Err: d.Err})
		return tea.Batch(stop, failed, nav.Fail(fmt.Errorf("%s could not be opened: %w", a.what, d.Err)))
	}
	o := d.Value.(opened)
	c := live.New(a.ctx, o.session, a.hooks.Send)
	if a.top().Screen == nav.Screen(a.form) {
		a.screens = a.screens[: len(a.screens)-1 : len(a.screens)-1]
		a.form = nil
	}
	a.open[o.session.Path()] = c
	s := casefile.New(c)
	s.Restore(o.place)
	a.push(s, c)
	return tea.Batch(stop, c.Start(), s.Init())
}

func (a *App) wrote(d task.Done) tea.Cmd {
	if w, ok := d.Value.(written); ok && d.Err == nil {
		return tea.Batch(nav.Tell("the report is in "+text.Clean(w.path)), a.home.Reload())
	}
	return nav.Fail(fmt.Errorf("the report could not be written: %w", d.Err))
}
