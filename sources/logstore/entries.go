package logstore

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"inquest/sources"
	"inquest/sources/logformat"
	"inquest/sources/logscan"
)

// Entry is one line as a store keeps it.
type Entry struct {
	// Time is the store's: that of the event where the shipper read it off the
	// line, else that of its arrival.
	Time time.Time
	Line string
	// Group names the lines that one writer wrote one after the other. Run
	// numbers the stretches of a group that are known without a hole, so that the lines
	// of one record are put together; zero: the entry stands alone.
	Group string
	Run   int
	// Fields are what the store knows beside the line: labels, metadata.
	Fields map[string]string
	// Beside marks an entry that was found by its fields and not by its line.
	Beside bool
	// Position finds the entry again, and is unique.
	Position string
}

// Reading is how the entries of a search are read.
type Reading struct {
	Name    string // the source's
	Store   string // for people: "Loki"
	Options logscan.Options
	Query   sources.LogQuery
	// Samples are further lines of a group, by which its format is told.
	Samples map[string][]string
}

// sampleLines are as many lines of a group as tell its format.
const sampleLines = 400

// Events reads the entries and keeps those that really hold a needle, within the
// window, in the order of time. The coverage has their formats and what
// reading them left out; its bounds are the caller's.
func (r Reading) Events(entries []Entry) *sources.LogResult {
	found, beside := parted(entries)
	var doubt doubts
	res := r.read(found, r.Query.Needles, &doubt)
	events := res.Events
	for _, e := range r.read(beside, nil, &doubt).Events {
		n, why, ok := logscan.InFields(e.Fields, r.Query.Needles)
		if ok && !slices.ContainsFunc(events, func(o sources.Event) bool { return o.Position == e.Position }) {
			e.Why, e.Weak = why, n.Weak
			events = append(events, e)
		}
	}
	slices.SortStableFunc(events, func(a, b sources.Event) int { return a.Time.Compare(b.Time) })
	if limit := cmp.Or(r.Query.Limit, 1000); len(events) > limit {
		res.Dropped += int64(len(events) - limit)
		events = events[:limit]
	}
	res.Events = events
	v := &res.Coverage
	v.ZoneUnknown = false
	v.Format = formats(v.Format)
	v.Limits = slices.DeleteFunc(v.Limits, func(s string) bool { // the store has a time and a zone
		return strings.HasPrefix(s, "times are written without a zone") || s == "no line carries a time"
	})
	v.Limits = append(v.Limits, doubt.limits(r.Store)...)
	return res
}

// Tell shows the hits among entries that just came, before the search ends. Records
// of several lines are not put together yet.
func (r Reading) Tell(entries []Entry) {
	if r.Query.Found == nil || len(entries) == 0 {
		return
	}
	for _, e := range r.Events(entries).Events {
		r.Query.Found(e)
	}
}

// parted separates the entries that were found by their fields.
func parted(entries []Entry) (found, beside []Entry) {
	for _, e := range entries {
		if e.Beside {
			beside = append(beside, e)
		} else {
			found = append(found, e)
		}
	}
	return found, beside
}

// read reads the entries of which the needles hold a part; without needles all
// of them.
func (r Reading) read(entries []Entry, needles []sources.Needle, doubt *doubts) *sources.LogResult {
	groups := grouped(entries)
	// The window is applied once the store's time can stand in for a missing one.
	q := sources.LogQuery{Needles: needles, Limit: len(entries) + 1}
	x := (&logscan.Log{Name: r.Name, Options: r.Options}).Excerpts(q)
	for i := range groups {
		groups[i].give(x, strconv.Itoa(i), slices.Clone(r.Samples[groups[i].name]))
	}
	r.sampleRest(x, groups)
	res := x.Result()
	kept := res.Events[:0]
	for _, e := range res.Events {
		if from, ok := place(groups, e.Position); ok {
			r.finish(&e, from, doubt)
		}
		if r.Query.Window.Contains(e.Time) {
			kept = append(kept, e)
		}
	}
	res.Events = kept
	return res
}

// group is the entries of one writer, in the order of time.
type group struct {
	name    string
	entries []Entry
	starts  []int64 // number of each entry's first line
}

func grouped(entries []Entry) []group {
	var out []group
	at, seen := map[string]int{}, map[string]bool{}
	for _, e := range entries {
		if seen[e.Position] {
			continue
		}
		seen[e.Position] = true
		i, ok := at[e.Group]
		if !ok {
			i = len(out)
			at[e.Group] = i
			out = append(out, group{name: e.Group})
		}
		out[i].entries = append(out[i].entries, e)
	}
	for _, g := range out {
		slices.SortStableFunc(g.entries, func(a, b Entry) int { return a.Time.Compare(b.Time) })
	}
	return out
}

// give hands the group's lines to x, a stretch without a hole at a time.
func (g *group) give(x *logscan.Excerpts, label string, sample []string) {
	for _, e := range g.entries[:min(len(g.entries), sampleLines)] {
		sample = append(sample, strings.Split(e.Line, "\n")...)
	}
	var newest time.Time
	if n := len(g.entries); n > 0 {
		newest = g.entries[n-1].Time
	}
	x.File(label, newest, clip(sample))
	var piece []byte
	var line, first int64
	for i, e := range g.entries {
		if i > 0 && (e.Run == 0 || e.Run != g.entries[i-1].Run) {
			x.Piece(piece, first+1)
			piece, first = piece[:0], line
		}
		g.starts = append(g.starts, line)
		text := strings.TrimRight(e.Line, "\n")
		piece = append(append(piece, text...), '\n')
		line += int64(strings.Count(text, "\n")) + 1
	}
	x.Piece(piece, first+1)
}

