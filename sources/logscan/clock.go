package logscan

import (
	"bytes"
	"strings"
	"time"

	"inquest/sources/logformat"
)

// clock reads the time of one line after another. It remembers where the time
// stands and what its text up to the minute was, so that most lines cost two comparisons
// and a few digits. It belongs to one goroutine.
type clock struct {
	reader *logformat.Reader
	faces  []face
	first  *face     // of faces, or one that reads nothing
	starts [256]bool // bytes that a line with a time may begin with
	misses int       // slow searches that found nothing
	hits   int
	bare   bool // some time had no zone
}

// face is one way in which times stand in the file.
type face struct {
	anchor []byte // stands right before the time; empty: fixed offset
	at     int
	minute [40]byte // the last time's text up to its seconds
	length int      // of minute; zero: not learned
	base   int64    // that minute in Unix nanoseconds
	tail   [12]byte // what follows the time's digits: its zone, or one byte
	tailed int      // length of tail
	closed bool     // tail cannot be the start of another zone

	prefix  string // the anchor and the minute, as they stand in the line
	wording        // the same, when it is no longer than that
	worded  bool
	ticks   ticks // how the seconds are written
	heads   heads // all of that for march
}

// newClock learns from lines of the file; a clock without a face knows no time.
func newClock(r *logformat.Reader, lines []string) *clock {
	c := &clock{reader: r}
	for _, p := range append([]*logformat.Parser{r.Main}, r.Others...) {
		for _, l := range lines {
			from, _, ok := p.TimeAt([]byte(l))
			if !ok {
				continue
			}
			c.starts[l[0]] = true
			if from < len(p.Anchor) || !bytes.HasSuffix([]byte(l[:from]), []byte(p.Anchor)) {
				continue
			}
			if !c.has(p.Anchor, from) && len(c.faces) < 6 {
				c.faces = append(c.faces, face{anchor: []byte(p.Anchor), at: from})
			}
		}
	}
	if c.starts['0'] || c.starts['1'] || c.starts['2'] || c.starts['3'] {
		for d := '0'; d <= '9'; d++ {
			c.starts[d] = true
		}
	}
	c.choose()
	return c
}

func (c *clock) choose() {
	if c.first = new(face); len(c.faces) > 0 {
		c.first = &c.faces[0]
	}
}

func (c *clock) has(anchor string, at int) bool {
	for _, f := range c.faces {
		if string(f.anchor) == anchor && (anchor != "" || f.at == at) {
			return true
		}
	}
	return false
}

// copy returns a clock for another goroutine.
func (c *clock) copy() *clock {
	d := *c
	d.faces = append([]face(nil), c.faces...)
	d.bare = false
	d.choose()
	return &d
}

// timed reports whether the file has times at all.
func (c *clock) timed() bool { return len(c.faces) > 0 }

// read returns the line's time in Unix nanoseconds.
func (c *clock) read(line []byte) (int64, bool) {
	if len(line) < 8 {
		return 0, false
	}
	for i := range c.faces {
		if t, ok := c.faces[i].quick(line); ok {
			return t, true
		}
		if t, ok := c.faces[i].read(c, line); ok {
			return t, true
		}
	}
	if !c.starts[line[0]] || (c.misses > 2000 && c.misses > 8*c.hits) {
		return 0, false
	}
	from, to, ok := c.reader.TimeAt(line[:min(len(line), 8<<10)])
	if !ok {
		c.misses++
		return 0, false
	}
	c.hits++
	st, _, ok := logformat.ParseTime(string(line[from:to]), &c.reader.Context)
	return c.resolve(st), ok
}

func (c *clock) resolve(st logformat.Stamp) int64 {
	t, unknown := c.reader.Context.Resolve(st)
	c.bare = c.bare || unknown
	return t.UnixNano()
}

// read finds the time where it stood before, or behind one of the first anchors.
func (f *face) read(c *clock, line []byte) (int64, bool) {
	n := len(f.anchor)
	if n == 0 || (f.at <= len(line) && f.at >= n && string(line[f.at-n:f.at]) == string(f.anchor)) {
		if t, ok := f.readAt(c, line, f.at); ok || n == 0 {
			return t, ok
		}
	}
	at := 0
	for range 4 {
		i := bytes.Index(line[at:], f.anchor)
		if i < 0 {
			break
		}
		at += i + n
		if t, ok := f.readAt(c, line, at); ok {
			f.at = at
			return t, true
		}
	}
	return 0, false
}

