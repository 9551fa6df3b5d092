package ui_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"inquest/investigations"
	"inquest/ui"
	"inquest/ui/backend"
	"inquest/ui/uitest"
)

func want(t *testing.T, d *uitest.Driver, all ...string) {
	t.Helper()
	for _, s := range all {
		if !d.Has(s) {
			t.Fatalf("%q is not on the screen:\n%s", s, d.View())
		}
	}
}

// TestFirstWalk goes from Home to the exported report by keyboard alone.
func TestFirstWalk(t *testing.T) {
	f := uitest.NewFake()
	f.Summaries = nil
	d := uitest.New(t, f, 80, 24)
	want(t, d, "press n and type the id")
	d.Press("n")
	d.Type("e7a4bff2")
	d.Press("tab", "tab", "tab")
	d.Type("host=db1 dbname=dtro password=s3cret")
	d.Tick()
	want(t, d, "password=••••••", "tab asks it") // not while it may be half typed
	d.Press("tab")
	want(t, d, "dtro@db1 as investigator, read-only", "pageinspect is not installed", "password=••••")
	if d.Has("s3cret") {
		t.Fatal("the password is on the screen")
	}
	d.Press("tab")
	d.Type("27/11/2025 14:58")
	want(t, d, "= Thu 27 Nov 2025 14:58:00 UTC")
	d.Press("ctrl+s")
	if len(f.Created) != 1 || f.Created[0].Record != "e7a4bff2" || f.Created[0].Databases[0] != "host=db1 dbname=dtro password=s3cret" || f.Created[0].At.Hour() != 14 {
		t.Fatalf("%+v", f.Created)
	}
	want(t, d, "press R to run the checklist: WAL of 14:58 can be gone in 3 h 20 min")
	d.Press("R")
	want(t, d, "Never committed · established", "w the report")
	d.Press("e")
	d.Type("/tmp/report.md")
	d.Press("enter")
	if len(f.Exported) != 1 || f.Exported[0] != "/tmp/report.md" {
		t.Fatal(f.Exported)
	}
	want(t, d, "the report is in /tmp/report.md")
	d.Press("esc", "esc")
	want(t, d, "Investigations")
	if f.Closed != 1 {
		t.Fatalf("closed %d sessions", f.Closed)
	}
	d.Press("q")
	if !d.Quit {
		t.Fatal("q at Home did not quit")
	}
}

func TestAnswersAreRecordedAndUndone(t *testing.T) {
	d := uitest.New(t, uitest.NewFake(), 120, 40)
	d.Press("enter", "R", "tab", "G", "up", "enter", "tab")
	d.Type("staging")
	d.Press("enter")
	want(t, d, "answered: yes", "note: staging")
	d.Press("v", "t")
	want(t, d, "Verdict ⊘ cannot tell · yours")
	d.Press("u")
	want(t, d, "Verdict ● finding · from the probes", "undone")
	d.Press("u")
	want(t, d, "answer ▸")
	d.Press("u")
	want(t, d, "there is no answer, verdict or note to undo")
	d.Press("m")
	want(t, d, "⚑")
}

func TestRunningWorkIsCancelledAndLeftRunning(t *testing.T) {
	f := uitest.NewFake()
	f.Slow = true
	d := uitest.New(t, f, 120, 40)
	d.Press("enter", "R", "7")
	want(t, d, "25 % of 2.0 Gi", "x cancels")
	d.Press("R")
	want(t, d, "probes are running")
	d.Press("esc")
	want(t, d, "◐ running")
	d.Press("q")
	want(t, d, "Quitting cancels")
	d.Press("esc", "enter")
	want(t, d, "1 probe is at work")
	d.Press("ctrl+c")
	want(t, d, "cancelled")
	if d.Quit {
		t.Fatal("one ctrl+c quit")
	}
	d.Press("7", "tab")
	want(t, d, "cancelled before it ended")
	d.Press("ctrl+c", "ctrl+c")
	if !d.Quit {
		t.Fatal("two ctrl+c did not quit")
	}
}

