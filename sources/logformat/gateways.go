package logformat

import (
	"bytes"
	"strings"

	"inquest/sources"
)

// haproxy reads HAProxy's HTTP log, which usually stands inside syslog's
// envelope. Its time is the one of the request's arrival and has no zone.
func haproxy() *Format {
	return pattern{
		name: "haproxy", title: "HAProxy HTTP log", alone: true,
		re: `^(?P<client>\S+:\d+) \[(?P<time>\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d\.\d{3})\] (?P<frontend>\S+) (?P<backend>[^/\s]+)/(?P<server>\S+) (?P<timers>[-+\d/]+) (?P<status>-1|\d{3}) (?P<bytes>\+?\d+) \S+ \S+ (?P<termination>\S{4}) (?P<connections>[\d/+]+) (?P<queues>[\d/]+)(?: \{(?P<captured>[^}]*)\})?(?: \{[^}]*\})? "(?:(?P<method>[A-Z]+) (?P<path>[^\s"]+)(?: (?P<protocol>HTTP/[\d.]+))?|<BADREQ>)"?(?P<tail>.*)$`,
		samples: []Sample{
			{
				Text: `10.0.1.2:33317 [27/Nov/2025:14:58:12.104] http-in static/srv1 10/0/30/69/109 204 2750 - - ---- 1/1/1/1/0 0/0 {1wt.eu} {} "DELETE /dtros/e7a4 HTTP/1.1"`,
				Time: "2025-11-27T14:58:12.104", Message: "DELETE /dtros/e7a4 204",
				Want: map[string]string{"@op": "delete", "@path": "/dtros/e7a4", "@status": "204", "client": "10.0.1.2:33317", "server": "srv1", "captured": "1wt.eu"},
			},
			{
				Text: `10.0.1.2:33317 [27/Nov/2025:14:58:12.104] http-in~ api/<NOSRV> -1/-1/-1/-1/+5000 408 +212 - - cR-- 2/2/0/0/0 0/0 "<BADREQ>"`,
				Time: "2025-11-27T14:58:12.104", Want: map[string]string{"@status": "408", "termination": "cR--"},
			},
		},
		after: accessAfter,
	}.format()
}

// loadBalancer reads the access log of AWS application and classic load
// balancers.
func loadBalancer() *Format {
	return pattern{
		name: "alb", title: "AWS load balancer access log", alone: true,
		re: `^(?:(?P<type>https?|h2|grpcs?|wss?) )?(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z) (?P<elb>\S+) (?P<client>\S+:\d+) (?P<target>\S+) (?P<request_time>-?[\d.]+) (?P<target_time>-?[\d.]+) (?P<response_time>-?[\d.]+) (?P<status>\d{3}|-) (?P<target_status>\S+) (?P<received>\d+) (?P<sent>\d+) "(?P<method>[A-Z-]+) (?P<path>\S+) (?P<protocol>[^"]*)"(?: "(?P<agent>(?:[^"\\]|\\.)*)" (?P<cipher>\S+) (?P<tls>\S+)(?: (?P<group>\S+) "(?P<request>[^"]*)")?)?(?P<tail>.*)$`,
		samples: []Sample{
			{
				Text: `https 2025-11-27T14:58:12.104321Z app/my-lb/50dc6c495c0c9188 192.168.131.39:2817 10.0.0.1:80 0.086 0.048 0.037 201 201 34 366 "POST https://www.example.com:443/dtros HTTP/1.1" "curl/7.46.0" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 arn:aws:elasticloadbalancing:us-east-2:1:targetgroup/t/7 "Root=1-58337281-1d84f3d73c47ec4e58577259" "www.example.com" "-" 1 2025-11-27T14:58:12.000000Z "forward" "-" "-" "10.0.0.1:80" "201" "-" "-"`,
				Time: "2025-11-27T14:58:12.104321Z", Message: "POST https://www.example.com:443/dtros 201",
				Want: map[string]string{"@op": "create", "@status": "201", "@path": "https://www.example.com:443/dtros", "@request": "1-58337281-1d84f3d73c47ec4e58577259", "target_status": "201"},
			},
			{
				Text: `2025-11-27T14:58:12.104321Z my-elb 10.1.2.3:2817 - -1 -1 -1 503 0 0 0 "GET http://h:80/dtros/e7a4 HTTP/1.1" "curl" - -`,
				Time: "2025-11-27T14:58:12.104321Z", Want: map[string]string{"@status": "503", "@op": "read"},
			},
		},
		after: accessAfter,
	}.format()
}