// clip bounds what is looked at to tell a format.
func clip(lines []string) []string {
	const longest = 32 << 10
	lines = lines[:min(len(lines), sampleLines)]
	for i, l := range lines {
		lines[i] = strings.ToValidUTF8(l[:min(len(l), longest)], "\uFFFD")
	}
	return lines
}

// sampleRest tells the formats of groups that no hit lies in, for the coverage.
func (r Reading) sampleRest(x *logscan.Excerpts, groups []group) {
	names := make([]string, 0, len(r.Samples))
	for name := range r.Samples {
		if !slices.ContainsFunc(groups, func(g group) bool { return g.name == name }) {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	for _, name := range names[:min(len(names), 50)] {
		x.File(name, time.Time{}, clip(slices.Clone(r.Samples[name])))
	}
}

// place finds the entry that an event was read from by its position, which is
// the group's number and the line's.
func place(groups []group, position string) (Entry, bool) {
	label, number, _ := strings.Cut(position, ":")
	i, err := strconv.Atoi(label)
	line, err2 := strconv.ParseInt(number, 10, 64)
	if err != nil || err2 != nil || i < 0 || i >= len(groups) {
		return Entry{}, false
	}
	g := groups[i]
	k := sort.Search(len(g.starts), func(k int) bool { return g.starts[k] > line-1 }) - 1
	if k < 0 {
		return Entry{}, false
	}
	return g.entries[k], true
}

// doubts are what the times of lines and of the store say of one another.
type doubts struct {
	zoneless int
	apart    int
	most     time.Duration // how far a line's own time is from the store's
}

// strays is how far a line's own time may be from the store's without a word.
const strays = 30 * time.Second

func (d doubts) limits(store string) []string {
	var out []string
	if d.zoneless > 0 {
		out = append(out, fmt.Sprintf("%d lines have a time without a zone: the time of %s's entry is shown, which may be that of its arrival; --tz settles it", d.zoneless, store))
	}
	if d.apart > 0 {
		out = append(out, fmt.Sprintf("%d lines carry a time of their own that is up to %s from the one %s keeps them under: a window finds them by the latter", d.apart, d.most.Round(time.Second), store))
	}
	return out
}

// finish gives an event what its entry knows. A line's own time stands when it
// has a zone: the store's may be that of the arrival.
func (r Reading) finish(e *sources.Event, from Entry, d *doubts) {
	e.Position = from.Position
	switch {
	case from.Time.IsZero():
	case e.NoTime || e.ZoneUnknown:
		if e.ZoneUnknown && !e.NoTime {
			d.zoneless++
		}
		e.Time, e.Until, e.NoTime, e.ZoneUnknown = from.Time, time.Time{}, false, false
	default:
		if off := e.Time.Sub(from.Time).Abs(); off > strays {
			d.apart++
			d.most = max(d.most, off)
		}
	}
	beside(e, from.Fields)
}

// beside adds the fields of an entry behind those of its line.
func beside(e *sources.Event, fields map[string]string) {
	if len(fields) == 0 {
		return
	}
	if e.Fields == nil {
		e.Fields = map[string]string{}
	}
	for k, v := range fields {
		if _, taken := e.Fields[k]; !taken {
			e.Fields[k] = v
		}
	}
	known, ok := meaning(fields)
	if !ok {
		return
	}
	e.RequestID = cmp.Or(e.RequestID, known.RequestID)
	e.Level = cmp.Or(e.Level, known.Level)
	e.Method, e.Path, e.Status = cmp.Or(e.Method, known.Method), cmp.Or(e.Path, known.Path), cmp.Or(e.Status, known.Status)
	e.Op, e.Actor = cmp.Or(e.Op, known.Op), cmp.Or(e.Actor, known.Actor)
}

// meaning reads fields as a line of JSON would be, so that their names mean the
// same wherever they stand.
func meaning(fields map[string]string) (sources.Event, bool) {
	var e sources.Event
	line, err := json.Marshal(fields)
	if err != nil {
		return e, false
	}
	reader, err := logformat.Forced("json", []string{string(line)}, logformat.Context{})
	return e, err == nil && reader.Parse(line, &e)
}

// Requests are the names among fields whose value is an event's request id.
func Requests(e sources.Event, fields map[string]string) []string {
	var out []string
	for k, v := range fields {
		if e.RequestID != "" && strings.Contains(v, e.RequestID) {
			out = append(out, k)
		}
	}
	sort.Strings(out)
	return out
}

// formats puts a server log's format behind the others: that a selection of
// several logs is without a silence says nothing of one of them.
func formats(list string) string {
	names := strings.Split(list, ", ")
	slices.SortStableFunc(names, func(a, b string) int {
		return cmp.Compare(strings.Index(a, "postgres"), strings.Index(b, "postgres"))
	})
	return strings.Join(names, ", ")
}
