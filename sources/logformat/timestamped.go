package logformat

import (
	"inquest/sources"
)

// timestamped reads what kubectl logs and docker logs print with --timestamps:
// the runtime's time to the nanosecond, a space, and the container's own line. Lines
// with coarser times are told from other formats only where the format is forced.
func timestamped() *Format {
	f := pattern{
		name: "timestamped", title: "container log with timestamps (kubectl, docker)", alone: true,
		re: `^(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)) (?P<message>.*)$`,
		samples: []Sample{
			{Text: "2025-11-27T14:58:12.104321987Z created e7a4", Time: "2025-11-27T14:58:12.104321987Z", Message: "created e7a4"},
			{
				Text: `2025-11-27T14:58:12.104321987Z {"level":"error","msg":"boom","request_id":"r1"}`,
				Time: "2025-11-27T14:58:12.104321987Z", Level: sources.LevelError, Message: "boom", Want: map[string]string{"@request": "r1"},
			},
		},
		wraps: true,
	}.format()
	build := f.New
	f.New = func(lines []string) *Parser {
		for _, l := range lines {
			if nanoseconds().MatchString(l) {
				return build(lines)
			}
		}
		return nil
	}
	return f
}

var nanoseconds = lazily(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7,9}(?:Z|[+-]\d\d:\d\d) `)

// streamed reads what `aws logs tail` prints: the time, the log stream, and what the
// program wrote.
func streamed() *Format {
	return pattern{
		name: "streamed", title: "log stream with timestamps (aws logs tail)", alone: true,
		re: `^(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)) (?P<stream>[^\s{}"=]+/[^\s{}"=]+) (?P<message>\{.*|\[?(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|FATAL|START|END|REPORT)\b.*|\d{4}-\d\d-\d\d.*)$`,
		samples: []Sample{
			{
				Text: `2025-11-27T14:58:12.104000+00:00 ecs/api/0a1b2c3d {"level":"error","msg":"boom","request_id":"r1"}`,
				Time: "2025-11-27T14:58:12.104Z", Level: sources.LevelError, Message: "boom", Want: map[string]string{"@request": "r1", "stream": "ecs/api/0a1b2c3d"},
			},
			{
				Text: `2025-11-27T14:58:12.104000+00:00 2025/11/27/[$LATEST]0a1b2c3d START RequestId: 8601b555-6a83-4c12-8269-97c8e32cdb22 Version: $LATEST`,
				Time: "2025-11-27T14:58:12.104Z", Message: "START RequestId: 8601b555-6a83-4c12-8269-97c8e32cdb22 Version: $LATEST",
			},
		},
		wraps: true,
	}.format()
}
