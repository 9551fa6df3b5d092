package journal

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"inquest/investigations"
)

// Summary is one line of the list of cases.
type Summary struct {
	Path    string
	Record  string
	Table   string
	Opened  time.Time
	Updated time.Time
	// Fate, Standing and Leading are those of the last judgement; empty when there
	// is none, or none near the end of the file.
	Fate     investigations.FateKind
	Standing investigations.Standing
	Leading  string // mechanism id
	Done     int    // steps with a verdict at that judgement
	// Entries counts the whole entries; 0 when the last one is too long to find.
	Entries int
	// Locked is true while a process, this one included, writes the case.
	Locked bool
	// Broken says what is wrong with the file; empty means that its first and
	// last entries are whole. Only Verify looks at all of them.
	Broken string
	// Recording says in words that this is a recorded practice incident.
	Recording string
}

// List returns the cases in a folder, the one that changed last first. It reads
// the beginning and the end of each file only. A case that cannot be read is
// listed with its fault. A folder that does not exist holds no cases.
func List(dir string) ([]Summary, error) {
	files, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list cases: %w", err)
	}
	var out []Summary
	for _, f := range files {
		if f.Type().IsRegular() && strings.HasSuffix(f.Name(), Extension) {
			out = append(out, Summarize(filepath.Join(dir, f.Name())))
		}
	}
	slices.SortStableFunc(out, func(a, b Summary) int {
		return cmp.Or(b.Updated.Compare(a.Updated), cmp.Compare(a.Path, b.Path))
	})
	return out, nil
}

// Summarize reads the beginning and the end of one case file.
func Summarize(path string) Summary {
	s := Summary{Path: path}
	f, err := openRegular(path, os.O_RDONLY)
	if err != nil {
		s.Broken = err.Error()
		return s
	}
	defer f.Close()
	s.Locked = isLocked(path)
	if info, err := f.Stat(); err == nil {
		s.Updated = info.ModTime().UTC()
	}
	if err := s.head(f); err != nil {
		s.Broken = err.Error()
		return s
	}
	if err := s.tail(f); err != nil {
		s.Broken = err.Error()
	}
	return s
}

func (s *Summary) head(f *os.File) error {
	line, err := firstLine(f)
	if err != nil {
		return err
	}
	e, err := decode(line, tip{})
	if err != nil {
		return brokenAt(line, tip{}, err)
	}
	if err := checkOpened(e); err != nil {
		return err
	}
	var o investigations.Opened
	if err := json.Unmarshal(e.Body, &o); err != nil {
		return err
	}
	s.Record, s.Table, s.Opened, s.Recording = o.Record.ID, o.Record.Table, e.Time, o.Recording
	return nil
}

func (s *Summary) tail(f *os.File) error {
	last, judged, err := lastLines(f)
	if err != nil {
		return err
	}
	if last != nil {
		e, err := decodeAlone(last)
		if err != nil {
			return fmt.Errorf("the last entry is broken: %w", err)
		}
		s.Entries, s.Updated = e.Seq, e.Time
	}
	if judged == nil {
		return nil
	}
	e, err := decodeAlone(judged)
	if err != nil {
		return fmt.Errorf("the last judgement is broken: %w", err)
	}
	var j investigations.Judged
	if err := json.Unmarshal(e.Body, &j); err != nil {
		return fmt.Errorf("the last judgement is broken: %w", err)
	}
	s.Fate, s.Standing, s.Leading, s.Done = j.Fate.Kind, j.Fate.Standing, j.Leading, j.Done
	return nil
}
