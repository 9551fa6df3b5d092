// Package process runs other programs for drivers: without a shell, in a
// process group of their own that dies with the context, with bounds on time and output, and
// with the end of what they said on standard error. It knows nothing of logs.
package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"time"

	"inquest/sources"
)

// Call is one run of a program.
type Call struct {
	Argv  []string
	Stdin string
	// Out gets standard output as it comes. An error of it ends the program.
	Out io.Writer
	// Err gets whole lines of standard error, without their end, and reports
	// whether they were log lines; nil: all are messages.
	Err     func(line []byte) bool
	Timeout time.Duration // zero: none but the context's
	Most    int64         // bytes of output; zero: no bound
}

// End is how a program ended.
type End struct {
	// Why is empty after a good end, else what happened, with the exit status and the
	// last lines of standard error: "ended with status 1: no such pod".
	Why    string
	Status int    // exit status; -1 when it was killed
	Stderr string // the last lines of standard error
	Bytes  int64  // of standard output
}

const (
	stderrKept  = 4 << 10
	stderrLines = 5
	leftovers   = 2 * time.Second // how long output is waited for once the program is gone
)

// Run starts the program and waits for its end. The error is a *sources.Blind
// when it could not be started, and the context's when that ended first.
func Run(ctx context.Context, c Call) (End, error) {
	path, err := exec.LookPath(c.Argv[0])
	if err != nil {
		return End{}, &sources.Blind{Why: fmt.Sprintf("the program %s was not found on PATH", c.Argv[0]), Opens: "install " + c.Argv[0] + " or add its folder to PATH"}
	}
	run, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	if c.Timeout > 0 {
		var cancel context.CancelFunc
		run, cancel = context.WithTimeoutCause(run, c.Timeout, errTime)
		defer cancel()
	}
	cmd := exec.CommandContext(run, path, c.Argv[1:]...)
	cmd.Args[0] = c.Argv[0]
	ownGroup(cmd)
	cmd.Cancel = func() error { return killGroup(cmd) }
	cmd.WaitDelay = leftovers
	if c.Stdin != "" {
		cmd.Stdin = strings.NewReader(c.Stdin)
	}
	out := &output{w: c.Out, most: c.Most, stop: stop}
	messages := &tail{keep: c.Err}
	cmd.Stdout, cmd.Stderr = out, messages
	if err := cmd.Start(); err != nil {
		if ctx.Err() != nil {
			return End{}, context.Cause(ctx)
		}
		return End{}, &sources.Blind{Why: fmt.Sprintf("%s could not be started: %v", c.Argv[0], err)}
	}
	err = cmd.Wait()
	_ = killGroup(cmd) // what it left behind
	messages.flush()
	if ctx.Err() != nil {
		return End{}, context.Cause(ctx)
	}
	end := End{Status: cmd.ProcessState.ExitCode(), Stderr: messages.String(), Bytes: out.n}
	end.Why = end.reason(err, context.Cause(run), c.Timeout)
	return end, nil
}

var (
	errTime = errors.New("too slow")
	errMuch = errors.New("too much output")
)

func (e End) reason(err, cause error, limit time.Duration) string {
	var why string
	var exit *exec.ExitError
	switch {
	case errors.Is(cause, errTime):
		why = fmt.Sprintf("was still running after %s and was stopped", limit)
	case cause != nil && !errors.Is(cause, context.Canceled):
		why = fmt.Sprintf("was stopped: %v", cause)
	case err == nil:
		return ""
	case errors.Is(err, exec.ErrWaitDelay):
		return "" // a child of its own kept standard output open: all that came is here
	case errors.As(err, &exit):
		why = "ended with " + exit.ProcessState.String()
	default:
		why = fmt.Sprintf("failed: %v", err)
	}
	if e.Stderr != "" {
		why += ": " + strings.ReplaceAll(e.Stderr, "\n", "; ")
	}
	return why
}

// output counts and bounds what is written.
type output struct {
	w    io.Writer
	n    int64
	most int64
	stop context.CancelCauseFunc
}

func (o *output) Write(b []byte) (int, error) {
	o.n += int64(len(b))
	if o.most > 0 && o.n > o.most {
		err := fmt.Errorf("%w: more than %d MiB", errMuch, o.most>>20)
		o.stop(err)
		return 0, err
	}
	if o.w == nil {
		return len(b), nil
	}
	n, err := o.w.Write(b)
	if err != nil {
		o.stop(err)
	}
	return n, err
}

// tail keeps the last lines that are messages.
type tail struct {
	mu   sync.Mutex
	keep func([]byte) bool
	line []byte
	text []byte
}

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for rest := b; len(rest) > 0; {
		i := bytes.IndexByte(rest, '\n')
		if i < 0 {
			t.line = append(t.line, rest[:min(len(rest), max(0, 1<<20-len(t.line)))]...)
			break
		}
		t.line = append(t.line, rest[:i]...)
		t.end()
		rest = rest[i+1:]
	}
	return len(b), nil
}

func (t *tail) end() {
	if len(t.line) > 0 && (t.keep == nil || !t.keep(t.line)) {
		t.text = append(append(t.text, bytes.TrimRight(t.line[:min(len(t.line), stderrKept/2)], "\r")...), '\n')
		if len(t.text) > stderrKept {
			t.text = t.text[len(t.text)-stderrKept:]
		}
	}
	t.line = t.line[:0]
}

func (t *tail) flush() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.end()
}

func (t *tail) String() string {
	lines := strings.Split(strings.ToValidUTF8(strings.TrimSpace(string(t.text)), "\uFFFD"), "\n")
	return strings.Join(lines[max(0, len(lines)-stderrLines):], "\n")
}
