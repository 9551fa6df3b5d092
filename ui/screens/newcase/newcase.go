// Package newcase is the form for a new investigation, with the sources
// answering live below it. The same form names other sources for a saved case.
package newcase

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"inquest/ui/backend"
	"inquest/ui/keys"
	"inquest/ui/nav"
	"inquest/ui/parts"
	"inquest/ui/task"
	"inquest/ui/typed"
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
	path string // of the saved case whose sources are named; empty: a new case

	base     backend.NewCase
	profiles []backend.Profile
	kinds    []backend.Place
	fields   [fields]*field
	places   []*field
	at       int // in rows
	list     parts.List
	typing   *field         // the field that is being typed by hand
	before   [fields]string // what servers were asked about, while it is typed anew
	problem  string
	touched  bool

	defaults  task.Slot
	edits     int
	inquiries []*inquiry
	creating  bool
	awaiting  bool // the case is opened when the sources have answered
}

// New returns the form of a new case, filled from c.
func New(ctx context.Context, d Deps, c backend.NewCase) *Screen {
	s := &Screen{ctx: ctx, deps: d, now: d.Now, zone: d.Zone}
	s.fill(c)
	return s
}

// Connect returns the form that names sources for the saved case at path; c
// holds what belongs to the case, and the sources it has now.
func Connect(ctx context.Context, d Deps, path string, c backend.NewCase) *Screen {
	s := New(ctx, d, c)
	s.path = path
	s.goTo(s.fields[fieldDatabases])
	return s
}

func (s *Screen) fill(c backend.NewCase) {
	s.base, s.fields, s.places = c, newFields(c), newPlaces(c.Places)
}

// Path is that of the saved case whose sources are named, or "".
func (s *Screen) Path() string { return s.path }

// Name is the scope of the form in the key map.
func (s *Screen) Name() string { return "new" }

// Init asks for defaults and checks the sources that are there already.
func (s *Screen) Init() tea.Cmd {
	s.awaiting = false
	s.creating = false
	b := s.deps.Backend
	if s.touched {
		return nil
	}
	return s.defaults.Start(s.ctx, func(ctx context.Context) (any, error) { return b.Defaults(ctx) })
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
	case Failed:
		if s.creating {
			s.creating, s.problem = false, m.Err.Error()
		}
	case task.Done:
		if s.defaults.Take(m) {
			return s.takeDefaults(m)
		}
		s.take(msg)
		return s.answeredAll()
	case answered:
		s.take(msg)
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
	s.profiles, s.kinds = d.Profiles, d.Places
	if !s.touched && s.path == "" {
		typed := s.base.Record
		s.fill(d.Case)
		if typed != "" {
			s.fields[fieldRecord].input.Set(typed)
		}
	}
	return s.startCheck()
}

// Actions is what the form can do beside taking text.
func (s *Screen) Actions() keys.Table {
	return keys.Table{
		{ID: "create", Keys: []string{"ctrl+s"}, Title: "Open the case", Short: "open the case", Group: "Form", Disabled: s.busy, Run: s.create},
		{ID: "next", Keys: []string{"tab", "down"}, Title: "Go to the next field", Short: "next field", Group: "Form", Run: s.step(1)},
		{ID: "enter", Keys: []string{"enter"}, Title: "Take the field; on the last one, open the case", Group: "Form", Disabled: s.busy, Run: s.enter},
		{ID: "previous", Keys: []string{"shift+tab", "up"}, Title: "Go to the field before", Short: "field before", Group: "Form", Run: s.step(-1)},
		{ID: "answers", Keys: []string{"ctrl+o", "f2"}, Title: "Read in full what the sources say", Short: "all they say", Group: "Form", Disabled: s.unasked, Run: s.showAnswers},
		{ID: "check", Keys: []string{"ctrl+r"}, Title: "Ask the sources again", Short: "ask sources again", Group: "Form", Run: s.askAgain},
	}
}

func (s *Screen) busy() string {
	if s.creating {
		return "the case is being opened"
	}
	return ""
}

func (s *Screen) unasked() string {
	if len(s.inquiries) == 0 {
		return "no source has been named yet"
	}
	return ""
}

func (s *Screen) enter() tea.Cmd {
	if s.at == len(s.rows())-1 {
		return s.create()
	}
	return s.step(1)()
}

func (s *Screen) step(d int) func() tea.Cmd {
	return func() tea.Cmd {
		left, n := s.current(), len(s.rows())
		if d > 0 && left.id == fieldPlace && value(left) != "" {
			s.tidy()
			n = len(s.rows())
		}
		s.at = (s.at + d + n) % n
		s.tidy()
		s.cleanRecord()
		s.problem, s.typing = "", nil
		return tea.Batch(s.startCheck(), s.settle(left, nil))
	}
}

