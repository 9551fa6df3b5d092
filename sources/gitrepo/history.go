package gitrepo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"inquest/sources"
)

// Changes returns the commits on any branch or tag that were committed in one of
// the windows and that add or take away a line which removes rows of a table.
func (r *Repo) Changes(ctx context.Context, tables []string, windows []sources.Window) (*sources.CodeChanges, error) {
	h, err := r.open(ctx)
	if err != nil {
		return nil, err
	}
	f := newFinder(tables)
	if len(f) == 0 {
		return nil, noTable()
	}
	out := &sources.CodeChanges{Commits: []sources.CodeCommit{}, Releases: []sources.CodeRelease{}}
	seen := map[string]bool{}
	for _, w := range windows {
		if err := r.changesIn(ctx, f, w, seen, out); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(out.Commits, func(a, b sources.CodeCommit) int { return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.Hash, b.Hash)) })
	if len(out.Commits) > maxCommits {
		leave(out, fmt.Sprintf("%d commits beyond the first %d", len(out.Commits)-maxCommits, maxCommits))
		out.Commits = out.Commits[:maxCommits]
	}
	if why := h.incomplete(); why != nil {
		leave(out, why.Why)
	}
	out.Releases, err = r.releases(ctx, windows)
	return out, err
}

// everywhere are the branches and tags that could have been deployed.
var everywhere = []string{"HEAD", "--branches", "--remotes", "--tags"}

func (r *Repo) changesIn(ctx context.Context, f finder, w sources.Window, seen map[string]bool, out *sources.CodeChanges) error {
	between := []string{}
	if !w.From.IsZero() {
		between = append(between, "--since="+w.From.UTC().Format(time.RFC3339))
	}
	if !w.To.IsZero() {
		between = append(between, "--until="+w.To.UTC().Format(time.RFC3339))
	}
	near, err := r.git(ctx, slices.Concat([]string{"rev-list", "--count"}, between, everywhere)...)
	if err != nil {
		return err
	}
	n, _ := strconv.Atoi(strings.TrimSpace(string(near)))
	out.Near += n
	args := slices.Concat([]string{
		"log", "--format=%x1e%H %ct %s", "-p", "-U0", "-i", "-G" + f.ere(), "--no-ext-diff", "--no-textconv", "--no-show-signature",
		"--no-color", "--no-renames", "--no-notes", "--ignore-submodules=all", "--src-prefix=a/", "--dst-prefix=b/",
	}, between, everywhere, []string{"--"})
	if out.Query == "" {
		out.Query = r.byHand(slices.Concat([]string{"log", "-p", "-U0", "-i", "-G" + f.ere()}, between, everywhere)...)
	}
	patch, err := r.git(ctx, args...)
	if errors.Is(err, errLong) {
		leave(out, "the end of a very long history")
		err = nil
	}
	if err != nil {
		return err
	}
	for _, c := range parseLog(patch, f) {
		if !seen[c.Hash] && w.Contains(c.Time) {
			seen[c.Hash] = true
			out.Commits = append(out.Commits, c)
		}
	}
	return nil
}

func leave(out *sources.CodeChanges, what string) {
	if out.Left != "" && !strings.Contains(out.Left, what) {
		what = out.Left + "; " + what
	}
	out.Left = what
}

// releases are the tags of the windows, and the newest one before them all.
func (r *Repo) releases(ctx context.Context, windows []sources.Window) ([]sources.CodeRelease, error) {
	out, err := r.git(ctx, "for-each-ref", "--sort=-creatordate", "--format=%(creatordate:unix)%09%(objectname)%09%(*objectname)%09%(refname:strip=2)", "refs/tags")
	if err != nil && !errors.Is(err, errLong) {
		return nil, err
	}
	in := func(t time.Time) bool {
		return slices.ContainsFunc(windows, func(w sources.Window) bool { return w.Contains(t) })
	}
	var first time.Time
	for _, w := range windows {
		if first.IsZero() || w.From.Before(first) {
			first = w.From
		}
	}
	list := []sources.CodeRelease{}
	for line := range strings.Lines(string(out)) {
		f := strings.SplitN(strings.TrimRight(line, "\n"), "\t", 4)
		if len(f) != 4 || f[0] == "" {
			continue
		}
		rel := sources.CodeRelease{Name: clip(f[3], 0), Hash: cmp.Or(f[2], f[1]), Time: unix(f[0])}
		switch {
		case in(rel.Time) && len(list) < maxReleases:
			list = append(list, rel)
		case rel.Time.Before(first):
			rel.Before = true
			list = append(list, rel)
			slices.Reverse(list)
			return list, nil
		}
	}
	slices.Reverse(list)
	return list, nil
}
