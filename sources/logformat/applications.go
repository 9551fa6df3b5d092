package logformat

import (
	"strings"

	"inquest/sources"
)

// isoTime is the start of most application lines; a numeric zone may follow.
const isoTime = `\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?: ?(?:Z|[+-]\d\d:?\d\d|UTC|GMT|[A-Z]{3,4}\b))?`

// serilogText reads the D-TRO service's own template; its dates are day-first.
func serilogText() *Format {
	return pattern{
		name: "serilog-text", title: "Serilog text [Time: … | Level: … | …]", anchor: "[Time: ",
		re: `^\[Time: (?P<time>[^|]+?) \| Level: (?P<level>\w+) \| Source: (?P<source>.*?) \| Message: (?P<message>.*?)(?: \| Exception: (?P<exception>.*?)\]?)?$`,
		samples: []Sample{
			{
				Text: `[Time: 27-11-2025 14:58:12 | Level: INF | Source: DfT.DTRO.Controllers.DTROsController | Message: 'CreateFromBody' method called using appId: '6b1f' | Exception: ]`,
				Time: "2025-11-27T14:58:12", Level: sources.LevelInfo, Message: "'CreateFromBody' method called using appId: '6b1f'",
				Want: map[string]string{"source": "DfT.DTRO.Controllers.DTROsController"},
			},
			{
				Text: "[Time: 28-11-2025 09:14:03 | Level: ERR | Source: X | Message: not found | Exception: Dft.NotFound: gone\n   at X.Y()]",
				Time: "2025-11-28T09:14:03", Level: sources.LevelError, Message: "not found",
			},
		},
	}.format()
}

// jvmLog reads the layouts of Spring Boot, Logback and Log4j.
func jvmLog() *Format {
	return pattern{
		name: "jvm", title: "Spring Boot, Logback, Log4j",
		re: `^(?P<time>` + isoTime + `)\s+(?:\[(?P<thread>[^\]]*)\]\s+)?(?P<level>TRACE|DEBUG|INFO|WARN|ERROR|FATAL)\s+(?:(?P<pid>\d+) --- )?(?:\[(?P<mdc>[^\]]*)\]\s*)*(?P<logger>[\w.$/\[\]-]+)\s*(?:- |: )(?P<message>.*)$`,
		samples: []Sample{
			{
				Text: "2025-11-27T14:58:12.104Z  INFO 1 --- [nio-8080-exec-1] c.e.DtroController : created e7a4",
				Time: "2025-11-27T14:58:12.104Z", Level: sources.LevelInfo, Message: "created e7a4", Want: map[string]string{"logger": "c.e.DtroController"},
			},
			{
				Text: "2025-11-27 14:58:12,104 [main] ERROR com.example.Api - boom requestId=r-77\njava.lang.IllegalStateException: x\n\tat a.b(C.java:1)",
				Time: "2025-11-27T14:58:12.104", Level: sources.LevelError, Message: "boom requestId=r-77", Want: map[string]string{"@request": "r-77"},
			},
			{
				Text: "2025-11-27 14:58:12.104  WARN [api,0af7651916cd43dd8448eb211c80319c,b7ad6b7169203331] 7 --- [exec-2] c.e.Repo : slow",
				Time: "2025-11-27T14:58:12.104", Level: sources.LevelWarning, Message: "slow", Want: map[string]string{"@request": "0af7651916cd43dd8448eb211c80319c"},
			},
		},
		after: jvmAfter,
	}.withSleuth().format()
}

// withSleuth lets Spring Sleuth's [service,trace,span] stand after the level.
func (d pattern) withSleuth() pattern {
	d.re = strings.Replace(d.re, `\s+(?:(?P<pid>`, `\s+(?:\[(?P<sleuth>[^\]]*)\]\s*)?(?:(?P<pid>`, 1)
	return d
}

func jvmAfter(e *sources.Event) {
	for _, name := range []string{"sleuth", "mdc"} {
		for _, part := range strings.FieldsFunc(e.Fields[name], func(r rune) bool { return r == ',' || r == ' ' || r == '=' }) {
			if e.RequestID == "" && (isTraceID(part) || (len(part) == 16 && name == "sleuth")) {
				e.RequestID = part
				e.Fields["trace_id"] = part
			}
		}
	}
}

