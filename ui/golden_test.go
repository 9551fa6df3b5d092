package ui_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"inquest/ui"
	"inquest/ui/uitest"
)

var update = flag.Bool("update", false, "write the goldens anew")

// scene is a screen in one state: how to get there, from Home.
type scene struct {
	name string
	fake func(*uitest.Fake)
	opts func(*ui.Options)
	keys []string // a key name, or "type:" and text
}

var run = []string{"enter", "R"}

func after(first []string, more ...string) []string {
	return append(append([]string{}, first...), more...)
}

func scenes() []scene {
	empty := func(f *uitest.Fake) { f.Summaries = nil }
	hostile := func(f *uitest.Fake) {
		f.Hostile = true
		f.Summaries[0].Record = "a\x1b[31m\u202eb"
		f.Summaries[1].Table = "x\ny"
	}
	slow := func(f *uitest.Fake) { f.Slow = true }
	broken := func(f *uitest.Fake) {
		f.OpenErr = errors.New("open /cases/e7a4.inquest: entry 17 cannot be read: run inquest verify on it")
	}
	return []scene{
		{name: "home"},
		{name: "home-empty", fake: empty},
		{name: "home-error", fake: func(f *uitest.Fake) { f.ListErr = errors.New("read ~/.local/share/inquest: permission denied") }},
		{name: "home-hostile", fake: hostile},
		{name: "home-filter", keys: []string{"/", "type:ord"}},
		{name: "home-open-error", fake: broken, keys: []string{"enter"}},
		{name: "home-help", keys: []string{"?"}},
		{name: "home-palette", keys: []string{":", "type:open 48"}},
		{name: "new", keys: []string{"n"}},
		{name: "new-typed", keys: []string{"n", "type:e7a4bff2", "tab", "tab", "tab", "type:postgres://u:secret@db1/x", "tab", "type:/var/log/*.log", "tab", "type:27/11/2025 14:58"}},
		{name: "new-ambiguous", keys: []string{"n", "type:e7a4bff2", "tab", "tab", "tab", "tab", "tab", "type:03/04/2025", "tab"}},
		{name: "new-problem", keys: []string{"n", "ctrl+s"}},
		{name: "new-places", keys: []string{"n", "type:48213", "tab", "tab", "tab", "tab", "tab", "tab", "type:--ssh gw1:/var/log/nginx", "tab", "type:kubectl -n prod deploy/api", "tab", "tab", "up"}},
		{name: "new-pasted", keys: []string{"n", "paste:  \"018f4e2c-9a3b-7c11-8a44-1c5d0a6f7e21\",\n", "tab", "tab", "tab", "paste:postgres://u:s;cret@db1/x\n", "tab", "paste:/var/log/a.log\n/var/log/b.log\n"}},
		{name: "new-said", keys: []string{"n", "tab", "tab", "tab", "type:x", "tab", "type:/var/log/*.log", "tab", "ctrl+o"}},
		{name: "new-unusable", keys: []string{"n", "type:48213", "tab", "tab", "tab", "tab", "type:/var/log/*.log", "tab", "ctrl+s"}},
		{name: "new-table", keys: []string{"n", "type:48213", "tab", "type:nosuch", "tab", "tab", "type:host=db1 dbname=dtro", "ctrl+s"}},
		{name: "new-help", keys: []string{"n", "f1"}},
		{name: "case-connect", fake: func(f *uitest.Fake) { f.Apart = "no source is connected" }, keys: []string{"enter", "C"}},
		{name: "case-new", keys: []string{"enter"}},
		{name: "case-running", fake: slow, keys: after(run, "tick", "7", "tab")},
		{name: "case-found", fake: func(f *uitest.Fake) { f.Slow, f.Found = true, 217 }, keys: after(run, "tick", "7", "tab")},
		{name: "case-found-elsewhere", fake: func(f *uitest.Fake) { f.Slow, f.Found = true, 1 }, keys: after(run, "tick")},
		{name: "case-run", keys: run},
		{name: "case-step", keys: after(run, "tab")},
		{name: "case-blind", keys: after(run, "tab", "down", "down")},
		{name: "case-question", keys: after(run, "tab", "G", "up", "enter")},
		{name: "case-verdict", keys: after(run, "v", "c")},
		{name: "case-note", keys: after(run, "n", "type:ask Dana about the retry")},
		{name: "case-timeline", keys: after(run, "tab", "tab")},
		{name: "case-causes", keys: after(run, "shift+tab")},
		{name: "case-hostile", fake: hostile, keys: after(run, "tab")},
		{name: "case-readonly", fake: func(f *uitest.Fake) { f.ReadOnly = "another process has this case open: following along" }, keys: run},
		{name: "case-apart", fake: func(f *uitest.Fake) { f.Apart = "no source is connected: open it again with --db and --logs" }, keys: run},
		{name: "case-sql", keys: after(run, "tab", "s")},
		{name: "case-exported", keys: after(run, "e", "enter")},
		{name: "evidence", keys: after(run, "E")},
		{name: "evidence-item", keys: after(run, "tab", "enter")},
		{name: "evidence-events", keys: after(run, "E", "down", "enter")},
		{name: "evidence-hostile", fake: hostile, keys: after(run, "E", "enter")},
		{name: "evidence-empty", keys: []string{"enter", "E"}},
		{name: "timeline", keys: after(run, "t", "down")},
		{name: "timeline-zoom", keys: after(run, "t", "+", "+", "2")},
		{name: "timeline-jump", keys: after(run, "t", "@", "type:15:02")},
		{name: "timeline-empty", keys: []string{"enter", "t"}},
		{name: "timeline-hostile", fake: hostile, keys: after(run, "t")},
		{name: "matrix", keys: after(run, "h", "right")},
		{name: "matrix-why", keys: after(run, "h", "s")},
		{name: "matrix-empty", keys: []string{"enter", "h"}},
		{name: "coverage", keys: after(run, "c")},
		{name: "coverage-filter", keys: after(run, "c", "/", "type:pageinspect", "enter")},
		{name: "coverage-empty", keys: []string{"enter", "c"}},
		{name: "record", keys: after(run, "o")},
		{name: "record-diff", keys: after(run, "o", "down")},
		{name: "record-content", keys: after(run, "o", "v")},
		{name: "record-sql", keys: after(run, "o", "down", "3")},
		{name: "record-seen", keys: after(run, "o", "4")},
		{name: "record-filter", keys: after(run, "o", "4", "/", "type:abort")},
		{name: "record-end", keys: after(run, "o", "G")},
		{name: "timeline-follow", keys: after(run, "t", "/", "type:201", "enter", "f")},
		{name: "timeline-wide", keys: after(run, "t", "-")},
		{name: "timeline-only", keys: after(run, "t", "o")},
		{name: "timeline-marked", keys: after(run, "t", "m")},
		{name: "case-answer", keys: after(run, "a")},
		{name: "case-filter-steps", keys: after(run, "/", "type:code")},
		{name: "case-filter-causes", keys: after(run, "shift+tab", "/", "type:roll")},
		{name: "case-sends", keys: []string{"enter", "tab", "s"}},
		{name: "case-table", keys: after(run, ":", "type:table dtr")},
		{name: "record-empty", keys: []string{"enter", "o"}},
		{name: "record-hostile", fake: hostile, keys: after(run, "o")},
		{name: "statements", keys: after(run, "S", "down")},
		{name: "statements-one", keys: after(run, "S", "down", "enter")},
		{name: "statements-marked", keys: after(run, "S", "m", "down", "n", "type:why this one", "enter", "enter")},
		{name: "case-asked", keys: after(run, "A", "y", "A")},
		{name: "report", keys: after(run, "w")},
		{name: "drills", keys: []string{"t", "down"}},
		{name: "drills-filter", keys: []string{"t", "/", "type:fail"}},
		{name: "matrix-filter", keys: after(run, "h", "/", "type:grep")},
		{name: "evidence-table", keys: after(run, ":", "type:table dtr", "enter")},
		{name: "case-marked", keys: after(run, "tab", "tab", "m", "shift+tab", "m", "shift+tab", "m")},
		{name: "case-filter-none", keys: after(run, "/", "type:zzzz", "enter", "tab")},
		{name: "drills-error", fake: func(f *uitest.Fake) {
			f.OpenErr = errors.New("start postgres: no space left on device: free 200 MB and try again")
		}, keys: []string{"t", "enter"}},
		{name: "ascii", opts: func(o *ui.Options) { o.ASCII = true }, keys: after(run, "tab")},
	}
}

