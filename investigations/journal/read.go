package journal

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"inquest/investigations"
)

// Errors that callers tell apart.
var (
	// ErrEmpty is returned for a case file in which no entry was ever completed.
	ErrEmpty = errors.New("the case file holds no entry: it was interrupted while it was created and can be deleted")
	// ErrNotCase is returned for a file that is no case file at all.
	ErrNotCase = errors.New("this is not an inquest case file")
	// ErrNewer is returned for a case file of a schema that this program does not know.
	ErrNewer = errors.New("the case was written by a newer inquest: open it with that version")
)

// BrokenError names the first entry of a case file that is not as it was
// written.
type BrokenError struct {
	Line int // counted from 1
	Seq  int // the number of the entry that must stand there
	Why  string
}

// Error names line and entry and says what is wrong with them.
func (b *BrokenError) Error() string {
	return fmt.Sprintf("line %d (entry %d) is broken: %s", b.Line, b.Seq, b.Why)
}

// Note says what was unusual about a case file that could be opened all the
// same. The zero Note means that nothing was.
type Note struct {
	// Torn is the length of an incomplete last line, which is not among the
	// entries; Seq is the entry it would have been.
	Torn int64
	Seq  int
	// Exposed is true when other users could read the file; it was set to 0600.
	Exposed bool
}

// String returns the note as a sentence for people, or "".
func (n Note) String() string {
	var out []string
	if n.Torn > 0 {
		out = append(out, fmt.Sprintf("entry %d was being written when inquest was stopped: its %d bytes were left out, everything before it is whole", n.Seq, n.Torn))
	}
	if n.Exposed {
		out = append(out, "other users could read the case file: only its owner can now")
	}
	return strings.Join(out, "; ")
}

// Read reads and checks a whole case. On a *BrokenError the entries before the
// broken one are returned with it. An incomplete last line is left out and
// noted.
func Read(r io.Reader) ([]investigations.Entry, Note, error) {
	var out []investigations.Entry
	note, err := scan(r, tip{}, func(e investigations.Entry, _ int64) error {
		out = append(out, e)
		return nil
	})
	if err == nil && len(out) == 0 {
		err = ErrEmpty
	}
	return out, note, err
}

// scan reads the entries that follow last and hands each on with the length of
// its line.
func scan(r io.Reader, last tip, each func(investigations.Entry, int64) error) (Note, error) {
	in := bufio.NewReaderSize(r, 64<<10)
	for {
		line, err := readLine(in)
		if errors.Is(err, io.EOF) {
			return torn(line, last)
		}
		if err != nil {
			return Note{}, err
		}
		e, err := decode(line[:len(line)-1], last)
		if err != nil {
			return Note{}, brokenAt(line, last, err)
		}
		if e.Seq == 1 {
			if err := checkOpened(e); err != nil {
				return Note{}, err
			}
		}
		if err := each(e, int64(len(line))); err != nil {
			return Note{}, err
		}
		last = tipOf(e)
	}
}

// readLine returns the next line with its line feed; at the end of the input it
// returns io.EOF and the rest, which may be empty.
func readLine(in *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case err == nil:
			return line, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return line, err
		case len(line) > maxLine:
			return nil, ErrNotCase
		}
	}
}

// torn judges a last line without a line feed. What a dying process leaves is
// the beginning of an entry, or blocks of zeros after a power cut; anything that
// stands behind a complete entry was put there by someone else.
func torn(rest []byte, last tip) (Note, error) {
	if len(rest) == 0 {
		return Note{}, nil
	}
	text := bytes.TrimRight(rest, "\x00")
	if end := bytes.LastIndex(text, []byte(hashKey)) + hashBytes; end >= hashBytes && end < len(text) {
		if head, hash, ok := split(text[:end]); ok && sum(head) == string(hash) {
			return Note{}, brokenAt(rest, last, errors.New("its line feed was replaced by something else"))
		}
	}
	if last.seq == 0 && !looksLikeStart(text) {
		return Note{}, ErrNotCase
	}
	return Note{Torn: int64(len(rest)), Seq: last.seq + 1}, nil
}

// looksLikeStart reports whether text could be the beginning of a case file.
func looksLikeStart(text []byte) bool {
	const start = `{"seq":1,"time":"`
	n := min(len(text), len(start))
	return string(text[:n]) == start[:n]
}

// brokenAt turns a fault into a BrokenError, unless the first line shows that
// the file never was a case: an entry that one hand damaged still has one of its
// two ends.
func brokenAt(line []byte, last tip, why error) error {
	if last.seq == 0 {
		_, _, ends := split(bytes.TrimRight(line, "\r\n"))
		if !ends && !bytes.HasPrefix(line, []byte(`{"seq":1,`)) {
			return ErrNotCase
		}
	}
	return &BrokenError{Line: last.seq + 1, Seq: last.seq + 1, Why: why.Error()}
}

func checkOpened(e investigations.Entry) error {
	var o investigations.Opened
	if e.Kind != investigations.EntryOpened || json.Unmarshal(e.Body, &o) != nil {
		return fmt.Errorf("%w: its first entry does not open a case", ErrNotCase)
	}
	if o.Schema != investigations.CaseSchema {
		return fmt.Errorf("%w (it says %q, this one knows %q)", ErrNewer, o.Schema, investigations.CaseSchema)
	}
	return nil
}
