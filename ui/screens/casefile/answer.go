package casefile

import (
	"fmt"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"inquest/investigations"
	"inquest/ui/nav"
	"inquest/ui/parts"
	"inquest/ui/theme"
)

// answerSoFar shows what became of the record as far as it is known: the header
// has room for a line or two of it.
func (s *Screen) answerSoFar() tea.Cmd {
	a := s.live.Snap.Assessment
	if len(s.live.Snap.State.Runs) == 0 {
		return nav.Tell("nothing has been judged yet: press R to run the checklist")
	}
	var b strings.Builder
	b.WriteString(theme.FateWords(a.Fate.Kind))
	if a.Fate.Standing != investigations.Undetermined {
		fmt.Fprintf(&b, " · %s", a.Fate.Standing)
	}
	fmt.Fprintf(&b, "\n%s\n", a.Fate.Summary)
	if len(a.Fate.Evidence) > 0 {
		fmt.Fprintf(&b, "shown by %s\n", strings.Join(a.Fate.Evidence, " "))
	}
	if h, ok := a.Leading(); ok {
		fmt.Fprintf(&b, "\nWhy: %s (%s)\n%s\n", words(h.Mechanism), h.Cause, h.Summary)
		list(&b, "For", h.For)
		list(&b, "Against", h.Against)
		list(&b, "What would settle it", h.Settles)
	} else {
		b.WriteString("\nWhy: no cause leads. h weighs them.\n")
	}
	list(&b, "What would settle what became of it", a.Fate.Settles)
	return nav.Say(nav.Dialog{Overlay: &parts.Viewer{Title: "The answer so far", Text: b.String(), What: "the answer"}})
}

func list(b *strings.Builder, name string, lines []string) {
	if len(lines) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s\n", name)
	for _, line := range lines {
		fmt.Fprintf(b, "- %s\n", line)
	}
}
