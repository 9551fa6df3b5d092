package logfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"time"

	"inquest/sources"
	"inquest/sources/logscan"
)

// Options tells how log files are to be read; the zero value is good.
type Options struct {
	logscan.Options
	// Stdin is what "-" reads; nil makes that blind.
	Stdin io.Reader
}

// maxFiles bounds what a folder or a glob may bring in.
const maxFiles = 20_000

// Open returns one Source for each log stream that the pattern (a path, a glob,
// a folder searched with its subfolders, a tar or zip archive, or "-" for standard
// input) names. It lists files and opens only archives: a file that cannot be read becomes a
// Source that says so. Where there is nothing at all the error is a *sources.Blind; an
// unknown Options.Format is a plain error.
func Open(pattern string, opt Options) ([]sources.Source, error) {
	streams, err := listStreams(pattern, opt)
	if err != nil {
		return nil, err
	}
	nameApart(streams)
	out := make([]sources.Source, 0, len(streams))
	for _, s := range streams {
		out = append(out, s)
	}
	return out, nil
}

// OpenAll opens several patterns under names that tell all their streams
// apart. A file that two patterns name is read once. What cannot be opened is a missing source.
func OpenAll(patterns []string, opt func(pattern string) Options) []sources.Source {
	var all []*Stream
	var lost []sources.Source
	seen := map[string]bool{}
	for _, p := range patterns {
		streams, err := listStreams(p, opt(p))
		if err != nil && !seen[p] {
			var b *sources.Blind
			if !errors.As(err, &b) {
				b = &sources.Blind{Why: err.Error()}
			}
			lost = append(lost, sources.NewMissing("log:"+p, sources.KindLog, b))
		}
		seen[p] = true
		for _, s := range streams {
			if s.dropSeen(seen); len(s.members) > 0 {
				all = append(all, s)
			}
		}
	}
	nameApart(all)
	out := make([]sources.Source, 0, len(all)+len(lost))
	for _, s := range all {
		out = append(out, s)
	}
	return append(out, lost...)
}

// dropSeen leaves out the files that another stream has.
func (s *Stream) dropSeen(seen map[string]bool) {
	s.members = slices.DeleteFunc(s.members, func(m *member) bool {
		abs, err := filepath.Abs(m.Path)
		if err != nil {
			return false
		}
		key := "\x00" + abs
		if seen[key] {
			return true
		}
		seen[key] = true
		return false
	})
}

// listStreams lists the streams of a pattern; they have no names yet.
func listStreams(pattern string, opt Options) ([]*Stream, error) {
	if err := opt.Check(); err != nil {
		return nil, fmt.Errorf("open log %s: %w", pattern, err)
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	sp := newSpool()
	files, err := list(pattern, opt, sp)
	if err != nil {
		return nil, err
	}
	streams := group(files)
	for _, s := range streams {
		s.opt, s.spool = opt, sp
	}
	sp.users = len(streams)
	return streams, nil
}

// list returns the files that a pattern names, with the entries of archives in
// their place.
func list(pattern string, opt Options, sp *spool) ([]*member, error) {
	if pattern == "-" {
		if opt.Stdin == nil {
			return nil, &sources.Blind{Why: "there is no standard input to read a log from", Opens: "name a file, or use inquest run"}
		}
		return []*member{newStdin(opt.Stdin, sp, opt.Now())}, nil
	}
	files, err := listFiles(pattern)
	if err != nil {
		return nil, err
	}
	var out []*member
	for _, m := range files {
		if m.Mode.IsRegular() && isArchive(m.Path) {
			out = append(out, (&archive{path: m.Path, spool: sp}).members()...)
			continue
		}
		out = append(out, m)
	}
	return out, nil
}

// listFiles returns the files of the disk, sorted by path.
func listFiles(pattern string) ([]*member, error) {
	if st, err := os.Stat(pattern); err == nil {
		if st.IsDir() {
			return walk(pattern)
		}
		return []*member{newMember(pattern, st)}, nil
	} else if !strings.ContainsAny(pattern, "*?[") {
		return nil, logscan.Missing(pattern, err)
	}
	paths, err := filepath.Glob(pattern)
	if err != nil {
		return nil, &sources.Blind{Why: fmt.Sprintf("%q is no valid glob: %v", pattern, err), Opens: "quote the pattern and close its brackets"}
	}
	var out []*member
	for _, p := range paths {
		if st, err := os.Stat(p); err == nil && !st.IsDir() && len(out) < maxFiles {
			out = append(out, newMember(p, st))
		}
	}
	if len(out) == 0 {
		return nil, &sources.Blind{Why: fmt.Sprintf("no file matches %q", pattern), Opens: "give the path, glob or folder of the logs with --logs"}
	}
	return out, nil
}

func newMember(path string, st fs.FileInfo) *member { return &member{File: logscan.NewFile(path, st)} }

// walk lists the regular files under a folder that may be logs.
func walk(root string) ([]*member, error) {
	var out []*member
	var denied error
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			denied = err
			return nil //nolint:nilerr // one folder that cannot be read does not hide the others
		case d.IsDir() && p != root && strings.HasPrefix(d.Name(), "."):
			return filepath.SkipDir
		case d.IsDir() || strings.HasPrefix(d.Name(), "."):
			return nil
		}
		st, gone := os.Stat(p)
		if gone != nil || !st.Mode().IsRegular() {
			return nil //nolint:nilerr // a link to nothing, or a file removed meanwhile
		}
		if n := d.Name(); logscan.LogLike(n) || isArchive(n) || !logscan.Binary(p) {
			out = append(out, newMember(p, st))
		}
		if len(out) > maxFiles {
			return fmt.Errorf("more than %d files", maxFiles)
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, &sources.Blind{Why: fmt.Sprintf("folder %s: %v", root, err), Opens: "give a narrower folder or a glob"}
	case len(out) == 0 && denied != nil:
		return nil, logscan.Missing(root, denied)
	case len(out) == 0:
		return nil, &sources.Blind{Why: fmt.Sprintf("folder %s holds no log file", root), Opens: "check the path given with --logs"}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Path < out[j].Path })
	return out, nil
}
