package logfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"inquest/sources"
	"inquest/sources/logformat"
)

// Options tells how log files are to be read; the zero value is good.
type Options struct {
	// Location is the zone of times that are written without one; nil means that
	// it is unknown, and such events are marked ZoneUnknown.
	Location *time.Location
	// Format forces a format by its name (logformat.Named, or "postgres:PREFIX"
	// with a log_line_prefix); empty means that it is worked out.
	Format string
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// maxFiles bounds what a folder or a glob may bring in.
const maxFiles = 20_000

// Open returns one Source for each log stream that the pattern (a path, a glob
// or a folder, searched with its subfolders) names. It lists files and opens none of
// them: a file that cannot be read becomes a Source that says so. Where there is nothing at
// all the error is a *sources.Blind; an unknown Options.Format is a plain error.
func Open(pattern string, opt Options) ([]sources.Source, error) {
	if opt.Format != "" {
		if _, err := logformat.Forced(opt.Format, []string{"", ""}, logformat.Context{}); err != nil {
			return nil, fmt.Errorf("open log %s: %w", pattern, err)
		}
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	files, err := list(pattern)
	if err != nil {
		return nil, err
	}
	streams := group(files)
	root := commonFolder(streams)
	var out []sources.Source
	for _, s := range streams {
		s.opt = opt
		s.name = "log:" + filepath.ToSlash(s.label(root))
		out = append(out, s)
	}
	return out, nil
}

// list returns the files that a pattern names, sorted by path.
func list(pattern string) ([]*member, error) {
	if st, err := os.Stat(pattern); err == nil {
		if st.IsDir() {
			return walk(pattern)
		}
		return []*member{newMember(pattern, st)}, nil
	} else if !strings.ContainsAny(pattern, "*?[") {
		return nil, missing(pattern, err)
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

func missing(path string, err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return &sources.Blind{Why: fmt.Sprintf("log %s: permission denied", path), Opens: "run as a user who may read it, or copy it first"}
	}
	return &sources.Blind{Why: fmt.Sprintf("log %s: no such file or folder", path), Opens: "check the path given with --logs"}
}

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
		if m := newMember(p, st); m.logLike() || !m.looksBinary() {
			out = append(out, m)
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
		return nil, missing(root, denied)
	case len(out) == 0:
		return nil, &sources.Blind{Why: fmt.Sprintf("folder %s holds no log file", root), Opens: "check the path given with --logs"}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].path < out[j].path })
	return out, nil
}

// commonFolder returns the folder that all streams lie in, so that names are
// short; empty when the files' own names tell them apart.
func commonFolder(streams []*Stream) string {
	seen := map[string]bool{}
	clash := false
	dir := ""
	for i, s := range streams {
		base := filepath.Base(s.stem)
		clash = clash || seen[base]
		seen[base] = true
		d := filepath.Dir(s.stem)
		if i == 0 {
			dir = d
		}
		for dir != d && !strings.HasPrefix(d, strings.TrimSuffix(dir, string(filepath.Separator))+string(filepath.Separator)) && dir != filepath.Dir(dir) {
			dir = filepath.Dir(dir)
		}
	}
	if !clash {
		return ""
	}
	return dir
}
