package logformat

import (
	"strconv"
	"strings"
	"sync"

	"inquest/sources"
)

// pattern describes a text format by a regular expression over the first line
// of a record. Groups named time, level, message, method, path, status, actor
// and request have their meaning; every named group becomes a field.
type pattern struct {
	name, title string
	re          string
	anchor      string // stands right before the time; empty: at a fixed offset
	samples     []Sample
	after       func(e *sources.Event) // sees the filled event
	wraps       bool                   // the message may be a JSON object
	alone       bool
}

func (d pattern) format() *Format {
	re, starts := lazily(d.re), sync.OnceValue(func() *[256]bool { return firstBytes(d.re) })
	f := &Format{Name: d.name, Title: d.title, Samples: d.samples}
	f.New = func([]string) *Parser {
		return &Parser{
			Format: f, Fielded: true, Anchor: d.anchor, Alone: d.alone,
			Begins: func(line []byte) bool { return (len(line) == 0 || starts()[line[0]]) && re().Match(head(line)) },
			TimeAt: func(line []byte) (int, int, bool) {
				m := re().FindSubmatchIndex(head(line))
				i := re().SubexpIndex("time")
				if m == nil || i < 0 || m[2*i] < 0 {
					return 0, 0, false
				}
				return m[2*i], m[2*i+1], true
			},
			Parse: func(rec []byte, c *Context, e *sources.Event) bool {
				first, rest := cutLine(string(rec))
				m := re().FindStringSubmatch(first)
				if m == nil {
					return false
				}
				return d.fill(e, c, re().SubexpNames(), m, rest)
			},
		}
	}
	return f
}

// head bounds what Begins and TimeAt look at: a prefix stands at the start.
func head(line []byte) []byte { return line[:min(len(line), 4096)] }

func cutLine(rec string) (first, rest string) {
	first, rest, _ = strings.Cut(rec, "\n")
	return strings.TrimSuffix(first, "\r"), rest
}

func (d pattern) fill(e *sources.Event, c *Context, names, m []string, rest string) bool {
	e.Fields = map[string]string{}
	for i, name := range names {
		if name == "" || m[i] == "" || m[i] == "-" {
			continue
		}
		v := m[i]
		switch name {
		case "time":
			st, ok := stampOf(v, c)
			if !ok {
				return false
			}
			c.setTime(e, st)
			continue
		case "level":
			if l, ok := levelOf(v); ok {
				e.Level = l
			} else if len(v) == 1 {
				e.Level = letterLevel(v[0])
			}
		case "message":
			e.Message = v
			continue
		case "method":
			e.Method = strings.ToUpper(v)
		case "path":
			e.Path = v
		case "status":
			e.Status, _ = strconv.Atoi(v)
		case "actor":
			e.Actor = v
		case "request":
			e.RequestID = requestID(v)
		}
		e.Fields[name] = v
	}
	if e.Op == "" {
		e.Op = opOfMethod(e.Method)
	}
	if rest != "" {
		e.Fields["rest"] = rest
	}
	looseFields(e)
	if d.after != nil {
		d.after(e)
	}
	if d.wraps {
		unwrap(e, c)
	}
	return true
}

var looseField = lazily(`([A-Za-z_][\w.-]{1,40})(=|: ?)("(?:[^"\\]|\\.)*"|'[^']*'|[^\s,;|\])}'"]+)`)

// looseFields takes key=value pairs and named ids ("requestId: x") out of a
// text message, so that the request can be followed.
func looseFields(e *sources.Event) {
	text := e.Message
	if len(text) > 1<<14 {
		text = text[:1<<14]
	}
	if !strings.ContainsAny(text, "=:") {
		return
	}
	for _, m := range looseField().FindAllStringSubmatch(text, 50) {
		key, value := m[1], strings.Trim(m[3], `"'`)
		id := roleOf[plainName(key)].role == roleRequest && plainName(key) != "xid"
		if value == "" || (m[2] != "=" && !id) {
			continue
		}
		if _, taken := e.Fields[key]; !taken {
			e.Fields[key] = value
		}
		if id && e.RequestID == "" && len(value) >= 2 {
			e.RequestID = requestID(value)
		}
	}
}
