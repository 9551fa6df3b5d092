package ui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/aymanbagabas/go-osc52/v2"
	tea "github.com/charmbracelet/bubbletea"
	"github.com/mattn/go-isatty"

	"inquest/ui/background"
	"inquest/ui/theme"
)

// closing is how long sessions get to close when the program ends.
const closing = 5 * time.Second

// framesPerSecond is how often the renderer looks whether there is something new to
// draw; it does so also while nothing happens, and nobody sees more over ssh.
const framesPerSecond = 30

// maxCopy is the most bytes that terminals take into their clipboard.
const maxCopy = 74 << 10

// Run shows the program until it is left. It returns nil when the person quit
// or the terminal went away, ctx's error when ctx ended, and otherwise what
// went wrong, a panic included; in each case the terminal is as it was, what
// runs has been cancelled and every session is closed.
func Run(ctx context.Context, o Options) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	out := &sharedFile{}
	opts := []tea.ProgramOption{tea.WithAltScreen(), tea.WithContext(ctx), tea.WithoutSignalHandler(), tea.WithFPS(framesPerSecond)}
	opts = append(opts, out.options(o)...)

	var p *tea.Program
	ready := make(chan struct{})
	hooks := Hooks{
		// Never on the caller's goroutine: it may be one that must not wait.
		Send: func(m tea.Msg) { go func() { <-ready; p.Send(m) }() },
		After: func(d time.Duration, f func() tea.Msg) tea.Cmd {
			return tea.Tick(d, func(time.Time) tea.Msg { return f() })
		},
		Copy: func(s string) error { return out.copyText(s, o.Getenv) },
	}
	if in := o.asks(out, hooks.Send); in != nil {
		opts = append(opts, tea.WithInput(in))
		hooks.Ask = func() error { in.Asking(); _, err := io.WriteString(out, background.Question); return err }
		hooks.Settle = in.Settle
	}
	app, err := NewApp(ctx, o, hooks)
	if err != nil {
		return err
	}
	p = tea.NewProgram(app, opts...)
	close(ready)
	stop := onSignals(func() { p.Send(hangup{}) }, cancel)
	defer stop()
	_, err = p.Run()
	cancel()
	return errors.Join(ended(err), app.closeAll())
}

// ended turns Bubble Tea's reasons for ending into ours.
func ended(err error) error {
	switch {
	case err == nil, errors.Is(err, tea.ErrInterrupted):
		return nil
	case errors.Is(err, tea.ErrProgramPanic):
		return fmt.Errorf("the screen broke; the case is safe on disk: %w", err)
	case errors.Is(err, context.Canceled):
		return context.Canceled
	}
	return err
}

// hangup says that the terminal went away or that the program is to end.
type hangup struct{}

// onSignals ends the program in order on the first signal and by force on the
// second.
func onSignals(first, second func()) (stop func()) {
	ch := make(chan os.Signal, 2)
	signal.Notify(ch, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT)
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-done:
				return
			case <-ch:
				if n == 0 {
					go first()
				} else {
					second()
				}
			}
		}
	})
	return func() {
		signal.Stop(ch)
		close(done)
		wg.Wait()
	}
}

// closeAll closes every open session, all at once, and waits for a while.
func (a *App) closeAll() error {
	list := a.Sessions()
	errs := make(chan error, len(list))
	for _, s := range list {
		go func() { errs <- s.Close() }()
	}
	var all []error
	late := time.After(closing)
	for range list {
		select {
		case err := <-errs:
			all = append(all, err)
		case <-late:
			return errors.Join(append(all, fmt.Errorf("a case did not close within %s; all that was recorded is on disk", closing))...)
		}
	}
	return errors.Join(all...)
}

// asks returns the input of a terminal that is to be asked for its background,
// or nil: where the colours are settled already, and where no one would answer.
func (o Options) asks(out *sharedFile, send func(tea.Msg)) *background.Input {
	o = o.withDefaults()
	terminal := func(f *os.File) bool { return f != nil && isatty.IsTerminal(f.Fd()) }
	if o.NoColor || o.mode() != theme.Auto || !background.Asks(o.Getenv("TERM")) || o.In != nil || !terminal(os.Stdin) || !terminal(out.File) {
		return nil
	}
	if o.Out != nil && o.Out != io.Writer(out.File) {
		return nil
	}
	return background.NewInput(os.Stdin, func(dark bool) { send(backgroundIs{dark}) }, time.Now)
}

// backgroundIs is what the terminal says of its background.
type backgroundIs struct{ dark bool }

// sharedFile is the terminal, shared by the frames and what is copied.
type sharedFile struct {
	*os.File
	mu sync.Mutex
	w  io.Writer
}

// Write writes one piece without another in between.
func (f *sharedFile) Write(b []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.w.Write(b)
}

// WriteString is Write: the file's own would go past the lock.
func (f *sharedFile) WriteString(s string) (int, error) { return f.Write([]byte(s)) }

func (f *sharedFile) options(o Options) []tea.ProgramOption {
	var opts []tea.ProgramOption
	f.File, f.w = os.Stdout, os.Stdout
	switch w := o.Out.(type) {
	case nil:
	case *os.File:
		f.File, f.w = w, w
	default:
		f.w = w
	}
	if _, isFile := f.w.(*os.File); isFile {
		opts = append(opts, tea.WithOutput(f))
	} else {
		opts = append(opts, tea.WithOutput(f.w))
	}
	if o.In != nil {
		opts = append(opts, tea.WithInput(o.In))
	}
	if o.Mouse {
		opts = append(opts, tea.WithMouseCellMotion())
	}
	return opts
}

// copyText sends OSC 52, which works over ssh. Inside tmux it is sent plain and
// wrapped: which one gets through depends on tmux's settings.
func (f *sharedFile) copyText(s string, getenv func(string) string) error {
	if len(s) > maxCopy {
		return fmt.Errorf("%d KiB are more than a terminal's clipboard takes: write the report with e instead", len(s)>>10)
	}
	seq := osc52.New(s)
	out := seq.String()
	if getenv != nil && getenv("TMUX") != "" {
		out += seq.Tmux().String()
	}
	_, err := io.WriteString(f, out)
	return err
}
