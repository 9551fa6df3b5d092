package heap

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// jsonb's binary form: a container is a count-and-flags word, one JEntry word per child (keys first for an object), then the
// children's bytes; a JEntry holds a length or, with its top bit, an end offset (utils/jsonb.h).
const (
	jsonbCount  = 0x0fffffff
	jsonbScalar = 0x10000000
	jsonbObject = 0x20000000
	jsonbArray  = 0x40000000
	jentryOff   = 0x0fffffff
	jentryType  = 0x70000000
	jentryIsOff = 0x80000000

	jsonbMaxDepth = 6000
)

// jsonbText prints a jsonb datum (without varlena header) as jsonb_out does.
func jsonbText(b []byte) (string, bool) {
	var s strings.Builder
	if !jsonbContainer(&s, b, 0) {
		return "", false
	}
	return s.String(), true
}

func jsonbContainer(s *strings.Builder, b []byte, depth int) bool {
	if len(b) < 4 || depth > jsonbMaxDepth {
		return false
	}
	head := binary.LittleEndian.Uint32(b)
	n := int(head & jsonbCount)
	entries := n
	if head&jsonbObject != 0 {
		entries = 2 * n
	}
	if entries > (len(b)-4)/4 || s.Len() > MaxDatum {
		return false
	}
	c := jsonbChildren{entries: b[4 : 4+4*entries], data: b[4+4*entries:]}
	switch {
	case head&jsonbObject != 0:
		return c.object(s, n, depth)
	case head&jsonbScalar != 0:
		return n == 1 && c.value(s, 0, 0, depth)
	case head&jsonbArray != 0:
		return c.array(s, n, depth)
	}
	return false
}

type jsonbChildren struct {
	entries []byte
	data    []byte
}

func (c jsonbChildren) entry(i int) uint32 { return binary.LittleEndian.Uint32(c.entries[4*i:]) }

// end returns where child i ends when it begins at start.
func (c jsonbChildren) end(i, start int) int {
	e := c.entry(i)
	if e&jentryIsOff != 0 {
		return int(e & jentryOff)
	}
	return start + int(e&jentryOff)
}

func (c jsonbChildren) array(s *strings.Builder, n, depth int) bool {
	s.WriteByte('[')
	start := 0
	for i := 0; i < n; i++ {
		if i > 0 {
			s.WriteString(", ")
		}
		if !c.value(s, i, start, depth) {
			return false
		}
		start = c.end(i, start)
	}
	s.WriteByte(']')
	return true
}

func (c jsonbChildren) object(s *strings.Builder, n, depth int) bool {
	valueStart := 0
	for i := 0; i < n; i++ {
		valueStart = c.end(i, valueStart)
	}
	s.WriteByte('{')
	keyStart := 0
	for i := 0; i < n; i++ {
		if i > 0 {
			s.WriteString(", ")
		}
		if c.entry(i)&jentryType != 0 || !c.value(s, i, keyStart, depth) {
			return false
		}
		s.WriteString(": ")
		if !c.value(s, n+i, valueStart, depth) {
			return false
		}
		keyStart, valueStart = c.end(i, keyStart), c.end(n+i, valueStart)
	}
	s.WriteByte('}')
	return true
}

// value prints child i, whose bytes begin at start; numbers and containers are padded to four bytes.
func (c jsonbChildren) value(s *strings.Builder, i, start, depth int) bool {
	end := c.end(i, start)
	if start > end || end > len(c.data) {
		return false
	}
	b := c.data[start:end]
	switch c.entry(i) & jentryType {
	case 0x00000000:
		writeJSONString(s, b)
	case 0x10000000:
		return c.number(s, start, end)
	case 0x20000000:
		s.WriteString("false")
	case 0x30000000:
		s.WriteString("true")
	case 0x40000000:
		s.WriteString("null")
	case 0x50000000:
		at := alignTo(start, 'i')
		return at <= end && jsonbContainer(s, c.data[at:end], depth+1)
	default:
		return false
	}
	return true
}

func (c jsonbChildren) number(s *strings.Builder, start, end int) bool {
	at := alignTo(start, 'i')
	if at >= end {
		return false
	}
	raw, _, err := detoast(c.data[at:end], nil)
	if err != nil {
		return false
	}
	t, ok := numericText(raw)
	s.WriteString(t)
	return ok
}

// writeJSONString quotes as escape_json does.
func writeJSONString(s *strings.Builder, b []byte) {
	s.WriteByte('"')
	for _, ch := range b {
		switch ch {
		case '"', '\\':
			s.WriteByte('\\')
			s.WriteByte(ch)
		case '\b':
			s.WriteString(`\b`)
		case '\f':
			s.WriteString(`\f`)
		case '\n':
			s.WriteString(`\n`)
		case '\r':
			s.WriteString(`\r`)
		case '\t':
			s.WriteString(`\t`)
		default:
			if ch < 0x20 {
				fmt.Fprintf(s, `\u%04x`, ch)
			} else {
				s.WriteByte(ch)
			}
		}
	}
	s.WriteByte('"')
}
