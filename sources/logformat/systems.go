package logformat

import (
	"strconv"
	"strings"

	"inquest/sources"
)

// syslog5424 reads RFC 5424.
func syslog5424() *Format {
	return pattern{
		name: "syslog-5424", title: "syslog, RFC 5424", wraps: true,
		re: `^<(?P<pri>\d{1,3})>1 (?P<time>\S+) (?P<host>\S+) (?P<program>\S+) (?P<pid>\S+) (?P<msgid>\S+) (?P<data>-|(?:\[(?:[^\]\\]|\\.)*\])+) ?(?P<message>.*)$`,
		samples: []Sample{{
			Text: `<165>1 2025-11-27T14:58:12.104Z host api 42 ID47 [x@1 requestId="r1"] deleted e7a4`,
			Time: "2025-11-27T14:58:12.104Z", Level: sources.LevelNotice, Message: "deleted e7a4", Want: map[string]string{"program": "api", "pid": "42", "@request": "r1"},
		}},
		after: func(e *sources.Event) {
			priority(e)
			message := e.Message
			e.Message = e.Fields["data"]
			looseFields(e)
			e.Message = message
		},
	}.format()
}

// syslog3164 reads BSD syslog as files hold it, with ISO times as rsyslog
// writes them too.
func syslog3164() *Format {
	return pattern{
		name: "syslog", title: "syslog, RFC 3164",
		re: `^(?:<(?P<pri>\d{1,3})>)?(?P<time>[A-Z][a-z]{2} [ \d]\d (?:\d{4} )?\d\d:\d\d:\d\d(?:\.\d+)?|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)) (?P<host>[\w.:-]+) (?P<program>[\w./@() -]+?)(?:\[(?P<pid>\d+)\])?: ?(?P<message>.*)$`,
		samples: []Sample{
			{
				Text: "Nov 27 14:58:12 db1 postgres[30802]: [3-1] LOG:  statement: DELETE FROM t",
				Time: "0000-11-27T14:58:12", Message: "[3-1] LOG:  statement: DELETE FROM t", Want: map[string]string{"host": "db1", "program": "postgres", "pid": "30802"},
			},
			{Text: "<11>Nov  7 04:05:06 db1 kernel: Out of memory: Killed process 7", Time: "0000-11-07T04:05:06", Level: sources.LevelError, Message: "Out of memory: Killed process 7"},
			{Text: "2025-11-27T14:58:12.104321+00:00 db1 sshd[9]: Accepted publickey for ann", Time: "2025-11-27T14:58:12.104321Z", Message: "Accepted publickey for ann"},
		},
		after: priority, wraps: true,
	}.format()
}

func priority(e *sources.Event) {
	if n, err := strconv.Atoi(e.Fields["pri"]); err == nil && e.Level == "" {
		e.Level = syslogLevel(n)
	}
}

// criLog reads container runtimes' files under /var/log/pods; what the
// application wrote inside is read too when it is JSON.
func criLog() *Format {
	return pattern{
		name: "cri", title: "Kubernetes container log (CRI)", alone: true,
		re: `^(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+(?:Z|[+-]\d\d:\d\d)) (?P<stream>stdout|stderr) (?P<tag>[FP]) (?P<message>.*)$`,
		samples: []Sample{
			{Text: "2025-11-27T14:58:12.104321987Z stdout F created e7a4", Time: "2025-11-27T14:58:12.104321987Z", Message: "created e7a4", Want: map[string]string{"stream": "stdout"}},
			{
				Text: `2025-11-27T14:58:12.104321987Z stderr F {"level":"error","msg":"boom","request_id":"r1"}`,
				Time: "2025-11-27T14:58:12.104321987Z", Level: sources.LevelError, Message: "boom", Want: map[string]string{"@request": "r1"},
			},
		},
		wraps: true,
	}.format()
}