// envoy reads Envoy's (and Istio's) default access log.
func envoy() *Format {
	return pattern{
		name: "envoy", title: "Envoy, Istio access log", alone: true,
		re: `^\[(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z)\] "(?P<method>[A-Z-]+) (?P<path>\S+) (?P<protocol>[^"]*)" (?P<status>\d{1,3}) (?P<flags>\S+) (?P<details>(?:[a-z_]\S* \S+ "[^"]*" )?)(?P<received>\d+) (?P<sent>\d+) (?P<duration>\d+) (?P<upstream_time>\S+) "(?P<forwarded_for>[^"]*)" "(?P<agent>[^"]*)" "(?P<request>[^"]*)" "(?P<authority>[^"]*)" "(?P<upstream>[^"]*)"(?P<tail>.*)$`,
		samples: []Sample{
			{
				Text: `[2025-11-27T14:58:12.104Z] "POST /dtros HTTP/1.1" 201 - 0 135 12 10 "203.0.113.9" "curl/8" "8a1f2c3d-0000-4000-8000-0123456789ab" "api.example.com" "10.0.0.9:8080"`,
				Time: "2025-11-27T14:58:12.104Z", Message: "POST /dtros 201",
				Want: map[string]string{"@op": "create", "@path": "/dtros", "@status": "201", "@request": "8a1f2c3d-0000-4000-8000-0123456789ab", "upstream": "10.0.0.9:8080"},
			},
			{
				Text: `[2025-11-27T14:58:12.104Z] "DELETE /dtros/e7a4 HTTP/2" 503 UF upstream_reset_before_response_started{connection_failure} - "-" 0 91 3 - "-" "okhttp/4" "r-77" "api" "10.0.0.9:8080" outbound|8080||api.prod.svc.cluster.local - 10.2.0.1:8080 10.3.0.4:51234 - default`,
				Time: "2025-11-27T14:58:12.104Z", Want: map[string]string{"@op": "delete", "@status": "503", "@request": "r-77", "flags": "UF"},
			},
		},
		after: accessAfter,
	}.format()
}

// lambda reads what AWS Lambda writes to CloudWatch: the runtime's lines and
// the platform's START, END and REPORT, which carry no time of their own.
func lambda() *Format {
	return pattern{
		name: "lambda", title: "AWS Lambda (CloudWatch)",
		re: `^(?:(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)\t(?P<request>[0-9a-f-]{36}|undefined)\t(?:(?P<level>[A-Z]{4,5})\t)?|(?:START|END|REPORT) RequestId: (?P<request_id>[0-9a-f-]{36})\s*)(?P<message>.*)$`,
		samples: []Sample{
			{
				Text: "2025-11-27T14:58:12.104Z\t2f5b7c1e-1111-4222-8333-444455556666\tERROR\tnot found e7a4",
				Time: "2025-11-27T14:58:12.104Z", Level: sources.LevelError, Message: "not found e7a4", Want: map[string]string{"@request": "2f5b7c1e-1111-4222-8333-444455556666"},
			},
			{
				Text:    "REPORT RequestId: 2f5b7c1e-1111-4222-8333-444455556666\tDuration: 12.3 ms",
				Message: "Duration: 12.3 ms", Want: map[string]string{"@request": "2f5b7c1e-1111-4222-8333-444455556666"},
			},
		},
		after: func(e *sources.Event) { set(&e.RequestID, e.Fields["request_id"]) },
		wraps: true,
	}.format()
}

const iisFields = "#Fields: "

// iis reads the W3C extended format of IIS: a comment names the columns, and
// times are in UTC as the format demands.
func iis() *Format {
	f := &Format{Name: "iis", Title: "IIS, W3C extended log", Samples: []Sample{{
		Text: "#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip sc-status time-taken\n2025-11-27 14:58:12 10.0.0.4 DELETE /dtros/e7a4 - 443 ann 1.2.3.4 204 15",
		Time: "2025-11-27T14:58:12Z", Message: "DELETE /dtros/e7a4 204",
		Want: map[string]string{"@op": "delete", "@path": "/dtros/e7a4", "@status": "204", "@actor": "ann", "c-ip": "1.2.3.4"},
	}}}
	f.New = func(lines []string) *Parser {
		var columns []string
		for _, l := range lines {
			if rest, ok := strings.CutPrefix(strings.TrimPrefix(l, "\uFEFF"), iisFields); ok {
				columns = strings.Fields(rest)
				break
			}
		}
		if len(columns) < 3 || columns[0] != "date" || columns[1] != "time" {
			return nil
		}
		p := &Parser{Format: f, Fielded: true, Alone: true, Detail: strings.Join(columns, " ")}
		p.Begins = func(line []byte) bool {
			_, n, ok := p.TimeAt(line)
			return ok && n <= len(line)
		}
		p.TimeAt = func(line []byte) (int, int, bool) {
			if len(line) < 19 || line[4] != '-' || line[10] != ' ' || line[13] != ':' || bytes.Count(line, []byte{' '}) < len(columns)-1 {
				return 0, 0, false
			}
			return 0, 19, true
		}
		p.Parse = func(rec []byte, c *Context, e *sources.Event) bool { return parseIIS(string(rec), columns, e) }
		return p
	}
	return f
}

func parseIIS(rec string, columns []string, e *sources.Event) bool {
	first, _ := cutLine(rec)
	values := strings.Split(first, " ")
	if len(values) < len(columns) {
		return false
	}
	st, _, ok := ParseTime(values[0]+" "+values[1]+"Z", nil)
	if !ok {
		return false
	}
	e.Time = st.Time.UTC()
	e.Fields = map[string]string{}
	for i, name := range columns[2:] {
		if v := values[i+2]; v != "-" {
			e.Fields[name] = v
		}
	}
	e.Method, e.Path, e.Actor = e.Fields["cs-method"], e.Fields["cs-uri-stem"], e.Fields["cs-username"]
	if q := e.Fields["cs-uri-query"]; q != "" {
		e.Path += "?" + q
	}
	e.Status = num(e.Fields["sc-status"])
	e.Op = opOfMethod(e.Method)
	e.Message = strings.TrimSpace(e.Method + " " + e.Path + " " + e.Fields["sc-status"])
	return true
}
