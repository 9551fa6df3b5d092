package ui_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"

	"inquest/ui/backend"
	"inquest/ui/nav"
	"inquest/ui/uitest"
)

var pressed = []string{
	"enter", "enter", "esc", "tab", "tab", "shift+tab", "up", "down", "left", "right", "pgup", "pgdown", "home", "end", "backspace", "delete",
	"ctrl+p", "ctrl+r", "ctrl+s", "ctrl+t", "ctrl+u", "ctrl+w", "ctrl+o", "ctrl+y", "f1", "space",
	"A", "C", "R", "r", "p", "x", "s", "v", "n", "m", "u", "e", "w", "h", "t", "E", "o", "c", "S", "/", "y", "Y", "?", ":", "j", "k", "l", "g", "G", "q", "f",
	"1", "2", "3", "4", "5", "6", "7", "8", "9", "0", "@", "+", "-", "[", "]", "#", "!", "a", "é", "中", "\x1b", "\u202e", "👩",
}

// walk throws keys, sizes and messages at the root: it must not panic, every
// frame must fit its screen, and there must always be a way back to Home.
func walk(t *testing.T, seed uint64, steps []byte) {
	t.Helper()
	rnd := rand.New(rand.NewPCG(seed, 7))
	f := uitest.NewFake()
	f.Hostile = seed%3 == 1
	if seed%5 == 4 {
		f.Summaries = nil
	}
	if seed%4 == 3 {
		f.Apart = "no source is connected"
	}
	w, h := 80, 24
	d := uitest.New(t, f, w, h)
	for _, b := range steps {
		switch {
		case b < 225:
			d.Press(pressed[int(b)%len(pressed)])
		case b < 240:
			w, h = 1+rnd.IntN(250), 1+rnd.IntN(80)
			d.Resize(w, h)
		case b < 250:
			d.Send([]tea.Msg{
				nav.Show{Page: nav.PageMatrix, Item: "no-such"},
				nav.Show{Page: nav.PageEvidence, Item: "E99"},
				nav.Back{},
				nav.Open{Path: "/cases/x.inquest"},
				nav.Toast{Text: strings.Repeat("long ", 100), Bad: true},
				nav.Create{Case: backend.NewCase{Record: "x"}},
				nav.StartDrill{ID: "vanished-dtro"},
				nav.Export{},
				nav.New{},
				nav.Drills{},
				tea.MouseMsg{Button: tea.MouseButtonWheelDown},
				nav.Connect{Path: "/cases/x.inquest"},
				nav.Sources{},
				tea.KeyMsg{Type: tea.KeyEsc, Alt: true},
				tea.KeyMsg{Type: tea.KeyRunes, Paste: true, Runes: []rune("postgres://u:p;w@h/db\n--ssh gw1:/x\x1b[31m\n'\n")},
			}[rnd.IntN(15)])
		default:
			d.Tick()
		}
		checkFrame(t, d, w, h)
		if t.Failed() {
			t.Fatalf("seed %d, after %q on %d×%d", seed, b, w, h)
		}
	}
	d.Resize(80, 24)
	for range 120 {
		if d.App.Depth() == 1 {
			return
		}
		d.Press("esc")
	}
	t.Fatalf("seed %d: no way back from\n%s", seed, d.View())
}

func TestRandomWalks(t *testing.T) {
	n := uint64(16)
	if testing.Short() {
		n = 8
	}
	for seed := range n {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			rnd := rand.New(rand.NewPCG(seed, 1))
			steps := make([]byte, 200)
			for i := range steps {
				steps[i] = byte(rnd.UintN(256))
			}
			walk(t, seed, steps)
		})
	}
}

func FuzzKeys(f *testing.F) {
	f.Add(uint64(1), []byte("\x00\x18\x05\x01\x02\xe2\xff\x20"))
	f.Add(uint64(4), []byte{24, 24, 230, 241, 255, 3, 3, 3})
	f.Fuzz(func(t *testing.T, seed uint64, steps []byte) {
		if len(steps) > 200 {
			steps = steps[:200]
		}
		walk(t, seed, steps)
	})
}
