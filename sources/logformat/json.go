package logformat

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/valyala/fastjson"

	"inquest/sources"
)

var jsonParsers fastjson.ParserPool

const (
	maxFields = 400
	maxDepth  = 12
)

// jsonLines reads one JSON object per line in any dialect: the keys of time,
// level, message and request are told by their names and values.
func jsonLines() *Format {
	f := &Format{Name: "json", Title: "JSON lines", Samples: jsonSamples}
	f.New = func(lines []string) *Parser {
		p := &Parser{Format: f, Fielded: true, Alone: true, Begins: beginsObject}
		p.Parse = parseJSON
		p.Anchor = jsonAnchor(lines)
		p.TimeAt = anchored(p.Anchor)
		return p
	}
	return f
}

func beginsObject(line []byte) bool { return len(line) > 1 && line[0] == '{' }

func parseJSON(rec []byte, c *Context, e *sources.Event) bool {
	fields, ok := flatJSON(rec)
	if !ok {
		return false
	}
	e.Fields = fields
	applyRoles(e, c)
	unwrap(e, c)
	return true
}

// flatJSON returns the object's members with dotted names for nested ones.
func flatJSON(rec []byte) (map[string]string, bool) {
	rec = bytes.TrimSpace(rec)
	if len(rec) < 2 || rec[0] != '{' {
		return nil, false
	}
	p := jsonParsers.Get()
	defer jsonParsers.Put(p)
	v, err := p.ParseBytes(rec)
	if err != nil || v.Type() != fastjson.TypeObject {
		return nil, false
	}
	out := map[string]string{}
	flatten(out, "", v, 0)
	return out, true
}

func flatten(out map[string]string, name string, v *fastjson.Value, depth int) {
	if len(out) >= maxFields {
		return
	}
	switch v.Type() {
	case fastjson.TypeObject:
		o, _ := v.Object()
		if depth >= maxDepth {
			out[name] = v.String()
			return
		}
		o.Visit(func(k []byte, w *fastjson.Value) { flatten(out, dotted(name, string(k)), w, depth+1) })
	case fastjson.TypeArray:
		a, _ := v.Array()
		if depth >= maxDepth || len(a) > 50 {
			out[name] = v.String()
			return
		}
		for i, w := range a {
			key := name
			if len(a) > 1 {
				key = dotted(name, strconv.Itoa(i))
			}
			flatten(out, key, w, depth+1)
		}
	case fastjson.TypeString:
		b, _ := v.StringBytes()
		out[name] = strings.ToValidUTF8(string(b), "\uFFFD")
	case fastjson.TypeNull:
	default:
		out[name] = v.String()
	}
}

func dotted(name, key string) string {
	if name == "" {
		return key
	}
	return name + "." + key
}

// unwrap reads a JSON object that an envelope (Docker, CRI, Google Cloud)
// carries as its message, and lets it fill what the envelope left open.
func unwrap(e *sources.Event, c *Context) {
	m := strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(e.Message), "@cee:")) // as rsyslog marks it
	if len(m) < 2 || m[0] != '{' {
		return
	}
	inner := sources.Event{}
	fields, ok := flatJSON([]byte(m))
	if !ok {
		return
	}
	inner.Fields = fields
	applyRoles(&inner, c)
	for k, v := range fields {
		if _, taken := e.Fields[k]; !taken {
			e.Fields[k] = v
		}
	}
	adopt(e, &inner, c)
}

// adopt gives e what inner knows and e does not; inner's message wins, and its time
// where the file's are better.
func adopt(e, inner *sources.Event, c *Context) {
	if !inner.Time.IsZero() && (e.Time.IsZero() || c != nil && c.InnerTime && nearby(e, inner)) {
		e.Time, e.ZoneUnknown = inner.Time, inner.ZoneUnknown
	}
	if inner.Message != "" {
		e.Message = inner.Message
	}
	if inner.Level != "" {
		e.Level = inner.Level
	}
	set(&e.Op, inner.Op)
	set(&e.Actor, inner.Actor)
	set(&e.RequestID, inner.RequestID)
	set(&e.Method, inner.Method)
	set(&e.Path, inner.Path)
	if e.Status == 0 {
		e.Status = inner.Status
	}
}

func set[T ~string](to *T, v T) {
	if *to == "" {
		*to = v
	}
}

// jsonAnchor returns the text before the time in most of the lines, such as
// `"@timestamp":"`; empty when there is no time.
func jsonAnchor(lines []string) string {
	votes := map[string]int{}
	best := ""
	for _, l := range lines[:min(len(lines), 60)] {
		if !strings.HasPrefix(l, "{") {
			continue
		}
		e := sources.Event{}
		fields, ok := flatJSON([]byte(l))
		if !ok {
			continue
		}
		e.Fields = fields
		a := anchorOf(l, applyRoles(&e, nil))
		if a == "" {
			continue
		}
		if votes[a]++; votes[a] > votes[best] {
			best = a
		}
	}
	return best
}

// anchorOf returns the key as it stands in the line with its colon and quote.
func anchorOf(line, path string) string {
	if path == "" {
		return ""
	}
	key := path
	at := strings.Index(line, `"`+key+`"`)
	if at < 0 {
		key = path[strings.LastIndexByte(path, '.')+1:]
		if at = strings.Index(line, `"`+key+`"`); at < 0 {
			return ""
		}
	}
	end := at + len(key) + 2
	for end < len(line) && (line[end] == ' ' || line[end] == ':') {
		end++
	}
	if end < len(line) && line[end] == '"' {
		end++
	}
	return line[at:end]
}

// anchored returns a TimeAt for times that follow a constant text.
func anchored(anchor string) func([]byte) (int, int, bool) {
	if anchor == "" {
		return func([]byte) (int, int, bool) { return 0, 0, false }
	}
	a := []byte(anchor)
	return func(line []byte) (int, int, bool) {
		i := bytes.Index(line, a)
		if i < 0 {
			return 0, 0, false
		}
		from := i + len(a)
		s := string(line[from:min(len(line), from+40)])
		_, n, ok := ParseTime(s, nil)
		return from, from + n, ok
	}
}
