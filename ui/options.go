package ui

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/muesli/termenv"

	"inquest/ui/keys"
	"inquest/ui/theme"
)

// Options are all that the program is given from outside.
type Options struct {
	Backend Backend
	In      io.Reader // nil: standard input, as Bubble Tea opens it
	Out     io.Writer // nil: standard output

	// Theme is "auto", "dark" or "light"; empty is auto, which reads well on both.
	Theme   string
	Colors  map[string]string // colours of roles, from the configuration
	NoColor bool
	ASCII   bool
	Mouse   bool
	// Keys replaces the keys of actions: "home.open" → keys. CheckKeys tells
	// whether it can be used.
	Keys map[string][]string

	// Start is the path of a case to open at once. New shows the form filled in.
	// Drill starts a practice incident. At most one of them is used, in this order.
	Start string
	New   *NewCase
	Drill string

	Folder string // where cases are saved, shown at Home
	// Recall and Remember keep the place where a screen stood, by the path of its
	// case ("" for Home). They are called from commands and may be nil.
	Recall   func(path string) string
	Remember func(path, place string)

	Getenv func(string) string // nil: an empty environment
	Now    func() time.Time    // nil: time.Now
	Zone   *time.Location      // nil: UTC
}

// Hooks connect the root to what runs it: a terminal, or a test.
type Hooks struct {
	// Send hands a message to Update from another goroutine.
	Send func(tea.Msg)
	// After returns a command that waits and then gives f's message.
	After func(d time.Duration, f func() tea.Msg) tea.Cmd
	// Copy puts text on the clipboard.
	Copy func(text string) error
	// Ask asks the terminal for its background, and Settle waits until nothing of
	// the answer can be on its way any more; nil where there is nothing to ask.
	Ask    func() error
	Settle func()
}

func (o Options) withDefaults() Options {
	if o.Getenv == nil {
		o.Getenv = func(string) string { return "" }
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	if o.Recall == nil {
		o.Recall = func(string) string { return "" }
	}
	if o.Remember == nil {
		o.Remember = func(string, string) {}
	}
	if o.Getenv("NO_COLOR") != "" {
		o.NoColor = true
	}
	return o
}

// mode is the theme that was asked for, else what COLORFGBG says, else auto:
// then the terminal is asked, behind the first frame.
func (o Options) mode() theme.Mode {
	if o.Theme != "" && o.Theme != string(theme.Auto) {
		return theme.Mode(o.Theme)
	}
	parts := strings.Split(o.Getenv("COLORFGBG"), ";")
	switch parts[len(parts)-1] {
	case "0", "1", "2", "3", "4", "5", "6", "8":
		return theme.Dark
	case "7", "15":
		return theme.Light
	}
	return theme.Auto
}

func (o Options) profile() termenv.Profile {
	term := o.Getenv("TERM")
	switch {
	case term == "dumb":
		return termenv.Ascii
	case o.Getenv("COLORTERM") == "truecolor", o.Getenv("COLORTERM") == "24bit":
		return termenv.TrueColor
	case strings.Contains(term, "256color"):
		return termenv.ANSI256
	}
	return termenv.ANSI
}

func (o Options) theme(m theme.Mode) (*theme.Theme, error) {
	return theme.New(theme.Options{Mode: m, NoColor: o.NoColor, ASCII: o.ASCII, Profile: o.profile(), Colors: o.Colors})
}

// CheckKeys reports the first mistake in a key map of the configuration: an
// action that does not exist, or one key for two actions of a screen.
func CheckKeys(m map[string][]string) error {
	known := map[string]bool{}
	for scope, t := range Tables() {
		for _, a := range t {
			known[scope+"."+a.ID] = true
		}
	}
	for id := range m {
		if !known[id] {
			return fmt.Errorf("keys: no action %q; actions are %s", id, strings.Join(sorted(known), ", "))
		}
	}
	global := Tables()["global"].Remap("global", m)
	for scope, t := range Tables() {
		under := global
		if scope == "global" {
			under = nil
		}
		if clashes := t.Remap(scope, m).Clashes(under); len(clashes) > 0 {
			return fmt.Errorf("keys of %s: %s", scope, strings.Join(clashes, "; "))
		}
	}
	return nil
}

func sorted(m map[string]bool) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// Tables returns the action table of every screen and the global one, by scope.
// Their Run functions must not be called: the screens behind them are empty.
func Tables() map[string]keys.Table {
	out := map[string]keys.Table{"global": (&App{}).globals()}
	for _, s := range emptyScreens() {
		out[s.Name()] = s.Actions()
	}
	return out
}
