package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"inquest/ui"
	"inquest/ui/backend"
	"inquest/ui/plain"
)

// look is how the terminal UI looks and where it starts.
type look struct {
	theme   string
	ascii   bool
	noColor bool
	mouse   bool
	plain   bool

	start, drill string
}

func (l *look) register(fs *pflag.FlagSet) {
	fs.StringVar(&l.theme, "theme", "auto", "colours of the screen: auto, dark or light")
	fs.BoolVar(&l.ascii, "ascii", false, "draw with ASCII characters only")
	fs.BoolVar(&l.noColor, "no-color", false, "draw without colour (NO_COLOR does the same)")
	fs.BoolVar(&l.plain, "plain", false, "labelled lines of text instead of the screen, for screen readers, pipes and logs")
	fs.BoolVar(&l.mouse, "mouse", false, "let the mouse select and scroll")
}

// configure fills what no flag said from the configuration.
func (l *look) configure(c uiConfig) {
	if l.theme == "auto" && c.Theme != "" {
		l.theme = c.Theme
	}
	l.ascii, l.mouse = l.ascii || c.ASCII, l.mouse || c.Mouse
}

// screens runs the terminal UI until it is left.
func (p *program) screens(ctx context.Context, d backend.Backend, l look) error {
	if !l.plain && p.getenv("TERM") == "dumb" {
		p.say("the terminal says that it cannot draw (TERM=dumb): this is inquest --plain")
		l.plain = true
	}
	if l.plain {
		return p.plainly(ctx, d, l)
	}
	l.configure(p.config.UI)
	l.ascii = l.ascii || !p.drawsUnicode()
	places := placeFolder(caseDir(p))
	err := ui.Run(ctx, ui.Options{
		Backend: d, Theme: l.theme, ASCII: l.ascii, NoColor: l.noColor, Mouse: l.mouse,
		Start: l.start, Drill: l.drill, Folder: p.tilde(caseDir(p)),
		Colors: p.config.UI.Colors, Keys: p.config.UI.Keys,
		Recall: places.recall, Remember: places.remember,
		Getenv: p.getenv, Now: p.now, Zone: time.Local,
	})
	return p.left(ctx, err)
}

// drawsUnicode reports whether the locale is one of UTF-8, or says nothing: in any
// other, terminals and tmux show other characters than ours.
func (p *program) drawsUnicode() bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := strings.ToLower(p.getenv(name)); v != "" {
			return strings.Contains(v, "utf-8") || strings.Contains(v, "utf8")
		}
	}
	return true
}

// plainly is the same as labelled lines of text.
func (p *program) plainly(ctx context.Context, d backend.Backend, l look) error {
	return p.left(ctx, plain.Run(ctx, plain.Options{
		Backend: d, In: p.in, Out: p.out, Start: l.start, Drill: l.drill, Folder: p.tilde(caseDir(p)), Now: p.now, Zone: time.Local,
	}))
}

// tilde writes a path below the home folder as people do.
func (p *program) tilde(path string) string {
	home := p.getenv("HOME")
	if rest, ok := strings.CutPrefix(path, home+"/"); ok && home != "" && home != "/" {
		return "~/" + rest
	}
	return path
}

// untilde is the path that people mean by ~/…: no shell reads what is typed on a
// screen.
func (p *program) untilde(path string) string {
	home := p.getenv("HOME")
	if rest, ok := strings.CutPrefix(path, "~/"); ok && home != "" {
		return filepath.Join(home, rest)
	}
	return path
}

func (p *program) untildes(list []string) []string {
	out := make([]string, 0, len(list))
	for _, path := range list {
		out = append(out, p.untilde(path))
	}
	return out
}

// left turns the reason why the UI ended into the exit status.
func (p *program) left(ctx context.Context, err error) error {
	err = errors.Join(err, p.stages.strike())
	switch {
	case ctx.Err() != nil, errors.Is(err, context.Canceled):
		return &exit{status: exitInterrupted}
	case err != nil:
		return &exit{status: 1, cause: err}
	}
	return nil
}

// placeFolder keeps the place where a screen stood, apart from the journal: a
// file beside the case, which may be lost without harm.
type placeFolder string

func (f placeFolder) file(path string) string {
	if path == "" {
		return filepath.Join(string(f), ".home.place")
	}
	return filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".place")
}

func (f placeFolder) recall(path string) string {
	b, err := os.ReadFile(f.file(path))
	if err != nil {
		return ""
	}
	return string(b)
}

func (f placeFolder) remember(path, place string) {
	if os.MkdirAll(filepath.Dir(f.file(path)), 0o700) == nil {
		_ = os.WriteFile(f.file(path), []byte(place), 0o600)
	}
}
