package main

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"
)

// wanted is the id that every search looks for.
const wanted = "e7a4bff2-adc7-4847-a9d8-25734601b405"

// wantedTimes is about how many requests of a file name it.
const wantedTimes = 16

// day is the span of the made logs.
var (
	dayStart = time.Date(2025, 11, 27, 0, 0, 0, 0, time.UTC)
	daySpan  = 24 * time.Hour
)

// line is one event of the made service, before it is written in some format.
type line struct {
	at       time.Time
	level    string
	msg      string
	method   string
	path     string
	status   int
	micros   int
	request  string
	clientIP string
}

// feed makes the events of a service from a fixed seed. Each request has three
// lines that share its request id.
type feed struct {
	r        *rand.Rand
	at       time.Time
	step     time.Duration // mean distance of two lines
	requests int
	part     int
	now      line
	every    int
	windowed bool // the window has a request that names the id
}

// newFeed spreads about lines over the span that begins at start.
func newFeed(seed uint64, start time.Time, span time.Duration, lines int64) *feed {
	return &feed{r: rand.New(rand.NewPCG(seed, 20251127)), at: start, step: span / time.Duration(max(lines, 1)), every: int(lines)/3/wantedTimes + 1}
}

func (f *feed) next() *line {
	f.at = f.at.Add(time.Duration(f.r.Int64N(int64(2*f.step) + 1)))
	if f.part %= 3; f.part == 0 {
		f.request()
	}
	l := &f.now
	l.at = f.at
	switch f.part {
	case 0:
		l.level, l.msg = "info", "request received"
	case 1:
		l.level, l.msg = "debug", "query finished"
	default:
		l.level, l.msg = "info", "request served"
		if l.status >= 500 {
			l.level, l.msg = "error", "request failed"
		}
	}
	f.part++
	return l
}

var methods = [...]string{"GET", "GET", "GET", "POST", "PUT", "DELETE"}

func (f *feed) request() {
	f.requests++
	id := f.uuid()
	if f.requests%f.every == f.every/2 || f.inWindow() {
		id = wanted
	}
	var request [16]byte
	f.bytes(request[:])
	status := 200
	switch f.r.IntN(200) {
	case 0:
		status = 500
	case 1, 2:
		status = 404
	}
	f.now = line{
		method: methods[f.r.IntN(len(methods))], path: "/dtros/" + id, status: status, micros: 300 + f.r.IntN(90_000),
		request: hex.EncodeToString(request[:]), clientIP: "10." + strconv.Itoa(f.r.IntN(8)) + "." + strconv.Itoa(f.r.IntN(256)) + "." + strconv.Itoa(f.r.IntN(256)),
	}
}

// windowStart is a little after windowFrom.
var windowStart = dayStart.Add(14*time.Hour + 52*time.Minute)

// inWindow is true once, for a request of the window that is searched.
func (f *feed) inWindow() bool {
	if f.windowed || f.at.Before(windowStart) {
		return false
	}
	f.windowed = true
	return true
}

func (f *feed) bytes(b []byte) {
	for i := range b {
		b[i] = byte(f.r.Uint32())
	}
}

func (f *feed) uuid() string {
	a, b := f.r.Uint64(), f.r.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-a%03x-%012x", a>>32, a>>16&0xffff, a&0xfff, b>>52, b&0xffffffffffff)
}

// writer appends a line in one format, with its newline.
type writer func(b []byte, l *line) []byte

const millis = "2006-01-02T15:04:05.000Z"

func writeJSON(b []byte, l *line) []byte {
	b = append(b, `{"time":"`...)
	b = l.at.AppendFormat(b, millis)
	b = append(b, `","level":"`...)
	b = append(b, l.level...)
	b = append(b, `","msg":"`...)
	b = append(b, l.msg...)
	b = append(b, `","request_id":"`...)
	b = append(b, l.request...)
	b = append(b, `","method":"`...)
	b = append(b, l.method...)
	b = append(b, `","path":"`...)
	b = append(b, l.path...)
	b = append(b, `","status":`...)
	b = strconv.AppendInt(b, int64(l.status), 10)
	b = append(b, `,"duration_ms":`...)
	b = strconv.AppendFloat(b, float64(l.micros)/1000, 'f', 3, 64)
	return append(b, "}\n"...)
}

