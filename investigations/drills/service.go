package drills

import (
	"fmt"
	"strconv"
	"time"
)

// service is an application as its log shows it: one line for every answer.
type service struct {
	name  string
	log   *Log
	write func(l *Log, service string, a answer)
	// skew is how far the service's clock is ahead of the server's.
	skew time.Duration
}

// answer is one answered request, or with status zero something else to log.
type answer struct {
	at     time.Time
	took   time.Duration
	method string
	path   string
	status int
	id     string // of the record, where the service logs it
	note   string
	trace  string
}

func newService(s *Stage, name, file string, write func(*Log, string, answer)) (*service, error) {
	log, err := s.Log(file)
	if err != nil {
		return nil, err
	}
	return &service{name: name, log: log, write: write}, nil
}

// answered logs an answer given now.
func (s *service) answered(begun time.Time, method, path string, status int, id, note string) {
	now := time.Now()
	s.write(s.log, s.name, answer{at: now.Add(s.skew), took: now.Sub(begun), method: method, path: path, status: status, id: id, note: note, trace: newTrace()})
}

// say logs something that is not an answer.
func (s *service) say(note string) {
	s.write(s.log, s.name, answer{at: time.Now().Add(s.skew), note: note})
}

func (a answer) level() string {
	switch {
	case a.status >= 500:
		return "error"
	case a.status >= 400:
		return "warn"
	}
	return "info"
}

// jsonAnswers writes JSON lines with UTC times of microseconds.
func jsonAnswers(l *Log, service string, a answer) {
	l.JSON(struct {
		Time     string  `json:"time"`
		Level    string  `json:"level"`
		Service  string  `json:"service"`
		Message  string  `json:"msg"`
		Method   string  `json:"method,omitempty"`
		Path     string  `json:"path,omitempty"`
		Status   int     `json:"status,omitempty"`
		ID       string  `json:"record_id,omitempty"`
		Trace    string  `json:"trace_id,omitempty"`
		Duration float64 `json:"duration_ms,omitempty"`
	}{
		a.at.UTC().Format("2006-01-02T15:04:05.000000Z"), a.level(), service, orElse(a.note, "request served"),
		a.method, a.path, a.status, a.id, a.trace, float64(a.took.Microseconds()) / 1000,
	})
}

// logfmtAnswers writes key=value pairs.
func logfmtAnswers(l *Log, service string, a answer) {
	line := fmt.Sprintf("ts=%s level=%s svc=%s msg=%q", a.at.UTC().Format(time.RFC3339Nano), a.level(), service, orElse(a.note, "served"))
	if a.status != 0 {
		line += fmt.Sprintf(" method=%s path=%s status=%d took=%s trace=%s", a.method, a.path, a.status, a.took.Round(time.Microsecond), a.trace)
	}
	if a.id != "" {
		line += " id=" + a.id
	}
	l.line(line)
}

// javaAnswers writes the layout of common Java loggers: local time with a comma,
// no zone.
func javaAnswers(zone *time.Location) func(*Log, string, answer) {
	return func(l *Log, service string, a answer) {
		level := map[string]string{"info": "INFO ", "warn": "WARN ", "error": "ERROR"}[a.level()]
		at := a.at.In(zone).Format("2006-01-02 15:04:05,000")
		if a.status == 0 {
			l.Printf("%s %s [scheduler-1] org.example.%s.Jobs - %s", at, level, service, a.note)
			return
		}
		l.Printf("%s %s [http-nio-8080-exec-%s] org.example.%s.Api - %s %s -> %s in %d ms%s", at, level, a.trace[:1], service,
			a.method, a.path, strconv.Itoa(a.status), a.took.Milliseconds(), suffix(" id=", a.id)+suffix(": ", a.note))
	}
}

func suffix(before, text string) string {
	if text == "" {
		return ""
	}
	return before + text
}

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}