func TestOneProbeIsCancelledAlone(t *testing.T) {
	f := uitest.NewFake()
	f.Slow = true
	d := uitest.New(t, f, 120, 40)
	d.Press("enter", "R", "7", "tab", "x")
	want(t, d, "cancelled before it ended")
	d.Press("1")
	want(t, d, "absent · 3 tables")
}

func TestReadOnlySaysWhy(t *testing.T) {
	f := uitest.NewFake()
	f.ReadOnly = "another process has this case open"
	d := uitest.New(t, f, 120, 40)
	d.Press("enter")
	for _, k := range []string{"R", "r", "v", "n", "m", "u"} {
		d.Press(k)
		want(t, d, "• another process has this case open")
	}
}

func TestLateAnswersAreRefused(t *testing.T) {
	f := uitest.NewFake()
	d := uitest.New(t, f, 120, 40)
	d.Press("n")
	d.Type("a")
	d.Press("tab", "tab", "tab")
	d.Type("x")
	d.Press("tab")
	want(t, d, "db:prod")
	d.Press("shift+tab", "backspace")
	d.Tick()
	if d.Has("db:prod") {
		t.Fatalf("the answer about a connection that is gone is still shown:\n%s", d.View())
	}
}

// TestSourcesAreNamedForACaseThatHasNone connects a saved case that was opened
// without its connections, and comes back to where it stood.
func TestSourcesAreNamedForACaseThatHasNone(t *testing.T) {
	f := uitest.NewFake()
	f.Apart = "no source is connected"
	places := map[string]string{}
	d := uitest.New(t, f, 120, 40, func(o *ui.Options) {
		o.Remember = func(path, place string) { places[path] = place }
		o.Recall = func(path string) string { return places[path] }
	})
	d.Press("enter", "3", "R")
	want(t, d, "C names them")
	d.Press("C")
	want(t, d, "Sources", "ctrl+s connects them")
	d.Paste("postgres://u:s3cret@db1/x\n")
	d.Press("tab", "tab")
	d.Type("--ssh gw1:/var/log/nginx")
	d.Press("tab")
	want(t, d, "ssh gw1:/var/log/nginx", "2 files")
	d.Press("esc", "C") // going back loses nothing
	want(t, d, "ssh gw1:/var/log/nginx", "2 files")
	d.Press("ctrl+s")
	if n := len(f.Connected); n != 1 || f.Connected[0].Record != uitest.RecordID || f.Connected[0].Databases[0] != "postgres://u:s3cret@db1/x" || f.Connected[0].Places[0] != "ssh gw1:/var/log/nginx" || f.Connected[0].Window.IsZero() {
		t.Fatalf("%+v", f.Connected)
	}
	if f.Closed != 1 {
		t.Fatalf("the case was closed %d times", f.Closed)
	}
	want(t, d, "▸ ◌  3 Application logs")
	d.Press("R")
	want(t, d, "has ended")
	d.Press("C")
	want(t, d, "postgres://u:••••••@db1/x")
	d.Press("esc", "esc", "esc")
	want(t, d, "Investigations")
}

// TestWhatCannotBeUsedIsAskedAbout refuses to leave out a log by mistake.
func TestWhatCannotBeUsedIsAskedAbout(t *testing.T) {
	f := uitest.NewFake()
	d := uitest.New(t, f, 80, 24)
	d.Press("n")
	d.Paste(" \"48213\",\n")
	d.Press("tab", "tab", "tab", "tab")
	d.Type("/var/log/*.log")
	d.Tick()
	want(t, d, "correct what cannot be used")
	d.Press("ctrl+s", "esc")
	if len(f.Created) != 0 {
		t.Fatal("the case was opened")
	}
	d.Press("ctrl+s", "y")
	if len(f.Created) != 1 || f.Created[0].Record != "48213" {
		t.Fatalf("%+v", f.Created)
	}
}

// TestEscapePressedTwiceAsOneKey goes back twice.
func TestEscapePressedTwiceAsOneKey(t *testing.T) {
	d := uitest.New(t, uitest.NewFake(), 80, 24)
	d.Press("enter", "c")
	want(t, d, "▸ Coverage")
	d.Send(tea.KeyMsg{Type: tea.KeyEsc, Alt: true})
	want(t, d, "Investigations")
}

