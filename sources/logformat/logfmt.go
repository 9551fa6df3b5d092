package logformat

import (
	"strings"

	"inquest/sources"
)

// logfmtLines reads key=value records as logrus, Heroku, Prometheus and Loki
// write them.
func logfmtLines() *Format {
	f := &Format{Name: "logfmt", Title: "logfmt (key=value)", Samples: []Sample{
		{
			Text: `time="2025-11-27T14:58:12Z" level=info msg="created dtro" id=e7a4 request_id=r-17 method=POST path=/dtros status=201`,
			Time: "2025-11-27T14:58:12Z", Level: sources.LevelInfo, Message: "created dtro",
			Want: map[string]string{"id": "e7a4", "@request": "r-17", "@method": "POST", "@path": "/dtros", "@status": "201", "@op": "create"},
		},
		{
			Text: `ts=2025-11-27T14:58:12.104Z caller=main.go:1 level=error err="say \"no\"" traceID=abc123`,
			Time: "2025-11-27T14:58:12.104Z", Level: sources.LevelError, Want: map[string]string{"err": `say "no"`, "@request": "abc123"},
		},
	}}
	f.New = func(lines []string) *Parser {
		p := &Parser{Format: f, Fielded: true, Begins: beginsPair, Parse: parseLogfmt}
		p.Anchor = logfmtAnchor(lines)
		p.TimeAt = anchored(p.Anchor)
		return p
	}
	return f
}

// beginsPair reports whether the line starts with a key and an equals sign.
func beginsPair(line []byte) bool {
	i := 0
	for i < len(line) && i < 64 && (isWordByte(line[i]) || line[i] == '.' || line[i] == '-' || line[i] == '@') {
		i++
	}
	return i > 0 && i < len(line) && line[i] == '='
}

func parseLogfmt(rec []byte, c *Context, e *sources.Event) bool {
	if !beginsPair(rec) {
		return false
	}
	fields, loose := pairs(string(rec))
	if len(fields) < 2 || loose > len(fields) {
		return false
	}
	e.Fields = fields
	applyRoles(e, c)
	if e.Message == "" {
		e.Message = firstLine(string(rec))
	}
	return !e.Time.IsZero() || e.Level != ""
}

// pairs reads key=value and key="va lue" and counts the words that are neither.
func pairs(s string) (fields map[string]string, loose int) {
	fields = map[string]string{}
	for i := 0; i < len(s); {
		if s[i] <= ' ' || s[i] == ',' {
			i++
			continue
		}
		from := i
		for i < len(s) && s[i] > ' ' && s[i] != '=' && s[i] != '"' {
			i++
		}
		if i >= len(s) || s[i] != '=' || i == from {
			loose++
			for i < len(s) && s[i] > ' ' {
				i++
			}
			continue
		}
		key := s[from:i]
		var v string
		v, i = logfmtValue(s, i+1)
		if len(fields) < maxFields {
			fields[key] = v
		}
	}
	return fields, loose
}

func logfmtValue(s string, i int) (string, int) {
	if i >= len(s) || s[i] != '"' {
		from := i
		for i < len(s) && s[i] > ' ' {
			i++
		}
		return s[from:i], i
	}
	var b strings.Builder
	for i++; i < len(s) && s[i] != '"'; i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
			switch s[i] {
			case 'n':
				b.WriteByte('\n')
				continue
			case 't':
				b.WriteByte('\t')
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String(), min(i+1, len(s))
}

func logfmtAnchor(lines []string) string {
	votes, best := map[string]int{}, ""
	for _, l := range lines[:min(len(lines), 60)] {
		e := sources.Event{}
		if !beginsPair([]byte(l)) {
			continue
		}
		e.Fields, _ = pairs(l)
		key := applyRoles(&e, nil)
		if key == "" {
			continue
		}
		a := key + "="
		if strings.Contains(l, a+`"`) {
			a += `"`
		}
		if votes[a]++; votes[a] > votes[best] {
			best = a
		}
	}
	return best
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return strings.TrimRight(s, "\r")
}