func writeAccess(b []byte, l *line) []byte {
	b = append(b, l.clientIP...)
	b = append(b, " - - ["...)
	b = l.at.AppendFormat(b, "02/Jan/2006:15:04:05 -0700")
	b = append(b, `] "`...)
	b = append(b, l.method...)
	b = append(b, ' ')
	b = append(b, l.path...)
	b = append(b, ` HTTP/1.1" `...)
	b = strconv.AppendInt(b, int64(l.status), 10)
	b = append(b, ' ')
	b = strconv.AppendInt(b, int64(l.micros%9000), 10)
	b = append(b, ` "-" "dtro-client/2.4" `...)
	b = strconv.AppendFloat(b, float64(l.micros)/1e6, 'f', 3, 64)
	b = append(b, " request_id="...)
	b = append(b, l.request...)
	return append(b, '\n')
}

// postgresLevel is how PostgreSQL names a level.
func postgresLevel(level string) string {
	if level == "error" {
		return "ERROR"
	}
	return "LOG"
}

// writeCSV writes the columns of PostgreSQL 17's csvlog.
func writeCSV(b []byte, l *line) []byte {
	b = l.at.AppendFormat(b, "2006-01-02 15:04:05.000 MST")
	b = append(b, `,"dtro","dtro",41001,"10.0.3.7:51122",`...)
	b = append(b, l.request[:8]...)
	b = append(b, ".a029,1,\"SELECT\",2025-11-27 00:00:00 UTC,3/1021,0,"...)
	b = append(b, postgresLevel(l.level)...)
	b = append(b, `,00000,"duration: `...)
	b = strconv.AppendFloat(b, float64(l.micros)/1000, 'f', 3, 64)
	b = append(b, ` ms  execute <unnamed>: SELECT id, status, body FROM dtro.records WHERE id = $1","parameters: $1 = '`...)
	b = append(b, l.path[len("/dtros/"):]...)
	b = append(b, `'",,,,,,,,"dtro-api","client backend",,0`...)
	return append(b, '\n')
}

// writeJSONLog writes PostgreSQL 15's jsonlog.
func writeJSONLog(b []byte, l *line) []byte {
	b = append(b, `{"timestamp":"`...)
	b = l.at.AppendFormat(b, "2006-01-02 15:04:05.000 MST")
	b = append(b, `","user":"dtro","dbname":"dtro","pid":41001,"remote_host":"10.0.3.7","remote_port":51122,"session_id":"`...)
	b = append(b, l.request[:8]...)
	b = append(b, `.a029","line_num":1,"ps":"SELECT","session_start":"2025-11-27 00:00:00 UTC","vxid":"3/1021","txid":0,"error_severity":"`...)
	b = append(b, postgresLevel(l.level)...)
	b = append(b, `","message":"execute <unnamed>: SELECT id FROM dtro.records WHERE id = $1","detail":"parameters: $1 = '`...)
	b = append(b, l.path[len("/dtros/"):]...)
	b = append(b, `'","application_name":"dtro-api","backend_type":"client backend","query_id":0}`...)
	return append(b, '\n')
}

func writeLogfmt(b []byte, l *line) []byte {
	b = append(b, "time="...)
	b = l.at.AppendFormat(b, millis)
	b = append(b, " level="...)
	b = append(b, l.level...)
	b = append(b, ` msg="`...)
	b = append(b, l.msg...)
	b = append(b, `" request_id=`...)
	b = append(b, l.request...)
	b = append(b, " method="...)
	b = append(b, l.method...)
	b = append(b, " path="...)
	b = append(b, l.path...)
	b = append(b, " status="...)
	b = strconv.AppendInt(b, int64(l.status), 10)
	return append(b, '\n')
}

func writeSyslog(b []byte, l *line) []byte {
	b = l.at.AppendFormat(b, "Jan _2 15:04:05")
	b = append(b, " api1 dtro-api[4242]: "...)
	b = append(b, l.level...)
	b = append(b, ' ')
	b = append(b, l.msg...)
	b = append(b, " request_id="...)
	b = append(b, l.request...)
	b = append(b, " path="...)
	b = append(b, l.path...)
	return append(b, '\n')
}
