// Package keys holds what a screen can do: one table of actions feeds dispatch,
// footer, help, command palette and remapping.
package keys

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	tea "github.com/charmbracelet/bubbletea"
)

// Action is one thing that a screen can do.
type Action struct {
	ID    string   // unique within the screen, such as "run-all"
	Keys  []string // as Bubble Tea names them; "space" for the space bar
	Title string   // for help and palette, starts with a verb
	Short string   // for the footer; empty: not shown there
	Group string   // heading in help
	// Run returns what to do. It is called on the program's own goroutine and must
	// do no I/O itself.
	Run func() tea.Cmd
	// Disabled says why the action cannot be run now; nil or "" when it can.
	Disabled func() string
}

// Why returns the reason why the action cannot be run now, or "".
func (a Action) Why() string {
	if a.Disabled == nil {
		return ""
	}
	return a.Disabled()
}

// Table lists a screen's actions in the order in which footer and help show them.
type Table []Action

// Find returns the action of a key.
func (t Table) Find(key string) (Action, bool) {
	for _, a := range t {
		if slices.Contains(a.Keys, key) {
			return a, true
		}
	}
	return Action{}, false
}

// ByID returns the action with this id.
func (t Table) ByID(id string) (Action, bool) {
	for _, a := range t {
		if a.ID == id {
			return a, true
		}
	}
	return Action{}, false
}

// Remap returns the table with the keys that m gives for "scope.id"; an empty
// list takes an action's keys away (the palette still reaches it).
func (t Table) Remap(scope string, m map[string][]string) Table {
	out := slices.Clone(t)
	for i, a := range out {
		if ks, ok := m[scope+"."+a.ID]; ok {
			out[i].Keys = slices.Clone(ks)
		}
	}
	return out
}

// Clashes reports keys that two actions of the table, or of the table and of
// under, both claim; and ids used twice.
func (t Table) Clashes(under Table) []string {
	var out []string
	owner, ids := map[string]string{}, map[string]bool{}
	for _, a := range t {
		if ids[a.ID] {
			out = append(out, fmt.Sprintf("id %s is used twice", a.ID))
		}
		ids[a.ID] = true
	}
	for _, a := range slices.Concat(t, under) {
		for _, k := range a.Keys {
			if first, taken := owner[k]; taken {
				out = append(out, fmt.Sprintf("%s: %s and %s", k, first, a.ID))
				continue
			}
			owner[k] = a.ID
		}
	}
	sort.Strings(out)
	return out
}

// Name returns the name of a pressed key as tables write it.
func Name(m tea.KeyMsg) string {
	if s := m.String(); s != " " {
		return s
	}
	return "space"
}

var labels = map[string]string{
	"enter": "⏎", "up": "↑", "down": "↓", "left": "←", "right": "→", "pgup": "PgUp", "pgdown": "PgDn",
	"home": "Home", "end": "End",
}

// Label returns how a key is written for people.
func Label(key string) string {
	if l, ok := labels[key]; ok {
		return l
	}
	return key
}

// Labels returns all keys of the action for people.
func (a Action) Labels() string {
	out := make([]string, len(a.Keys))
	for i, k := range a.Keys {
		out[i] = Label(k)
	}
	return strings.Join(out, " ")
}

// Label returns the first key of the action for people, "" when it has none.
func (a Action) Label() string {
	if len(a.Keys) == 0 {
		return ""
	}
	return Label(a.Keys[0])
}
