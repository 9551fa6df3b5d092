package drills

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// dtroLogs are the logs around the service: its own two, the request log of the
// platform, the gateway's, and the audit that one client keeps for itself.
type dtroLogs struct {
	json, requests, gateway, audit *Log

	st      *Stage
	mu      sync.Mutex
	serilog map[string]*Log // by day
}

func newDtroLogs(st *Stage) (*dtroLogs, error) {
	l := &dtroLogs{st: st, serilog: map[string]*Log{}}
	for name, at := range map[string]**Log{
		"dtro-service.stdout.jsonl": &l.json, "run-requests.jsonl": &l.requests,
		"gateway-access.log": &l.gateway, "client-transaction-audit.csv": &l.audit,
	} {
		log, err := st.Log(name)
		if err != nil {
			return nil, err
		}
		*at = log
	}
	l.audit.Printf("timestamp,operation,http_status,dtro_id,reference")
	return l, nil
}

func (l *dtroLogs) paths() []string {
	paths := []string{l.json.Path, l.requests.Path, l.gateway.Path, l.audit.Path}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.serilog {
		paths = append(paths, s.Path)
	}
	return paths
}

type dtroLine struct {
	Type             string
	CalledFromMethod string
	Endpoint         string
	AppID            *string `json:"AppId"`
	Message          string
	ExceptionMessage *string
}

// app writes an event the way the service does: a JSON line without a time and
// a text line with a time of whole seconds, day first. The two may differ.
func (l *dtroLogs) app(at time.Time, line dtroLine, text string) {
	l.json.line(dotnet.Replace(mustJSON(line)))
	level := map[string]string{"INFO": "INF", "WARN": "WRN", "ERROR": "ERR"}[line.Type]
	log, err := l.day(at)
	if err != nil {
		l.json.fail(err)
		return
	}
	log.Printf("[Time: %s | Level: %s | Source: DfT.DTRO.Controllers.DTROsController | Message: %s | Exception: ]", at.UTC().Format("02-01-2006 15:04:05"), level, text)
}

func (l *dtroLogs) day(at time.Time) (*Log, error) {
	name := "API-logs-" + at.UTC().Format("20060102") + ".log"
	l.mu.Lock()
	defer l.mu.Unlock()
	if log, ok := l.serilog[name]; ok {
		return log, nil
	}
	log, err := l.st.Log(name)
	if err == nil {
		l.serilog[name] = log
	}
	return log, err
}

func (l *dtroLogs) info(at time.Time, method, endpoint, message, textMethod string) {
	quoted := func(m string) string { return fmt.Sprintf("'%s' method called using %s", m, message) }
	l.app(at, dtroLine{Type: "INFO", CalledFromMethod: method, Endpoint: endpoint, Message: quoted(method)}, quoted(textMethod))
}

func (l *dtroLogs) error(at time.Time, method, endpoint, message, exception, text string) {
	l.app(at, dtroLine{Type: "ERROR", CalledFromMethod: method, Endpoint: endpoint, Message: message, ExceptionMessage: &exception}, text)
}

type runRequest struct {
	InsertID    string `json:"insertId"`
	HTTPRequest struct {
		RequestMethod string `json:"requestMethod"`
		RequestURL    string `json:"requestUrl"`
		RequestSize   string `json:"requestSize"`
		Status        int    `json:"status"`
		ResponseSize  string `json:"responseSize"`
		UserAgent     string `json:"userAgent"`
		RemoteIP      string `json:"remoteIp"`
		Latency       string `json:"latency"`
	} `json:"httpRequest"`
	Resource struct {
		Type   string            `json:"type"`
		Labels map[string]string `json:"labels"`
	} `json:"resource"`
	Timestamp string            `json:"timestamp"`
	Severity  string            `json:"severity"`
	Labels    map[string]string `json:"labels"`
	LogName   string            `json:"logName"`
	Trace     string            `json:"trace"`
}

// request writes what the platform and the gateway log of one answered request.
func (l *dtroLogs) request(begun, ended time.Time, p publisher, method, path string, status int) {
	took := ended.Sub(begun)
	var r runRequest
	r.InsertID = newTrace()[:16]
	h := &r.HTTPRequest
	h.RequestMethod, h.RequestURL, h.Status = method, "https://dtro-prod-dft-dtro-beta.internal"+path, status
	h.RequestSize, h.ResponseSize = fmt.Sprint(400+rand.IntN(2500)), fmt.Sprint(60+rand.IntN(2000))
	h.UserAgent, h.RemoteIP, h.Latency = "orders-client/2.4", "10.8.0.4", fmt.Sprintf("%.6fs", took.Seconds())
	r.Resource.Type = "cloud_run_revision"
	r.Resource.Labels = map[string]string{"service_name": "dtro-prod-dft-dtro-beta", "revision_name": "dtro-prod-dft-dtro-beta-00061-qix"}
	r.Timestamp, r.Severity = begun.UTC().Format(time.RFC3339Nano), severity(status)
	r.Labels = map[string]string{"instanceId": "0087244a80"}
	r.LogName, r.Trace = "projects/dft-dtro-prod/logs/run.googleapis.com%2Frequests", "projects/dft-dtro-prod/traces/"+newTrace()
	l.requests.JSON(r)
	l.gateway.line(accessLine(ended.UTC(), p.addr, p.appID, method, "/v1"+path, status, 60+rand.IntN(2000), "orders-client/2.4", took))
}

func severity(status int) string {
	switch {
	case status >= 500:
		return "ERROR"
	case status >= 400:
		return "WARNING"
	}
	return "INFO"
}

// record writes a line of the client's own audit.
func (l *dtroLogs) record(at time.Time, operation string, status int, id, reference string) {
	l.audit.Printf("%s,%s,%d,%s,%s", at.UTC().Format("2006-01-02T15:04:05.000Z"), operation, status, id, reference)
}

// history writes what the logs hold of the hours before: creates and reads of
// stored orders, with a stretch that the service's text log lost and an hour in
// which nobody called.
func (l *dtroLogs) history(rows []dtroRow, client publisher, now time.Time) {
	lost := [2]time.Time{now.Add(-170 * time.Minute), now.Add(-131 * time.Minute)}
	idle := [2]time.Time{now.Add(-5 * time.Hour), now.Add(-4 * time.Hour)}
	for _, r := range rows {
		if r.created.Before(now.Add(-8*time.Hour)) || within(r.created, idle) {
			continue
		}
		at := r.created.Add(time.Duration(rand.IntN(900)) * time.Millisecond)
		line := fmt.Sprintf("appId: '%s' and body 'DfT.DTRO.Models.DtroDtos.DtroSubmit'", r.owner.appID)
		if within(at, lost) {
			l.json.line(dotnet.Replace(mustJSON(dtroLine{Type: "INFO", CalledFromMethod: "CreateFromBody", Endpoint: "/dtros/createFromBody", Message: "'CreateFromBody' method called using " + line})))
		} else {
			l.info(at, "CreateFromBody", "/dtros/createFromBody", line, "CreateFromBody")
		}
		l.request(at.Add(-40*time.Millisecond), at, r.owner, "POST", "/dtros/createFromBody", 201)
		if r.owner.appID == client.appID {
			l.record(at, "createFromBody", 201, r.id, r.reference)
		}
	}
}

func within(t time.Time, span [2]time.Time) bool { return !t.Before(span[0]) && t.Before(span[1]) }
