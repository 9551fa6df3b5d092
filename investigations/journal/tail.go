package journal

import (
	"bytes"
	"errors"
	"io"
	"os"
)

// How far the list of cases looks: into the first line, for the last judgement,
// and for the beginning of the last line.
const (
	headLimit   = 4 << 20
	judgedLimit = 1 << 20
	tailLimit   = 32 << 20
	tailFirst   = 64 << 10
)

// firstLine returns the first line without its line feed.
func firstLine(f *os.File) ([]byte, error) {
	for size := int64(4 << 10); ; size *= 8 {
		buf := make([]byte, size)
		n, err := f.ReadAt(buf, 0)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		if i := bytes.IndexByte(buf[:n], '\n'); i >= 0 {
			return buf[:i], nil
		}
		switch {
		case int64(n) < size && !looksLikeStart(buf[:n]), size >= headLimit:
			return nil, ErrNotCase
		case int64(n) < size:
			return nil, ErrEmpty
		}
	}
}

// lastLines returns the last whole line and the last whole line that holds a
// judgement; nil when it is not near enough to the end.
func lastLines(f *os.File) (last, judged []byte, err error) {
	info, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	for size := int64(tailFirst); ; size *= 8 {
		size = min(size, info.Size())
		lines, err := wholeLines(f, info.Size()-size, size)
		if err != nil {
			return nil, nil, err
		}
		if n := len(lines); n > 0 {
			last = lines[n-1]
		}
		judged = lastJudged(lines)
		enough := last != nil && (judged != nil || size >= judgedLimit)
		if enough || size >= min(tailLimit, info.Size()) {
			return last, judged, nil
		}
	}
}

// wholeLines returns the lines that begin and end in the stretch.
func wholeLines(f *os.File, at, size int64) ([][]byte, error) {
	buf := make([]byte, size)
	n, err := f.ReadAt(buf, at)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	buf = buf[:n]
	if at > 0 {
		i := bytes.IndexByte(buf, '\n')
		if i < 0 {
			return nil, nil
		}
		buf = buf[i+1:]
	}
	end := bytes.LastIndexByte(buf, '\n')
	if end < 0 {
		return nil, nil
	}
	return bytes.Split(buf[:end], []byte("\n")), nil
}

// lastJudged finds a judgement by the fixed beginning of its line.
func lastJudged(lines [][]byte) []byte {
	const start = `{"seq":1234567890,"time":"2006-01-02T15:04:05.000000000+00:00","kind":"judged"`
	for i := len(lines) - 1; i >= 0; i-- {
		head := lines[i][:min(len(lines[i]), len(start))]
		if j := bytes.Index(head, []byte(`,"kind":"`)); j >= 0 && bytes.HasPrefix(head[j:], []byte(`,"kind":"judged"`)) {
			return lines[i]
		}
	}
	return nil
}
