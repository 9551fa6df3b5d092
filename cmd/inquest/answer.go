package main

import (
	"fmt"
	"io"
	"strings"

	inv "inquest/investigations"
	"inquest/ui/text"
)

// glyphs say an outcome by a sign and, beside it, a word.
var glyphs = map[inv.Outcome]string{inv.Found: "●", inv.Absent: "○", inv.BlindOutcome: "⊘", inv.NotApplicable: "–"}

// printAnswer prints what is known in labelled lines that read well aloud.
func printAnswer(w io.Writer, s inv.State, a inv.Assessment, path string) {
	p := func(format string, args ...any) { fmt.Fprintln(w, text.Clean(fmt.Sprintf(format, args...))) }
	p("record:   %s", s.Record.ID)
	if t := inv.TableOf(s, a); t != "" {
		p("table:    %s", t)
	}
	if s.Recording != "" {
		p("note:     %s", s.Recording)
	}
	p("fate:     %s (%s)", strings.ToUpper(string(a.Fate.Kind)), a.Fate.Standing)
	p("          %s", a.Fate.Summary)
	if lead, ok := a.Leading(); ok {
		p("cause:    %s (%s)", lead.Mechanism, lead.Cause)
		p("          %s", lead.Summary)
	} else {
		p("cause:    undetermined%s", possible(a))
	}
	for i, what := range a.Fate.Settles {
		if i == 0 {
			p("settles:  what would settle it, cheapest first:")
		}
		p("          - %s", what)
	}
	p("")
	for _, st := range a.Steps {
		p("step:     %-24s %s", st.Step.Title, st.Verdict)
		for _, r := range st.Probes {
			if !r.Ran {
				continue
			}
			p("  %s %-6s %s: %s", glyphs[r.Reading.Outcome], r.Reading.Outcome, r.Probe.Title, r.Reading.Summary)
			if r.Reading.Outcome == inv.BlindOutcome && r.Reading.Opens != "" {
				p("           to open it: %s", r.Reading.Opens)
			}
		}
	}
	if path != "" {
		p("")
		p("case:     %s", path)
	}
}

// possible names the hypotheses that nothing separates yet.
func possible(a inv.Assessment) string {
	var names []string
	for _, h := range a.Hypotheses {
		if h.Standing == inv.Possible {
			names = append(names, h.Mechanism)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "; possible: " + strings.Join(names, ", ")
}
