// Package newcase is the form for a new investigation, with the sources
// answering live below it.
package newcase

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"inquest/sources"
	"inquest/ui/backend"
	"inquest/ui/keys"
	"inquest/ui/nav"
	"inquest/ui/parts"
	"inquest/ui/task"
	"inquest/ui/when"
)

// pause is how long nothing must be typed before the sources are asked.
const pause = 600 * time.Millisecond

// Deps is what the form needs from the root.
type Deps struct {
	Backend backend.Backend
	Now     func() time.Time
	Zone    *time.Location
	Send    func(tea.Msg)
	After   func(time.Duration, func() tea.Msg) tea.Cmd
}

// Screen is the form. It is kept when it is left: going back loses nothing.
type Screen struct {
	ctx  context.Context
	deps Deps
	now  func() time.Time
	zone *time.Location

	base     backend.NewCase
	profiles []backend.Profile
	fields   [fields]field
	at       fieldID
	problem  string
	touched  bool

	defaults task.Slot
	check    task.Slot
	run      int    // counts checks; answers of older ones are refused
	asked    string // what the last check was about
	edits    int
	statuses []sources.Status
	checkErr error
	creating bool
}

// New returns the form, filled from c.
func New(ctx context.Context, d Deps, c backend.NewCase) *Screen {
	return &Screen{ctx: ctx, deps: d, now: d.Now, zone: d.Zone, base: c, fields: newFields(c)}
}

// Name is the scope of the form in the key map.
func (s *Screen) Name() string { return "new" }

// Init asks for defaults and checks the sources that are there already.
func (s *Screen) Init() tea.Cmd {
	s.creating = false
	b := s.deps.Backend
	if s.touched {
		return nil
	}
	return s.defaults.Start(s.ctx, func(ctx context.Context) (any, error) { return b.Defaults(ctx) })
}

// answered is one source's answer to a check.
type answered struct {
	of     *Screen
	run    int
	status sources.Status
}

// pauseOver says that nothing was typed for a moment.
type pauseOver struct {
	of    *Screen
	edits int
}

// Failed tells the form that its case could not be made.
type Failed struct{ Err error }

// Update takes defaults, answers of sources and the end of a pause.
func (s *Screen) Update(msg tea.Msg) tea.Cmd {
	switch m := msg.(type) {
	case pauseOver:
		if m.of == s && m.edits == s.edits {
			return s.startCheck()
		}
	case answered:
		if m.of == s && m.run == s.run {
			s.answer(m.status)
		}
	case Failed:
		s.creating, s.problem = false, m.Err.Error()
	case task.Done:
		if s.check.Take(m) {
			s.checkErr = m.Err
		}
		if s.defaults.Take(m) {
			return s.takeDefaults(m)
		}
	}
	return nil
}

func (s *Screen) takeDefaults(m task.Done) tea.Cmd {
	d, ok := m.Value.(backend.Defaults)
	if !ok || m.Err != nil {
		if m.Err != nil {
			s.problem = m.Err.Error()
		}
		return nil
	}
	s.profiles = d.Profiles
	if !s.touched {
		typed := s.base.Record
		s.base = d.Case
		if typed != "" {
			s.base.Record = typed
		}
		s.fields = newFields(s.base)
	}
	return s.startCheck()
}

func (s *Screen) answer(st sources.Status) {
	if i := slices.IndexFunc(s.statuses, func(o sources.Status) bool { return o.Source == st.Source }); i >= 0 {
		s.statuses[i] = st
		return
	}
	s.statuses = append(s.statuses, st)
}

// startCheck asks the sources again when the connections have changed.
func (s *Screen) startCheck() tea.Cmd {
	c, _, _ := s.build()
	about := fmt.Sprint(c.Profile, c.Databases, c.Logs, c.WAL, c.API, c.Repo, c.AppRole)
	if about == s.asked {
		return nil
	}
	s.asked, s.statuses, s.checkErr = about, nil, nil
	s.run++
	if c.Profile == "" && len(c.Databases)+len(c.Logs)+len(c.WAL) == 0 && c.API == "" && c.Repo == "" {
		s.check.Stop()
		return nil
	}
	b, send, run := s.deps.Backend, s.deps.Send, s.run
	return s.check.Start(s.ctx, func(ctx context.Context) (any, error) {
		return nil, b.CheckSources(ctx, c, func(st sources.Status) { send(answered{s, run, st}) })
	})
}

