package logformat

import (
	"strings"

	"inquest/sources"
)

// finishPostgres derives what an event means from the fields that all three of
// PostgreSQL's formats share (the names are jsonlog's).
func finishPostgres(e *sources.Event) {
	f := e.Fields
	for k, v := range f {
		if v == "" || (k == "txid" && v == "0") || (k == "query_id" && v == "0") || v == "[unknown]" {
			delete(f, k)
		}
	}
	e.Message = f["message"]
	e.Level, _ = levelOf(f["error_severity"])
	e.RequestID = f["session_id"]
	messageFields(e)
	e.Actor = f["user"]
	if e.Op == "" {
		e.Op = opOfSQL(f["statement"])
	}
}

// messageFields reads the messages that carry fields of their own.
func messageFields(e *sources.Event) {
	f, m := e.Fields, e.Message
	switch {
	case strings.HasPrefix(m, "connection authorized:"):
		connectionFields(f, m)
		e.Op = sources.OpLogin
	case strings.HasPrefix(m, "connection received:"), strings.HasPrefix(m, "connection authenticated:"):
		connectionFields(f, m)
	case strings.HasPrefix(m, "disconnection:"):
		connectionFields(f, m)
		if _, t, ok := strings.Cut(m, "session time: "); ok {
			f["session_time"], _, _ = strings.Cut(t, " ")
		}
	case strings.HasPrefix(m, "AUDIT: "):
		auditFields(e, m)
	case strings.HasPrefix(m, "cron job "):
		e.Op = sources.OpJob
	case strings.HasPrefix(m, "database system is ready"), strings.HasPrefix(m, "starting PostgreSQL"),
		strings.HasPrefix(m, "database system was"), strings.Contains(m, "shutdown request"):
		e.Op = sources.OpRestart
	default:
		statementFields(f, m)
	}
	if _, p, ok := strings.Cut(f["detail"], "arameters: "); ok {
		put(f, "parameters", p)
	}
}

var (
	connectionKey = lazily(`\b(user|database|application_name|host|port|identity|method)=`)
	durationStart = lazily(`^duration: ([\d.]+) ms(?:  )?`)
	statementHead = lazily(`^(?:statement|execute [^:]*|parse [^:]*|bind [^:]*|fastpath function call): `)
)

func put(f map[string]string, k, v string) {
	if f[k] == "" && v != "" && v != "[unknown]" {
		f[k] = v
	}
}

// connectionFields reads "user=x database=y application_name=a b SSL enabled (…)".
func connectionFields(f map[string]string, m string) {
	if i := strings.Index(m, " SSL enabled"); i > 0 {
		f["ssl"], m = m[i+1:], m[:i]
	}
	at := connectionKey().FindAllStringSubmatchIndex(m, 12)
	for i, k := range at {
		end := len(m)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		key, v := m[k[2]:k[3]], strings.TrimSpace(m[k[1]:end])
		switch key {
		case "database":
			key = "dbname"
		case "host":
			key = "remote_host"
		case "port":
			key = "remote_port"
		case "identity", "method":
			key, v = "auth_"+key, strings.Trim(v, `"`)
		}
		put(f, key, v)
	}
}

// statementFields takes the SQL and the duration out of a logged statement.
func statementFields(f map[string]string, m string) {
	if d := durationStart().FindStringSubmatch(m); d != nil {
		f["duration_ms"] = d[1]
		m = m[len(d[0]):]
	}
	head := statementHead().FindString(m)
	if head == "" {
		return
	}
	f["protocol"] = strings.TrimSuffix(head, ": ")
	sql := m[len(head):]
	put(f, "statement", sql)
	if strings.HasPrefix(strings.ToLower(sql), "execute ") {
		if _, prepared, ok := strings.Cut(f["detail"], "prepare: "); ok {
			f["prepared"] = prepared
			f["statement"] = sql + " /* " + prepared + " */"
		}
	}
}

// auditFields reads pgaudit's AUDIT: SESSION,3,1,WRITE,DELETE,type,name,sql,parameters.
func auditFields(e *sources.Event, m string) {
	row, ok := splitCSV(m[len("AUDIT: "):], ',')
	if !ok {
		return
	}
	names := []string{"audit_type", "audit_statement_id", "audit_substatement_id", "audit_class", "audit_command", "audit_object_type", "audit_object", "statement", "parameters"}
	for i, v := range row {
		if i < len(names) && v != "<not logged>" && v != "<none>" {
			put(e.Fields, names[i], v)
		}
	}
	e.Op = opOfVerb(firstWord(e.Fields["audit_command"]))
}

func firstWord(s string) string {
	w, _, _ := strings.Cut(s, " ")
	return w
}

var dataWord = lazily(`(?i)\b(insert\s+into|update\s+(?:only\s+)?[\w".]+\s+(?:as\s+)?(?:\w+\s+)?set|delete\s+from|merge\s+into)\b`)

// opOfSQL returns what a statement does by its first word; behind WITH, by the
// first data-changing clause.
func opOfSQL(sql string) sources.Operation {
	sql = skipComments(sql)
	word := sql[:wordEnd(sql)]
	switch strings.ToLower(word) {
	case "insert":
		return sources.OpCreate
	case "select", "table", "fetch":
		return sources.OpRead
	case "update", "merge":
		return sources.OpUpdate
	case "delete", "truncate", "drop":
		return sources.OpDelete
	case "copy":
		if strings.Contains(strings.ToLower(sql), " from ") {
			return sources.OpCreate
		}
		return sources.OpRead
	case "with", "explain":
		if m := dataWord().FindString(sql); m != "" {
			return opOfVerb(strings.ToLower(m[:wordEnd(m)]))
		}
		return sources.OpRead
	case "execute":
		if i := strings.Index(sql, "/* "); i >= 0 {
			return opOfPrepared(sql[i+3:])
		}
	}
	return ""
}

// opOfPrepared reads "prepare name (types) as insert …".
func opOfPrepared(sql string) sources.Operation {
	if i := strings.Index(strings.ToLower(sql), " as "); i >= 0 {
		if rest := skipComments(sql[i+4:]); !strings.HasPrefix(strings.ToLower(rest), "execute") {
			return opOfSQL(rest)
		}
	}
	return ""
}

func wordEnd(s string) int {
	i := 0
	for i < len(s) && isWordByte(s[i]) {
		i++
	}
	return i
}

func skipComments(s string) string {
	for {
		s = strings.TrimLeft(s, " \t\r\n(;")
		switch {
		case strings.HasPrefix(s, "/*"):
			i := strings.Index(s, "*/")
			if i < 0 {
				return ""
			}
			s = s[i+2:]
		case strings.HasPrefix(s, "--"):
			i := strings.IndexByte(s, '\n')
			if i < 0 {
				return ""
			}
			s = s[i+1:]
		default:
			return s
		}
	}
}