func (f *face) readAt(c *clock, line []byte, at int) (int64, bool) {
	if n := f.length; n > 0 && at+n+2 <= len(line) && string(line[at:at+n]) == string(f.minute[:n]) {
		if t, ok := f.seconds(line[at+n:]); ok {
			return t, true
		}
	}
	return f.learn(c, line, at)
}

// seconds reads SS and a fraction behind a minute that is known.
func (f *face) seconds(b []byte) (int64, bool) {
	a, d := b[0]-'0', b[1]-'0'
	if a > 6 || d > 9 || (a == 6 && d > 0) {
		return 0, false
	}
	ns := (int64(a)*10 + int64(d)) * int64(time.Second)
	i := 2
	if i+1 < len(b) && (b[i] == '.' || b[i] == ',') && b[i+1]-'0' <= 9 {
		scale := int64(time.Second / 10)
		for i++; i < len(b) && b[i]-'0' <= 9; i++ {
			ns += int64(b[i]-'0') * scale
			scale /= 10
		}
	}
	n := i + f.tailed
	if n > len(b) || string(b[i:n]) != string(f.tail[:f.tailed]) || (!f.closed && n < len(b) && (zoneByte(b[n]) || b[n]-'0' <= 10)) {
		return 0, false
	}
	return f.base + ns, true
}

// learn parses the time at its place in full and keeps its minute.
func (f *face) learn(c *clock, line []byte, at int) (int64, bool) {
	if at >= len(line) || (line[at]-'0' > 9 && line[at]-'A' > 'Z'-'A') { // no time begins otherwise
		return 0, false
	}
	text := string(line[at:min(len(line), at+48)])
	st, n, ok := logformat.ParseTime(text, &c.reader.Context)
	if !ok {
		return 0, false
	}
	t := c.resolve(st)
	f.length, f.prefix, f.heads.known = 0, "", false
	k := clockStart(text[:n])
	if k < 0 || k > len(f.minute) || text[n-1]|32 == 'm' || text[k] > '5' { // a second 60 is in the next minute
		return t, true
	}
	i := k + 2
	if i+1 < len(text) && (text[i] == '.' || text[i] == ',') && text[i+1]-'0' <= 9 {
		i++
		for i < len(text) && text[i]-'0' <= 9 {
			i++
		}
	}
	end := max(n, i+1)
	if n == i { // no zone: keep the word that could have been one
		for end < len(text) && end-i < len(f.tail) && zoneByte(text[end]) {
			end++
		}
	}
	f.closed = n == i && i < len(text) && text[i] != ' '
	if n == i && strings.ContainsAny(text[i:max(i, min(end, len(text)))], "+-") {
		return t, true // half a zone
	}
	if end <= len(text) && end-i <= len(f.tail) {
		f.tailed = copy(f.tail[:], text[i:end])
		copy(f.minute[:], text[:k])
		f.length = k
		f.base = floor(t, int64(time.Minute)) * int64(time.Minute)
		if f.ticks.learn(text[k:end], i-k, f.closed) {
			f.prefix = string(line[at-len(f.anchor) : at+k])
			f.wording, f.worded = words(f.prefix)
			f.heads.learn(f)
			f.heads.place(f, line, at)
		}
	}
	return t, true
}

func zoneByte(c byte) bool { return c == '+' || c == '-' || c-'A' < 26 }

// clockStart returns where the seconds of HH:MM:SS begin, or -1.
func clockStart(s string) int {
	for i := 0; i+6 <= len(s); i++ {
		// Apache puts a colon before the hour too: a year is no hour.
		year := i > 2 && s[i-3]-'0' <= 9
		if !year && s[i] == ':' && s[i+3] == ':' && s[i+4]-'0' <= 9 && s[i+5]-'0' <= 9 {
			return i + 4
		}
	}
	return -1
}
