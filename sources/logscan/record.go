package logscan

import (
	"bytes"
	"io"

	"inquest/sources/logformat"
)

const (
	maxLine    = 1 << 20   // bytes of a line that are kept
	maxTail    = 256 << 10 // bytes of a record beyond its first line
	maxFollow  = 2000      // lines of a record
	maxLookout = 64 << 10  // how far back a line's own record is looked for
)

// record is one record of a file with the place where it begins.
type record struct {
	text  []byte
	start int64 // offset of its first line
	end   int64 // offset behind it
	cut   bool  // it is longer than what is kept
}

// page is a part of a file around a hit.
type page struct {
	buf   []byte
	base  int64
	last  bool // buf ends where the file ends
	torn  bool // a search ran into an end of buf that is not the file's
	files *logformat.Reader
}

// recordAt returns the record that the byte at off belongs to. When buf does
// not hold all of it and r can be read again, more is read.
func recordAt(reader *logformat.Reader, buf []byte, base int64, last bool, off int64, r io.ReaderAt, size int64) record {
	p := &page{buf: buf, base: base, last: last, files: reader}
	rec := p.record(int(off - base))
	for _, span := range []int64{64 << 10, maxLine} {
		if !p.torn || r == nil {
			return rec
		}
		from := max(0, off-span)
		wide := make([]byte, min(off+span, size)-from)
		n, _ := r.ReadAt(wide, from)
		if int64(n) <= off-from {
			return rec
		}
		p = &page{buf: wide[:n], base: from, last: from+int64(n) >= size, files: reader}
		rec = p.record(int(off - from))
	}
	return rec
}

func (p *page) record(off int) record {
	from, to := p.lineStart(off), p.lineEnd(off)
	head := from
	if !p.files.Begins(p.line(from, to)) {
		if head = p.findHead(from, to); head == from {
			// Without its head a line stands alone, wherever the search came from.
			return p.bounded(p.buf[from:to], from, to, off)
		}
	}
	end := to
	if head < from {
		end = p.follow(head, p.lineEnd(head), from)
	}
	if end >= from || head == from {
		end = p.follow(head, max(end, to), len(p.buf))
		return p.bounded(p.buf[head:end], head, end, off)
	}
	// The line's record was interrupted by another process's lines.
	tail := p.follow(from, to, len(p.buf))
	text := append(append(bytes.Clone(p.buf[head:end]), '\n'), p.buf[from:tail]...)
	return p.bounded(text, head, tail, off)
}

func (p *page) line(from, to int) []byte { return bytes.TrimSuffix(p.buf[from:to], []byte("\r")) }

func (p *page) lineStart(off int) int {
	i := bytes.LastIndexByte(p.buf[:off], '\n') + 1
	if i == 0 && p.base > 0 {
		p.torn = true
	}
	return max(i, off-maxLine)
}

func (p *page) lineEnd(off int) int {
	if i := bytes.IndexByte(p.buf[off:], '\n'); i >= 0 {
		return off + i
	}
	if !p.last {
		p.torn = true
	}
	return len(p.buf)
}

// findHead looks back for the first line of the record that the line
// belongs to; without one the line is a record of its own.
func (p *page) findHead(from, to int) int {
	line := p.line(from, to)
	for h, n := from, 0; h > 0 && n < maxFollow && from-h < maxTail; n++ {
		end := h - 1
		h = bytes.LastIndexByte(p.buf[:end], '\n') + 1
		if h == 0 && p.base > 0 {
			p.torn = true
			return from
		}
		first := p.line(h, end)
		if !p.files.Begins(first) {
			continue
		}
		if p.files.Continues(first, line) {
			return h
		}
		if !p.files.Interleaved() || from-h > maxLookout {
			return from
		}
	}
	if p.base > 0 && from == 0 {
		p.torn = true
	}
	return from
}

// follow returns the end of the lines that go on with the record whose first
// line starts at head and which reached end; it stops at limit.
func (p *page) follow(head, end, limit int) int {
	first := p.line(head, p.lineEnd(head))
	start := end
	for n := 0; n < maxFollow && end-start < maxTail && end < limit; n++ {
		if end+1 >= len(p.buf) {
			if !p.last {
				p.torn = true
			}
			return end
		}
		next := p.lineEnd(end + 1)
		if !p.files.Continues(first, p.line(end+1, next)) {
			return end
		}
		end = next
	}
	return end
}

// bounded keeps at most maxLine bytes around the hit.
func (p *page) bounded(text []byte, start, end, off int) record {
	rec := record{text: bytes.TrimRight(text, "\r\n"), start: p.base + int64(start), end: p.base + int64(end)}
	if len(rec.text) <= maxLine {
		rec.cut = p.torn && end-start >= maxLine
		return rec
	}
	from := min(max(0, off-start-maxLine/2), len(rec.text)-maxLine)
	rec.text, rec.cut = rec.text[from:from+maxLine], true
	return rec
}
