package logformat

import (
	"bytes"
	"strings"

	"inquest/sources"
)

// Reader reads the records of one file: its main format, the other formats
// that occur between its lines, and plain text for the rest.
type Reader struct {
	Main     *Parser
	Others   []*Parser
	Context  Context
	fallback *Parser
	inner    *Reader // what the messages of an envelope are written in
	zoneOf   *string // the host whose zone Context.Location is; nil: everybody's
	// Limits are what was assumed about the file, for its coverage.
	Limits []string
}

// Detect finds the formats of a file from some of its lines: the first ones
// first, and some from its middle and end. It never fails: plain text fits anything.
func Detect(lines []string, c Context) *Reader { return detect(lines, c, true) }

func detect(lines []string, c Context, envelopes bool) *Reader {
	scores := make([]int, len(all))
	parsers := make([]*Parser, len(all))
	best := 0
	for i, f := range all[:len(all)-1] {
		if parsers[i] = f.New(lines); parsers[i] == nil {
			continue
		}
		scores[i] = count(parsers[i], lines, &c)
		if best*10 < scores[i]*8 && len(lines)*8 <= scores[i]*10 {
			best = scores[i]
			break // no later one can read so much more
		}
		best = max(best, scores[i])
	}
	main := len(all) - 1
	for i := range all[:len(all)-1] {
		if best > 0 && scores[i]*10 >= best*8 {
			main = i
			break
		}
	}
	r := With(all[main], parsers[main], lines, c)
	if envelopes {
		r.openEnvelopes(lines)
	}
	return r
}

// Forced returns a reader for a file whose format is given by name;
// "postgres:PREFIX" gives the log_line_prefix as well.
func Forced(name string, lines []string, c Context) (*Reader, error) {
	if template, ok := strings.CutPrefix(name, "postgres:"); ok {
		p, err := PostgresPrefix(template)
		if err != nil {
			return nil, err
		}
		return With(p.Format, p, lines, c), nil
	}
	f, err := Named(name)
	if err != nil {
		return nil, err
	}
	r := With(f, nil, lines, c)
	r.openEnvelopes(lines)
	return r, nil
}

// With returns a reader with the given main format; p may be nil and is then
// made from the lines.
func With(f *Format, p *Parser, lines []string, c Context) *Reader {
	if p == nil {
		p = f.New(lines)
	}
	if p == nil && f.Name == "postgres" {
		p, _ = PostgresPrefix("%m [%p] ")
	}
	if p == nil {
		f = all[len(all)-1]
		p = f.New(lines)
	}
	r := &Reader{Main: p, Context: c, fallback: all[len(all)-1].New(lines)}
	r.Limits = append(r.Limits, p.Limits...)
	r.others(lines)
	r.settleOrder(lines)
	return r
}

// count returns how many records a parser reads among the lines.
func count(p *Parser, lines []string, c *Context) int {
	begins := make([]bool, len(lines))
	for i, l := range lines {
		begins[i] = p.Begins([]byte(l))
	}
	n := 0
	for i := 0; i < len(lines); {
		if !begins[i] {
			i++
			continue
		}
		first := []byte(lines[i])
		j := i + 1
		for j < len(lines) && j < i+100 && p.continues(first, []byte(lines[j]), begins[j]) {
			j++
		}
		e := sources.Event{}
		if p.Parse([]byte(strings.Join(lines[i:j], "\n")), c, &e) {
			n++
		}
		i = j
	}
	return n
}

// others finds the formats of the lines that the main one does not read.
func (r *Reader) others(lines []string) {
	if r.Main.Format.Name == "text" {
		return
	}
	var rest []string
	for _, l := range lines {
		e := sources.Event{}
		if b := []byte(l); l != "" && !indented(b) && !r.Main.Begins(b) && !(r.Main.Joins != nil && joinsAsSecond(r.Main, b)) && !r.Main.Parse(b, &r.Context, &e) {
			rest = append(rest, l)
		}
	}
	if len(rest) == 0 {
		return
	}
	for _, f := range all[:len(all)-1] {
		if f == r.Main.Format || f.Name == "csv" {
			continue
		}
		if p := f.New(rest); p != nil && count(p, rest, &r.Context) > 0 {
			r.Others = append(r.Others, p)
		}
	}
}

