package gitrepo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"

	"inquest/sources"
)

// Bounds of one git command.
const (
	defaultTimeout = 60 * time.Second
	maxOutput      = 32 << 20
	killDelay      = 2 * time.Second
)

// harmless switches off what a repository's configuration could make git run:
// watchers, hooks, pagers, external diffs, signature checks, upkeep, submodules.
var harmless = []string{
	"--no-pager", "--no-optional-locks", "--literal-pathspecs", "--no-replace-objects",
	"-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "core.pager=cat", "-c", "core.sshCommand=false",
	"-c", "core.askPass=false", "-c", "core.untrackedCache=false", "-c", "core.quotePath=false", "-c", "credential.helper=",
	"-c", "log.showSignature=false", "-c", "gpg.program=false", "-c", "gc.auto=0", "-c", "maintenance.auto=false",
	"-c", "protocol.allow=never", "-c", "submodule.recurse=false", "-c", "color.ui=false", "-c", "log.mailmap=false",
}

// closed keeps git off the network and from asking anybody; no protocol is
// allowed, which also outranks what the repository allows.
var closed = []string{
	"GIT_ALLOW_PROTOCOL=none", "GIT_NO_LAZY_FETCH=1", "GIT_TERMINAL_PROMPT=0", "GIT_OPTIONAL_LOCKS=0", "GIT_ASKPASS=false", "SSH_ASKPASS=false",
	"GIT_PAGER=cat", "GIT_ATTR_NOSYSTEM=1", "LC_ALL=C", "LANGUAGE=C", "TZ=UTC",
}

// environ is the caller's environment without git's own variables, which would
// point it elsewhere, and with the closed ones.
func environ(env []string) []string {
	out := make([]string, 0, len(env)+len(closed))
	for _, kv := range env {
		name, _, _ := strings.Cut(kv, "=")
		switch {
		case strings.HasPrefix(name, "GIT_"), name == "SSH_ASKPASS", name == "LC_ALL", name == "LANGUAGE", name == "TZ", name == "PAGER":
		default:
			out = append(out, kv)
		}
	}
	return append(out, closed...)
}

// errLong is returned with the output that was read before it grew too long.
var errLong = errors.New("more output than is kept")

// git runs one command and returns its output: none for an exit status 1 without
// a word, by which git says that nothing was found.
func (r *Repo) git(ctx context.Context, args ...string) ([]byte, error) {
	outer := ctx
	ctx, cancel := context.WithTimeout(ctx, r.opt.Timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, r.opt.Git, append(append([]string{"-C", r.dir}, harmless...), args...)...)
	cmd.Env, cmd.WaitDelay = environ(r.opt.Environ), killDelay
	ownGroup(cmd)
	var stderr capped
	stderr.most = 4 << 10
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("run git: %w", err)
	}
	if err := cmd.Start(); err != nil {
		if outer.Err() != nil {
			return nil, outer.Err()
		}
		return nil, r.blindStart(err)
	}
	body, readErr := io.ReadAll(io.LimitReader(out, maxOutput+1))
	if len(body) > maxOutput {
		cancel()
		_ = cmd.Wait()
		return body[:bytes.LastIndexByte(body[:maxOutput], '\n')+1], errLong
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	switch {
	case err == nil && readErr == nil:
		return body, nil
	case outer.Err() != nil:
		return nil, outer.Err()
	case ctx.Err() != nil:
		return nil, &sources.Blind{Why: fmt.Sprintf("git took longer than %s in %s", r.opt.Timeout, r.dir), Opens: "name one table with --table, or a narrower window"}
	case errors.As(err, &exit) && exit.ExitCode() == 1 && stderr.Len() == 0:
		return body, nil
	}
	return nil, blindExit(r.dir, stderr.String(), errors.Join(err, readErr))
}

// byHand is a command as a person would type it.
func (r *Repo) byHand(args ...string) string {
	words := []string{"git", "-C", quote(r.dir)}
	for _, a := range args {
		words = append(words, quote(a))
	}
	return strings.Join(words, " ")
}

func quote(s string) string {
	if s != "" && !strings.ContainsFunc(s, func(c rune) bool {
		return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("-_./=:,@%+", c))
	}) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// capped keeps the beginning of what is written to it.
type capped struct {
	bytes.Buffer
	most int
}

func (c *capped) Write(p []byte) (int, error) {
	if room := c.most - c.Len(); room > 0 {
		c.Buffer.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

func (r *Repo) blindStart(err error) error {
	if errors.Is(err, exec.ErrNotFound) {
		return &sources.Blind{Why: "git is not installed here", Opens: "install git"}
	}
	return &sources.Blind{Why: fmt.Sprintf("git could not be started: %v", err), Opens: "install git"}
}

// blindExit says in words what git said.
func blindExit(dir, said string, err error) error {
	line, _, _ := strings.Cut(strings.TrimSpace(said), "\n")
	switch {
	case strings.Contains(said, "dubious ownership"):
		return &sources.Blind{Why: "git does not trust " + dir + ", which belongs to another user", Opens: "git config --global --add safe.directory " + quote(dir)}
	case strings.Contains(said, "not a git repository"):
		return &sources.Blind{Why: dir + " is no git repository", Opens: "name the folder of the application's repository with --repo"}
	case strings.Contains(said, "transport"), strings.Contains(said, "promisor"), strings.Contains(said, "lazy fetch"):
		return &sources.Blind{Why: dir + " is a partial clone, and what is missing is not fetched", Opens: "clone the repository in full"}
	case line == "":
		line = err.Error()
	}
	return &sources.Blind{Why: "git: " + strings.ToValidUTF8(line, "\uFFFD")}
}
