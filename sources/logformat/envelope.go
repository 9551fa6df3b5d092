package logformat

import (
	"bytes"
	"slices"
	"strings"

	"inquest/sources"
)

// isEnvelope reports whether records of a format may carry whole records of
// another one as their message: container runtimes, syslog, cloud log stores.
func isEnvelope(f *Format) bool {
	switch f.Name {
	case "json", "journald", "cri", "timestamped", "streamed", "syslog", "syslog-5424":
		return true
	}
	return false
}

// openEnvelopes looks at what the messages themselves are written in. One line
// of the enveloped format is one record, as an envelope holds one line.
func (r *Reader) openEnvelopes(lines []string) {
	if !isEnvelope(r.Main.Format) {
		return
	}
	all := lines
	if len(lines) > 300 { // the rest are from the middle and the end
		all = slices.Concat(lines[:100], lines[len(lines)-200:])
	}
	if name := r.Main.Format.Name; name == "journald" || strings.HasPrefix(name, "syslog") {
		if of := r.ofServer(lines); len(of) > 0 || name == "journald" {
			lines = of
		}
	}
	var inside []string
	likely := 0
	for _, l := range lines[:min(len(lines), 200)] {
		e := sources.Event{}
		if !r.Main.Parse([]byte(l), &r.Context, &e) || e.Message == "" || strings.HasPrefix(strings.TrimSpace(e.Message), "{") {
			continue
		}
		part := partOf(e.Message)
		if part.number > 1 {
			continue
		}
		message := firstLine(part.text)
		inside = append(inside, message)
		if mayBeRecord(message) {
			likely++
		}
	}
	if likely*2 > len(inside) {
		r.openMessages(inside)
	}
	if r.inner != nil || slices.ContainsFunc(all, holdsObject) {
		r.settleTimes(all)
	}
}

// holdsObject reports whether a line may have a JSON object as its message, or
// as a text in another object.
func holdsObject(l string) bool { return strings.Contains(l, ` {"`) || strings.Contains(l, `{\"`) }

// openMessages finds the format of most of the messages, if they have one.
func (r *Reader) openMessages(inside []string) {
	inner := detect(inside, r.Context, false)
	known := 0
	for _, l := range inside {
		if _, _, timed := inner.Main.TimeAt([]byte(l)); timed || inner.Main.Format.Name == "postgres" && inner.Begins([]byte(l)) {
			known++
		}
	}
	if name := inner.Main.Format.Name; name != "text" && name != "csv" && name != "logfmt" && known*2 > len(inside) {
		r.inner = inner
	}
}

// mayBeRecord rules out most messages that are no record of a log, without asking
// every format: such a record has a time, which takes four digits and more, or PostgreSQL's two
// blanks behind its severity.
func mayBeRecord(s string) bool {
	digits := 0
	for i := range len(s) {
		if s[i]-'0' <= 9 {
			digits++
		}
	}
	return digits >= 4 || strings.Contains(s, ":  ")
}

// ofServer picks the lines that PostgreSQL wrote out of a log of many programs.
func (r *Reader) ofServer(lines []string) []string {
	var out []string
	for _, l := range lines {
		e := sources.Event{}
		if r.Main.Parse([]byte(l), &r.Context, &e) && fromServer(&e) {
			out = append(out, l)
		}
	}
	return out
}

// server reports whether the messages are lines of a PostgreSQL server log.
func (r *Reader) server() bool { return r.inner != nil && r.inner.Main.Format.Name == "postgres" }

// identities are the fields by which envelopes tell writers apart.
var identities = []string{"_PID", "_BOOT_ID", "SYSLOG_PID", "pid", "program", "host", "stream", "_HOSTNAME"}

// fromServer reports whether an envelope's writer can be a PostgreSQL server:
// one that names its writer must name postgres.
func fromServer(e *sources.Event) bool {
	named := false
	for _, k := range []string{"_COMM", "SYSLOG_IDENTIFIER", "_SYSTEMD_UNIT", "program", "CONTAINER_NAME"} {
		v := e.Fields[k]
		if named = named || v != ""; strings.Contains(v, "postgres") || strings.Contains(v, "patroni") {
			return true
		}
	}
	return !named
}

// goesOnInside reports whether a line's message goes on with a record of the
// server log that an earlier line began.
func (r *Reader) goesOnInside(line []byte) bool {
	if !r.server() {
		return false
	}
	e := sources.Event{}
	if !r.Main.Parse(line, &r.Context, &e) || !fromServer(&e) {
		return false
	}
	part := partOf(e.Message)
	return part.number > 1 || part.number == 0 && !r.inner.Main.Begins([]byte(part.text))
}

// joinsInside reports whether the message of line goes on with the record that
// the message of head began, both from the same writer.
func (r *Reader) joinsInside(head, line []byte) bool {
	a, b := sources.Event{}, sources.Event{}
	if !r.Main.Parse(head, &r.Context, &a) || !r.Main.Parse(line, &r.Context, &b) || !fromServer(&a) {
		return false
	}
	for _, k := range identities {
		if a.Fields[k] != b.Fields[k] {
			return false
		}
	}
	x, y := partOf(a.Message), partOf(b.Message)
	if x.number > 0 && y.number > 0 {
		return x.of == y.of && x.number < y.number
	}
	return r.inner.Main.Continues([]byte(x.text), []byte(y.text))
}

// unfold reads the record inside an envelope; rest are the further envelopes of
// a record of several lines.
func (r *Reader) unfold(e *sources.Event, rest []byte) {
	if r.inner == nil || e.Message == "" || (r.server() && !fromServer(e)) {
		return
	}
	first := partOf(e.Message)
	message, last := first.text, first
	for len(rest) > 0 {
		var line []byte
		line, rest, _ = bytes.Cut(rest, []byte{'\n'})
		next := sources.Event{}
		if r.Main.Parse(line, &r.Context, &next) {
			part := partOf(next.Message)
			message += part.after(last)
			last = part
		}
	}
	in := sources.Event{}
	if !r.inner.Main.Parse([]byte(message), &r.inner.Context, &in) {
		e.Message = message
		return
	}
	for k, v := range in.Fields {
		if _, taken := e.Fields[k]; !taken || r.server() {
			e.Fields[k] = v
		}
	}
	adopt(e, &in, &r.Context)
	if in.Actor != "" {
		e.Actor = in.Actor
	}
	if in.Op != "" {
		e.Op = in.Op
	}
	if r.server() {
		e.Format = r.inner.Main.Format.Name
	}
}