// joinsAsSecond reports whether a line is one that only goes on with another,
// such as PostgreSQL's DETAIL.
func joinsAsSecond(p *Parser, line []byte) bool {
	_, _, ok := p.TimeAt(line)
	return ok
}

// Begins reports whether a line starts a record.
func (r *Reader) Begins(line []byte) bool {
	if r.Main.Begins(line) {
		return !r.goesOnInside(line)
	}
	for _, p := range r.Others {
		if p.Begins(line) {
			return true
		}
	}
	return r.Main.Alone && !indented(line)
}

// Continues reports whether line belongs to the record that head began.
func (r *Reader) Continues(head, line []byte) bool {
	for _, p := range r.Others {
		if p.Begins(line) {
			return false
		}
	}
	if r.server() && r.Main.Begins(line) {
		return r.joinsInside(head, line)
	}
	return r.Main.Continues(head, line)
}

// Interleaved reports whether the lines of one record may stand between those
// of another, as several processes write them.
func (r *Reader) Interleaved() bool { return r.Main.Joins != nil || r.server() }

// Parse fills e from a record and reports whether a format knew it; when none
// did, e holds the text as a message, with a time if one stands at its start.
func (r *Reader) Parse(rec []byte, e *sources.Event) bool {
	first, rest := rec, []byte(nil)
	if r.server() {
		if i := bytes.IndexByte(rec, '\n'); i >= 0 {
			first, rest = rec[:i], rec[i+1:]
		}
	}
	if r.try(r.Main, first, e) {
		r.unfold(e, rest)
		return true
	}
	for _, p := range r.Others {
		if r.try(p, rec, e) {
			return true
		}
	}
	r.try(r.fallback, rec, e)
	return false
}

func (r *Reader) try(p *Parser, rec []byte, e *sources.Event) bool {
	got := sources.Event{}
	if !p.Parse(rec, &r.Context, &got) {
		return false
	}
	if r.zoneOf != nil && hostOf(&got) != *r.zoneOf {
		c := r.Context
		c.Location = nil
		got = sources.Event{}
		p.Parse(rec, &c, &got)
	}
	got.Source, got.Position, got.Raw, got.Why, got.Weak = e.Source, e.Position, e.Raw, e.Why, e.Weak
	got.Format = p.Format.Name
	got.NoTime = got.Time.IsZero()
	if !strings.HasPrefix(p.Format.Name, "postgres") {
		fromMessage(&got)
	}
	*e = got
	return true
}

// TimeAt finds the time of a line in any of the file's formats.
func (r *Reader) TimeAt(line []byte) (from, to int, ok bool) {
	if from, to, ok = r.Main.TimeAt(line); ok {
		return from, to, ok
	}
	for _, p := range r.Others {
		if from, to, ok = p.TimeAt(line); ok {
			return from, to, ok
		}
	}
	return 0, 0, false
}

// Name returns the names of the formats that occur, the main one first.
func (r *Reader) Name() string {
	names := []string{r.Main.Format.Name}
	if r.inner != nil {
		names[0] += "(" + r.inner.Main.Format.Name + ")"
		if r.server() {
			names[0] = r.inner.Main.Format.Name + " in " + r.Main.Format.Name
		}
	}
	for _, p := range r.Others {
		names = append(names, p.Format.Name)
	}
	return strings.Join(names, "+")
}

// settleOrder decides between day-first and month-first from the file's own
// lines, and says so when none of them tells.
func (r *Reader) settleOrder(lines []string) {
	var day, month, unsure int
	for _, l := range lines {
		from, to, ok := r.TimeAt([]byte(l))
		if !ok {
			continue
		}
		st, _, _ := ParseTime(l[from:to], nil)
		switch st.DayMonth {
		case OrderDayFirst:
			day++
		case OrderMonthFirst:
			month++
		case OrderAmbiguous:
			unsure++
		}
	}
	switch {
	case day > 0 && month > 0:
		r.Limits = append(r.Limits, "dates are written day-first and month-first in the same file; each was read by itself, ambiguous ones day-first")
	case month > 0:
		r.Context.MonthFirst = true
	case day > 0:
		r.Context.DayFirst = true
	case unsure > 0:
		r.Limits = append(r.Limits, "no line tells whether dates are day-first or month-first; they were read day-first")
	}
}
