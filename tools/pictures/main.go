// Command pictures takes the pictures of the documentation from the real
// program: it drives a built inquest in tmux on a drill, by keyboard only,
// captures the screens with their colours and draws them as SVG, dark and light.
//
//	go build -o /tmp/inquest ./cmd/inquest
//	cd tools && go run ./pictures -inquest /tmp/inquest -out ../docs/pictures
//
// It needs tmux and a PostgreSQL server binary. Ids are those of the drill; the
// times are those of the run.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"time"
)

func main() {
	program := flag.String("inquest", "inquest", "the built `program`")
	out := flag.String("out", "docs/pictures", "`folder` to write to")
	width := flag.Int("width", 120, "columns")
	height := flag.Int("height", 36, "lines")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *program, *out, *width, *height); err != nil {
		fmt.Fprintln(os.Stderr, "pictures:", err)
		os.Exit(1)
	}
}

// shot is one picture: what to press to get there from the one before, the text
// that says that the screen is there, and what to press to go back.
type shot struct {
	name string
	keys []string
	wait string
	back []string
}

// shots walk from Home through a drill to its report, and back.
var shots = []shot{
	{name: "case", keys: []string{"t", "Enter", "wait:Not judged yet", "R", "wait:the whole checklist has ended", "Tab"}, wait: "rolled back"},
	{name: "matrix", keys: []string{"h"}, wait: "Causes", back: []string{"Escape"}},
	{name: "timeline", keys: []string{"t"}, wait: "Selected event", back: []string{"Escape"}},
	{name: "report", keys: []string{"w"}, wait: "What happened to", back: []string{"Escape", "Escape", "Escape", "Escape"}},
	{name: "home", keys: []string{"wait:3 investigations", "wait:established · practice"}, wait: "▸ e7a4"},
}

// earlier are the drills that Home lists.
var earlier = []string{"psql-delete", "rolled-back-error"}

func run(ctx context.Context, program, out string, w, h int) error {
	program, err := filepath.Abs(program)
	if err != nil {
		return err
	}
	cases, err := os.MkdirTemp("", "inquest-pictures-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(cases)
	// The folder stands on the screen: it is one below a home folder.
	home := filepath.Join(cases, ".local", "share", "inquest")
	env := append(os.Environ(), "HOME="+cases, "INQUEST_CASES="+home, "TERM=tmux-256color", "COLORTERM=", "NO_COLOR=", "INQUEST_CONFIG="+filepath.Join(cases, "none.yaml"), "TZ=UTC")
	if err := os.MkdirAll(home, 0o700); err != nil {
		return err
	}
	for _, d := range earlier {
		fmt.Fprintln(os.Stderr, "playing", d)
		cmd := exec.CommandContext(ctx, program, "drill", d, "--headless", "--quiet")
		cmd.Env = env
		if b, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("drill %s: %w\n%s", d, err, b)
		}
	}
	t, err := startTmux(ctx, env, w, h, program, "--theme", "dark")
	if err != nil {
		return err
	}
	defer t.stop()
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	for _, s := range shots {
		if err := t.take(ctx, s, out); err != nil {
			return fmt.Errorf("picture %s: %w", s.name, err)
		}
		fmt.Fprintln(os.Stderr, "took", s.name)
	}
	return nil
}

// take goes to a screen and draws it dark, then light.
func (t *tmux) take(ctx context.Context, s shot, out string) error {
	if err := t.press(ctx, s.keys...); err != nil {
		return err
	}
	if err := t.wait(ctx, s.wait); err != nil {
		return err
	}
	for _, look := range []struct {
		palette palette
		after   []string // from the look before to this one; a redraw drops the message
	}{{dark, nil}, {light, []string{"C-t", "C-l"}}} {
		if err := t.press(ctx, look.after...); err != nil {
			return err
		}
		time.Sleep(300 * time.Millisecond) // the frame has been drawn by then
		screen, err := t.capture(ctx)
		if err != nil {
			return err
		}
		path := filepath.Join(out, s.name+"-"+look.palette.name+".svg")
		if err := os.WriteFile(path, drawSVG(parse(screen, t.w, t.h), look.palette), 0o644); err != nil {
			return err
		}
	}
	return t.press(ctx, append([]string{"C-t", "C-t", "C-l"}, s.back...)...)
}
