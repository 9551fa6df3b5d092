package gitrepo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"inquest/sources"
)

// Options are how git is run.
type Options struct {
	Git     string        // program; empty: git of the PATH
	Timeout time.Duration // of one command; zero: 60 s
	// Environ is the environment git is given, without its own variables.
	Environ []string
}

// Repo is one git repository.
type Repo struct {
	dir, name string
	opt       Options

	mu    sync.Mutex
	asked bool
	head  head
	err   error
}

// head is what is known of a repository once it was asked.
type head struct {
	hash             string
	time             time.Time
	branch           string
	shallow, partial bool
}

// Open returns the source of a folder. It does no I/O: whether the folder is
// there, and a repository, is for Check to say.
func Open(dir string, opt Options) (*Repo, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open repository %s: %w", dir, err)
	}
	if opt.Git == "" {
		opt.Git = "git"
	}
	if opt.Timeout <= 0 {
		opt.Timeout = defaultTimeout
	}
	return &Repo{dir: abs, name: "repo:" + filepath.Base(abs), opt: opt}, nil
}

// Name returns "repo:" and the folder's name.
func (r *Repo) Name() string { return r.name }

// Kind returns KindRepo.
func (r *Repo) Kind() sources.Kind { return sources.KindRepo }

// Close does nothing: every command ends before its call returns.
func (r *Repo) Close() error { return nil }

// Check says which commit the folder stands at.
func (r *Repo) Check(ctx context.Context) sources.Status {
	st := sources.Status{Source: r.name, Kind: sources.KindRepo, State: sources.StateReady}
	h, err := r.open(ctx)
	if err != nil {
		st.State, st.Summary, st.Problem = sources.StateFailed, r.dir, err.Error()
		return st
	}
	st.Summary = fmt.Sprintf("git repository %s at %s of %s", r.dir, short(h.hash), h.time.Format("2006-01-02 15:04 UTC"))
	if h.branch != "" {
		st.Summary += ", branch " + h.branch
	}
	if why := h.incomplete(); why != nil {
		st.State, st.Problem = sources.StatePartial, why.Error()
	}
	return st
}

// incomplete says why the history is not all there, nil when it is.
func (h head) incomplete() *sources.Blind {
	switch {
	case h.shallow:
		return &sources.Blind{Why: "the repository is a shallow clone: its history begins in the middle", Opens: "git fetch --unshallow"}
	case h.partial:
		return &sources.Blind{Why: "the repository is a partial clone: what is missing is not fetched", Opens: "clone the repository in full"}
	}
	return nil
}

// open asks once where the repository stands; an interrupted answer is none.
func (r *Repo) open(ctx context.Context) (head, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.asked {
		r.head, r.err = r.look(ctx)
		r.asked = ctx.Err() == nil
	}
	return r.head, r.err
}

func (r *Repo) look(ctx context.Context) (head, error) {
	var h head
	if info, err := os.Stat(r.dir); err != nil || !info.IsDir() {
		return h, &sources.Blind{Why: "there is no folder " + r.dir, Opens: "name the folder of the application's repository with --repo"}
	}
	out, err := r.git(ctx, "rev-parse", "--is-shallow-repository")
	if err != nil {
		return h, err
	}
	h.shallow = strings.TrimSpace(string(out)) == "true"
	out, err = r.git(ctx, "log", "-1", "--no-show-signature", "--format=%H %ct", "HEAD")
	if err != nil {
		var b *sources.Blind
		if errors.As(err, &b) && (strings.Contains(b.Why, "unknown revision") || strings.Contains(b.Why, "bad revision") || strings.Contains(b.Why, "ambiguous argument")) {
			err = &sources.Blind{Why: r.dir + " has no commit", Opens: "name the folder of the application's repository with --repo"}
		}
		return h, err
	}
	fields := strings.Fields(string(out))
	if len(fields) != 2 {
		return h, &sources.Blind{Why: r.dir + " has no commit", Opens: "name the folder of the application's repository with --repo"}
	}
	h.hash, h.time = fields[0], unix(fields[1])
	if out, err := r.git(ctx, "symbolic-ref", "--short", "-q", "HEAD"); err == nil {
		h.branch = printable(strings.TrimSpace(string(out)))
	}
	if out, err := r.git(ctx, "config", "--local", "--get-regexp", `^(extensions\.partialclone|remote\..*\.promisor)$`); err == nil {
		h.partial = len(out) > 0
	}
	return h, nil
}

func short(hash string) string { return hash[:min(len(hash), 10)] }

var _ sources.CodeHistory = (*Repo)(nil)
