package ui

import (
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	tea "github.com/charmbracelet/bubbletea"

	"inquest/ui/keys"
	"inquest/ui/nav"
	"inquest/ui/parts"
	"inquest/ui/text"
	"inquest/ui/theme"
)

// globals are the actions that every screen has.
func (a *App) globals() keys.Table {
	leave := keys.Action{ID: "quit", Keys: []string{"q"}, Title: "Leave this screen; at Home, quit", Short: "back", Group: "Everywhere", Run: a.leave}
	if len(a.screens) <= 1 {
		leave.Short = "quit"
	}
	t := keys.Table{
		{ID: "help", Keys: []string{"?", "f1"}, Title: "Show what can be done here", Short: "help", Group: "Everywhere", Run: a.help},
		{ID: "palette", Keys: []string{":", "ctrl+p"}, Title: "Find any action, step, evidence or case by typing", Group: "Everywhere", Run: a.palette},
		{ID: "back", Keys: []string{"esc"}, Title: "Go back; never loses anything", Group: "Everywhere", Run: a.back},
		leave,
		{ID: "theme", Keys: []string{"ctrl+t"}, Title: "Change between auto, dark and light", Group: "Everywhere", Run: a.nextTheme},
		{ID: "message", Keys: []string{"!"}, Title: "Show the last message in full", Group: "Everywhere", Run: a.lastMessage, Disabled: func() string {
			if a.last.Text == "" {
				return "there has been no message"
			}
			return ""
		}},
		{ID: "command", Keys: []string{"ctrl+y"}, Title: "Copy the shell command that shows this case again", Group: "Everywhere", Run: a.copyCommand, Disabled: func() string {
			if _, why := a.command(); why != "" {
				return why
			}
			return ""
		}},
		{ID: "suspend", Keys: []string{"ctrl+z"}, Title: "Suspend inquest; fg brings it back", Group: "Everywhere", Run: func() tea.Cmd { return tea.Suspend }},
		{ID: "redraw", Keys: []string{"ctrl+l"}, Title: "Draw the screen again", Group: "Everywhere", Run: func() tea.Cmd { return tea.ClearScreen }},
	}
	return t.Remap("global", a.opts.Keys)
}

// key routes one key: interrupt, overlay, text, the screen's table, the global
// one.
func (a *App) key(k tea.KeyMsg) tea.Cmd {
	name := keys.Name(k)
	if name == "ctrl+c" {
		return a.interrupt()
	}
	a.armed, a.toast = false, nav.Toast{}
	if n := len(a.overlays); n > 0 {
		return a.overlay(n-1, k)
	}
	s := a.top()
	if t, ok := s.Screen.(nav.Typist); ok && t.Typing() {
		if cmd, taken := a.formKey(s, k, name); taken {
			return cmd
		}
		return t.Type(k)
	}
	if act, ok := s.table.Find(name); ok {
		return a.run(act)
	}
	if act, ok := a.globals().Find(name); ok {
		return a.run(act)
	}
	return nil
}

// formKey handles a key of a form that is no text.
func (a *App) formKey(s *entry, k tea.KeyMsg, name string) (tea.Cmd, bool) {
	f, ok := s.Screen.(nav.Former)
	if !ok || !f.Form() || k.Type == tea.KeyRunes || k.Type == tea.KeySpace {
		return nil, false
	}
	if act, ok := s.table.Find(name); ok {
		return a.run(act), true
	}
	if act, ok := a.globals().Find(name); ok {
		return a.run(act), true
	}
	return nil, false
}

func (a *App) overlay(i int, k tea.KeyMsg) tea.Cmd {
	o := a.overlays[i]
	done, cmd := o.Update(k)
	if done {
		a.overlays = a.overlays[:i:i]
	}
	return cmd
}

// run runs an action, or says why it cannot be run now.
func (a *App) run(act keys.Action) tea.Cmd {
	if why := act.Why(); why != "" {
		a.say(nav.Toast{Text: why})
		return nil
	}
	return act.Run()
}

func (a *App) say(t nav.Toast) {
	a.toast, a.last = t, t
	a.said++
}

// toastFor is how long a message covers the footer when no key is pressed.
const toastFor = 8 * time.Second

type toastOver struct{ said int }

// expire lets the newest message go after a while; failures stay until a key.
func (a *App) expire() tea.Cmd {
	if a.said == a.expiring || a.toast.Text == "" || a.toast.Bad {
		return nil
	}
	a.expiring = a.said
	over := toastOver{a.said}
	return a.hooks.After(toastFor, func() tea.Msg { return over })
}

// interrupt is ctrl+c: once it cancels what runs, twice it ends the program.
func (a *App) interrupt() tea.Cmd {
	if a.armed {
		return a.end()
	}
	a.armed = true
	stopped := a.opening.Interrupt()
	stopped = a.work.Interrupt() || stopped
	for _, c := range a.open {
		if c.Busy() {
			stopped = c.Interrupt() || stopped
		}
	}
	if stopped {
		a.say(nav.Toast{Text: "cancelled: what was collected is kept. ctrl+c again quits"})
	} else {
		a.say(nav.Toast{Text: "nothing is running. ctrl+c again quits"})
	}
	return nil
}

