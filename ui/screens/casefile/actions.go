package casefile

import (
	"fmt"

	tea "github.com/charmbracelet/bubbletea"

	"inquest/investigations"
	"inquest/ui/backend"
	"inquest/ui/keys"
	"inquest/ui/nav"
	"inquest/ui/parts"
	"inquest/ui/text"
)

// Actions is what the case screen can do.
func (s *Screen) Actions() keys.Table {
	t := keys.Table{
		{ID: "pane", Keys: []string{"tab"}, Title: "Go to the next pane", Short: "pane", Group: "Look", Run: s.turn(1)},
		{ID: "open", Keys: []string{"enter", "right", "l"}, Title: "Open or answer the selected thing", Short: "open", Group: "Look", Run: s.open},
		{ID: "run-all", Keys: []string{"R"}, Title: "Run the whole checklist", Short: "run all", Group: "Run", Disabled: s.cannotRun, Run: s.runAll},
		{ID: "run-step", Keys: []string{"r"}, Title: "Run the selected step", Short: "run step", Group: "Run", Disabled: s.cannotRunStep, Run: s.runStep},
		{ID: "run-probe", Keys: []string{"p"}, Title: "Run only the selected probe", Group: "Run", Disabled: s.cannotRunProbe, Run: s.runProbe},
		{ID: "cancel", Keys: []string{"x"}, Title: "Cancel the selected probe, or all that run", Short: "cancel", Group: "Run", Disabled: s.nothingRuns, Run: s.cancel},
		{ID: "sql", Keys: []string{"s"}, Title: "Show what the selected probe asks, and the SQL or command it sends", Group: "Look", Disabled: s.noProbe, Run: s.showSQL},
		{ID: "next-question", Keys: []string{"A"}, Title: "Answer the next question that only you can answer", Short: "answer", Group: "Answer", Disabled: s.noQuestion, Run: s.nextQuestion},
		{ID: "verdict", Keys: []string{"v"}, Title: "Give the step your verdict", Short: "verdict", Group: "Answer", Disabled: s.cannotSign, Run: s.verdict},
		{ID: "note", Keys: []string{"n"}, Title: "Write a note on the selected thing", Short: "note", Group: "Answer", Disabled: s.readOnly, Run: s.note},
		{ID: "mark", Keys: []string{"m"}, Title: "Mark the selected thing, or take its mark away", Short: "mark", Group: "Answer", Disabled: s.readOnly, Run: s.mark},
		{ID: "undo", Keys: []string{"u"}, Title: "Undo the newest answer, verdict or note", Short: "undo", Group: "Answer", Disabled: s.cannotUndo, Run: s.undo},
		{ID: "export", Keys: []string{"e", "X"}, Title: "Write the report to a file", Short: "export", Group: "Report", Run: s.export},
		{ID: "report", Keys: []string{"w"}, Title: "Read the report as it will be written", Group: "Report", Run: show(nav.PageReport)},
		{ID: "answer", Keys: []string{"a"}, Title: "Read the answer so far in full, with what would settle it", Short: "so far", Group: "Look", Run: s.answerSoFar},
		{ID: "matrix", Keys: []string{"h"}, Title: "Weigh the evidence against every cause", Short: "causes", Group: "Look", Run: s.matrix},
		{ID: "timeline", Keys: []string{"t"}, Title: "Show the whole timeline", Short: "timeline", Group: "Look", Run: s.timeline},
		{ID: "evidence", Keys: []string{"E"}, Title: "Show all evidence", Group: "Look", Run: show(nav.PageEvidence)},
		{ID: "record", Keys: []string{"o"}, Title: "Show the record: versions and recovered content", Group: "Look", Run: show(nav.PageRecord)},
		{ID: "coverage", Keys: []string{"c"}, Title: "Show coverage, gaps and when evidence expires", Short: "coverage", Group: "Look", Run: show(nav.PageCoverage)},
		{ID: "statements", Keys: []string{"S"}, Title: "Show every statement that was sent", Group: "Look", Run: show(nav.PageStatements)},
		{ID: "filter", Keys: []string{"/"}, Title: "Filter the list in front: steps, probes, events or causes", Group: "Look", Run: s.openFilter},
		{ID: "pane-back", Keys: []string{"shift+tab", "left"}, Title: "Go to the pane before", Group: "Look", Run: s.turn(-1)},
		{ID: "copy", Keys: []string{"y"}, Title: "Copy the selected thing", Group: "Report", Run: s.copyIt},
		{ID: "connect", Keys: []string{"C"}, Title: "Name the sources of this case: databases, logs, other places", Short: "sources", Group: "Run", Disabled: s.cannotConnect, Run: s.connect},
		{ID: "copy-command", Keys: []string{"Y"}, Title: "Copy the shell command that opens this case", Group: "Report", Run: s.copyCommand},
	}
	for i := range investigations.Steps() {
		t = append(t, keys.Action{
			ID: fmt.Sprintf("step-%d", i+1), Keys: []string{fmt.Sprint((i + 1) % 10)}, Title: fmt.Sprintf("Go to step %d", i+1), Group: "Move",
			Run: func() tea.Cmd { s.selectStep(i); return nil },
		})
	}
	return append(t, parts.Moves(s.mover)...)
}

func show(p nav.Page) func() tea.Cmd { return func() tea.Cmd { return nav.Say(nav.Show{Page: p}) } }

func (s *Screen) readOnly() string { return s.live.Session.ReadOnly() }

func (s *Screen) cannotRun() string {
	switch why := s.readOnly(); {
	case why != "":
		return why
	case !s.live.Ready:
		return "the case is still being read"
	case s.live.Busy():
		return "probes are running: wait for them, or cancel with x"
	}
	return s.apart()
}

