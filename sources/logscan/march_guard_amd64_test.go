//go:build unix

package logscan

import (
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"inquest/sources/logformat"
)

// TestMarchReadsNothingBeyondALine puts lines, whole ones and cut ones, right before
// a page that must not be read.
func TestMarchReadsNothingBeyondALine(t *testing.T) {
	page := unix.Getpagesize()
	m, err := unix.Mmap(-1, 0, 2*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Munmap(m) }()
	if err := unix.Mprotect(m[page:], unix.PROT_NONE); err != nil {
		t.Fatal(err)
	}
	for _, l := range layouts {
		now := time.Date(2025, 11, 27, 14, 58, 12, 104_000_000, time.UTC)
		line := l.before + now.Format(l.layout) + l.after
		lines := []string{line, line, line}
		clk := newClock(logformat.Detect(lines, logformat.Context{Near: now}), lines)
		first, ok := clk.read([]byte(line))
		if !ok {
			t.Fatal(line)
		}
		for n := 1; n <= len(line); n++ { // the last line is cut to n bytes
			text := strings.Repeat(line+"\n", 3) + line[:n]
			b := m[page-len(text) : page]
			copy(b, text)
			var ends []uint16
			for i := range b {
				if b[i] == '\n' {
					ends = append(ends, uint16(i))
				}
			}
			ends = append(ends, uint16(len(b)))
			c := cover{least: int64(time.Hour)}
			c.add(first)
			if got := clk.first.march(&c, b, 0, 0, ends); clk.first.heads.known && got < 3 {
				t.Fatalf("only %d of three whole lines like %s", got, line)
			}
		}
	}
}
