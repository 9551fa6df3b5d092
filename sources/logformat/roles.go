package logformat

import (
	"strconv"
	"strings"

	"inquest/sources"
)

// role is what a field of a structured record is for.
type role int

const (
	roleNone role = iota
	roleTime
	roleLevel
	roleMessage
	roleRequest
	roleMethod
	rolePath
	roleStatus
	roleActor
	roleOperation
	roleRequestLine
	roles
)

// roleNames are field names in lower case without punctuation, best first.
var roleNames = [roles][]string{
	roleTime: {
		"timestamp", "time", "ts", "t", "datetime", "eventtime", "logtime", "asctime", "date", "timegenerated", "realtimetimestamp",
		"requestreceivedtimestamp", "startutc", "starttime", "receivetimestamp", "at", "createdat", "created", "occurredat", "when",
	},
	roleLevel:   {"level", "lvl", "severity", "loglevel", "levelname", "l", "severitytext", "priority", "type", "errorseverity"},
	roleMessage: {"message", "msg", "m", "renderedmessage", "mt", "messagetemplate", "textpayload", "shortmessage", "body", "log", "event", "text", "description"},
	roleRequest: {
		"requestid", "reqid", "xrequestid", "correlationid", "xcorrelationid", "traceid", "trace", "googleapiscomtrace", "httprequestid",
		"traceparent", "xb3traceid", "b3traceid", "xamzntraceid", "xcloudtracecontext", "operationid", "ddtraceid", "transactionid", "auditid",
		"requestidentifier", "rid", "cid", "activityid", "messageid", "xid",
	},
	roleMethod: {"method", "httpmethod", "requestmethod", "verb", "httpverb", "httprequestmethod"},
	rolePath: {
		"path", "requestpath", "uri", "requesturi", "url", "requesturl", "httptarget", "urlpath", "endpoint", "httppath", "originalurl", "urloriginal", "pathsuffix", "route",
	},
	roleStatus: {"status", "statuscode", "httpstatus", "httpstatuscode", "responsestatus", "responsecode", "resstatuscode", "httpresponsestatuscode", "code", "responsestatuscode"},
	roleActor: {
		"user", "username", "userid", "remoteuser", "actor", "principalemail", "principal", "subject", "sub", "clientid", "appid", "applicationid", "developerapp",
		"enduserid", "useremail", "account", "login", "xappid",
	},
	roleOperation:   {"operation", "action", "op", "eventtype", "operationtype"},
	roleRequestLine: {"request", "requestline"},
}

type ranked struct {
	role role
	rank int
}

var roleOf = func() map[string]ranked {
	m := map[string]ranked{}
	for r, names := range roleNames {
		for i, n := range names {
			if _, taken := m[n]; !taken {
				m[n] = ranked{role(r), i}
			}
		}
	}
	return m
}()

// pick is the best field found for each role.
type pick struct {
	key  [roles]string
	cost [roles]int
}

// applyRoles fills e from its Fields. It returns the key that held the time.
func applyRoles(e *sources.Event, c *Context) string {
	var p pick
	var stamp Stamp
	for k, v := range e.Fields {
		for r, cost := range rolesOf(k) {
			r := role(r)
			if cost == 0 || (p.key[r] != "" && (cost > p.cost[r] || (cost == p.cost[r] && k >= p.key[r]))) {
				continue
			}
			if !fits(r, k, v, c) {
				continue
			}
			p.key[r], p.cost[r] = k, cost
		}
	}
	if k := p.key[roleTime]; k != "" {
		stamp, _ = fieldTime(e.Fields[k], c)
		c.setTime(e, stamp)
	}
	p.fill(e)
	return p.key[roleTime]
}

// rolesOf returns what it costs to take a key for each role, from 1 on, and 0
// for those that it cannot have: whole names before the last two parts of a path before
// the last part alone.
func rolesOf(key string) (costs [roles]int) {
	try := func(cost int, parts ...string) {
		var room [64]byte
		name := room[:0]
		for _, p := range parts {
			name = appendPlain(name, p)
		}
		if got, ok := roleOf[string(name)]; ok && got.role != roleNone {
			if cost += 1 + got.rank; costs[got.role] == 0 || cost < costs[got.role] {
				costs[got.role] = cost
			}
		}
	}
	try(0, key)
	if before, last, n := lastParts(key); n > 1 {
		deep := 100 * (n - 1)
		try(100+deep, before, last)
		try(200+deep, last)
	}
	return costs
}

// lastParts returns the last two parts of a path, and how many it has.
func lastParts(key string) (before, last string, n int) {
	for start, i := 0, 0; i <= len(key); i++ {
		if i < len(key) && key[i] != '.' && key[i] != '/' {
			continue
		}
		if i > start {
			before, last, n = last, key[start:i], n+1
		}
		start = i + 1
	}
	return before, last, n
}

// plainName returns a name in lower case without punctuation.
func plainName(s string) string { return string(appendPlain(nil, s)) }

func appendPlain(b []byte, s string) []byte {
	for i := range len(s) {
		c := s[i]
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
			b = append(b, c)
		}
	}
	return b
}

