// Package walfiles is the source for WAL segments on disk: a copy of pg_wal, an
// archive, or a running server's own pg_wal folder.
package walfiles

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"inquest/sources"
	"inquest/sources/wal"
)

// Source is a folder of WAL segments.
type Source struct {
	path string
	name string
}

// Open returns the source of a folder. A folder that is not there or may not be
// read is a *sources.Blind.
func Open(path string) (*Source, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open wal folder %s: %w", path, err)
	}
	if _, err := os.ReadDir(abs); err != nil {
		return nil, blind(path, err)
	}
	return &Source{path: abs, name: "wal:" + abs}, nil
}

func blind(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &sources.Blind{Why: "there is no WAL folder " + path, Opens: "check the path given with --wal"}
	case errors.Is(err, fs.ErrPermission):
		return &sources.Blind{Why: "the WAL folder " + path + " may not be read", Opens: "run as a user who may, or copy the segments and name the copy with --wal"}
	default:
		return &sources.Blind{Why: fmt.Sprintf("the WAL folder %s cannot be read: %v", path, err), Opens: "name the folder that holds the segments with --wal"}
	}
}

// Name returns "wal:" and the folder's path.
func (s *Source) Name() string { return s.name }

// Kind returns KindWAL.
func (s *Source) Kind() sources.Kind { return sources.KindWAL }

// Close does nothing: files are open only while they are read.
func (s *Source) Close() error { return nil }

// WAL returns a fresh reader of the folder. The caller closes it when it is an
// io.Closer.
func (s *Source) WAL(context.Context) (wal.Source, error) {
	d, err := wal.OpenDir(s.path)
	if err != nil {
		return nil, blind(s.path, err)
	}
	return d, nil
}

// Check lists the segments and says which stretch they cover.
func (s *Source) Check(ctx context.Context) sources.Status {
	st := sources.Status{Source: s.name, Kind: sources.KindWAL, State: sources.StateFailed}
	d, err := wal.OpenDir(s.path)
	if err != nil {
		st.Summary, st.Problem = "could not be opened", blind(s.path, err).Error()
		return st
	}
	defer d.Close()
	segments, err := d.List(ctx)
	if err != nil || len(segments) == 0 {
		st.Summary = "no WAL segments"
		st.Problem = "no file in " + s.path + " is a WAL segment: name the folder that holds files such as 000000010000000000000001"
		if err != nil {
			st.Problem = err.Error()
		}
		return st
	}
	first := slices.MinFunc(segments, byStart)
	last := slices.MaxFunc(segments, byStart)
	st.State = sources.StateReady
	st.Summary = fmt.Sprintf("%d WAL segments from %s to %s, timeline %d", len(segments), first.Start, last.End(), last.TLI)
	st.Abilities = []sources.Ability{{Name: "WAL", OK: true}}
	st.Identity = map[string]string{"timeline": fmt.Sprint(last.TLI)}
	return st
}

func byStart(a, b wal.Segment) int {
	switch {
	case a.Start < b.Start:
		return -1
	case a.Start > b.Start:
		return 1
	default:
		return 0
	}
}