// back closes what the screen has open, else leaves the screen. At Home it
// stays: leaving the program is asked for with q or ctrl+c.
func (a *App) back() tea.Cmd {
	if b, ok := a.top().Screen.(nav.Backer); ok && b.Back() {
		return nil
	}
	if len(a.screens) == 1 {
		if a.opening.Busy() {
			a.opening.Interrupt()
		}
		return nil
	}
	return a.pop()
}

// leave is q: back, and at Home the end.
func (a *App) leave() tea.Cmd {
	if len(a.screens) > 1 {
		return a.pop()
	}
	return a.askQuit()
}

func (a *App) askQuit() tea.Cmd {
	n := a.running()
	if n == 0 {
		return a.end()
	}
	of := "one investigation"
	if n > 1 {
		of = fmt.Sprintf("%d investigations", n)
	}
	a.overlays = append(a.overlays, &parts.Confirm{
		Title: "Quit?", Text: "Probes of " + of + " are running. Quitting cancels them; what they collected is kept.",
		Yes: "quit", No: "stay", Do: a.end,
	})
	return nil
}

func (a *App) help() tea.Cmd {
	s := a.top()
	global := a.globals()
	if form, ok := s.Screen.(nav.Former); ok && form.Form() {
		global = untyped(global)
	}
	a.overlays = append(a.overlays, parts.NewHelp(s.Name(), s.table, global))
	return nil
}

// untyped are the actions that a form leaves, with those of their keys that are
// no text.
func untyped(t keys.Table) keys.Table {
	var out keys.Table
	for _, act := range t {
		act.Keys = slices.DeleteFunc(slices.Clone(act.Keys), func(k string) bool { return utf8.RuneCountInString(k) == 1 || k == "space" })
		if len(act.Keys) > 0 {
			out = append(out, act)
		}
	}
	return out
}

func (a *App) palette() tea.Cmd {
	s := a.top()
	items := parts.ActionItems(s.table, a.globals())
	for i := range items {
		run := items[i].Run
		items[i].Run = func() tea.Cmd { return run() }
	}
	if f, ok := s.Screen.(nav.Finder); ok {
		items = append(items, f.Items()...)
	}
	if s.Screen != nav.Screen(a.home) {
		items = append(items, a.home.Items()...)
	}
	a.overlays = append(a.overlays, parts.NewPalette(items))
	return nil
}

// askBackground asks the terminal which theme suits it.
func (a *App) askBackground() tea.Cmd {
	ask := a.hooks.Ask
	if ask == nil {
		return nil
	}
	return func() tea.Msg {
		if err := ask(); err != nil {
			return nav.Toast{Text: err.Error(), Bad: true}
		}
		return nil
	}
}

// suit takes the theme that suits the terminal's background, unless the person
// has chosen one meanwhile.
func (a *App) suit(dark bool) tea.Cmd {
	mode := theme.Light
	if dark {
		mode = theme.Dark
	}
	th, err := a.opts.theme(mode)
	if err != nil || a.chosen {
		return nav.Fail(err)
	}
	a.theme = th
	return nil
}

func (a *App) nextTheme() tea.Cmd {
	th, err := a.opts.theme(a.theme.Mode.Next())
	if err != nil {
		return nav.Fail(err)
	}
	a.theme, a.chosen = th, true
	a.say(nav.Toast{Text: "theme: " + string(th.Mode)})
	return nil
}

// command is the shell command that shows what is on the screen: the report, or
// the case where it was left. why says why there is none.
func (a *App) command() (cmd, why string) {
	if len(a.screens) == 0 || a.top().live == nil {
		return "", "no case is in front"
	}
	path := a.top().live.Session.Path()
	if path == "" {
		return "inquest drill", ""
	}
	if a.top().Name() == string(nav.PageReport) {
		return "inquest report " + text.ShellQuote(path), ""
	}
	return "inquest open " + text.ShellQuote(path), ""
}

func (a *App) copyCommand() tea.Cmd {
	cmd, _ := a.command()
	return nav.Say(nav.Copy{Text: cmd, What: cmd})
}

func (a *App) lastMessage() tea.Cmd {
	a.overlays = append(a.overlays, &parts.Viewer{Title: "Message", Text: a.last.Text, What: "the message"})
	return nil
}

// mouse scrolls with the wheel and selects with the left button; it is off
// unless asked for.
func (a *App) mouse(m tea.MouseMsg) tea.Cmd {
	if len(a.overlays) > 0 {
		return nil
	}
	switch {
	case m.Button == tea.MouseButtonWheelUp, m.Button == tea.MouseButtonWheelDown:
		id := map[bool]string{true: "up", false: "down"}[m.Button == tea.MouseButtonWheelUp]
		if act, ok := a.top().table.ByID(id); ok && act.Group == "Move" {
			return a.run(act)
		}
	case m.Button == tea.MouseButtonLeft && m.Action == tea.MouseActionPress:
		if c, ok := a.top().Screen.(nav.Clicker); ok {
			return c.Click(m.X, m.Y)
		}
	}
	return nil
}
