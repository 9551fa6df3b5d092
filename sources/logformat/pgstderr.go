package logformat

import (
	"bytes"
	"strings"

	"inquest/sources"
)

// postgresStderr reads PostgreSQL's plain server log with whatever
// log_line_prefix it was written; DETAIL and its like belong to the line before.
func postgresStderr() *Format {
	f := &Format{Name: "postgres", Title: "PostgreSQL server log (stderr)", Samples: postgresSamples}
	f.New = func(lines []string) *Parser {
		p := findPrefix(lines)
		if p == nil {
			return nil
		}
		return newStderr(f, p)
	}
	return f
}

// PostgresPrefix returns a parser for the stderr log of a server whose
// log_line_prefix is known.
func PostgresPrefix(template string) (*Parser, error) {
	p, err := compilePrefix(template)
	if err != nil {
		return nil, err
	}
	return newStderr(&Format{Name: "postgres", Title: "PostgreSQL server log (stderr)"}, p), nil
}

func newStderr(f *Format, p *prefix) *Parser {
	return &Parser{
		Format: f, Detail: "log_line_prefix " + p.template, Fielded: true,
		Begins: func(line []byte) bool {
			m := p.line(line)
			return m != nil && !secondary(m["error_severity"])
		},
		Joins: p.joins,
		Parse: p.parse,
		TimeAt: func(line []byte) (int, int, bool) {
			m := p.re.FindSubmatchIndex(head(line))
			i := p.re.SubexpIndex("time")
			if m == nil || i < 0 || m[2*i] < 0 {
				return 0, 0, false
			}
			return m[2*i], m[2*i+1], true
		},
	}
}

// line matches a line that may be a record's first; the check for the two
// spaces keeps the expression away from most continuation lines.
func (p *prefix) line(line []byte) map[string]string {
	line = head(line)
	if len(line) == 0 || line[0] == '\t' || !bytes.Contains(line, []byte(":  ")) {
		return nil
	}
	return p.match(string(line))
}

func secondary(severity string) bool {
	switch severity {
	case "DETAIL", "HINT", "CONTEXT", "STATEMENT", "QUERY", "LOCATION", "BACKTRACE":
		return true
	}
	return false
}

func (p *prefix) joins(first, line []byte) bool {
	m := p.line(line)
	if m == nil {
		return true
	}
	if !secondary(m["error_severity"]) {
		return false
	}
	h := p.line(first)
	return h == nil || h["pid"] == m["pid"] && h["session_id"] == m["session_id"]
}

// atCharacter is what the plain format appends to a message; the other formats
// have a field for it.
var atCharacter = lazily(` at character (\d+)$`)

// parse reads a record: its first line and the lines that go on with it.
func (p *prefix) parse(rec []byte, c *Context, e *sources.Event) bool {
	var f map[string]string
	into := "message"
	for i, l := range strings.Split(strings.TrimRight(string(rec), "\r\n"), "\n") {
		l = strings.TrimSuffix(l, "\r")
		m := p.match(l)
		switch {
		case i == 0 && m == nil:
			return false
		case i == 0:
			f = m
			if s := m["error_severity"]; secondary(s) {
				into = strings.ToLower(s)
				f[into] = m["message"]
			}
		case m != nil && secondary(m["error_severity"]):
			into = strings.ToLower(m["error_severity"])
			if f[into] != "" {
				f[into] += "\n"
			}
			f[into] += m["message"]
		case m != nil: // another record glued on by hand: leave it to Raw
		default:
			f[into] += "\n" + strings.TrimPrefix(l, "\t")
		}
	}
	if st, ok := stampOf(f["time"], c); ok {
		c.setTime(e, st)
	}
	delete(f, "time")
	if m := atCharacter().FindStringSubmatchIndex(f["message"]); m != nil && f["error_severity"] != "LOG" {
		f["cursor_position"] = f["message"][m[2]:m[3]]
		f["message"] = f["message"][:m[0]]
	}
	e.Fields = f
	finishPostgres(e)
	return true
}
