package logformat

import (
	"bytes"
	"strings"

	"github.com/valyala/fastjson"

	"inquest/sources"
)

// journald reads what journalctl -o json prints: one object an entry, with a
// message that is a text, an array of bytes where it is no valid UTF-8, or null where it was
// too long; a field that occurs several times is an array of texts.
func journald() *Format {
	f := &Format{Name: "journald", Title: "systemd journal (JSON)", Samples: []Sample{
		{
			Text: `{"__CURSOR":"s=1;i=2","__REALTIME_TIMESTAMP":"1764255492104321","PRIORITY":"3","_SYSTEMD_UNIT":"api.service","_PID":"7","MESSAGE":"dead"}`,
			Time: "2025-11-27T14:58:12.104321Z", Level: sources.LevelError, Message: "dead", Want: map[string]string{"_PID": "7"},
		},
		{
			Text: `{"__REALTIME_TIMESTAMP":"1764255492104321","PRIORITY":"6","SYSLOG_IDENTIFIER":"api","MESSAGE":[104,105,255,10],"_SOURCE_REALTIME_TIMESTAMP":"1764255492104000"}`,
			Time: "2025-11-27T14:58:12.104321Z", Level: sources.LevelInfo, Message: "hi\uFFFD",
		},
		{
			Text: `{"MESSAGE":"{\"level\":\"warn\",\"msg\":\"inner\",\"request_id\":\"r3\"}","__REALTIME_TIMESTAMP":"1764255492104321","PRIORITY":"6"}`,
			Time: "2025-11-27T14:58:12.104321Z", Level: sources.LevelWarning, Message: "inner", Want: map[string]string{"@request": "r3"},
		},
		{
			Text: `{"__REALTIME_TIMESTAMP":"1764255492104321","MESSAGE":null,"_COMM":"big"}`,
			Time: "2025-11-27T14:58:12.104321Z", Message: "(the message is too long for journalctl to show)",
		},
	}}
	f.New = func(lines []string) *Parser {
		if !hasJournal(lines) {
			return nil
		}
		p := &Parser{Format: f, Fielded: true, Alone: true, Begins: beginsObject, Parse: parseJournal, Anchor: `"` + journalTime + `":"`}
		for _, l := range lines { // some versions write a space after the colon
			if a := anchorOf(l, journalTime); a != "" {
				p.Anchor = a
				break
			}
		}
		p.TimeAt = anchored(p.Anchor)
		return p
	}
	return f
}

const journalTime = "__REALTIME_TIMESTAMP"

func hasJournal(lines []string) bool {
	for _, l := range lines {
		if strings.HasPrefix(l, "{") && strings.Contains(l, `"`+journalTime+`"`) {
			return true
		}
	}
	return false
}

func parseJournal(rec []byte, c *Context, e *sources.Event) bool {
	rec = bytes.TrimSpace(rec)
	if len(rec) < 2 || rec[0] != '{' {
		return false
	}
	p := jsonParsers.Get()
	defer jsonParsers.Put(p)
	v, err := p.ParseBytes(rec)
	if err != nil || v.Type() != fastjson.TypeObject || v.Get(journalTime) == nil {
		return false
	}
	e.Fields = map[string]string{}
	o, _ := v.Object()
	o.Visit(func(k []byte, w *fastjson.Value) {
		if len(e.Fields) < maxFields {
			e.Fields[string(k)] = journalText(w)
		}
	})
	st, ok := stampOf(e.Fields[journalTime], c)
	if !ok {
		return false
	}
	c.setTime(e, st)
	e.Message = strings.TrimRight(e.Fields["MESSAGE"], "\n")
	if v.Get("MESSAGE").Type() == fastjson.TypeNull && v.Exists("MESSAGE") {
		e.Message = "(the message is too long for journalctl to show)"
	}
	delete(e.Fields, "MESSAGE")
	if l, ok := fieldLevel("PRIORITY", e.Fields["PRIORITY"]); ok && e.Fields["PRIORITY"] != "" {
		e.Level = l
	}
	looseFields(e)
	unwrap(e, c)
	return true
}

// journalText returns a field's text; bytes that are no UTF-8 are replaced.
func journalText(v *fastjson.Value) string {
	switch v.Type() {
	case fastjson.TypeString:
		b, _ := v.StringBytes()
		return strings.ToValidUTF8(string(b), "\uFFFD")
	case fastjson.TypeNull:
		return ""
	case fastjson.TypeArray:
		list, _ := v.Array()
		if len(list) > 0 && list[0].Type() == fastjson.TypeNumber {
			b := make([]byte, 0, len(list))
			for _, n := range list {
				b = append(b, byte(n.GetUint()))
			}
			return strings.ToValidUTF8(string(b), "\uFFFD")
		}
		parts := make([]string, 0, len(list))
		for _, w := range list {
			parts = append(parts, journalText(w))
		}
		return strings.Join(parts, "\n")
	}
	return v.String()
}
