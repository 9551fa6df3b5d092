package logscan

import (
	"bytes"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"inquest/sources"
	"inquest/sources/logformat"
	"inquest/sources/scan"
)

// job is the search of one file. Its block method may be called from several
// goroutines.
type job struct {
	source  string
	reader  *logformat.Reader
	clock   *clock
	needles *needles
	window  sources.Window
	limit   int
	full    *atomic.Bool // enough events are kept: only count
	least   atomic.Int64 // no shorter silence is noted any more
	file    io.ReaderAt  // nil when the file is compressed
	size    int64
	rooms   sync.Pool // of *room
}

// block is what one chunk of a file gave.
type block struct {
	hits     []hit
	dropped  int64
	cut      int64
	newlines int64
	own      int64
	cover    cover
}

// hit is an event and where its record begins.
type hit struct {
	start int64
	line  int64 // newlines between the start of the block's own bytes and the record
	event sources.Event
}

// chunk reads one chunk; last tells that it reaches the end of the file.
func (j *job) chunk(c scan.Chunk, last bool) *block {
	b := &block{own: int64(c.To - c.From)}
	b.cover.few, b.cover.least = true, j.least.Load()
	clk := j.clock.copy()
	room := j.room()
	w := &worker{job: j, c: c, last: last, clk: clk, b: b, room: room, wide: j.window.Widen(unknownZone)}
	w.read(len(j.needles.texts) == 0)
	b.cover.bare = clk.bare
	j.rooms.Put(room) // and not where a fault ended this
	return b
}

// worker is the state of reading one chunk.
type worker struct {
	*job
	c       scan.Chunk
	last    bool
	clk     *clock
	b       *block
	start   int // of the line at hand; negative: before the chunk
	room    *room
	counted int            // offset up to which newlines were counted
	before  int64          // newlines up to there
	wide    sources.Window // the window, for times of an unknown zone
}

// portion is how much of a chunk is looked at for lines and then for needles: it
// stays in the processor's first cache in between.
const portion = 16 << 10

// read goes through the chunk: it counts the lines, takes the time of every one that
// starts in it, and looks for the needles; with every set, the records that may lie in
// the window become events.
func (w *worker) read(every bool) {
	w.start = w.c.From
	if w.start > 0 && w.c.Buf[w.start-1] != '\n' {
		w.start = -1
	}
	var found []scan.Match
	for from := w.c.From; from < w.c.To; from += portion {
		to := min(from+portion, w.c.To)
		w.lines(from, to, every)
		if !every {
			found = w.find(found, from, to)
		}
	}
	if w.start >= 0 && w.start < w.c.To {
		end := len(w.c.Buf)
		if n := bytes.IndexByte(w.c.Buf[w.c.To:], '\n'); n >= 0 {
			end = w.c.To + n
		}
		w.line(w.start, end, every)
	}
	for i := 0; i < len(found); {
		i += max(w.event(found[i].At, found[i:]), 1)
	}
}

// lines takes the times of the lines that end in from..to.
func (w *worker) lines(from, to int, every bool) {
	first, cov := w.clk.first, &w.b.cover
	ends := scan.Newlines(w.room.ends[:], w.c.Buf[from:to])
	w.b.newlines += int64(len(ends))
	for i := 0; i < len(ends); i++ {
		if w.start >= 0 && !every {
			if n := first.march(cov, w.c.Buf, from, w.start, ends[i:]); n > 0 { // nearly always all
				i += n
				w.start = from + int(ends[i-1]) + 1
				if i == len(ends) {
					return
				}
			}
		}
		end := from + int(ends[i])
		if w.start >= 0 {
			w.line(w.start, end, every)
		}
		w.start = end + 1
	}
}

// line takes the time of a line that starts in the chunk.
func (w *worker) line(start, end int, every bool) {
	line, cov := w.c.Buf[start:end], &w.b.cover
	cov.lines++
	t, ok := w.clk.first.quick(line)
	if !ok {
		t, ok = w.clk.read(line)
	}
	if ok {
		cov.add(t)
	} else if w.stray(line) {
		cov.unparsed++
	}
	if every && (!ok || w.wide.Contains(at(t))) && w.reader.Begins(bytes.TrimSuffix(line, []byte("\r"))) {
		w.event(start, nil)
	}
}

// stray reports whether a line without a time is one that no format reads.
func (w *worker) stray(line []byte) bool {
	if len(line) == 0 || line[0] == ' ' || line[0] == '\t' || line[0] == '\r' {
		return false
	}
	if w.reader.Main.Format.Name == "text" {
		return !w.job.clock.timed()
	}
	if !w.reader.Main.Alone || len(w.reader.Others) == 0 || len(line) > longestStray {
		return strayLine(w.reader, line)
	}
	s, known := w.room.strays[string(line)]
	if !known {
		s = strayLine(w.reader, line)
		if len(w.room.strays) < mostStrays {
			w.room.strays[string(line)] = s
		}
	}
	return s
}

func strayLine(r *logformat.Reader, line []byte) bool {
	if !r.Main.Alone || r.Main.Begins(line) {
		return false
	}
	for _, p := range r.Others {
		if p.Begins(line) {
			return false
		}
	}
	return line[0] != '}' && line[0] != ']'
}

// Lines that no format reads come again and again, and every format is asked
// before a line is called that.
const (
	mostStrays   = 1000
	longestStray = 400
)

