package casefile

import (
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"inquest/investigations"
	"inquest/ui/nav"
	"inquest/ui/parts"
	"inquest/ui/theme"
)

// open does what enter means for the selected thing.
func (s *Screen) open() tea.Cmd {
	switch s.focus {
	case paneChecklist:
		s.focus = paneStep
		return nil
	case paneTimeline:
		m, ok := s.moment()
		switch {
		case ok && m.Evidence != "":
			return nav.Say(nav.Show{Page: nav.PageEvidence, Item: m.Evidence})
		case ok:
			return nav.Tell("this event names no evidence")
		}
		return nav.Tell("nothing has been put on the timeline yet: press R to run the checklist")
	case paneCauses:
		return s.matrix()
	}
	r, ok := s.selected()
	switch {
	case !ok:
		return nil
	case r.kind == rowQuestion:
		return s.answer(r.question)
	case r.kind == rowVerdict:
		if why := s.readOnly(); why != "" {
			return nav.Tell(why)
		}
		return s.verdict()
	case len(r.probe.Evidence) > 0:
		return nav.Say(nav.Show{Page: nav.PageEvidence, Item: r.probe.Evidence[0]})
	default:
		return s.showSQL()
	}
}

// nextQuestion goes to the next question that has no answer, and asks it.
func (s *Screen) nextQuestion() tea.Cmd {
	i := s.unanswered()
	if i < 0 {
		return nil
	}
	s.selectStep(i)
	s.focus = paneStep
	s.filters[paneStep].Clear()
	rows := s.allRows()
	s.rows.SetLen(len(rows))
	for k, r := range rows {
		if _, ok := s.live.Snap.State.Answers[r.question.ID]; r.kind == rowQuestion && !ok {
			s.rows.Select(k)
			return s.answer(r.question)
		}
	}
	return nil
}

var answers = []parts.Choice{
	{Key: "y", Word: "yes", Means: "it is so"},
	{Key: "n", Word: "no", Means: "it is not so, and you know it"},
	{Key: "u", Word: "unknown", Means: "nobody could say"},
}

func (s *Screen) answer(q investigations.Question) tea.Cmd {
	if why := s.readOnly(); why != "" {
		return nav.Tell(why)
	}
	old := s.live.Snap.State.Answers[q.ID]
	c := &parts.Choose{Title: "Your answer", Text: q.Ask + " " + q.Why, Choices: answers, Note: parts.NewInput(old.Note)}
	for i, a := range answers {
		if a.Word == old.Answer {
			c.At = i
		}
	}
	c.Do = func(i int, note string) tea.Cmd {
		return s.record(investigations.EntryAnswered, investigations.Answered{Question: q.ID, Answer: answers[i].Word, Note: note}, "answered: "+answers[i].Word)
	}
	return nav.Say(nav.Dialog{Overlay: c})
}

var verdicts = []struct {
	v          investigations.Verdict
	key, means string
}{
	{investigations.VerdictFinding, "f", "something here bears on the record"},
	{investigations.VerdictClean, "c", "looked where it would have shown, nothing there"},
	{investigations.VerdictCannotTell, "t", "could not look, or not far enough"},
	{investigations.VerdictSkipped, "s", "not looked at, on purpose"},
}

func (s *Screen) verdict() tea.Cmd {
	st, ok := s.step()
	if !ok {
		return nil
	}
	c := &parts.Choose{Title: "Your verdict · " + st.Step.Title, Text: st.Step.Asks + " What this does not exclude: " + st.Step.Negative, Note: parts.NewInput(st.Note)}
	for i, v := range verdicts {
		c.Choices = append(c.Choices, parts.Choice{Key: v.key, Word: strings.ReplaceAll(string(v.v), "-", " "), Means: v.means, Mark: func(t *theme.Theme) theme.Mark { return t.Verdict(v.v) }})
		if v.v == st.Verdict {
			c.At = i
		}
	}
	c.Do = func(i int, note string) tea.Cmd {
		return s.record(investigations.EntrySigned, investigations.Signed{Step: st.Step.ID, Verdict: verdicts[i].v, Note: note}, st.Step.Title+": "+c.Choices[i].Word)
	}
	return nav.Say(nav.Dialog{Overlay: c})
}

func (s *Screen) note() tea.Cmd { return parts.WriteNote(s.live.Session, s.target()) }

func (s *Screen) mark() tea.Cmd { return parts.ToggleMark(s.live.Session, s.notes(), s.target()) }

func (s *Screen) undo() tea.Cmd {
	session := s.live.Session
	return func() tea.Msg {
		done, err := session.Undo()
		switch {
		case err != nil:
			return nav.Toast{Text: "nothing was undone: " + err.Error(), Bad: true}
		case !done:
			return nav.Toast{Text: "there is nothing to undo"}
		}
		return nav.Toast{Text: "undone; the entry stays in the case file"}
	}
}

func (s *Screen) record(kind investigations.EntryKind, body any, said string) tea.Cmd {
	return parts.Record(s.live.Session, kind, body, said)
}

// showSQL tells what a probe asks, needs and sent.
func (s *Screen) showSQL() tea.Cmd {
	p, ok := s.onProbe()
	if !ok {
		return nil
	}
	var b strings.Builder
	b.WriteString(p.Probe.Asks + "\n\nWhy: " + p.Probe.Why + "\nFinding nothing does not exclude: " + p.Probe.Negative +
		"\nNeeds: " + p.Probe.Needs + "\nTime limit: " + parts.Span(p.Probe.Timeout) + "\n")
	var sent []string
	for _, id := range p.Evidence {
		if e, ok := s.live.Snap.State.EvidenceByID(id); ok && e.Query != "" {
			sent = append(sent, e.Query)
			b.WriteString("\n" + e.ID + " · " + e.Source + "\n" + e.Query + "\n")
		}
	}
	if p.Probe.Sends != "" && len(sent) == 0 {
		b.WriteString("\nIt will send:\n" + p.Probe.Sends + "\n")
		sent = append(sent, p.Probe.Sends)
	}
	if !p.Ran {
		b.WriteString("\nNothing has been sent yet. Every statement that it sends is listed under S, and in the report.")
	}
	return nav.Say(nav.Dialog{Overlay: &parts.Viewer{Title: p.Probe.Title, Text: b.String(), Copy: strings.Join(sent, "\n\n"), What: "the statements"}})
}
