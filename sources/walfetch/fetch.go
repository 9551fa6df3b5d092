package walfetch

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"inquest/sources/wal"
)

func (s *Source) note(text string) {
	if !slices.Contains(s.notes, text) {
		s.notes = append(s.notes, text)
	}
}

// fetch brings one file into the folder unless it is there. A command that ends
// well without a file, or with one that is not what was asked for, counts as an
// archive without it.
func (s *Source) fetch(ctx context.Context, name string) error {
	s.files.Lock()
	have := s.have[name]
	s.files.Unlock()
	if have {
		return nil
	}
	path := s.folder.File("fetch-" + name) // a name that wal.Dir passes over
	if err := s.run(ctx, name, path); err != nil {
		_ = os.Remove(path) // a part of a file at most
		return err
	}
	st, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("%s: %w (the command said it was done and wrote nothing)", name, errMissing)
	}
	if err := accept(path, name, st.Size()); err != nil {
		_ = os.Remove(path)
		return err
	}
	if err := os.Rename(path, s.folder.File(name)); err != nil {
		return fmt.Errorf("fetch %s: %w", name, err)
	}
	s.files.Lock()
	s.have[name] = true
	s.bytes += st.Size()
	s.files.Unlock()
	return nil
}

// accept looks whether the file is what its name says.
func accept(path, name string, size int64) error {
	if strings.HasSuffix(name, ".history") {
		if size > 1<<20 {
			return fmt.Errorf("%s: %w (the command wrote %d bytes)", name, errMissing, size)
		}
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("fetch %s: %w", name, err)
	}
	defer f.Close()
	head := make([]byte, 40)
	n, _ := f.ReadAt(head, 0) // a short file is no segment
	seg, err := wal.SegmentFrom(name, head[:n], "")
	if err != nil || seg.Recycled {
		return fmt.Errorf("%s: %w (the command wrote %d bytes that are not this segment)", name, errMissing, size)
	}
	return nil
}

// looked bounds how much of a segment is read to learn its time.
const looked = 4 << 20

// firstTime is the time of the first commit or abort in a segment, zero when
// there is none near its start.
func (s *Source) firstTime(ctx context.Context, name string) time.Time {
	d, err := wal.OpenDir(s.folder.Path())
	if err != nil {
		return time.Time{}
	}
	defer d.Close()
	list, err := d.List(ctx)
	if err != nil {
		return time.Time{}
	}
	i := slices.IndexFunc(list, func(g wal.Segment) bool { return g.Name == name })
	if i < 0 {
		return time.Time{}
	}
	r := wal.NewReader(d, wal.Plan{TLI: list[i].TLI, Segments: list[i : i+1], Size: list[i].Size}, wal.ReaderOptions{MaxBytes: looked})
	for r.Next(ctx) {
		if r.Record().RMGR != 1 || r.Record().Decode() != nil { // Transaction
			continue
		}
		if x, ok, err := r.Record().DecodeXact(); ok && err == nil && !x.Time.IsZero() {
			return x.Time
		}
	}
	return time.Time{}
}