// room is what a goroutine works with that is worth keeping from chunk to chunk.
type room struct {
	ends   [portion + 8]uint16 // of the lines of a portion
	strays map[string]bool     // by line: whether it is one
}

func (j *job) room() *room {
	if r, ok := j.rooms.Get().(*room); ok {
		return r
	}
	return &room{strays: map[string]bool{}}
}

// find appends the needles that begin in from..to.
func (w *worker) find(found []scan.Match, from, to int) []scan.Match {
	had := len(found)
	found = w.needles.finder.Append(found, w.c.Buf[from:min(len(w.c.Buf), to+w.needles.finder.Longest()-1)])
	kept := found[:had]
	for _, m := range found[had:] {
		m.At += from
		text := w.needles.texts[m.Needle]
		if m.At < to && (!w.needles.query[w.needles.of[m.Needle]].Whole || whole(w.c.Buf, m.At, m.At+len(text))) {
			kept = append(kept, m)
		}
	}
	return kept
}

// event reads the record at off, which the first of the matches hit, and
// returns how many of them lie in it.
func (w *worker) event(off int, matches []scan.Match) int {
	if len(matches) == 0 && w.full.Load() {
		w.b.dropped++
		return 0
	}
	rec := recordAt(w.reader, w.c.Buf, w.c.Base, w.last, w.c.Base+int64(off), w.file, w.size)
	n := 0
	for n < len(matches) && w.c.Base+int64(matches[n].At) < rec.end {
		n++
	}
	e := sources.Event{Source: w.source, Raw: text(rec.text)}
	w.reader.Parse([]byte(e.Raw), &e)
	if !w.attribute(&e, matches[:n]) {
		return n
	}
	if e.NoTime {
		w.neighbours(&e, rec)
	} else if !w.inWindow(&e) {
		return n
	}
	if rec.cut {
		w.b.cut++
		if e.Fields == nil {
			e.Fields = map[string]string{}
		}
		e.Fields["cut"] = "the record is longer than 1 MiB; the part around the hit is kept"
	}
	if w.full.Load() || len(w.b.hits) >= w.limit {
		w.b.dropped++
		return n
	}
	w.b.hits = append(w.b.hits, hit{start: rec.start, line: w.lineOf(rec.start), event: e})
	return n
}

// attribute sets why the event is here; false when no needle really fits it.
func (w *worker) attribute(e *sources.Event, matches []scan.Match) bool {
	if len(matches) == 0 {
		e.Why = "in the window"
		return true
	}
	best := -1
	for _, m := range matches {
		i := w.needles.of[m.Needle]
		q := w.needles.query[i]
		if !inField(e, q) {
			continue
		}
		if best < 0 || (w.needles.query[best].Weak && !q.Weak) || (w.needles.query[best].Weak == q.Weak && i < best) {
			best = i
		}
	}
	if best < 0 {
		return false
	}
	e.Why, e.Weak = why(w.needles.query[best]), w.needles.query[best].Weak
	return true
}

// unknownZone is how far a time without a zone may be off.
const unknownZone = 14 * time.Hour

func (w *worker) inWindow(e *sources.Event) bool {
	win := w.window
	if e.ZoneUnknown {
		win = win.Widen(unknownZone)
	}
	return win.Contains(e.Time)
}

// neighbours gives a record without a time those of the nearest timed lines
// in the chunk; what is not found here the merge fills in.
func (w *worker) neighbours(e *sources.Event, rec record) {
	buf := w.c.Buf
	if at := rec.start - w.c.Base; at > 0 && at <= int64(len(buf)) {
		for i, n := int(at)-1, 0; i > 0 && n < 200; n++ {
			k := bytes.LastIndexByte(buf[:i], '\n') + 1
			if t, ok := w.clk.read(buf[k:i]); ok && (k > 0 || w.c.Base == 0) {
				e.Time = time.Unix(0, t).UTC()
				break
			}
			i = k - 1
		}
	}
	if at := rec.end - w.c.Base; at >= 0 && at < int64(len(buf)) {
		for i, n := int(at)+1, 0; i < len(buf) && n < 200; n++ {
			k := bytes.IndexByte(buf[i:], '\n')
			if k < 0 {
				break
			}
			if t, ok := w.clk.read(buf[i : i+k]); ok {
				e.Until = time.Unix(0, t).UTC()
				break
			}
			i += k + 1
		}
	}
	e.ZoneUnknown = w.clk.bare
}

// lineOf counts the newlines between the chunk's own bytes and a record's
// start, negative when it starts before them.
func (w *worker) lineOf(start int64) int64 {
	at := int(start - w.c.Base)
	if at < w.c.From {
		if at >= 0 {
			return -int64(bytes.Count(w.c.Buf[at:w.c.From], []byte{'\n'}))
		}
		if w.file == nil {
			return -int64(bytes.Count(w.c.Buf[:w.c.From], []byte{'\n'}))
		}
		before := make([]byte, w.c.Base+int64(w.c.From)-start)
		n, _ := w.file.ReadAt(before, start)
		return -int64(bytes.Count(before[:n], []byte{'\n'}))
	}
	at = min(at, len(w.c.Buf))
	if w.counted < w.c.From || at < w.counted {
		w.counted, w.before = w.c.From, 0
	}
	w.before += int64(bytes.Count(w.c.Buf[w.counted:at], []byte{'\n'}))
	w.counted = at
	return w.before
}