// klog reads Kubernetes' own components; the year is not written.
func klog() *Format {
	f := pattern{
		name: "klog", title: "klog, glog",
		re: `^(?P<level>[IWEF])(?P<date>\d{4}) (?P<clock>\d\d:\d\d:\d\d\.\d+)\s+(?P<pid>\d+) (?P<file>[\w.-]+:\d+)\] (?P<message>.*)$`,
		samples: []Sample{{
			Text: `E1127 14:58:12.104321    1 controller.go:114] "deleting pod" pod="ns/x"`,
			Time: "0000-11-27T14:58:12.104321", Level: sources.LevelError, Message: `"deleting pod" pod="ns/x"`, Want: map[string]string{"pod": "ns/x"},
		}},
	}.format()
	build := f.New
	f.New = func(lines []string) *Parser {
		p := build(lines)
		parse := p.Parse
		p.Parse = func(rec []byte, c *Context, e *sources.Event) bool {
			if !parse(rec, c, e) {
				return false
			}
			d := e.Fields["date"]
			m := num(d[:2])
			if m < 1 || m > 12 {
				return false
			}
			st, ok := stampOf(months[m*3-3:m*3]+" "+d[2:]+" "+e.Fields["clock"], c)
			if ok {
				c.setTime(e, st)
			}
			delete(e.Fields, "date")
			delete(e.Fields, "clock")
			return ok
		}
		return p
	}
	return f
}

// plainText reads anything: a time at the start, if there is one, and a level
// word near it. It is the fallback and always fits.
func plainText() *Format {
	f := &Format{Name: "text", Title: "plain text", Samples: []Sample{
		{Text: "2025-11-27 14:58:12 something happened to e7a4", Time: "2025-11-27T14:58:12", Message: "something happened to e7a4"},
		{Text: "[27/11/2025 14:58:12] ERROR it broke id=7", Time: "2025-11-27T14:58:12", Level: sources.LevelError, Message: "ERROR it broke id=7", Want: map[string]string{"id": "7"}},
		{Text: "Thu Nov 27 14:58:12.104321 2025 x", Time: "2025-11-27T14:58:12.104321", Message: "x"},
		{Text: "1764255492.104 proxy started", Time: "2025-11-27T14:58:12.104Z", Message: "proxy started"},
		{Text: "no time at all", Message: "no time at all"},
	}}
	f.New = func(lines []string) *Parser {
		p := &Parser{Format: f, Fielded: true, TimeAt: leadingTime}
		timed := 0
		for _, l := range lines {
			if _, _, ok := leadingTime([]byte(l)); ok {
				timed++
			}
		}
		p.Begins = func(line []byte) bool { return !indented(line) }
		if timed > 0 {
			p.Begins = func(line []byte) bool { _, _, ok := leadingTime(line); return ok }
		}
		p.Parse = parsePlain
		return p
	}
	return f
}

// leadingTime finds a time within the first bytes of a line, behind brackets
// or a short word.
func leadingTime(line []byte) (int, int, bool) {
	s := string(line[:min(len(line), 96)])
	for at, tries := 0, 0; at < len(s) && at < 24 && tries < 4; tries++ {
		for at < len(s) && (s[at] == '[' || s[at] == '(' || s[at] == ' ' || s[at] == '<' || s[at] == '"' || s[at] == '|') {
			at++
		}
		if at >= len(s) {
			return 0, 0, false
		}
		if _, n, ok := ParseTime(s[at:], nil); ok {
			return at, at + n, true
		}
		next := strings.IndexAny(s[at:], " [|")
		if next < 0 {
			return 0, 0, false
		}
		at += next + 1
	}
	return 0, 0, false
}

func parsePlain(rec []byte, c *Context, e *sources.Event) bool {
	first, rest := cutLine(string(rec))
	e.Fields = map[string]string{}
	e.Message = first
	if from, to, ok := leadingTime([]byte(first)); ok {
		if st, ok := stampOf(first[from:to], c); ok {
			c.setTime(e, st)
		}
		if before := strings.Trim(first[:from], " [(<\"|"); before == "" {
			e.Message = strings.TrimLeft(first[to:], " ])>\"|:,-\t")
		}
	}
	for i, word := range strings.FieldsFunc(e.Message, func(r rune) bool { return strings.ContainsRune(" []|:<>()", r) }) {
		if i == 4 {
			break
		}
		if l, ok := levelOf(word); ok && (strings.ToUpper(word) == word || i == 0) && len(word) > 2 {
			e.Level = l
			break
		}
	}
	if rest != "" {
		e.Fields["rest"] = rest
	}
	looseFields(e)
	return true
}
