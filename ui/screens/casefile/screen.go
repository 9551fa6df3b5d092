// Package casefile is the screen where an investigation happens: the checklist,
// the step with its probes and questions, the timeline and the hypotheses.
package casefile

import (
	"encoding/json"
	"fmt"
	"slices"

	tea "github.com/charmbracelet/bubbletea"

	"inquest/investigations"
	"inquest/ui/live"
	"inquest/ui/nav"
	"inquest/ui/parts"
	"inquest/ui/task"
	"inquest/ui/text"
)

// pane is one of the four parts of the screen.
type pane int

const (
	paneChecklist pane = iota
	paneStep
	paneTimeline
	paneCauses
	panes
)

// Screen is the case screen.
type Screen struct {
	live  *live.Case
	focus pane

	steps   parts.List
	rows    parts.Blocks // of the selected step
	moments parts.List
	causes  parts.List
	search  tea.Cmd
	filter  parts.Filter // on the timeline or the checklist, whichever had the focus

	seen  int // snapshot version that the lists were made for
	place *place
	shown shown // what the last View drew from, kept while nothing changed
}

// place is where the screen stood, kept apart from the journal.
type place struct {
	Focus  int    `json:"focus"`
	Step   string `json:"step"`
	Row    int    `json:"row"`
	Moment int    `json:"moment"`
	Cause  string `json:"cause"`
}

// New returns the screen of a live case.
func New(c *live.Case) *Screen {
	s := &Screen{live: c}
	s.steps.SetLen(len(investigations.Steps()))
	return s
}

// Name is the scope of the screen in the key map.
func (s *Screen) Name() string { return "case" }

// Init has nothing to fetch: the live case does.
func (s *Screen) Init() tea.Cmd { return nil }

// Update follows the live case.
func (s *Screen) Update(msg tea.Msg) tea.Cmd {
	if d, ok := msg.(task.Done); ok && s.filter.Take(d) {
		s.moments.SetLen(s.filter.Len(len(s.live.Snap.Assessment.Timeline)))
	}
	s.sync()
	return s.pending()
}

// pending returns the search that has still to be run beside the screen.
func (s *Screen) pending() tea.Cmd {
	cmd := s.search
	s.search = nil
	return cmd
}

// sync fits the lists to the newest snapshot.
func (s *Screen) sync() {
	if s.live.Snap.Version == s.seen {
		return
	}
	s.seen = s.live.Snap.Version
	s.steps.SetLen(len(s.live.Snap.Assessment.Steps))
	s.applyFilter()
	s.causes.SetLen(len(s.live.Snap.Assessment.Hypotheses))
	if p := s.place; p != nil && s.live.Ready {
		s.place = nil
		s.goTo(*p)
	}
	s.rows.SetLen(len(s.stepRows()))
}

func (s *Screen) applyFilter() {
	all := s.live.Snap.Assessment.Timeline
	s.search = s.filter.Refresh(parts.Texts{N: len(all), At: func(i int) string { return all[i].Source + " " + all[i].Summary + " " + all[i].Evidence }})
	s.moments.SetLen(s.filter.Len(len(all)))
}

// step returns the selected step, false before the first snapshot.
func (s *Screen) step() (investigations.StepResult, bool) {
	steps := s.live.Snap.Assessment.Steps
	i := s.steps.Cursor()
	if i >= len(steps) {
		return investigations.StepResult{}, false
	}
	return steps[i], true
}

func (s *Screen) moment() (investigations.Moment, bool) {
	all := s.live.Snap.Assessment.Timeline
	i := s.filter.At(s.moments.Cursor())
	if i < 0 || i >= len(all) || s.moments.Len() == 0 {
		return investigations.Moment{}, false
	}
	return all[i], true
}

func (s *Screen) cause() (investigations.Hypothesis, bool) {
	all := s.live.Snap.Assessment.Hypotheses
	if i := s.causes.Cursor(); i < len(all) {
		return all[i], true
	}
	return investigations.Hypothesis{}, false
}

