package logscan

import (
	"bytes"
	"io"

	"inquest/sources"
)

// Tap tells a query's Found of lines while they pass by, on their way to the file that
// is searched when all of them are there: for what comes slowly. What it tells of is a line, not
// a record. Its methods do nothing on a nil Tap; it belongs to one goroutine at a time.
type Tap struct {
	log   Log
	q     sources.LogQuery
	seek  *needles
	parts map[string]*tapped
}

// tapped is one writer's part of what passes by.
type tapped struct {
	sample []string // its first lines
	lines  int64
	within bool // in the midst of a line
	hits   *Excerpts
}

const (
	tapSample   = 60      // lines by which a format is told
	tapLine     = 2 << 10 // bytes of them
	tapLongest  = 1 << 20 // bytes of a line that is looked at
	mostTapping = 100     // parts
)

// NewTap returns nil when nobody waits for hits, or every line is one. name is the
// source's, opt is how its lines are read.
func NewTap(name string, opt Options, q sources.LogQuery) *Tap {
	if q.Found == nil || len(q.Needles) == 0 {
		return nil
	}
	return &Tap{log: Log{Name: name, Options: opt}, q: q, seek: newNeedles(q.Needles), parts: map[string]*tapped{}}
}

// Rest is the query for the search of the whole, which need not tell again.
func (t *Tap) Rest(q sources.LogQuery) sources.LogQuery {
	if t != nil {
		q.Found = nil
	}
	return q
}

// Line is shown a line of a part, or a piece of a long one; the piece that ends
// it has the line break. Positions are of the part's name.
func (t *Tap) Line(part string, piece []byte) {
	if t == nil || len(piece) == 0 {
		return
	}
	p := t.part(part)
	if p == nil {
		return
	}
	starts := !p.within
	p.within = piece[len(piece)-1] != '\n'
	if starts {
		p.lines++
		t.look(part, p, p.lines, piece)
	}
}

// Numbered is shown a whole line whose number is known, from 1 on.
func (t *Tap) Numbered(part string, number int64, line []byte) {
	if t == nil {
		return
	}
	if p := t.part(part); p != nil {
		t.look(part, p, number, line)
	}
}

func (t *Tap) part(name string) *tapped {
	p := t.parts[name]
	if p == nil && len(t.parts) < mostTapping {
		p = &tapped{}
		t.parts[name] = p
	}
	return p
}

func (t *Tap) look(part string, p *tapped, number int64, line []byte) {
	line = bytes.TrimRight(line, "\r\n")
	if len(p.sample) < tapSample && len(line) > 0 && p.hits == nil {
		p.sample = append(p.sample, text(line[:min(len(line), tapLine)]))
	}
	if len(t.seek.finder.Append(nil, line)) == 0 {
		return
	}
	if p.hits == nil {
		p.hits = t.log.Excerpts(t.q)
		p.hits.File(part, t.log.now(), p.sample)
		p.sample = nil
	}
	p.hits.Piece(line, number)
}

// Writer returns a writer that shows the tap what is written to w, as lines of a
// part; w itself when there is no tap.
func (t *Tap) Writer(part string, w io.Writer) io.Writer {
	if t == nil {
		return w
	}
	return &tapWriter{t: t, part: part, w: w}
}

type tapWriter struct {
	t    *Tap
	part string
	w    io.Writer
	rest []byte
}

func (w *tapWriter) Write(b []byte) (int, error) {
	n, err := w.w.Write(b)
	for seen := b[:n]; len(seen) > 0; {
		i := bytes.IndexByte(seen, '\n') + 1
		if i == 0 && len(w.rest)+len(seen) < tapLongest {
			w.rest = append(w.rest, seen...)
			break
		}
		if i == 0 {
			i = len(seen)
		}
		line := seen[:i]
		if len(w.rest) > 0 {
			w.rest = append(w.rest, line...)
			line = w.rest
		}
		w.t.Line(w.part, line)
		w.rest, seen = w.rest[:0], seen[i:]
	}
	return n, err
}
