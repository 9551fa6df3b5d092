package main

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"
	"io"

	"inquest/investigations"
	"inquest/investigations/drills"
	"inquest/investigations/journal"
)

// recordedCase is the case of a real run of the default drill, packed with gzip.
// It is made anew by: inquest drill --headless --record cmd/inquest/recorded/vanished-dtro.inquest.gz
//
//go:embed recorded/vanished-dtro.inquest.gz
var recordedCase []byte

// openRecording opens the recorded case: its evidence is as it was collected, and
// it is judged now. What is added to it is kept in memory only.
func openRecording(p *program) (*session, error) {
	z, err := gzip.NewReader(bytes.NewReader(recordedCase))
	if err != nil {
		return nil, fmt.Errorf("open the recorded case: %w", err)
	}
	m, _, err := journal.Load(z)
	if err != nil {
		return nil, fmt.Errorf("open the recorded case: %w", err)
	}
	entries := m.Entries()
	state, err := investigations.Fold(entries)
	if err != nil {
		return nil, fmt.Errorf("replay the recorded case: %w", err)
	}
	return newSession(p, "", m, entries, nil, state.Record.ID)
}

// headlessRecording prints the recorded case, judged now, and grades it.
func (p *program) headlessRecording(d drills.Drill, f runFlags) error {
	if d.ID != defaultDrill {
		return usage("drill %s needs a PostgreSQL server binary and none was found: install postgresql, or run inquest drill for a recorded case", d.ID)
	}
	s, err := openRecording(p)
	if err != nil {
		return err
	}
	defer s.Close()
	fmt.Fprintln(p.err, "no PostgreSQL server binary was found: this is a recording of the drill, made on a real server and judged now")
	a, state := s.Assessment(), s.State()
	if f.report == "" {
		f.report = "inquest-" + d.ID + ".md"
	}
	if err := writeReport(f.report, state, a); err != nil {
		return err
	}
	if f.json {
		doc, err := investigations.NewFindings(state, a).JSON()
		if err != nil {
			return err
		}
		if _, err := p.out.Write(doc); err != nil {
			return fmt.Errorf("write findings: %w", err)
		}
	} else {
		printAnswer(p.out, state, a, "")
	}
	return p.grade(d, a, f, 0)
}

// pack writes a case file as a recording.
func pack(w io.Writer, file []byte) error {
	z, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := z.Write(file); err != nil {
		return err
	}
	return z.Close()
}
