package ui

import (
	"context"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"inquest/ui/backend"
	"inquest/ui/early"
	"inquest/ui/keys"
	"inquest/ui/live"
	"inquest/ui/nav"
	"inquest/ui/screens/home"
	"inquest/ui/screens/newcase"
	"inquest/ui/task"
	"inquest/ui/theme"
)

// The environment is as it was found from here on: Bubble Tea has been loaded.
var _ = early.Restore()

// App is the root: it routes messages, holds the stacks of screens and
// overlays, and does nothing else itself.
type App struct {
	ctx   context.Context
	opts  Options
	hooks Hooks
	theme *theme.Theme

	w, h     int
	screens  []entry
	overlays []nav.Overlay
	toast    nav.Toast
	last     nav.Toast // the newest message, for reading it in full
	said     int       // counts messages
	expiring int       // the message whose end is on its way
	home     *home.Screen
	form     *newcase.Screen // of a new case, kept while it is not opened
	wires    *newcase.Screen // of the sources of a case, kept while it is not connected
	open     map[string]*live.Case

	opening task.Slot // a case or a drill
	work    task.Slot // a report being written
	what    string    // what opening is about, for people
	drill   string    // the drill being built

	armed    bool // one ctrl+c was pressed
	chosen   bool // the theme was chosen by key
	ticking  bool
	tick     int
	clocking bool // the next stroke of the clock is on its way
	quit     bool
}

// entry is one screen of the stack with its keys, and the case it belongs to.
type entry struct {
	nav.Screen
	table keys.Table
	live  *live.Case
}

// NewApp returns the root. The first View needs nothing but a size.
func NewApp(ctx context.Context, o Options, h Hooks) (*App, error) {
	o = o.withDefaults()
	if err := CheckKeys(o.Keys); err != nil {
		return nil, err
	}
	th, err := o.theme(o.mode())
	if err != nil {
		return nil, err
	}
	a := &App{ctx: ctx, opts: o, hooks: h, theme: th, open: map[string]*live.Case{}}
	a.home = home.New(ctx, o.Backend, o.Folder)
	a.home.Runs = func(path string) bool { c, ok := a.open[path]; return ok && c.Busy() }
	a.push(a.home, nil)
	return a, nil
}

func (a *App) push(s nav.Screen, c *live.Case) {
	a.screens = append(a.screens, entry{Screen: s, table: s.Actions().Remap(s.Name(), a.opts.Keys), live: c})
}

func (a *App) top() *entry { return &a.screens[len(a.screens)-1] }

// Init starts with Home and goes on to what was asked for.
func (a *App) Init() tea.Cmd {
	cmds := []tea.Cmd{a.home.Init(), a.recallHome(), a.askBackground()}
	switch {
	case a.opts.Start != "":
		cmds = append(cmds, nav.Say(nav.Open{Path: a.opts.Start}))
	case a.opts.New != nil:
		cmds = append(cmds, nav.Say(nav.New{}))
	case a.opts.Drill != "":
		cmds = append(cmds, nav.Say(nav.Drills{}), nav.Say(nav.StartDrill{ID: a.opts.Drill}))
	}
	return tea.Batch(cmds...)
}

// Update routes one message.
func (a *App) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	cmd := a.route(msg)
	return a, tea.Batch(cmd, a.animate(), a.expire(), a.clock())
}

func (a *App) route(msg tea.Msg) tea.Cmd {
	switch m := msg.(type) {
	case tea.WindowSizeMsg:
		a.w, a.h = m.Width, m.Height
		return nil
	case tea.KeyMsg:
		if m.Type == tea.KeyEsc && m.Alt { // escape pressed twice, as one key over a slow line
			return tea.Batch(a.key(tea.KeyMsg{Type: tea.KeyEsc}), a.key(tea.KeyMsg{Type: tea.KeyEsc}))
		}
		return a.key(m)
	case tea.MouseMsg:
		return a.mouse(m)
	case tickMsg:
		a.ticking = false
		a.tick++
		for _, c := range a.open {
			c.Tick()
		}
		return nil
	case clockMsg:
		a.clocking = false
		return nil
	case toastOver:
		if m.said == a.said {
			a.toast = nav.Toast{}
		}
		return nil
	case live.Ended:
		return a.ended(m)
	case live.Closed:
		return tea.Batch(nav.Fail(m.Err), a.home.Reload()) // it is no longer in use
	case recalled:
		a.home.Restore(m.place)
		return nil
	case hangup:
		return a.end()
	case backgroundIs:
		return a.suit(m.dark)
	case tea.ResumeMsg:
		return tea.ClearScreen
	}
	if cmd, mine := a.intent(msg); mine {
		return cmd
	}
	if d, ok := msg.(task.Done); ok {
		if cmd, mine := a.done(d); mine {
			return cmd
		}
	}
	return a.broadcast(msg)
}

// broadcast hands a message to the open cases and to every screen: each takes
// only what is its own.
func (a *App) broadcast(msg tea.Msg) tea.Cmd {
	var cmds []tea.Cmd
	for _, c := range a.open {
		if cmd, ok := c.Update(msg); ok {
			cmds = append(cmds, cmd)
		}
	}
	for _, s := range a.screens {
		cmds = append(cmds, s.Update(msg))
	}
	return tea.Batch(cmds...)
}

type tickMsg struct{}

// animate keeps the spinner going while something runs, and only then.
func (a *App) animate() tea.Cmd {
	if a.ticking || !a.busy() || a.quit {
		return nil
	}
	a.ticking = true
	return a.hooks.After(200*time.Millisecond, func() tea.Msg { return tickMsg{} })
}

type clockMsg struct{}

// clock draws the screen again twice a minute while it counts down to the end of
// some evidence, and otherwise never.
func (a *App) clock() tea.Cmd {
	s, ok := a.top().Screen.(nav.Clocked)
	if !ok || a.clocking || a.quit || !s.Counts(a.opts.Now()) {
		return nil
	}
	a.clocking = true
	return a.hooks.After(30*time.Second, func() tea.Msg { return clockMsg{} })
}

// busy reports whether anything shows a spinner.
func (a *App) busy() bool {
	if a.opening.Busy() || a.work.Busy() {
		return true
	}
	for _, c := range a.open {
		if c.Busy() {
			return true
		}
	}
	w, ok := a.top().Screen.(nav.Worker)
	return ok && w.Busy()
}

// running counts the cases whose probes run.
func (a *App) running() int {
	n := 0
	for _, c := range a.open {
		if c.Busy() {
			n++
		}
	}
	return n
}

// recalled brings the place where Home stood.
type recalled struct{ place string }

func (a *App) recallHome() tea.Cmd {
	recall := a.opts.Recall
	return func() tea.Msg { return recalled{recall("")} }
}

// remember keeps where a screen stands.
func (a *App) remember(path string, s nav.Screen) tea.Cmd {
	p, ok := s.(nav.Placer)
	if !ok {
		return nil
	}
	place, keep := p.Place(), a.opts.Remember
	return func() tea.Msg { keep(path, place); return nil }
}

// Sessions returns the open sessions, for closing them when the program ends.
func (a *App) Sessions() []backend.Session {
	var out []backend.Session
	for _, c := range a.open {
		out = append(out, c.Session)
	}
	return out
}

// Depth returns how many screens and overlays are open; 1 is Home alone.
func (a *App) Depth() int { return len(a.screens) + len(a.overlays) }

// Quitting reports whether the program was told to end.
func (a *App) Quitting() bool { return a.quit }
