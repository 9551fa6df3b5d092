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
	events  parts.Chronicle
	causes  parts.List
	search  tea.Cmd
	filters [panes]parts.Filter // that of the timeline is the chronicle's own

	seen  int // snapshot version that the lists were made for
	place *place
	shown shown // what the last View drew from, kept while nothing changed
	hits  parts.Hits
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
	if d, ok := msg.(task.Done); ok {
		s.events.Take(d)
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
	s.search = s.events.Show(s.live.Snap.Events)
	s.applyFilters()
	if p := s.place; p != nil && s.live.Ready {
		s.place = nil
		s.goTo(*p)
	}
	s.rows.SetLen(len(s.stepRows()))
}

// step returns the selected step, false before the first snapshot.
func (s *Screen) step() (investigations.StepResult, bool) {
	steps := s.live.Snap.Assessment.Steps
	i := s.stepIndex()
	if i < 0 || i >= len(steps) {
		return investigations.StepResult{}, false
	}
	return steps[i], true
}

func (s *Screen) moment() (investigations.Moment, bool) { return s.events.Selected() }

func (s *Screen) cause() (investigations.Hypothesis, bool) {
	all := s.live.Snap.Assessment.Hypotheses
	if i := s.filters[paneCauses].At(s.causes.Cursor()); i >= 0 && i < len(all) {
		return all[i], true
	}
	return investigations.Hypothesis{}, false
}

// stepIndex is the number of the selected step, from 0; -1 when none is shown.
func (s *Screen) stepIndex() int { return s.filters[paneChecklist].At(s.steps.Cursor()) }

// stepMover moves the checklist's cursor and starts the step's rows anew.
type stepMover struct{ s *Screen }

func (m stepMover) Move(d int) { m.Select(m.s.steps.Cursor() + d) }
func (m stepMover) Page(d int) { m.Move(d * 5) }
func (m stepMover) Len() int   { return m.s.steps.Len() }
func (m stepMover) Select(i int) {
	before := m.s.stepIndex()
	m.s.steps.Select(i)
	m.s.fresh(before)
}

// fresh starts the rows of the step anew when another step is selected.
func (s *Screen) fresh(before int) {
	if s.stepIndex() != before {
		s.rows = parts.Blocks{}
		s.filters[paneStep].Clear()
	}
	s.rows.SetLen(len(s.stepRows()))
}

// selectStep selects a step by its number, whatever the filter hides.
func (s *Screen) selectStep(i int) {
	before := s.stepIndex()
	if s.filters[paneChecklist].Clear() {
		s.steps.SetLen(len(s.live.Snap.Assessment.Steps))
	}
	s.steps.Select(i)
	s.fresh(before)
}

func (s *Screen) mover() parts.Mover {
	switch s.focus {
	case paneStep:
		return &s.rows
	case paneTimeline:
		return s.events.List()
	case paneCauses:
		return &s.causes
	default:
		return stepMover{s}
	}
}

// filter returns the filter of the pane in front.
func (s *Screen) filter() *parts.Filter {
	if s.focus == paneTimeline {
		return &s.events.Filter
	}
	return &s.filters[s.focus]
}

// applyFilters matches the short lists anew.
func (s *Screen) applyFilters() {
	a, before := s.live.Snap.Assessment, s.stepIndex()
	s.filters[paneChecklist].Apply(parts.Texts{N: len(a.Steps), At: func(i int) string {
		return fmt.Sprintf("%d %s %s", i+1, a.Steps[i].Step.Title, a.Steps[i].Verdict)
	}})
	s.steps.SetLen(s.filters[paneChecklist].Len(len(a.Steps)))
	s.filters[paneCauses].Apply(parts.Texts{N: len(a.Hypotheses), At: func(i int) string {
		h := a.Hypotheses[i]
		return words(h.Mechanism) + " " + string(h.Standing) + " " + string(h.Cause)
	}})
	s.causes.SetLen(s.filters[paneCauses].Len(len(a.Hypotheses)))
	all := s.allRows()
	s.filters[paneStep].Apply(parts.Texts{N: len(all), At: func(i int) string { return all[i].text() }})
	s.fresh(before)
}

// Typing reports whether the filter takes the keys.
func (s *Screen) Typing() bool { return s.filter().Typing() }

// Type hands a key to the filter of the pane in front.
func (s *Screen) Type(k tea.KeyMsg) tea.Cmd {
	if s.focus == paneTimeline {
		return s.events.Type(k)
	}
	s.filter().Type(k)
	s.applyFilters()
	return nil
}

// Back clears a filter, or leaves a pane for the checklist.
func (s *Screen) Back() bool {
	if s.focus == paneTimeline {
		if was, cmd := s.events.Clear(); was {
			s.search = cmd
			return true
		}
	}
	if s.filter().Clear() {
		s.applyFilters()
		return true
	}
	if s.focus != paneChecklist {
		s.focus = paneChecklist
		return true
	}
	return false
}

// Click goes to a pane and selects what stands there.
func (s *Screen) Click(x, y int) tea.Cmd { return s.hits.Click(x, y) }

// clickable makes a pane at x, y take the mouse.
func (s *Screen) clickable(p pane, x, y, w, h int) {
	s.hits.Add(x, y, w, h, func(row int) tea.Cmd {
		was := s.focus
		s.focus = p
		if p == paneStep || was != p && h < 3 {
			return nil
		}
		if s.filter().Active() {
			row-- // the line of the filter
		}
		m := &s.steps
		switch p {
		case paneTimeline:
			m = s.events.List()
		case paneCauses:
			m = &s.causes
		}
		if to := m.Top() + row - 1; row > 0 && row < h-1 && to < m.Len() {
			s.mover().Select(to)
		}
		return nil
	})
}

// Place says where the screen stands.
func (s *Screen) Place() string {
	if s.place != nil { // nothing has been shown yet
		b, _ := json.Marshal(*s.place)
		return string(b)
	}
	p := place{Focus: int(s.focus), Row: s.rows.Cursor(), Moment: s.events.List().Cursor()}
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
	s.events.List().Select(p.Moment)
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
	for _, t := range investigations.Tables(s.live.Snap.State) {
		out = append(out, nav.Item{
			Title: "Table " + t, Detail: "its evidence", Run: func() tea.Cmd { return nav.Say(nav.Show{Page: nav.PageEvidence, Find: t}) },
		})
	}
	for _, e := range s.live.Snap.State.Evidence {
		out = append(out, nav.Item{
			Title: "Evidence " + e.ID + " " + e.Source + " " + e.Tag, Detail: text.Fit(e.Query, 60),
			Run: func() tea.Cmd { return nav.Say(nav.Show{Page: nav.PageEvidence, Item: e.ID}) },
		})
	}
	return out
}
