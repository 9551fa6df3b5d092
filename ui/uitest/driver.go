// Package uitest drives the terminal program in tests: it calls Update and View
// without a terminal and without sleeping, over a backend that is made up.
package uitest

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"

	"inquest/ui"
)

// Driver runs an App: every command on a goroutine of its own, every message on
// the test's.
type Driver struct {
	App    *ui.App
	Copied []string
	Quit   bool

	mu      sync.Mutex
	cond    *sync.Cond
	queue   []tea.Msg
	running int                 // commands under way
	parked  map[int]func() bool // of them, those that wait for the test while this is true
	nextID  int
	delayed []func() tea.Msg
}

// New returns a driver of an App over the fake backend, after its first frame.
func New(tb testing.TB, f *Fake, w, h int, change ...func(*ui.Options)) *Driver {
	tb.Helper()
	d := &Driver{parked: map[int]func() bool{}}
	d.cond = sync.NewCond(&d.mu)
	f.park = d.park
	ctx, cancel := context.WithCancel(context.Background())
	o := ui.Options{Backend: f, Now: func() time.Time { return Now }, Zone: time.UTC, Folder: "~/.local/share/inquest", Getenv: func(name string) string {
		return map[string]string{"TERM": "xterm-256color"}[name]
	}}
	for _, c := range change {
		c(&o)
	}
	app, err := ui.NewApp(ctx, o, ui.Hooks{
		Send:  d.push,
		After: func(_ time.Duration, f func() tea.Msg) tea.Cmd { d.delayed = append(d.delayed, f); return nil },
		Copy:  func(s string) error { d.mu.Lock(); defer d.mu.Unlock(); d.Copied = append(d.Copied, s); return nil },
	})
	if err != nil {
		tb.Fatal(err)
	}
	d.App = app
	tb.Cleanup(func() { cancel(); f.Release(); d.Settle() })
	d.start(app.Init())
	d.Resize(w, h)
	return d
}

// Resize changes the size of the screen.
func (d *Driver) Resize(w, h int) { d.Send(tea.WindowSizeMsg{Width: w, Height: h}) }

// Send hands one message over and waits until nothing is under way.
func (d *Driver) Send(m tea.Msg) {
	d.update(m)
	d.Settle()
}

// Press presses keys one after the other, by the names that action tables use.
func (d *Driver) Press(names ...string) {
	for _, n := range names {
		d.Send(Key(n))
	}
}

// Type types text, rune by rune.
func (d *Driver) Type(s string) {
	for _, r := range s {
		d.Send(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune{r}})
	}
}

// Paste pastes text, as a terminal with bracketed paste hands it over.
func (d *Driver) Paste(s string) {
	d.Send(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(s), Paste: true})
}

// Tick lets all delayed messages come: the end of a pause, a spinner's step.
func (d *Driver) Tick() {
	due := d.delayed
	d.delayed = nil
	for _, f := range due {
		d.Send(f())
	}
}

// View returns the screen without styles.
func (d *Driver) View() string { return ansi.Strip(d.App.View()) }

// Has reports whether the screen shows all the texts.
func (d *Driver) Has(all ...string) bool {
	v := d.View()
	for _, s := range all {
		if !strings.Contains(v, s) {
			return false
		}
	}
	return true
}

// Settle handles messages until no command is under way, but for those that
// wait for the test.
func (d *Driver) Settle() {
	for {
		d.mu.Lock()
		for len(d.queue) == 0 && d.running > d.waiting() {
			d.cond.Wait()
		}
		if len(d.queue) == 0 {
			d.mu.Unlock()
			return
		}
		m := d.queue[0]
		d.queue = d.queue[1:]
		d.mu.Unlock()
		d.update(m)
	}
}

func (d *Driver) update(m tea.Msg) {
	switch m := m.(type) {
	case nil:
	case tea.BatchMsg:
		for _, c := range m {
			d.start(c)
		}
	case tea.QuitMsg:
		d.Quit = true
	default:
		_, cmd := d.App.Update(m)
		d.start(cmd)
	}
}

func (d *Driver) start(c tea.Cmd) {
	if c == nil {
		return
	}
	d.mu.Lock()
	d.running++
	d.mu.Unlock()
	go func() {
		m := c()
		d.mu.Lock()
		defer d.mu.Unlock()
		d.running--
		d.queue = append(d.queue, m)
		d.cond.Broadcast()
	}()
}

func (d *Driver) push(m tea.Msg) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.queue = append(d.queue, m)
	d.cond.Broadcast()
}

// park says that a command waits for the test for as long as waits is true.
func (d *Driver) park(waits func() bool) (unpark func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.nextID++
	id := d.nextID
	d.parked[id] = waits
	d.cond.Broadcast()
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.parked, id)
		d.cond.Broadcast()
	}
}

// waiting counts the commands that wait for the test and for nothing else.
func (d *Driver) waiting() int {
	n := 0
	for _, waits := range d.parked {
		if waits() {
			n++
		}
	}
	return n
}

var named = map[string]tea.KeyType{
	"enter": tea.KeyEnter, "esc": tea.KeyEsc, "tab": tea.KeyTab, "shift+tab": tea.KeyShiftTab, "up": tea.KeyUp, "down": tea.KeyDown,
	"left": tea.KeyLeft, "right": tea.KeyRight, "pgup": tea.KeyPgUp, "pgdown": tea.KeyPgDown, "home": tea.KeyHome, "end": tea.KeyEnd,
	"backspace": tea.KeyBackspace, "delete": tea.KeyDelete, "ctrl+c": tea.KeyCtrlC, "ctrl+p": tea.KeyCtrlP, "ctrl+r": tea.KeyCtrlR,
	"ctrl+s": tea.KeyCtrlS, "ctrl+t": tea.KeyCtrlT, "ctrl+l": tea.KeyCtrlL, "ctrl+u": tea.KeyCtrlU, "f1": tea.KeyF1, "ctrl+o": tea.KeyCtrlO, "ctrl+y": tea.KeyCtrlY, "ctrl+w": tea.KeyCtrlW,
}

// Key returns the message of a key by its name.
func Key(name string) tea.KeyMsg {
	if t, ok := named[name]; ok {
		return tea.KeyMsg{Type: t}
	}
	if name == "space" {
		return tea.KeyMsg{Type: tea.KeySpace, Runes: []rune{' '}}
	}
	return tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(name)}
}
