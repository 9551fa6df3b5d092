package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"inquest/investigations"
)

// Result is what Verify found a case file to be.
type Result string

// The three results of Verify.
const (
	Intact     Result = "intact"     // every entry is as it was written
	Broken     Result = "broken"     // an entry is not; Report names the first
	Unreadable Result = "unreadable" // it could not be read, or is no case file
)

// Report is the outcome of Verify.
type Report struct {
	Path   string
	Result Result
	// Entries and Evidence count what was found intact, before the first fault.
	Entries  int
	Evidence int
	// Head is the hash of the last intact entry. Whoever noted it elsewhere can
	// tell later that nothing was cut off at the end.
	Head string
	// Line and Seq name the first bad entry of a broken case.
	Line, Seq int
	Why       string // what is wrong, when not intact
	Note      Note
}

// String returns the report as a sentence for people.
func (r Report) String() string {
	switch r.Result {
	case Intact:
		s := fmt.Sprintf("%s is intact: %d entries and %d evidence items are as they were written, up to %s", r.Path, r.Entries, r.Evidence, r.Head)
		if n := r.Note.String(); n != "" {
			s += "; " + n
		}
		return s
	case Broken:
		return fmt.Sprintf("%s is broken at line %d (entry %d): %s; the %d entries before it are intact", r.Path, r.Line, r.Seq, r.Why, r.Entries)
	default:
		return fmt.Sprintf("%s cannot be read: %s", r.Path, r.Why)
	}
}

// Verify reads a whole case, also beside a writer, and checks every entry's
// hash and chain and every evidence item's own hash. It changes nothing. The
// error is set exactly when the result is Unreadable; a broken case is a result,
// not an error.
func Verify(path string) (Report, error) {
	f, err := openRegular(path, os.O_RDONLY)
	if err != nil {
		return Report{Path: path, Result: Unreadable, Why: err.Error()}, err
	}
	defer f.Close()
	r, err := verify(f)
	r.Path = path
	if err != nil {
		err = fmt.Errorf("verify case %s: %w", path, err)
	}
	return r, err
}

func verify(in io.Reader) (Report, error) {
	r := Report{Result: Intact}
	var err error
	r.Note, err = scan(in, tip{}, func(e investigations.Entry, _ int64) error {
		n, err := checkEvidence(e)
		if err != nil {
			return &BrokenError{Line: e.Seq, Seq: e.Seq, Why: err.Error()}
		}
		r.Entries, r.Head = e.Seq, e.Hash
		r.Evidence += n
		return nil
	})
	if err == nil && r.Entries == 0 {
		err = ErrEmpty
	}
	var broken *BrokenError
	switch {
	case errors.As(err, &broken):
		r.Result, r.Line, r.Seq, r.Why = Broken, broken.Line, broken.Seq, broken.Why
		return r, nil
	case err != nil:
		r.Result, r.Why = Unreadable, err.Error()
	}
	return r, err
}

// checkEvidence counts the evidence in an entry and reports an item that is not
// the one whose hash was taken.
func checkEvidence(e investigations.Entry) (int, error) {
	if e.Kind != investigations.EntryCollected {
		return 0, nil
	}
	var c investigations.Collected
	if err := json.Unmarshal(e.Body, &c); err != nil {
		return 0, fmt.Errorf("its evidence cannot be read: %w", err)
	}
	for _, item := range c.Evidence {
		if !item.Intact() {
			return 0, fmt.Errorf("evidence %s does not have the hash it was stored with", item.ID)
		}
	}
	return len(c.Evidence), nil
}
