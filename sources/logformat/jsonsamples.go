package logformat

import "inquest/sources"

// jsonSamples holds one line of each dialect.
var jsonSamples = []Sample{
	{ // Serilog compact
		Text: `{"@t":"2025-11-27T14:58:12.1040000Z","@mt":"Created {Id}","@l":"Warning","Id":"e7a4","RequestId":"0HN:1","RequestPath":"/dtros"}`,
		Time: "2025-11-27T14:58:12.104Z", Level: sources.LevelWarning, Message: "Created {Id}", Want: map[string]string{"Id": "e7a4", "@request": "0HN:1", "@path": "/dtros"},
	},
	{ // Serilog full
		Text: `{"Timestamp":"2025-11-27T14:58:12.1040000+00:00","Level":"Information","MessageTemplate":"x {Id}","RenderedMessage":"x e7a4","Properties":{"Id":"e7a4","CorrelationId":"c-1"}}`,
		Time: "2025-11-27T14:58:12.104Z", Level: sources.LevelInfo, Message: "x e7a4", Want: map[string]string{"Properties.Id": "e7a4", "@request": "c-1"},
	},
	{ // zap
		Text: `{"level":"error","ts":1764255492.104,"caller":"a.go:1","msg":"boom","trace_id":"t1","span_id":"s1"}`,
		Time: "2025-11-27T14:58:12.104Z", Level: sources.LevelError, Message: "boom", Want: map[string]string{"@request": "t1"},
	},
	{Text: `{"level":"info","ts":1.764255492104e+09,"msg":"boom"}`, Time: "2025-11-27T14:58:12.104Z", Level: sources.LevelInfo, Message: "boom"},
	{ // zerolog
		Text: `{"level":"info","time":1764255492,"message":"hi","req_id":"r1"}`,
		Time: "2025-11-27T14:58:12Z", Level: sources.LevelInfo, Message: "hi", Want: map[string]string{"@request": "r1"},
	},
	{ // slog
		Text: `{"time":"2025-11-27T14:58:12.104+01:00","level":"WARN","msg":"hi","request":{"id":"r9","method":"PUT"}}`,
		Time: "2025-11-27T13:58:12.104Z", Level: sources.LevelWarning, Message: "hi", Want: map[string]string{"@request": "r9", "@op": "update"},
	},
	{ // pino
		Text: `{"level":30,"time":1764255492104,"pid":1,"hostname":"h","req":{"id":7,"method":"DELETE","url":"/dtros/e7a4"},"res":{"statusCode":204},"msg":"request completed"}`,
		Time: "2025-11-27T14:58:12.104Z", Level: sources.LevelInfo, Message: "request completed",
		Want: map[string]string{"@method": "DELETE", "@path": "/dtros/e7a4", "@status": "204", "@op": "delete", "@request": "7"},
	},
	{ // bunyan
		Text: `{"name":"api","hostname":"h","pid":1,"level":50,"msg":"bad","time":"2025-11-27T14:58:12.104Z","v":0}`,
		Time: "2025-11-27T14:58:12.104Z", Level: sources.LevelError, Message: "bad",
	},
	{ // ECS
		Text: `{"@timestamp":"2025-11-27T14:58:12.104Z","log.level":"INFO","message":"ok","trace":{"id":"tr1"},"http":{"request":{"method":"GET"},"response":{"status_code":404}},"url":{"path":"/dtros/x"},"user":{"name":"ann"}}`,
		Time: "2025-11-27T14:58:12.104Z", Level: sources.LevelInfo, Message: "ok",
		Want: map[string]string{"@request": "tr1", "@method": "GET", "@status": "404", "@path": "/dtros/x", "@actor": "ann", "@op": "read"},
	},
	{ // Google Cloud request log
		Text: `{"insertId":"1","httpRequest":{"requestMethod":"POST","requestUrl":"https://h/dtros/createFromBody","status":201,"latency":"0.1s","remoteIp":"1.2.3.4"},"resource":{"type":"cloud_run_revision","labels":{"service_name":"dtro"}},"timestamp":"2025-11-27T14:58:12.104321Z","severity":"INFO","trace":"projects/p/traces/0af7651916cd43dd8448eb211c80319c","receiveTimestamp":"2025-11-27T14:58:13Z"}`,
		Time: "2025-11-27T14:58:12.104321Z", Level: sources.LevelInfo,
		Want: map[string]string{"@method": "POST", "@path": "https://h/dtros/createFromBody", "@status": "201", "@op": "create", "@request": "0af7651916cd43dd8448eb211c80319c"},
	},
	{ // Google Cloud application log
		Text: `{"jsonPayload":{"Type":"ERROR","Endpoint":"/dtros/x","Message":"TRO \u0027x\u0027 not found"},"timestamp":"2025-11-27T14:58:12Z","severity":"DEFAULT"}`,
		Time: "2025-11-27T14:58:12Z", Level: sources.LevelInfo, Message: "TRO 'x' not found", Want: map[string]string{"jsonPayload.Type": "ERROR", "@path": "/dtros/x"},
	},
	{ // D-TRO on stdout: no time at all
		Text: `{"Type":"ERROR","CalledFromMethod":"GetById","Endpoint":"/dtros/5d0c","AppId":null,"Message":"TRO \u00275d0c\u0027 not found","ExceptionMessage":"not found"}`,
		Time: "", Level: sources.LevelError, Message: "TRO '5d0c' not found", Want: map[string]string{"@path": "/dtros/5d0c"},
	},
	{ // Docker json-file around an application's own JSON
		Text: `{"log":"{\"level\":\"warn\",\"msg\":\"inner\",\"request_id\":\"r3\"}\n","stream":"stdout","time":"2025-11-27T14:58:12.104Z"}`,
		Time: "2025-11-27T14:58:12.104Z", Level: sources.LevelWarning, Message: "inner", Want: map[string]string{"@request": "r3", "stream": "stdout"},
	},
	{ // Caddy
		Text: `{"level":"info","ts":1764255492.104,"logger":"http.log.access","msg":"handled request","request":{"remote_ip":"1.2.3.4","method":"PATCH","uri":"/dtros/x","headers":{"X-Request-Id":["rq1"]}},"status":200}`,
		Time: "2025-11-27T14:58:12.104Z", Level: sources.LevelInfo, Message: "handled request",
		Want: map[string]string{"@method": "PATCH", "@path": "/dtros/x", "@status": "200", "@request": "rq1", "@op": "update"},
	},
	{ // Kubernetes audit
		Text: `{"kind":"Event","auditID":"a1","stage":"ResponseComplete","requestURI":"/api/v1/pods/x","verb":"delete","user":{"username":"bob"},"responseStatus":{"code":200},"requestReceivedTimestamp":"2025-11-27T14:58:12.104321Z","stageTimestamp":"2025-11-27T14:58:13Z"}`,
		Time: "2025-11-27T14:58:12.104321Z", Want: map[string]string{"@op": "delete", "@actor": "bob", "@request": "a1", "@status": "200"},
	},
	{ // logrus
		Text: `{"level":"error","msg":"not found","time":"2025-11-27T14:58:12Z","request_id":"r1","id":"e7a4"}`,
		Time: "2025-11-27T14:58:12Z", Level: sources.LevelError, Message: "not found", Want: map[string]string{"@request": "r1", "id": "e7a4"},
	},
	{ // logstash
		Text: `{"@timestamp":"2025-11-27T14:58:12.104Z","@version":"1","message":"not found","logger_name":"c.e.Api","thread_name":"main","level":"ERROR","level_value":40000,"requestId":"r1"}`,
		Time: "2025-11-27T14:58:12.104Z", Level: sources.LevelError, Message: "not found", Want: map[string]string{"@request": "r1"},
	},
	{ // AWS CloudWatch: aws logs filter-log-events, one event a line
		Text: `{"timestamp":1764255492104,"message":"{\"level\":\"warn\",\"msg\":\"made e7a4\",\"requestId\":\"r1\"}","ingestionTime":1764255493000,"logStreamName":"api/1","eventId":"3"}`,
		Time: "2025-11-27T14:58:12.104Z", Level: sources.LevelWarning, Message: "made e7a4", Want: map[string]string{"@request": "r1", "logStreamName": "api/1"},
	},
	{ // AWS CloudWatch Logs Insights, exported
		Text: `{"@timestamp":"2025-11-27 14:58:12.104","@message":"made e7a4","@logStream":"api/1"}`,
		Time: "2025-11-27T14:58:12.104", Message: "made e7a4",
	},
	{ // Envoy
		Text: `{"start_time":"2025-11-27T14:58:12.104Z","method":"DELETE","path":"/dtros/e7a4","response_code":204,"x_request_id":"8a1f2c3d-0000-4000-8000-0123456789ab","duration":3}`,
		Time: "2025-11-27T14:58:12.104Z", Want: map[string]string{"@op": "delete", "@path": "/dtros/e7a4", "@status": "204"},
	},
	{ // Traefik
		Text: `{"ClientUsername":"-","DownstreamStatus":200,"RequestMethod":"GET","RequestPath":"/x","level":"info","msg":"","time":"2025-11-27T14:58:12Z"}`,
		Time: "2025-11-27T14:58:12Z", Level: sources.LevelInfo, Want: map[string]string{"@method": "GET", "@path": "/x"},
	},
}
