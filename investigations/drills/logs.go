package drills

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

// Log is a log file that a simulated program writes. It may be used from several
// goroutines; the first error is returned by Close.
type Log struct {
	Path string

	mu  sync.Mutex
	f   *os.File
	w   *bufio.Writer
	err error
}

func newLog(path string) (*Log, error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("make a log: %w", err)
	}
	return &Log{Path: path, f: f, w: bufio.NewWriter(f)}, nil
}

// Printf writes one line.
func (l *Log) Printf(format string, args ...any) { l.line(fmt.Sprintf(format, args...)) }

// JSON writes one line of JSON; v is a struct, so that its keys keep their order.
func (l *Log) JSON(v any) {
	b, err := json.Marshal(v)
	if err != nil {
		l.fail(err)
		return
	}
	l.line(string(b))
}

func (l *Log) line(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.f == nil {
		return // a late writer; the program is gone
	}
	if _, err := l.w.WriteString(text + "\n"); err != nil && l.err == nil {
		l.err = err
	}
}

func (l *Log) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.err = errors.Join(l.err, err)
}

// Close writes what is buffered. It may be called more than once.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.f == nil {
		return l.err
	}
	err := errors.Join(l.err, l.w.Flush(), l.f.Close())
	l.f, l.err = nil, nil
	if err != nil {
		return fmt.Errorf("write log %s: %w", l.Path, err)
	}
	return nil
}

// dotnet escapes JSON the way System.Text.Json does.
var dotnet = strings.NewReplacer(`'`, `\u0027`, `\"`, `\u0022`, `+`, `\u002B`, `\u003c`, `\u003C`, `\u003e`, `\u003E`)

// accessLine is a line as web servers and gateways write it: the combined
// format with the time taken at its end.
func accessLine(at time.Time, client, user, method, path string, status, size int, agent string, took time.Duration) string {
	return fmt.Sprintf(`%s - %s [%s] "%s %s HTTP/1.1" %d %d "-" "%s" %.3f`,
		client, user, at.Format("02/Jan/2006:15:04:05 -0700"), method, path, status, size, agent, took.Seconds())
}
