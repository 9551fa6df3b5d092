package logscan

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"inquest/sources"
	"inquest/sources/logformat"
)

const (
	sniffHead  = 192 << 10
	sniffPart  = 48 << 10
	sniffLines = 300
)

// sample reads lines from the start of a file and, when it is plain, from its
// middle and end, where rotated prefixes and other dates may stand.
func (m *File) sample(f *content) ([]string, error) {
	p := f.packing
	head := make([]byte, sniffHead)
	var n int
	var err error
	if p == plain {
		n, err = f.ReadAt(head, 0)
	} else {
		var r io.ReadCloser
		if r, err = unpack(io.NewSectionReader(f, 0, f.size), p); err == nil {
			n, err = io.ReadFull(r, head)
			r.Close()
		}
	}
	if n == 0 && err != nil && !errors.Is(err, io.EOF) {
		return nil, &sources.Blind{Why: fmt.Sprintf("log %s: unpack %s: %v", m.Path, p, err), Opens: "check the file, or fetch it again"}
	}
	head = head[:n]
	if why := notText(head); why != "" && n > 0 {
		return nil, &sources.Blind{Why: fmt.Sprintf("log %s is not text: %s", m.Path, why), Opens: "give a text log, or convert it first"}
	}
	lines := split(nil, head, n < sniffHead, true, sniffLines)
	if p == plain && f.size > sniffHead+2*sniffPart {
		part := make([]byte, sniffPart)
		for _, at := range []int64{f.size / 2, f.size - sniffPart} {
			k, _ := f.ReadAt(part, at)
			lines = split(lines, part[:k], false, false, sniffLines/3)
		}
	}
	return lines, nil
}

// split appends up to most whole lines of b; first tells that b begins with a
// whole line, last that it ends with one.
func split(lines []string, b []byte, last, first bool, most int) []string {
	if !first {
		i := bytes.IndexByte(b, '\n')
		b = b[i+1:]
	}
	for most > 0 && len(b) > 0 {
		i := bytes.IndexByte(b, '\n')
		if i < 0 {
			if last || len(lines) == 0 {
				lines = append(lines, text(b[:min(len(b), 32<<10)]))
			}
			break
		}
		if l := bytes.TrimRight(b[:i], "\r"); len(l) > 0 {
			lines = append(lines, text(l[:min(len(l), 32<<10)]))
			most--
		}
		b = b[i+1:]
	}
	return lines
}

func text(b []byte) string { return strings.ToValidUTF8(string(b), "\uFFFD") }

// reader works out the format of a file; opt.Format forces it.
func (f *content) reader(lines []string, opt Options) *logformat.Reader {
	c := logformat.Context{Location: opt.Location, Near: f.mtime}
	if now := opt.Now(); c.Near.After(now) {
		c.Near = now
	}
	if opt.Format != "" {
		if r, err := logformat.Forced(opt.Format, lines, c); err == nil {
			return r
		}
	}
	return logformat.Detect(lines, c)
}
