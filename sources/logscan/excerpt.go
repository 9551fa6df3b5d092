package logscan

import (
	"time"

	"inquest/sources"
	"inquest/sources/logformat"
	"inquest/sources/scan"
)

// Excerpts searches pieces of files that were cut out elsewhere, such as the
// lines around the hits of a search on another host. It belongs to one goroutine.
type Excerpts struct {
	run *run
	job *job
	now string // the file at hand
}

// Excerpts begins a search; File and Piece then give what was cut out.
func (l *Log) Excerpts(q sources.LogQuery) *Excerpts {
	r := &run{s: l, q: q, needles: newNeedles(q.Needles), limit: q.Limit}
	if r.limit <= 0 {
		r.limit = defaultLimit
	}
	return &Excerpts{run: r}
}

// File begins the next file; sample are lines of it by which its format is
// told, changed is when it was last written.
func (x *Excerpts) File(label string, changed time.Time, sample []string) {
	reader := x.run.s.reader(&content{mtime: changed}, append(sample, x.run.s.Lines...))
	x.now = label
	x.job = &job{
		source: x.run.s.Name, reader: reader, clock: newClock(reader, sample), needles: x.run.needles,
		window: x.run.q.Window, limit: x.run.limit, full: &x.run.full,
	}
	x.run.note(&File{Path: label}, x.job)
	if name := reader.Name(); len(sample) > 0 {
		x.run.formats = appendNew(x.run.formats, formatName(name, reader))
	}
}

func formatName(name string, r *logformat.Reader) string {
	if d := r.Main.Detail; d != "" && r.Main.Format.Name == "postgres" {
		return name + " (" + d + ")"
	}
	return name
}

func appendNew(list []string, s string) []string {
	for _, o := range list {
		if o == s {
			return list
		}
	}
	return append(list, s)
}

// Piece searches whole lines of the file, the first of which is its line'th.
func (x *Excerpts) Piece(text []byte, line int64) {
	x.run.lastStart = -1
	b := x.job.chunk(scan.Chunk{Buf: text, To: len(text)}, true)
	x.run.merge(b, func(h hit) string { return position(x.now, line+h.line) }, false)
}

// Time returns the time of a line of the file at hand.
func (x *Excerpts) Time(line string) (time.Time, bool) {
	c := x.job.clock.copy()
	t, ok := c.read([]byte(line))
	x.run.cover.bare = x.run.cover.bare || c.bare
	return at(t), ok
}

// Result puts together what was found. Of the coverage, everything that only
// the whole file could tell is left open: bounds, lines, silences.
func (x *Excerpts) Result() *sources.LogResult {
	res := x.run.result()
	v := &res.Coverage
	v.From, v.To, v.Gaps, v.Buckets, v.BucketStart, v.BucketWidth = time.Time{}, time.Time{}, nil, nil, time.Time{}, 0
	v.Lines, v.Unparsed, v.Bytes = 0, 0, 0
	v.ZoneUnknown = x.run.cover.bare
	return res
}
