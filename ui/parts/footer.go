package parts

import (
	"strings"

	"inquest/ui/keys"
	"inquest/ui/text"
	"inquest/ui/theme"
)

// Footer returns one line of w cells that names the keys of the screen: those
// that can be used first, and help always.
func Footer(t *theme.Theme, w int, screen, global keys.Table) string {
	const gap = 3
	help, quit := hint(global, "help"), hint(global, "quit")
	reserve := 0
	for _, h := range []keys.Action{help, quit} {
		if h.Short != "" {
			reserve += hintWidth(t, h) + gap
		}
	}
	l := NewLine(w)
	l.Add(t.Text, " ")
	for _, a := range screen {
		if a.Short == "" || a.Label() == "" || a.Why() != "" {
			continue
		}
		if l.Left() < hintWidth(t, a)+gap+reserve {
			continue
		}
		appendHint(l, t, a, gap)
	}
	for _, h := range []keys.Action{help, quit} {
		if h.Short != "" && l.Left() >= hintWidth(t, h) {
			appendHint(l, t, h, gap)
		}
	}
	return l.String()
}

func hint(t keys.Table, id string) keys.Action {
	a, _ := t.ByID(id)
	if a.Label() == "" {
		a.Short = ""
	}
	return a
}

func hintWidth(t *theme.Theme, a keys.Action) int {
	return text.Width(spell(t, a.Label())) + 1 + text.Width(a.Short)
}

// spell writes a key for the terminal.
func spell(t *theme.Theme, label string) string { return strings.TrimSpace(t.Spell(label + " ")) }

func appendHint(l *Line, t *theme.Theme, a keys.Action, gap int) {
	l.Add(t.Key, spell(t, a.Label())).Add(t.Text, " "+a.Short)
	if l.Left() > gap {
		l.Add(t.Text, text.Blank(gap))
	}
}