// pythonLog reads the usual formats of Python's logging.
func pythonLog() *Format {
	return pattern{
		name: "python", title: "Python logging",
		re: `^(?:(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:,\d{3})?)(?: - |\s+)(?:(?P<logger>[\w.]+)(?: - |\s+))?\[?(?P<level>DEBUG|INFO|WARNING|ERROR|CRITICAL)\]?(?: - |:|\s+)\s*(?P<message>.*))$`,
		samples: []Sample{
			{
				Text: "2025-11-27 14:58:12,104 - app.views - ERROR - not found e7a4\nTraceback (most recent call last):\n  File \"x.py\", line 1",
				Time: "2025-11-27T14:58:12.104", Level: sources.LevelError, Message: "not found e7a4", Want: map[string]string{"logger": "app.views"},
			},
			{Text: "2025-11-27 14:58:12,104 INFO created", Time: "2025-11-27T14:58:12.104", Level: sources.LevelInfo, Message: "created"},
		},
	}.format()
}

// goLog reads the standard library's log package.
func goLog() *Format {
	return pattern{
		name: "go", title: "Go log package",
		re: `^(?P<time>\d{4}/\d\d/\d\d \d\d:\d\d:\d\d(?:\.\d{6})?) (?:(?P<file>[\w./-]+\.go:\d+): )?(?:\[?(?P<level>DEBUG|INFO|WARN|WARNING|ERROR|FATAL|error|warn|notice|info|crit|alert|emerg|debug)\]?:? )?(?P<message>.*)$`,
		samples: []Sample{
			{Text: "2025/11/27 14:58:12 main.go:42: created e7a4", Time: "2025-11-27T14:58:12", Message: "created e7a4", Want: map[string]string{"file": "main.go:42"}},
			{Text: "2025/11/27 14:58:12.104321 listening", Time: "2025-11-27T14:58:12.104321", Message: "listening"},
			{ // nginx's error log is of this shape too
				Text: `2025/11/27 14:58:12 [error] 31#31: *7 upstream timed out, client: 10.1.2.3, request: "GET /x HTTP/1.1"`,
				Time: "2025-11-27T14:58:12", Level: sources.LevelError, Message: `31#31: *7 upstream timed out, client: 10.1.2.3, request: "GET /x HTTP/1.1"`,
			},
		},
	}.format()
}

// dotnetConsole reads .NET's console logger, with or without a timestamp.
func dotnetConsole() *Format {
	return pattern{
		name: "dotnet", title: ".NET console",
		re: `^(?:\[?(?P<time>` + isoTime + `)\]? ?)?(?P<level>trce|dbug|info|warn|fail|crit): (?P<logger>[\w.]+)\[(?P<event>\d+)\](?P<message>.*)$`,
		samples: []Sample{
			{
				Text: "info: Microsoft.Hosting.Lifetime[14]\n      Now listening on: http://localhost:5000",
				Time: "", Level: sources.LevelInfo, Message: "Now listening on: http://localhost:5000", Want: map[string]string{"logger": "Microsoft.Hosting.Lifetime"},
			},
			{
				Text: "2025-11-27T14:58:12.104Z fail: DfT.DTRO.X[0]\n      boom\n      at Y",
				Time: "2025-11-27T14:58:12.104Z", Level: sources.LevelError, Message: "boom",
			},
		},
		after: func(e *sources.Event) {
			if e.Message = strings.TrimSpace(e.Message); e.Message == "" {
				e.Message = strings.TrimSpace(firstLine(e.Fields["rest"]))
			}
		},
	}.format()
}

// railsLog reads Ruby's Logger as Rails configures it, request id tag included.
func railsLog() *Format {
	return pattern{
		name: "rails", title: "Rails, Ruby Logger", anchor: "[",
		re: `^(?P<letter>[DIWEFA]), \[(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+)(?: ?#(?P<pid>\d+))?\]\s+(?P<level>[A-Z]+) -- (?P<program>[^:]*): (?:\[(?P<request>[0-9a-f-]{32,36})\] ?)?(?P<message>.*)$`,
		samples: []Sample{
			{
				Text: `I, [2025-11-27T14:58:12.104321 #42]  INFO -- : [4f1c0a52-0d1e-4a55-9f0e-3a1b7c9d2e10] Started DELETE "/dtros/e7a4" for 1.2.3.4`,
				Time: "2025-11-27T14:58:12.104321", Level: sources.LevelInfo, Message: `Started DELETE "/dtros/e7a4" for 1.2.3.4`,
				Want: map[string]string{"@request": "4f1c0a52-0d1e-4a55-9f0e-3a1b7c9d2e10", "@method": "DELETE", "@path": "/dtros/e7a4", "@op": "delete"},
			},
		},
		after: func(e *sources.Event) {
			rest, ok := strings.CutPrefix(e.Message, "Started ")
			if m, p, cut := strings.Cut(rest, ` "`); ok && cut && isMethod(m) {
				e.Method, e.Op = m, opOfMethod(m)
				e.Path, _, _ = strings.Cut(p, `"`)
			}
		},
	}.format()
}
