package logformat

import (
	"bytes"
	"encoding/csv"

	"inquest/sources"
)

// csvlogColumns are csvlog's columns under jsonlog's names (PostgreSQL 14 and
// later; 13 ends after backend_type, 12 and older after application_name).
var csvlogColumns = []string{
	"timestamp", "user", "dbname", "pid", "remote", "session_id", "line_num", "ps", "session_start", "vxid", "txid",
	"error_severity", "state_code", "message", "detail", "hint", "internal_query", "internal_position", "context", "statement",
	"cursor_position", "location", "application_name", "backend_type", "leader_pid", "query_id",
}

// postgresCSV reads PostgreSQL's csvlog.
func postgresCSV() *Format {
	f := &Format{Name: "postgres-csv", Title: "PostgreSQL csvlog", Samples: []Sample{
		{
			Text: `2025-11-27 14:58:12.104 UTC,"dtro","app",30802,"10.0.0.5:51234",6928661f.7852,3,"INSERT",2025-11-27 14:50:00 UTC,3/127,764,ERROR,23505,"duplicate key value violates unique constraint ""pk""","Key (id)=(e7a4) already exists.",,,,,"INSERT INTO t VALUES ($1)",,,"api","client backend",,0`,
			Time: "2025-11-27T14:58:12.104Z", Level: sources.LevelError, Message: `duplicate key value violates unique constraint "pk"`,
			Want: map[string]string{"user": "dtro", "dbname": "app", "pid": "30802", "txid": "764", "state_code": "23505", "detail": "Key (id)=(e7a4) already exists.", "remote_host": "10.0.0.5", "application_name": "api", "@op": "create", "@actor": "dtro"},
		},
		{
			Text: "2025-11-27 14:58:12.104 CET,\"u\",\"d\",7,\"[local]\",6928661f.7,1,\"idle\",2025-11-27 14:50:00 CET,3/0,0,LOG,00000,\"statement: DELETE FROM t\nWHERE id = 'x';\",,,,,,,,,\"psql\",\"client backend\",,0",
			Time: "2025-11-27T13:58:12.104Z", Level: sources.LevelInfo, Message: "statement: DELETE FROM t\nWHERE id = 'x';", Want: map[string]string{"@op": "delete", "session_id": "6928661f.7", "txid": ""},
		},
	}}
	f.New = func([]string) *Parser {
		return &Parser{Format: f, Fielded: true, Begins: beginsCSVLog, Parse: parseCSVLog, TimeAt: func(line []byte) (int, int, bool) {
			return 0, bytes.IndexByte(line, ','), beginsCSVLog(line)
		}}
	}
	return f
}

// beginsCSVLog wants a time with a zone and a comma, as no continuation line
// of a quoted message is likely to begin.
func beginsCSVLog(line []byte) bool {
	i := bytes.IndexByte(line[:min(len(line), 48)], ',')
	if i < 20 || line[4] != '-' || line[7] != '-' || line[10] != ' ' {
		return false
	}
	_, ok := stampOf(string(line[:i]), nil)
	return ok && (len(line) == i+1 || line[i+1] == '"' || line[i+1] == ',')
}

func parseCSVLog(rec []byte, c *Context, e *sources.Event) bool {
	r := csv.NewReader(bytes.NewReader(rec))
	r.LazyQuotes, r.FieldsPerRecord = true, -1
	row, err := r.Read()
	if err != nil || len(row) < 22 || len(row) > 40 {
		return false
	}
	if _, ok := levelOf(row[11]); !ok {
		return false
	}
	st, ok := stampOf(row[0], c)
	if !ok {
		return false
	}
	c.setTime(e, st)
	f := map[string]string{}
	for i, v := range row[:min(len(row), len(csvlogColumns))] {
		if v != "" && i > 0 {
			f[csvlogColumns[i]] = v
		}
	}
	if v := f["remote"]; v != "" {
		host := v
		if i := bytes.LastIndexByte([]byte(v), ':'); i > 0 {
			host = v[:i]
			f["remote_port"] = v[i+1:]
		}
		f["remote_host"] = host
		delete(f, "remote")
	}
	e.Fields = f
	finishPostgres(e)
	return true
}

// postgresJSON reads PostgreSQL's jsonlog (15 and later).
func postgresJSON() *Format {
	f := &Format{Name: "postgres-json", Title: "PostgreSQL jsonlog", Samples: []Sample{{
		Text: `{"timestamp":"2025-11-27 14:58:12.104 UTC","user":"u","dbname":"d","pid":7,"remote_host":"[local]","session_id":"6928661f.7","line_num":1,"ps":"idle","session_start":"2025-11-27 14:50:00 UTC","vxid":"3/5","txid":0,"error_severity":"LOG","message":"execute <unnamed>: UPDATE \"Dtros\" SET \"Deleted\" = $1","detail":"parameters: $1 = 't'","application_name":"api","backend_type":"client backend","query_id":0}`,
		Time: "2025-11-27T14:58:12.104Z", Level: sources.LevelInfo, Message: `execute <unnamed>: UPDATE "Dtros" SET "Deleted" = $1`,
		Want: map[string]string{"parameters": "$1 = 't'", "@op": "update", "user": "u", "pid": "7", "statement": `UPDATE "Dtros" SET "Deleted" = $1`},
	}}}
	f.New = func([]string) *Parser {
		anchor := `{"timestamp":"`
		return &Parser{
			Format: f, Fielded: true, Alone: true, Anchor: anchor, TimeAt: anchored(anchor), Parse: parseJSONLog,
			Begins: func(line []byte) bool { return hasPrefix(line, anchor) },
		}
	}
	return f
}

func parseJSONLog(rec []byte, c *Context, e *sources.Event) bool {
	f, ok := flatJSON(rec)
	if !ok || f["error_severity"] == "" {
		return false
	}
	st, ok := stampOf(f["timestamp"], c)
	if !ok {
		return false
	}
	c.setTime(e, st)
	delete(f, "timestamp")
	e.Fields = f
	finishPostgres(e)
	return true
}
