// Command inquest answers one question for an on-call engineer: what happened
// to this record?
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"
)

// version is set by the linker for releases.
var version = "dev"

// Exit statuses. They are part of the command line's contract.
const (
	exitSettled      = 0   // the fate is settled: established or probable
	exitNoSource     = 1   // no source could be read
	exitUsage        = 2   // usage or configuration
	exitUndetermined = 3   // finished, and the fate is undetermined
	exitInterrupted  = 130 // interrupted by a signal
)

// program is what a command needs of the world around it: only cmd touches
// arguments, streams, environment, clock and exit status.
type program struct {
	in       io.Reader
	out, err io.Writer
	now      func() time.Time
	getenv   func(string) string
	terminal bool // standard output and input are a terminal
	config   config
	stages   stages
	remarked map[string]bool // what was told of the flags already
}

// exit is an error with the status that the process ends with. A nil cause
// prints nothing.
type exit struct {
	status int
	cause  error
}

func (e *exit) Error() string {
	if e.cause == nil {
		return fmt.Sprintf("exit status %d", e.status)
	}
	return e.cause.Error()
}

func (e *exit) Unwrap() error { return e.cause }

func usage(format string, args ...any) error {
	return &exit{status: exitUsage, cause: fmt.Errorf(format, args...)}
}

func main() {
	os.Exit(Main())
}

// Main runs the command line and returns the exit status.
func Main() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	p := &program{
		in: os.Stdin, out: os.Stdout, err: os.Stderr, now: time.Now, getenv: os.Getenv,
		terminal: isatty.IsTerminal(os.Stdout.Fd()) && isatty.IsTerminal(os.Stdin.Fd()),
	}
	return p.execute(ctx, os.Args[1:])
}

func (p *program) execute(ctx context.Context, args []string) int {
	root := p.root()
	root.SetArgs(joinJournal(args))
	root.SetIn(p.in)
	root.SetOut(p.out)
	root.SetErr(p.err)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitSettled
	}
	var e *exit
	if !errors.As(err, &e) {
		e = &exit{status: exitUsage, cause: err}
	}
	if ctx.Err() != nil {
		e.status = exitInterrupted
	}
	if e.cause != nil {
		fmt.Fprintf(p.err, "inquest: %v\n", e.cause)
	}
	return e.status
}

func (p *program) root() *cobra.Command {
	var l look
	root := &cobra.Command{
		Use:   "inquest",
		Short: "Find out what happened to a database record",
		Long: `inquest finds out what happened to a record that should be in PostgreSQL and is not.

Without a command it opens the terminal UI. Everything it does is read-only.`,
		Version:           version,
		Args:              notACommand,
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
		PersistentPreRunE: func(*cobra.Command, []string) (err error) {
			p.config, err = loadConfig(p)
			return err
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return p.home(cmd.Context(), l) },
	}
	l.register(root.Flags())
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(p.runCommand(), p.openCommand(), p.listCommand(), p.reportCommand(), p.verifyCommand(), p.drillCommand())
	return root
}