// cleanRecord leaves out of the id what a copy brought along.
func (s *Screen) cleanRecord() {
	if id, cut := typed.RecordID(s.value(fieldRecord)); cut {
		s.fields[fieldRecord].input.Set(id)
	}
}

// settle asks which date was meant when a field that is left can be read in two
// ways; then is done after the answer.
func (s *Screen) settle(f *field, then func() tea.Cmd) tea.Cmd {
	if !f.timed {
		return nil
	}
	r, err := s.instant(f)
	if err != nil || len(r.Ambiguous) == 0 {
		return nil
	}
	c := &parts.Choose{Title: "Which one?", NoNote: true, Text: fmt.Sprintf("%q can be read in more than one way.", value(f))}
	for i, t := range r.Ambiguous {
		c.Choices = append(c.Choices, parts.Choice{Key: fmt.Sprint(i + 1), Word: t.Format("2 Jan 2006"), Means: when.Say(t, s.now())})
	}
	c.Do = func(i int, _ string) tea.Cmd {
		f.input.Set(r.Ambiguous[i].Format(time.RFC3339Nano))
		if then != nil {
			return then()
		}
		return nil
	}
	return nav.Say(nav.Dialog{Overlay: c})
}

// create opens the case, after asking whether places that cannot be used are to
// be left out: they cannot be looked into later without being named again.
func (s *Screen) create() tea.Cmd {
	c, bad, err := s.build()
	if errors.Is(err, errAmbiguous) {
		return s.settle(bad, s.create)
	}
	if err != nil {
		s.goTo(bad)
		s.problem = err.Error()
		return nil
	}
	s.problem, s.typing = "", nil
	cmd := s.startCheck()
	if s.asking() && !s.awaiting { // what cannot be used is better known before than after
		s.awaiting = true
		return cmd
	}
	s.awaiting = false
	first, n := s.unusable()
	if n == 0 {
		return tea.Batch(cmd, s.open(c))
	}
	s.goTo(s.wrongField(first))
	say := first.label + ": " + first.failed()
	if n > 1 {
		say = fmt.Sprintf("%d sources cannot be used. The first is %s", n, say)
	}
	return nav.Say(nav.Dialog{Overlay: &parts.Confirm{
		Title: "Open the case all the same?", Text: say, Yes: "open it", No: "correct this first", Do: func() tea.Cmd { return s.open(c) },
	}})
}

// answeredAll opens the case that waits for the sources, when none is left to
// answer.
func (s *Screen) answeredAll() tea.Cmd {
	if !s.awaiting || s.asking() {
		return nil
	}
	return s.create()
}

// asking reports whether a source has not answered yet.
func (s *Screen) asking() bool {
	return slices.ContainsFunc(s.inquiries, func(q *inquiry) bool { return q.slot.Busy() })
}

func (s *Screen) open(c backend.NewCase) tea.Cmd {
	s.creating = true
	if s.path != "" {
		return nav.Say(nav.Connect{Path: s.path, Case: c})
	}
	return nav.Say(nav.Create{Case: c})
}

// Typing is always true: every printable key is text.
func (s *Screen) Typing() bool { return true }

// Type hands a key to the field, and asks the sources once typing pauses.
func (s *Screen) Type(k tea.KeyMsg) tea.Cmd {
	f := s.current()
	switch {
	case f.id == fieldProfile:
		s.cycleProfile(k)
	case !f.input.Type(f.oneLine(k)):
		return nil
	}
	s.typing = f
	if k.Paste { // what was pasted is there as a whole
		s.typing = nil
		s.cleanRecord()
	}
	s.touched, s.problem, s.awaiting = true, "", false
	s.edits++
	n := s.edits
	return s.deps.After(pause, func() tea.Msg { return pauseOver{s, n} })
}

// oneLine makes a paste of several lines fit one: where several things may be
// named each line is one of them.
func (f *field) oneLine(k tea.KeyMsg) tea.KeyMsg {
	if f.several && k.Paste {
		k.Runes = []rune(typed.Lines(string(k.Runes)))
	}
	return k
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
	_, n := s.unusable()
	switch {
	case s.creating:
		return "the case is being opened"
	case s.awaiting:
		return "the case opens when the sources have answered; ctrl+s again: at once"
	case s.path == "" && s.value(fieldRecord) == "":
		return "type the id that is missing; all else may stay as it is"
	case n > 0:
		return "correct what cannot be used (↑ ↓ go there), or ctrl+s all the same"
	case s.path != "":
		return "name its sources; ctrl+s connects them"
	case len(s.inquiries) == 0:
		return "tab goes on: name a database or logs; ctrl+s opens the case"
	}
	return "ctrl+s opens the case; tab goes on to the next field"
}

// Form is true: tab and the like keep their meaning while text is typed.
func (s *Screen) Form() bool { return true }

// Busy reports whether sources are being asked.
func (s *Screen) Busy() bool {
	return s.creating || s.asking()
}
