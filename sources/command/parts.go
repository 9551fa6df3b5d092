package command

import (
	"fmt"
	"os"
	"slices"

	"inquest/sources/logscan"
	"inquest/sources/process"
)

// mostParts bounds how many containers one log may come from.
const mostParts = 500

// parts keeps the output of several writers that one program printed, each in
// a file of its own, so that each stays in the order of time.
type parts struct {
	store *process.Store
	tap   *logscan.Tap
	files map[string]*part
	order []string
	lost  int64 // lines of writers beyond mostParts
}

type part struct {
	f   *os.File
	buf []byte
	n   int64
}

func newParts(s *process.Store, tap *logscan.Tap) *parts {
	return &parts{store: s, tap: tap, files: map[string]*part{}}
}

// add appends a line to the writer's file.
func (p *parts) add(name string, line []byte) error {
	f := p.files[name]
	if f == nil {
		if len(p.files) >= mostParts {
			p.lost++
			return nil
		}
		file, err := p.store.File()
		if err != nil {
			return err
		}
		f = &part{f: file}
		p.files[name] = f
		p.order = append(p.order, name)
	}
	p.tap.Line(name, line)
	f.n += int64(len(line))
	if f.buf = append(f.buf, line...); len(f.buf) < 32<<10 {
		return nil
	}
	return f.flush()
}

func (f *part) flush() error {
	_, err := f.f.Write(f.buf)
	f.buf = f.buf[:0]
	return err
}

// finish writes what is left and returns the files of a log.
func (p *parts) finish() (*logscan.Log, int64, error) {
	l := &logscan.Log{Apart: true}
	var bytes int64
	slices.Sort(p.order)
	for _, name := range p.order {
		f := p.files[name]
		err := f.flush()
		st, statErr := f.f.Stat()
		f.f.Close()
		if err != nil || statErr != nil {
			return nil, 0, fmt.Errorf("keep the output of %s: %w", name, cmpErr(err, statErr))
		}
		file := logscan.NewFile(f.f.Name(), st)
		file.Label = name
		l.Files = append(l.Files, file)
		bytes += f.n
	}
	return l, bytes, nil
}

func cmpErr(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// close lets go of the files after an error.
func (p *parts) close() {
	for _, f := range p.files {
		f.f.Close()
	}
}
