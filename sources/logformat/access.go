package logformat

import (
	"strings"

	"inquest/sources"
)

var accessTail = lazily(`"((?:[^"\\]|\\.)*)"|(\S+)`)

// accessLog reads nginx's and Apache's common and combined formats, with
// whatever the site appended: a request id, durations, an upstream.
func accessLog() *Format {
	return pattern{
		name: "access", title: "access log (nginx, Apache: common, combined)", anchor: "[", alone: true,
		re: `^(?:(?P<vhost>\S+:\d+) )?(?P<client>\S+) (?P<ident>\S+) (?P<actor>\S+|[^\[]+?) \[(?P<time>[^\]]+)\] "(?:(?P<method>[A-Z]+) )?(?P<path>(?:[^"\\\s]|\\.)*)(?: (?P<protocol>HTTP/[\d.]+))?(?:[^"\\]|\\.)*" (?P<status>\d{3}) (?P<bytes>\d+|-)(?: "(?P<referer>(?:[^"\\]|\\.)*)" "(?P<agent>(?:[^"\\]|\\.)*)")?(?P<tail>.*)$`,
		samples: []Sample{
			{
				Text: `10.1.2.3 - ann [27/Nov/2025:14:58:12 +0000] "POST /dtros/createFromBody HTTP/1.1" 201 54 "-" "curl/8.0"`,
				Time: "2025-11-27T14:58:12Z",
				Want: map[string]string{"@method": "POST", "@path": "/dtros/createFromBody", "@status": "201", "@op": "create", "@actor": "ann", "client": "10.1.2.3"},
			},
			{
				Text: `10.1.2.3 - - [27/Nov/2025:15:58:12 +0100] "GET /dtros/e7a4 HTTP/2.0" 404 12`,
				Time: "2025-11-27T14:58:12Z", Want: map[string]string{"@status": "404", "@op": "read", "@actor": ""},
			},
			{
				Text: `10.1.2.3 - - [27/Nov/2025:14:58:12 +0000] "DELETE /dtros/e7a4 HTTP/1.1" 204 0 "-" "x" 0.012 request_id=0af7651916cd43dd8448eb211c80319c rt=0.5`,
				Time: "2025-11-27T14:58:12Z", Want: map[string]string{"@op": "delete", "@request": "0af7651916cd43dd8448eb211c80319c", "rt": "0.5"},
			},
			{
				Text: `10.1.2.3 - - [27/Nov/2025:14:58:12 +0000] "PUT /d HTTP/1.1" 200 0 "-" "x" "4f1c0a52-0d1e-4a55-9f0e-3a1b7c9d2e10" 0.003`,
				Time: "2025-11-27T14:58:12Z", Want: map[string]string{"@op": "update", "@request": "4f1c0a52-0d1e-4a55-9f0e-3a1b7c9d2e10"},
			},
		},
		after: accessAfter,
	}.format()
}

// accessAfter reads the appended words: pairs by their names, a lone UUID or
// 32 hexadecimal digits as the request's id, a decimal number as a duration.
func accessAfter(e *sources.Event) {
	if e.Method != "" || e.Path != "" {
		e.Message = strings.TrimSpace(e.Method + " " + e.Path + " " + e.Fields["status"])
	}
	tail := e.Fields["tail"]
	delete(e.Fields, "tail")
	for _, m := range accessTail().FindAllStringSubmatch(tail, 40) {
		word := m[1] + m[2]
		if key, v, ok := strings.Cut(word, "="); ok && key != "" && len(key) < 40 {
			v = strings.Trim(v, `"`)
			e.Fields[key] = v
			if roleOf[plainName(key)].role == roleRequest && v != "-" && e.RequestID == "" {
				e.RequestID = requestID(v)
			}
			continue
		}
		switch {
		case isTraceID(word) && e.RequestID == "":
			e.RequestID = word
			e.Fields["request_id"] = word
		case isDecimal(word) && e.Fields["duration"] == "":
			e.Fields["duration"] = word
		}
	}
}

// isTraceID is true for a UUID and for 32 hexadecimal digits.
func isTraceID(s string) bool {
	if len(s) != 36 && len(s) != 32 {
		return false
	}
	for i := range len(s) {
		c := s[i] | 32
		hex := c >= '0' && c <= '9' || c >= 'a' && c <= 'f'
		if hyphen := len(s) == 36 && (i == 8 || i == 13 || i == 18 || i == 23); hyphen != (s[i] == '-') || (!hyphen && !hex) {
			return false
		}
	}
	return true
}

func isDecimal(s string) bool {
	dot := false
	for i := range len(s) {
		switch {
		case s[i] == '.' && !dot && i > 0:
			dot = true
		case s[i] < '0' || s[i] > '9':
			return false
		}
	}
	return dot && len(s) > 2
}
