package drills

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"
)

// AtPrompt lets somebody connect with psql, send statements one at a time with
// pauses, and leave. Where psql is not installed a session that behaves like it
// stands in.
func (s *Stage) AtPrompt(ctx context.Context, who Session, pace Pace, statements ...string) error {
	path, err := exec.LookPath("psql")
	if err != nil {
		return s.standIn(ctx, who, pace, statements)
	}
	cmd := exec.CommandContext(ctx, path, "-X", "-q", "-v", "ON_ERROR_STOP=1", s.Server.DSNAs(who.Role, password, who.Database))
	cmd.Env = withoutLibpq(cmd.Environ())
	cmd.WaitDelay = 5 * time.Second
	var said strings.Builder
	cmd.Stderr = &said
	in, err := cmd.StdinPipe()
	if err != nil {
		return fmt.Errorf("run psql: %w", err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("run psql: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("run psql: %w", err)
	}
	at := prompt{in: in, out: bufio.NewScanner(out)}
	err = s.typeInto(ctx, at, pace, statements)
	if err = errors.Join(err, in.Close(), cmd.Wait()); err != nil {
		return fmt.Errorf("run psql: %w: %s", err, firstLine(said.String()))
	}
	return nil
}

// prompt is a psql that is asked, and waited for.
type prompt struct {
	in  io.Writer
	out *bufio.Scanner
}

// done tells psql a text and waits until psql has dealt with it; an empty text
// waits until it is connected. A person sees the prompt before typing on, however
// slow the machine is.
func (p prompt) done(text string) error {
	const mark = "-- prompt --"
	if _, err := io.WriteString(p.in, text+"\n\\echo "+mark+"\n"); err != nil {
		return err
	}
	for p.out.Scan() {
		if p.out.Text() == mark {
			return nil
		}
	}
	return errors.Join(errors.New("psql ended too soon"), p.out.Err())
}

func (s *Stage) typeInto(ctx context.Context, at prompt, pace Pace, statements []string) error {
	if err := at.done(""); err != nil {
		return err
	}
	for _, text := range statements {
		if err := s.Pause(ctx, pace.draw()); err != nil {
			return err
		}
		if err := at.done(text); err != nil {
			return err
		}
	}
	return s.Pause(ctx, pace.draw())
}

func (s *Stage) standIn(ctx context.Context, who Session, pace Pace, statements []string) error {
	who.App, who.Simple = "psql", true
	conn, err := s.Connect(ctx, who)
	if err != nil {
		return err
	}
	for _, text := range statements {
		if err := errors.Join(s.Pause(ctx, pace.draw()), script(ctx, conn, text)); err != nil {
			return err
		}
	}
	return errors.Join(s.Pause(ctx, pace.draw()), s.Leave(ctx, conn))
}

// withoutLibpq drops the variables that would change how psql connects.
func withoutLibpq(env []string) []string {
	var out []string
	for _, kv := range env {
		if !strings.HasPrefix(kv, "PG") {
			out = append(out, kv)
		}
	}
	return out
}