// fits reports whether a value can have the role that its name suggests.
func fits(r role, key, v string, c *Context) bool {
	if v == "" {
		return false
	}
	switch r {
	case roleTime:
		_, ok := fieldTime(v, c)
		return ok
	case roleLevel:
		_, ok := fieldLevel(key, v)
		return ok
	case roleStatus:
		n, err := strconv.Atoi(v)
		return err == nil && n >= 100 && n < 600
	case roleMethod:
		return isMethod(v) || opOfVerb(v) != ""
	case roleRequest:
		return v != "-" && len(v) <= 256 && v != "00000000000000000000000000000000" && v != "0"
	case roleOperation:
		return opOfVerb(v) != ""
	case rolePath:
		return strings.ContainsRune(v, '/')
	case roleRequestLine:
		m, _, ok := requestLine(v)
		return ok && m != ""
	case roleActor:
		return v != "-" && v != "null" && len(v) <= 200
	}
	return true
}

func fieldTime(v string, c *Context) (Stamp, bool) {
	if len(v) > 40 {
		return Stamp{}, false
	}
	if strings.HasPrefix(v, "/Date(") {
		v = strings.Trim(v[5:], "()/")
	}
	return stampOf(v, c)
}

func fieldLevel(key, v string) (sources.Level, bool) {
	if l, ok := levelOf(v); ok {
		return l, true
	}
	if strings.EqualFold(key, "PRIORITY") && len(v) == 1 && v[0] >= '0' && v[0] <= '7' {
		return syslogLevel(int(v[0] - '0')), true
	}
	if len(v) == 1 && (v[0] < '0' || v[0] > '9') {
		l := letterLevel(v[0])
		return l, l != ""
	}
	return numericLevel(v)
}

func (p *pick) fill(e *sources.Event) {
	at := func(r role) string {
		if p.key[r] == "" {
			return ""
		}
		return e.Fields[p.key[r]]
	}
	if v := at(roleLevel); v != "" {
		e.Level, _ = fieldLevel(p.key[roleLevel], v)
	}
	if v := at(roleMessage); v != "" {
		e.Message = strings.TrimRight(v, "\n")
	}
	if v := at(roleRequest); v != "" {
		e.RequestID = requestID(v)
	}
	if m, path, ok := requestLine(at(roleRequestLine)); ok {
		e.Method, e.Path = m, path
	}
	if v := at(roleMethod); v != "" {
		if isMethod(v) {
			e.Method = strings.ToUpper(v)
		}
		e.Op = opOfVerb(v)
	}
	if v := at(rolePath); v != "" {
		e.Path = v
	}
	if v := at(roleStatus); v != "" {
		e.Status, _ = strconv.Atoi(v)
	}
	if v := at(roleActor); v != "" {
		e.Actor = v
	}
	if v := at(roleOperation); v != "" && e.Op == "" {
		e.Op = opOfVerb(v)
	}
	if e.Op == "" {
		e.Op = opOfMethod(e.Method)
	}
}

// requestID takes the trace id out of W3C's traceparent and Google's forms.
func requestID(v string) string {
	if i := strings.LastIndex(v, "/traces/"); i >= 0 {
		return v[i+len("/traces/"):]
	}
	if len(v) == 55 && v[2] == '-' && v[35] == '-' && v[52] == '-' {
		return v[3:35]
	}
	if i := strings.IndexByte(v, '/'); i == 32 {
		return v[:32]
	}
	return strings.TrimPrefix(v, "Root=")
}

func isMethod(v string) bool {
	switch strings.ToUpper(v) {
	case "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "CONNECT", "TRACE", "PROPFIND", "MKCOL", "MOVE", "COPY", "LOCK", "UNLOCK", "PURGE":
		return true
	}
	return false
}

func opOfMethod(m string) sources.Operation {
	switch m {
	case "POST":
		return sources.OpCreate
	case "GET", "HEAD":
		return sources.OpRead
	case "PUT", "PATCH":
		return sources.OpUpdate
	case "DELETE":
		return sources.OpDelete
	}
	return ""
}

// opOfVerb reads the verbs of audit logs and SQL commands.
func opOfVerb(v string) sources.Operation {
	switch strings.ToLower(v) {
	case "create", "created", "insert", "inserted", "post":
		return sources.OpCreate
	case "get", "list", "watch", "read", "select", "head":
		return sources.OpRead
	case "update", "updated", "patch", "put", "merge":
		return sources.OpUpdate
	case "delete", "deleted", "deletecollection", "remove", "removed", "truncate", "drop":
		return sources.OpDelete
	case "login", "logon", "signin":
		return sources.OpLogin
	case "deploy", "deployed":
		return sources.OpDeploy
	case "restart", "restarted":
		return sources.OpRestart
	}
	return ""
}

// requestLine splits "GET /path HTTP/1.1".
func requestLine(s string) (method, path string, ok bool) {
	method, rest, found := strings.Cut(s, " ")
	if !found || !isMethod(method) {
		return "", "", false
	}
	path, _, _ = strings.Cut(rest, " ")
	return method, path, path != ""
}
