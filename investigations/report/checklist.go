package report

import (
	"fmt"

	"inquest/investigations"
)

var outcomeGlyphs = map[investigations.Outcome]string{
	investigations.Found:         "● found",
	investigations.Absent:        "○ absent",
	investigations.BlindOutcome:  "⊘ blind",
	investigations.NotApplicable: "– n/a",
}

var verdictWords = map[investigations.Verdict]string{
	investigations.VerdictFinding:    "● finding",
	investigations.VerdictClean:      "○ clean",
	investigations.VerdictCannotTell: "⊘ cannot tell",
	investigations.VerdictSkipped:    "– skipped",
	investigations.VerdictOpen:       "◌ open",
}

func (p *page) checklist() {
	sec := p.begin("checklist", "Checklist")
	sec.para("● found something · ○ looked where it would show, nothing there · ⊘ could not look · ◌ not done · – not applicable. Only ○ says anything against an explanation.")
	for i, step := range p.assessed.Steps {
		p.step(sec, i+1, step)
	}
}

func (p *page) step(sec *section, n int, r investigations.StepResult) {
	sec.heading("%d. %s: %s", n, text(r.Step.Title), orElse(verdictWords[r.Verdict], text(string(r.Verdict))))
	sec.para("%s", text(r.Step.Asks))
	if r.Signed {
		sec.para("Verdict given by a person.%s", withNote(r.Note))
	}
	if len(r.Probes) == 0 {
		sec.para("No automated question belongs to this step yet.")
	} else {
		sec.table([]string{"Question", "Outcome", "What was seen", "Evidence"}, each2(r.Probes, probeRow))
	}
	if r.Step.Negative != "" {
		sec.para("What this does not exclude: %s", text(r.Step.Negative))
	}
}

func probeRow(r investigations.ProbeResult) []string {
	title := text(orElse(r.Probe.Title, r.Probe.ID))
	if !r.Ran {
		return []string{title, "◌ not run", "needs " + text(orElse(r.Probe.Needs, "a source that can answer it")), ""}
	}
	said := text(r.Reading.Summary)
	if r.Reading.Outcome == investigations.BlindOutcome && r.Reading.Opens != "" {
		said = fmt.Sprintf("%s. **To open it:** %s", said, text(r.Reading.Opens))
	}
	outcome := orElse(outcomeGlyphs[r.Reading.Outcome], text(string(r.Reading.Outcome)))
	return []string{title, outcome, said, refs(r.Evidence)}
}

func withNote(note string) string {
	if note == "" {
		return ""
	}
	return " “" + text(note) + "”"
}

func each2[T any](list []T, f func(T) []string) [][]string {
	out := make([][]string, 0, len(list))
	for _, v := range list {
		out = append(out, f(v))
	}
	return out
}
