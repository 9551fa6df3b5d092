package ui

import (
	"context"
	"errors"

	tea "github.com/charmbracelet/bubbletea"

	"inquest/ui/live"
	"inquest/ui/nav"
)

// pop leaves the screen in front. A case that still runs goes on in the
// background; one that does not is closed.
func (a *App) pop() tea.Cmd {
	e := *a.top()
	a.screens = a.screens[: len(a.screens)-1 : len(a.screens)-1]
	if e.live == nil || a.onStack(e.live) {
		return nil
	}
	a.home.Restore(e.live.Session.Path())
	return tea.Batch(a.remember(e.live.Session.Path(), e.Screen), a.closeIdle(e.live), a.home.Reload())
}

// popTo leaves screens until the first one of the case is in front.
func (a *App) popTo(c *live.Case) tea.Cmd {
	var cmds []tea.Cmd
	for len(a.screens) > 1 {
		if below := a.screens[len(a.screens)-2]; a.top().live == c && below.live != c {
			break
		}
		cmds = append(cmds, a.pop())
	}
	return tea.Batch(cmds...)
}

func (a *App) onStack(c *live.Case) bool {
	for _, e := range a.screens {
		if e.live == c {
			return true
		}
	}
	return false
}

// closeIdle closes a case that nothing shows and nothing runs in.
func (a *App) closeIdle(c *live.Case) tea.Cmd {
	if c.Busy() || a.onStack(c) {
		return nil
	}
	delete(a.open, c.Session.Path())
	return c.Close()
}

// ended says how a run ended.
func (a *App) ended(m live.Ended) tea.Cmd {
	switch {
	case m.Err == nil:
		a.say(nav.Toast{Text: m.Of.Label() + " has ended"})
	case errors.Is(m.Err, context.Canceled):
		a.say(nav.Toast{Text: m.Of.Label() + " was cancelled: what was collected is kept"})
	default:
		a.say(nav.Toast{Text: m.Of.Label() + " stopped: " + m.Err.Error(), Bad: true})
	}
	return tea.Batch(a.broadcast(m), a.closeIdle(m.Of))
}

// end remembers where everything stood and ends the program. Sessions are
// closed once the terminal has been given back.
func (a *App) end() tea.Cmd {
	if a.quit {
		return tea.Quit
	}
	a.quit = true
	keep := []tea.Cmd{a.remember("", a.home)}
	for i, e := range a.screens {
		if e.live != nil && (i == 0 || a.screens[i-1].live != e.live) {
			keep = append(keep, a.remember(e.live.Session.Path(), e.Screen))
		}
	}
	for _, c := range a.open {
		c.Interrupt()
	}
	settle := a.hooks.Settle
	return func() tea.Msg {
		for _, cmd := range keep {
			if cmd != nil {
				cmd()
			}
		}
		if settle != nil {
			settle()
		}
		return tea.Quit()
	}
}