func TestPlaceIsRemembered(t *testing.T) {
	places := map[string]string{}
	keep := func(o *ui.Options) {
		o.Remember = func(path, place string) { places[path] = place }
		o.Recall = func(path string) string { return places[path] }
	}
	d := uitest.New(t, uitest.NewFake(), 80, 24, keep)
	d.Press("enter", "R", "3", "tab", "down", "q")
	d.Press("down", "q")
	if !json.Valid([]byte(places["/cases/e7a4.inquest"])) || places[""] != "/cases/48213.inquest" {
		t.Fatal(places)
	}
	d = uitest.New(t, uitest.NewFake(), 80, 24, keep, func(o *ui.Options) { o.Start = "/cases/e7a4.inquest" })
	want(t, d, "3 Application logs · What did the service say", "▸ ? Do you hold")
}

// TestEveryViewOfACaseHasACommand copies the shell command from each.
func TestEveryViewOfACaseHasACommand(t *testing.T) {
	d := uitest.New(t, uitest.NewFake(), 80, 24)
	d.Press("ctrl+y")
	want(t, d, "no case is in front")
	d.Press("enter")
	for key, verb := range map[string]string{"t": "open", "h": "open", "c": "open", "o": "open", "E": "open", "S": "open", "w": "report"} {
		d.Press(key, "ctrl+y", "esc")
		if got := d.Copied[len(d.Copied)-1]; got != "inquest "+verb+" /cases/e7a4.inquest" {
			t.Errorf("%s: %q", key, got)
		}
	}
}

// TestTheReportIsSearched goes from place to place of a text.
func TestTheReportIsSearched(t *testing.T) {
	d := uitest.New(t, uitest.NewFake(), 80, 14)
	d.Press("enter", "R", "w", "n")
	want(t, d, "nothing has been looked for")
	d.Press("/")
	d.Type("SUPPORTED by")
	d.Press("enter")
	want(t, d, "supported by E1")
	first := d.View()
	d.Press("n")
	if d.View() != first {
		t.Errorf("the only place was left:\n%s", d.View())
	}
	d.Press("/", "ctrl+u")
	d.Type("nowhere")
	d.Press("enter")
	want(t, d, "does not hold nowhere")
}

func TestCopyAndPalette(t *testing.T) {
	d := uitest.New(t, uitest.NewFake(), 120, 40)
	d.Press("enter", "R", "y", ":")
	d.Type("whole timeline")
	d.Press("enter")
	want(t, d, "▸ Timeline")
	d.Press("y")
	if len(d.Copied) != 2 || d.Copied[0] != uitest.RecordID || !strings.Contains(d.Copied[1], "insert") {
		t.Fatal(d.Copied)
	}
	d.Press("esc", ":")
	d.Type("evid e3")
	d.Press("enter")
	want(t, d, "E3 · db:prod")
}

func TestThemesAndDrill(t *testing.T) {
	d := uitest.New(t, uitest.NewFake(), 80, 24)
	auto := d.App.View()
	d.Press("ctrl+t")
	want(t, d, "theme: dark")
	d.Press("esc")
	if d.App.View() == auto {
		t.Fatal("the theme did not change")
	}
	d = uitest.New(t, uitest.NewFake(), 80, 24, func(o *ui.Options) { o.NoColor = true })
	if v := d.App.View(); strings.Contains(v, "\x1b[3") || strings.Contains(v, "\x1b[9") || !strings.Contains(v, "\x1b[7m") {
		t.Fatalf("NO_COLOR: %q", v)
	}
	d.Press("t", "enter")
	want(t, d, "Checklist", uitest.RecordID)
}

