package parts

import (
	tea "github.com/charmbracelet/bubbletea"

	"inquest/ui/keys"
	"inquest/ui/nav"
	"inquest/ui/text"
)

// Help lists what this screen can do, made from its live action table.
type Help struct {
	screen string
	groups []helpGroup
	top    int
	most   int
}

type helpGroup struct {
	name string
	rows []keys.Action
}

// NewHelp returns the help of a screen.
func NewHelp(screen string, tables ...keys.Table) *Help {
	h := &Help{screen: screen}
	for _, t := range tables {
		for _, a := range t {
			h.add(a)
		}
	}
	return h
}

func (h *Help) add(a keys.Action) {
	name := a.Group
	if name == "" {
		name = "Here"
	}
	for i := range h.groups {
		if h.groups[i].name == name {
			h.groups[i].rows = append(h.groups[i].rows, a)
			return
		}
	}
	h.groups = append(h.groups, helpGroup{name, []keys.Action{a}})
}

// Update takes a key.
func (h *Help) Update(k tea.KeyMsg) (bool, tea.Cmd) {
	switch k.String() {
	case "up", "k":
		h.top--
	case "down", "j":
		h.top++
	case "pgup":
		h.top -= h.most
	case "pgdown", " ":
		h.top += h.most
	default:
		return true, nil
	}
	return false, nil
}

// View draws the actions with their keys, and why some cannot be used now.
func (h *Help) View(f nav.Frame) []string {
	w := dialogWidth(f, 86)
	all := h.lines(f, w-2)
	h.most = max(f.H-4, 1)
	h.top = max(0, min(h.top, len(all)-h.most))
	foot := "esc close"
	if len(all) > h.most {
		foot = "↑↓ scroll · esc close"
	}
	return box(f, "Help · "+h.screen, foot, w, all[h.top:min(h.top+h.most, len(all))])
}

func (h *Help) lines(f nav.Frame, w int) []string {
	t := f.Theme
	var out []string
	for i, g := range h.groups {
		if i > 0 {
			out = append(out, text.Blank(w))
		}
		out = append(out, NewLine(w).Add(t.Text, " ").Add(t.Heading, g.name).String())
		for _, a := range g.rows {
			l := NewLine(w).Add(t.Text, " ").Add(t.Key, text.PadLeft(spell(t, a.Labels()), 18)).Add(t.Text, "  "+a.Title)
			if why := a.Why(); why != "" {
				l.Add(t.Dim, " (not now: "+text.Clean(why)+")")
			}
			out = append(out, l.String())
		}
	}
	out = append(out, text.Blank(w), NewLine(w).Add(t.Text, " ").Add(t.Heading, "Signs").String())
	for _, s := range [][2]string{{"●", "finding"}, {"○", "looked, nothing there"}, {"⊘", "could not look: not the same as nothing there"}, {"◌", "not yet looked"}, {"–", "not applicable"}, {"⚠", "weak: consistent, not proven"}, {"◇", "possible: nothing speaks against it, nothing proves it"}, {"✗", "ruled out, or not usable"}, {"░", "not covered by the log: silence there means nothing"}} {
		out = append(out, NewLine(w).Add(t.Key, text.PadLeft(s[0], 19)).Add(t.Text, "  "+s[1]).String())
	}
	return out
}