func press(d *uitest.Driver, ks []string) {
	for _, k := range ks {
		if s, ok := strings.CutPrefix(k, "type:"); ok {
			d.Type(s)
			d.Tick()
			continue
		}
		if s, ok := strings.CutPrefix(k, "paste:"); ok {
			d.Paste(s)
			d.Tick()
			continue
		}
		if k == "tick" { // a stroke of the spinner
			d.Tick()
			continue
		}
		d.Press(k)
	}
}

// TestGoldens draws every screen in every state at three sizes. Regenerate with
// go test ./ui -run Goldens -update, and read the difference.
func TestGoldens(t *testing.T) {
	for _, size := range [][2]int{{80, 24}, {120, 40}, {60, 15}} {
		w, h := size[0], size[1]
		for _, s := range scenes() {
			t.Run(fmt.Sprintf("%s/%dx%d", s.name, w, h), func(t *testing.T) {
				f := uitest.NewFake()
				if s.fake != nil {
					s.fake(f)
				}
				var change []func(*ui.Options)
				if s.opts != nil {
					change = append(change, s.opts)
				}
				d := uitest.New(t, f, w, h, change...)
				press(d, s.keys)
				checkFrame(t, d, w, h)
				golden(t, fmt.Sprintf("%s-%dx%d", s.name, w, h), d.View())
			})
		}
	}
}