func TestKeysDoNotClash(t *testing.T) {
	tables := ui.Tables()
	global := tables["global"]
	for scope, table := range tables {
		if scope != "global" {
			if c := table.Clashes(global); len(c) > 0 {
				t.Errorf("%s: %s", scope, strings.Join(c, "; "))
			}
		}
		for _, a := range table {
			if a.ID == "" || a.Title == "" || a.Run == nil {
				t.Errorf("%s.%s: incomplete", scope, a.ID)
			}
		}
	}
}

func TestRemapping(t *testing.T) {
	d := uitest.New(t, uitest.NewFake(), 80, 24, func(o *ui.Options) { o.Keys = map[string][]string{"home.new": {"a"}, "home.drills": {}} })
	want(t, d, "a new")
	d.Press("a")
	want(t, d, "New investigation")
	for bad, says := range map[string]string{"home.nothing": "no action", "home.new": "e: new and report"} {
		if err := ui.CheckKeys(map[string][]string{bad: {"e"}}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func TestWatchFollows(t *testing.T) {
	f := uitest.NewFake()
	f.ReadOnly = "another process has this case open"
	d := uitest.New(t, f, 120, 40, func(o *ui.Options) { o.Start = "/cases/e7a4.inquest" })
	s, err := f.Open(context.Background(), "/cases/e7a4.inquest")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Record(investigations.EntrySigned, investigations.Signed{Step: investigations.StepDatabase, Verdict: investigations.VerdictClean}); err != nil {
		t.Fatal(err)
	}
	d.Settle()
	want(t, d, "Verdict ○ clean · yours")
}

// TestTableIsLookedUpBeforeTheCaseIsOpened types a table that is not there and opens
// the case without leaving the field.
func TestTableIsLookedUpBeforeTheCaseIsOpened(t *testing.T) {
	f := uitest.NewFake()
	d := uitest.New(t, f, 100, 40)
	d.Press("n")
	d.Type("48213")
	d.Press("tab", "tab", "tab")
	d.Type("host=db1 dbname=dtro")
	d.Press("shift+tab", "shift+tab")
	d.Type("nosuch")
	d.Press("ctrl+s")
	want(t, d, "Open the case all the same?", "Did you mean public.nonsuch?")
	d.Press("n")
	want(t, d, "▸ Table")
	for range len("nosuch") {
		d.Press("backspace")
	}
	d.Press("ctrl+s")
	if len(f.Created) != 1 || f.Created[0].Table != "" {
		t.Fatalf("%+v\n%s", f.Created, d.View())
	}
}

// TestNothingIsSlowBeforeTheFirstFrame draws Home while the list never comes: a frame that waited for it would never be drawn.
func TestNothingIsSlowBeforeTheFirstFrame(t *testing.T) {
	app, err := ui.NewApp(context.Background(), ui.Options{Backend: stuck{uitest.NewFake()}}, ui.Hooks{Send: func(tea.Msg) {}, After: func(time.Duration, func() tea.Msg) tea.Cmd { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	app.Init()
	app.Update(tea.WindowSizeMsg{Width: 80, Height: 24})
	if v := app.View(); !strings.Contains(v, "Reading the saved investigations") {
		t.Fatal(v)
	}
}

type stuck struct{ *uitest.Fake }

func (stuck) List(ctx context.Context) ([]backend.CaseSummary, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestMouseSelects(t *testing.T) {
	click := func(d *uitest.Driver, x, y int) {
		_ = d.View() // what is clicked was drawn
		d.Send(tea.MouseMsg{X: x, Y: y, Button: tea.MouseButtonLeft, Action: tea.MouseActionPress})
	}
	d := uitest.New(t, uitest.NewFake(), 120, 40)
	click(d, 10, 3)
	want(t, d, "▸ 48213")
	click(d, 10, 2)
	click(d, 10, 2)
	d.Press("R")
	click(d, 5, 6)
	want(t, d, "▸ ●  3 Application logs", "3 Application logs · What did the service say")
	click(d, 60, 23)
	want(t, d, "▸ 14:58:03.370")
	d.Press("t")
	click(d, 60, 7)
	d.Send(tea.MouseMsg{Button: tea.MouseButtonWheelDown})
	want(t, d, "Selected event")
	click(d, 500, 500)
}
