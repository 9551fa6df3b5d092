package walfetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"inquest/sources"
)

// errMissing is a command's answer that the archive does not hold the file.
var errMissing = errors.New("not in the archive")

// mostSaid bounds what is kept of a command's own words.
const mostSaid = 600

// graceful is how long a command has to end after it was asked to.
const graceful = 3 * time.Second

// run lets the command write one file to a path. It returns an error that wraps
// errMissing when the archive lacks the file, as PostgreSQL understands it: any
// exit status up to 125. Other ends are a *sources.Blind.
func (s *Source) run(ctx context.Context, name, path string) error {
	line := s.template.fill(name, path)
	said, err := os.Create(path + ".said")
	if err != nil {
		return fmt.Errorf("fetch %s: %w", name, err)
	}
	defer func() {
		_ = said.Close()
		_ = os.Remove(said.Name())
	}()
	limited, cancel := context.WithTimeout(ctx, s.opt.Timeout)
	defer cancel()
	cmd := exec.CommandContext(limited, "sh", "-c", line) //nolint:gosec // running the user's own command is the purpose
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.folder.Path(), said, said
	cmd.WaitDelay = graceful
	ownGroup(cmd)
	err = cmd.Run()
	if limited.Err() != nil {
		endGroup(cmd)
	}
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("fetch %s: %w", name, ctx.Err())
	case limited.Err() != nil:
		return &sources.Blind{Why: fmt.Sprintf("the command did not bring %s within %s: %s", name, s.opt.Timeout, shown(line)), Opens: "run the command by hand and see what it waits for"}
	case err == nil:
		return nil
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return &sources.Blind{Why: fmt.Sprintf("the command could not be run: %v", err), Opens: "check --wal-fetch"}
	}
	words := tail(said)
	if code := exit.ExitCode(); code < 0 || code > 125 {
		return &sources.Blind{Why: fmt.Sprintf("the command ended with %s: %s%s", exit.ProcessState, shown(line), words), Opens: "check --wal-fetch: it must run here, as this user"}
	}
	return fmt.Errorf("%s: %w (%s%s)", name, errMissing, exit.ProcessState, words)
}

// tail returns the end of what a command said, on one line.
func tail(f *os.File) string {
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil || size == 0 {
		return ""
	}
	b := make([]byte, min(size, mostSaid))
	if _, err := f.ReadAt(b, size-int64(len(b))); err != nil {
		return ""
	}
	words := strings.Join(strings.Fields(strings.ToValidUTF8(string(b), "?")), " ")
	if words == "" {
		return ""
	}
	return ": " + shown(words)
}

// shown is a text without the secrets that a command line may hold.
func shown(s string) string {
	r, err := sources.NewRedactor(nil)
	if err != nil {
		return sources.Mask
	}
	s, _ = r.Redact(s)
	return s
}