// stepMover moves the checklist's cursor and starts the step's rows anew.
type stepMover struct{ s *Screen }

func (m stepMover) Move(d int)   { m.Select(m.s.steps.Cursor() + d) }
func (m stepMover) Page(d int)   { m.Move(d * 5) }
func (m stepMover) Len() int     { return m.s.steps.Len() }
func (m stepMover) Select(i int) { m.s.selectStep(i) }

func (s *Screen) selectStep(i int) {
	before := s.steps.Cursor()
	s.steps.Select(i)
	if s.steps.Cursor() != before {
		s.rows = parts.Blocks{}
	}
	s.rows.SetLen(len(s.stepRows()))
}

func (s *Screen) mover() parts.Mover {
	switch s.focus {
	case paneStep:
		return &s.rows
	case paneTimeline:
		return &s.moments
	case paneCauses:
		return &s.causes
	default:
		return stepMover{s}
	}
}

// Typing reports whether the filter takes the keys.
func (s *Screen) Typing() bool { return s.filter.Typing() }

// Type hands a key to the filter.
func (s *Screen) Type(k tea.KeyMsg) tea.Cmd {
	s.filter.Type(k)
	s.applyFilter()
	return s.pending()
}

// Back clears the filter, or leaves a pane for the checklist.
func (s *Screen) Back() bool {
	if s.filter.Clear() {
		s.applyFilter()
		return true
	}
	if s.focus != paneChecklist {
		s.focus = paneChecklist
		return true
	}
	return false
}

// Place says where the screen stands.
func (s *Screen) Place() string {
	if s.place != nil { // nothing has been shown yet
		b, _ := json.Marshal(*s.place)
		return string(b)
	}
	p := place{Focus: int(s.focus), Row: s.rows.Cursor(), Moment: s.moments.Cursor()}
	if st, ok := s.step(); ok {
		p.Step = string(st.Step.ID)
	}
	if h, ok := s.cause(); ok {
		p.Cause = h.Mechanism
	}
	b, _ := json.Marshal(p)
	return string(b)
}

// Restore goes back to a place, as soon as the case is there.
func (s *Screen) Restore(text string) {
	var p place
	if json.Unmarshal([]byte(text), &p) != nil {
		return
	}
	s.place = &p
	s.seen = -1
	s.sync()
}

func (s *Screen) goTo(p place) {
	if p.Focus >= 0 && p.Focus < int(panes) {
		s.focus = pane(p.Focus)
	}
	a := s.live.Snap.Assessment
	s.steps.Select(slices.IndexFunc(a.Steps, func(st investigations.StepResult) bool { return string(st.Step.ID) == p.Step }))
	s.rows.SetLen(len(s.stepRows()))
	s.rows.Select(p.Row)
	s.moments.Select(p.Moment)
	s.causes.Select(slices.IndexFunc(a.Hypotheses, func(h investigations.Hypothesis) bool { return h.Mechanism == p.Cause }))
}

// Items lists steps, evidence and tables for the palette.
func (s *Screen) Items() []nav.Item {
	var out []nav.Item
	for i, st := range s.live.Snap.Assessment.Steps {
		out = append(out, nav.Item{
			Title: fmt.Sprintf("Go to step %d %s", i+1, st.Step.Title), Detail: string(st.Verdict),
			Run: func() tea.Cmd { s.selectStep(i); s.focus = paneStep; return nil },
		})
	}
	for _, h := range s.live.Snap.Assessment.Hypotheses {
		out = append(out, nav.Item{
			Title: "Weigh " + words(h.Mechanism), Detail: string(h.Standing),
			Run: func() tea.Cmd { return nav.Say(nav.Show{Page: nav.PageMatrix, Item: h.Mechanism}) },
		})
	}
	for _, e := range s.live.Snap.State.Evidence {
		out = append(out, nav.Item{
			Title: "Evidence " + e.ID + " " + e.Source, Detail: text.Fit(e.Query, 60),
			Run: func() tea.Cmd { return nav.Say(nav.Show{Page: nav.PageEvidence, Item: e.ID}) },
		})
	}
	return out
}
