package casefile

import (
	"strings"

	"inquest/investigations"
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

// stepRows lists the probes, the questions and the verdict of the selected step.
func (s *Screen) stepRows() []row {
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
func (s *Screen) target() (id, title string) {
	switch s.focus {
	case paneTimeline:
		if m, ok := s.moment(); ok && m.Evidence != "" {
			return m.Evidence, "evidence " + m.Evidence
		}
	case paneCauses:
		if h, ok := s.cause(); ok {
			return "mechanism:" + h.Mechanism, words(h.Mechanism)
		}
	case paneStep:
		if p, ok := s.onProbe(); ok {
			return "probe:" + p.Probe.ID, p.Probe.Title
		}
	}
	if st, ok := s.step(); ok {
		return "step:" + string(st.Step.ID), st.Step.Title
	}
	return "", "this case"
}

// marked reports whether the newest mark on a thing is set.
func (s *Screen) marked(id string) bool {
	on := false
	for _, n := range s.live.Snap.State.Notes {
		if n.On == id && n.Text == "" {
			on = n.Mark
		}
	}
	return on
}

// notesOn returns the notes on a thing.
func (s *Screen) notesOn(id string) []string {
	var out []string
	for _, n := range s.live.Snap.State.Notes {
		if n.On == id && n.Text != "" {
			out = append(out, n.Text)
		}
	}
	return out
}

func words(slug string) string { return strings.ReplaceAll(slug, "-", " ") }