// Actions is what the form can do beside taking text.
func (s *Screen) Actions() keys.Table {
	return keys.Table{
		{ID: "create", Keys: []string{"ctrl+s"}, Title: "Open the case", Short: "open the case", Group: "Form", Disabled: s.busy, Run: s.create},
		{ID: "next", Keys: []string{"tab", "down"}, Title: "Go to the next field", Short: "next field", Group: "Form", Run: s.step(1)},
		{ID: "enter", Keys: []string{"enter"}, Title: "Take the field; on the last one, open the case", Group: "Form", Disabled: s.busy, Run: s.enter},
		{ID: "previous", Keys: []string{"shift+tab", "up"}, Title: "Go to the field before", Short: "field before", Group: "Form", Run: s.step(-1)},
		{ID: "check", Keys: []string{"ctrl+r"}, Title: "Ask the sources again", Short: "ask sources again", Group: "Form", Run: func() tea.Cmd { s.asked = ""; return s.startCheck() }},
	}
}

func (s *Screen) busy() string {
	if s.creating {
		return "the case is being made"
	}
	return ""
}

func (s *Screen) enter() tea.Cmd {
	if s.at == fields-1 {
		return s.create()
	}
	return s.step(1)()
}

func (s *Screen) step(d int) func() tea.Cmd {
	return func() tea.Cmd {
		left := s.at
		s.at = (s.at + fieldID(d) + fields) % fields
		s.problem = ""
		return tea.Batch(s.startCheck(), s.settle(left, nil))
	}
}

// settle asks which date was meant when a field that is left can be read in two
// ways; then is done after the answer.
func (s *Screen) settle(id fieldID, then func() tea.Cmd) tea.Cmd {
	if !s.fields[id].timed {
		return nil
	}
	r, err := s.instant(id)
	if err != nil || len(r.Ambiguous) == 0 {
		return nil
	}
	c := &parts.Choose{Title: "Which one?", NoNote: true, Text: fmt.Sprintf("%q can be read in more than one way.", s.value(id))}
	for i, t := range r.Ambiguous {
		c.Choices = append(c.Choices, parts.Choice{Key: fmt.Sprint(i + 1), Word: t.Format("2 Jan 2006"), Means: when.Say(t, s.now())})
	}
	c.Do = func(i int, _ string) tea.Cmd {
		s.fields[id].input.Set(r.Ambiguous[i].Format(time.RFC3339Nano))
		if then != nil {
			return then()
		}
		return nil
	}
	return nav.Say(nav.Dialog{Overlay: c})
}

func (s *Screen) create() tea.Cmd {
	c, id, err := s.build()
	if errors.Is(err, errAmbiguous) {
		return s.settle(id, s.create)
	}
	if err != nil {
		s.at, s.problem = id, err.Error()
		return nil
	}
	s.problem, s.creating = "", true
	return nav.Say(nav.Create{Case: c})
}

// Typing is always true: every printable key is text.
func (s *Screen) Typing() bool { return true }

// Type hands a key to the field, and asks the sources once typing pauses.
func (s *Screen) Type(k tea.KeyMsg) tea.Cmd {
	if s.at == fieldProfile {
		s.cycleProfile(k)
	} else if !s.fields[s.at].input.Type(k) {
		return nil
	}
	s.touched, s.problem = true, ""
	s.edits++
	n := s.edits
	return s.deps.After(pause, func() tea.Msg { return pauseOver{s, n} })
}

func (s *Screen) cycleProfile(k tea.KeyMsg) {
	names := []string{""}
	for _, p := range s.profiles {
		names = append(names, p.Name)
	}
	i := slices.Index(names, s.value(fieldProfile))
	switch k.String() {
	case "right", " ":
		i++
	case "left":
		i--
	default:
		return
	}
	s.fields[fieldProfile].input.Set(names[(i+len(names))%len(names)])
}

// NextAt says what to do next.
func (s *Screen) NextAt(time.Time) string {
	switch {
	case s.creating:
		return "the case is being made"
	case s.value(fieldRecord) == "":
		return "type the id that is missing; all else may stay as it is"
	}
	return "ctrl+s opens the case; tab goes on to the next field"
}

// Form is true: tab and the like keep their meaning while text is typed.
func (s *Screen) Form() bool { return true }

// Busy reports whether sources are being asked.
func (s *Screen) Busy() bool { return s.check.Busy() || s.creating }