// checkFrame demands that the frame fits the screen and that nothing in it can
// drive the terminal, but for the styles it was painted with.
func checkFrame(t *testing.T, d *uitest.Driver, w, h int) {
	t.Helper()
	lines := strings.Split(d.App.View(), "\n")
	if len(lines) > h {
		t.Errorf("%d lines on a screen of %d", len(lines), h)
	}
	for i, line := range lines {
		if n := ansi.StringWidth(line); n > w {
			t.Errorf("line %d has %d cells on a screen of %d: %q", i, n, w, line)
		}
		for _, r := range ansi.Strip(line) {
			if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == 0x202e {
				t.Errorf("line %d holds %U: %q", i, r, line)
			}
		}
	}
	for _, line := range strings.Split(ansi.Strip(d.App.View()), "\n") {
		if next := strings.TrimRight(line, " "); w >= 80 && strings.HasPrefix(next, " → next:") && strings.HasSuffix(next, "…") {
			t.Errorf("what to do next is cut: %q", next)
		}
	}
	if strings.Contains(d.App.View(), "\x1b]") || strings.Contains(d.App.View(), "\x1b[2J") {
		t.Error("text of others reached the terminal as an escape sequence")
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	lines := strings.Split(got, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	got = strings.Join(lines, "\n") + "\n"
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v: run go test ./ui -run Goldens -update", err)
	}
	if string(want) != got {
		t.Errorf("%s differs; got:\n%s\nwant:\n%s", name, got, want)
	}
}

func TestTiny(t *testing.T) {
	for _, size := range [][2]int{{40, 10}, {20, 3}, {1, 1}, {43, 50}, {200, 11}} {
		d := uitest.New(t, uitest.NewFake(), size[0], size[1])
		checkFrame(t, d, size[0], size[1])
	}
	d := uitest.New(t, uitest.NewFake(), 40, 10)
	if !d.Has("needs 44×12") {
		t.Error(d.View())
	}
}
