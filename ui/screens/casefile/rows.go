package casefile

import (
	"strings"

	"inquest/investigations"
	"inquest/ui/parts"
)

// rowKind tells the rows of the step pane apart.
type rowKind int

const (
	rowProbe rowKind = iota
	rowQuestion
	rowVerdict
)

// row is one selectable thing of the step pane.
type row struct {
	kind     rowKind
	probe    investigations.ProbeResult
	question investigations.Question
}

// text is what the filter of the step matches.
func (r row) text() string {
	switch r.kind {
	case rowProbe:
		return r.probe.Probe.Title + " " + string(r.probe.Reading.Outcome) + " " + r.probe.Reading.Summary
	case rowQuestion:
		return "question " + r.question.Ask
	}
	return "verdict"
}

// stepRows lists the rows of the selected step that its filter lets through.
func (s *Screen) stepRows() []row {
	all, f := s.allRows(), &s.filters[paneStep]
	if f.Text() == "" {
		return all
	}
	out := make([]row, 0, len(all))
	for k := range f.Len(len(all)) {
		if i := f.At(k); i >= 0 && i < len(all) {
			out = append(out, all[i])
		}
	}
	return out
}

// allRows lists the probes, the questions and the verdict of the selected step.
func (s *Screen) allRows() []row {
	st, ok := s.step()
	if !ok {
		return nil
	}
	out := make([]row, 0, len(st.Probes)+len(st.Step.Questions)+1)
	for _, p := range st.Probes {
		out = append(out, row{kind: rowProbe, probe: p})
	}
	for _, q := range st.Step.Questions {
		out = append(out, row{kind: rowQuestion, question: q})
	}
	return append(out, row{kind: rowVerdict})
}

// selected returns the row under the cursor of the step pane.
func (s *Screen) selected() (row, bool) {
	rows := s.stepRows()
	if i := s.rows.Cursor(); i < len(rows) {
		return rows[i], true
	}
	return row{}, false
}

// onProbe returns the probe that keys act on: the selected row of the step
// pane, false when it is none.
func (s *Screen) onProbe() (investigations.ProbeResult, bool) {
	if s.focus != paneStep {
		return investigations.ProbeResult{}, false
	}
	r, ok := s.selected()
	return r.probe, ok && r.kind == rowProbe
}

// target names what notes and marks are about: the thing under the cursor.
func (s *Screen) target() parts.Thing {
	switch s.focus {
	case paneTimeline:
		if m, ok := s.moment(); ok {
			return parts.EventThing(m)
		}
	case paneCauses:
		if h, ok := s.cause(); ok {
			return parts.Thing{ID: "mechanism:" + h.Mechanism, Title: words(h.Mechanism)}
		}
	case paneStep:
		if p, ok := s.onProbe(); ok {
			return parts.Thing{ID: "probe:" + p.Probe.ID, Title: p.Probe.Title}
		}
	}
	if st, ok := s.step(); ok {
		return parts.Thing{ID: "step:" + string(st.Step.ID), Title: st.Step.Title}
	}
	return parts.Thing{Title: "this case"}
}

func (s *Screen) notes() []investigations.Note { return s.live.Snap.State.Notes }

func (s *Screen) marked(id string) bool { return parts.Marked(s.notes(), id) }

func (s *Screen) notesOn(id string) []string { return parts.NotesOn(s.notes(), id) }

func words(slug string) string { return strings.ReplaceAll(slug, "-", " ") }