// apart says why the case has no sources that could be asked, or "".
func (s *Screen) apart() string {
	why := s.live.CannotRun()
	if why != "" && s.cannotConnect() == "" {
		return "no source is connected: a case file keeps no connections. C names them"
	}
	return why
}

func (s *Screen) cannotConnect() string {
	asked, ok := s.live.Session.(backend.Asked)
	switch {
	case !ok:
		return "this case takes no other sources"
	case s.live.Busy():
		return "probes are running: wait for them, or cancel with x"
	}
	_, why := asked.Asked()
	return why
}

// connect asks for the sources, beginning with those there are.
func (s *Screen) connect() tea.Cmd {
	asked, ok := s.live.Session.(backend.Asked)
	if !ok {
		return nil
	}
	c, _ := asked.Asked()
	st := s.live.Snap.State
	c.Record, c.Table, c.Hints, c.Window = st.Record.ID, st.Record.Table, st.Record.Hints, st.Window
	if c.AppRole == "" {
		c.AppRole, c.AppSettings = st.Options.AppRole, st.Options.AppSettings
	}
	if c.Budget == "" {
		c.Budget = st.Options.Budget
	}
	return nav.Say(nav.Sources{Case: c})
}

func (s *Screen) noStep() string {
	if _, ok := s.step(); !ok {
		return "no step is selected: esc clears the filter"
	}
	return ""
}

func (s *Screen) cannotRunStep() string {
	if why := s.cannotRun(); why != "" {
		return why
	}
	return s.noStep()
}

func (s *Screen) cannotSign() string {
	if why := s.readOnly(); why != "" {
		return why
	}
	return s.noStep()
}

func (s *Screen) noQuestion() string {
	if why := s.readOnly(); why != "" {
		return why
	}
	if s.unanswered() < 0 {
		return "every question has been answered: tab and ⏎ change an answer"
	}
	return ""
}

func (s *Screen) noProbe() string {
	if _, ok := s.onProbe(); !ok {
		return "no probe is selected: go to one in the step pane"
	}
	return ""
}

func (s *Screen) cannotRunProbe() string {
	if why := s.cannotRun(); why != "" {
		return why
	}
	return s.noProbe()
}

func (s *Screen) nothingRuns() string {
	if !s.live.Busy() {
		return "nothing is running"
	}
	return ""
}

func (s *Screen) cannotUndo() string {
	if why := s.readOnly(); why != "" {
		return why
	}
	if _, ok := s.live.Snap.State.LastUndoable(); !ok {
		return "there is no answer, verdict or note to undo"
	}
	return ""
}

func (s *Screen) turn(d int) func() tea.Cmd {
	return func() tea.Cmd {
		s.focus = (s.focus + pane(d) + panes) % panes
		return nil
	}
}

func (s *Screen) openFilter() tea.Cmd {
	s.filter().Open()
	return nil
}

func (s *Screen) runAll() tea.Cmd { return s.live.Run("the whole checklist", nil) }

func (s *Screen) runStep() tea.Cmd {
	st, _ := s.step()
	return s.live.Run("step "+st.Step.Title, func(p investigations.Probe) bool { return p.Step == st.Step.ID })
}

func (s *Screen) runProbe() tea.Cmd {
	p, _ := s.onProbe()
	id := p.Probe.ID
	return s.live.Run(p.Probe.Title, func(q investigations.Probe) bool { return q.ID == id })
}

// cancel ends the selected probe when it runs, else everything.
func (s *Screen) cancel() tea.Cmd {
	if p, ok := s.onProbe(); ok {
		if _, running := s.live.Running[p.Probe.ID]; running {
			session := s.live.Session
			return func() tea.Msg {
				session.Cancel(p.Probe.ID)
				return nav.Toast{Text: "cancelled " + p.Probe.Title + ": what it had collected is kept"}
			}
		}
	}
	s.live.Interrupt()
	return nav.Tell("cancelled: what had been collected is kept")
}

func (s *Screen) matrix() tea.Cmd {
	item := ""
	if h, ok := s.cause(); ok && s.focus == paneCauses {
		item = h.Mechanism
	}
	return nav.Say(nav.Show{Page: nav.PageMatrix, Item: item})
}

func (s *Screen) timeline() tea.Cmd {
	item := ""
	if m, ok := s.moment(); ok && s.focus == paneTimeline && !m.Time.IsZero() {
		item = m.Time.UTC().Format(timeItem)
	}
	return nav.Say(nav.Show{Page: nav.PageTimeline, Item: item})
}

const timeItem = "2006-01-02T15:04:05.999999999Z07:00"

func (s *Screen) export() tea.Cmd {
	return nav.Say(nav.Dialog{Overlay: &parts.Prompt{
		Title: "Write the report", Label: "File to write: .md, .html or .json by its ending. Leave it empty for the default place.",
		Do: func(path string) tea.Cmd { return nav.Say(nav.Export{To: path}) },
	}})
}

func (s *Screen) copyIt() tea.Cmd {
	out := s.live.Snap.State.Record.ID
	what := "the record id"
	switch s.focus {
	case paneTimeline:
		if m, ok := s.moment(); ok {
			out, what = m.Time.UTC().Format(timeItem)+" "+m.Source+" "+m.Summary, "the line of the timeline"
		}
	case paneCauses:
		if h, ok := s.cause(); ok {
			out, what = h.Summary, "the hypothesis"
		}
	case paneStep:
		if p, ok := s.onProbe(); ok {
			out, what = p.Reading.Summary, "the probe's answer"
		}
	}
	return nav.Say(nav.Copy{Text: out, What: what})
}

func (s *Screen) copyCommand() tea.Cmd {
	return nav.Say(nav.Copy{Text: "inquest open " + text.ShellQuote(s.live.Session.Path()), What: "the command"})
}
