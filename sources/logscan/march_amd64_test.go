package logscan

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"inquest/sources/logformat"
	"inquest/sources/scan"
)

// spoilt is a log in one layout with what may go wrong in it: minutes that turn,
// times that go back, bytes that are others, lines that are cut, text before the time.
func spoilt(r *rand.Rand, before, layout, after string) string {
	now := time.Date(2025, 11, 27, 23, 57, 0, 0, time.UTC)
	var b strings.Builder
	for range 3000 {
		now = now.Add(time.Duration(r.IntN(1_000_000_000)))
		if r.IntN(3) == 0 {
			now = now.Truncate(time.Second)
		}
		if r.IntN(80) == 0 {
			now = now.Add(-time.Duration(r.IntN(90)) * time.Second)
		}
		head := before
		if strings.HasSuffix(head, "[") {
			head = fmt.Sprintf("10.%d.%d.3 - - [", r.IntN(256), r.IntN(256))
		}
		line := head + now.Format(layout) + strings.TrimSuffix(after, `"}`) + strings.Repeat("x", r.IntN(50))
		if strings.HasSuffix(after, `"}`) {
			line += `"}`
		}
		switch r.IntN(30) {
		case 0:
			i := r.IntN(len(head) + len(layout))
			line = line[:i] + string("0123456789:.,+-ZUTC [\x80"[r.IntN(22)]) + line[i+1:]
		case 1:
			line = line[:r.IntN(len(line))]
		case 2:
			line = "[" + line
		}
		b.WriteString(line + "\n")
	}
	return b.String()
}

// coverOf is what the text shows, in chunks of a size.
func coverOf(text string, size int) *cover {
	lines := strings.Split(text, "\n")[:200]
	reader := logformat.Detect(lines, logformat.Context{Near: time.Date(2025, 11, 28, 0, 0, 0, 0, time.UTC)})
	needles := newNeedles(nil)
	needles.texts = [][]byte{[]byte("never there")}
	needles.of, needles.finder = []int{0}, scan.New(needles.texts)
	j := &job{reader: reader, clock: newClock(reader, lines), needles: needles, full: new(atomic.Bool), size: int64(len(text))}
	all := &cover{}
	for from := 0; from < len(text); from += size {
		base, to := max(0, from-400), min(from+size, len(text))
		b := j.chunk(scan.Chunk{Base: int64(base), Buf: []byte(text[base:min(to+400, len(text))]), From: from - base, To: to - base}, to == len(text))
		all.merge(&b.cover)
	}
	all.flush()
	return all
}

// TestMarchIsOneStepAfterTheOther holds the vector instructions to the plain way.
func TestMarchIsOneStepAfterTheOther(t *testing.T) {
	if !marches {
		t.Skip("this processor has no AVX2")
	}
	defer func() { marches = true }()
	layouts := append(layouts, struct{ before, layout, after string }{"[", "02/Jan/2006:15:04:05 -0700", `] "GET /x HTTP/1.1" 200 12`})
	for n, l := range layouts {
		r := rand.New(rand.NewPCG(uint64(n), 7))
		for range 4 {
			text := spoilt(r, l.before, l.layout, l.after)
			size := 1000 + r.IntN(60_000)
			marches = true
			got := coverOf(text, size)
			marches = false
			want := coverOf(text, size)
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(cover{}, silence{})); diff != "" {
				t.Fatalf("%s in pieces of %d: %s", l.before+l.layout, size, diff)
			}
			if want.timed < 2500 {
				t.Fatalf("%s: only %d times", l.before+l.layout, want.timed)
			}
		}
	}
}

// TestMarchTakesNearlyAllLines guards the speed without a clock.
func TestMarchTakesNearlyAllLines(t *testing.T) {
	if !marches {
		t.Skip("this processor has no AVX2")
	}
	for _, l := range layouts[:9] {
		if strings.Contains(l.layout, "999") {
			continue // a fraction without its zeros is of another length each time
		}
		var text strings.Builder
		var ends []uint16
		now := time.Date(2025, 11, 27, 23, 57, 0, 0, time.UTC)
		for range 100 {
			now = now.Add(7 * time.Millisecond)
			text.WriteString(l.before + now.Format(l.layout) + l.after)
			ends = append(ends, uint16(text.Len()))
			text.WriteByte('\n')
		}
		lines := strings.Split(text.String(), "\n")[:100]
		clk := newClock(logformat.Detect(lines, logformat.Context{Near: now}), lines)
		var c cover
		c.least = int64(time.Hour)
		first, ok := clk.read([]byte(lines[0]))
		if !ok {
			t.Fatal(lines[0])
		}
		c.add(first)
		if n := clk.first.march(&c, []byte(text.String()), 0, int(ends[0])+1, ends[1:]); n != 99 {
			t.Errorf("%d of 99 lines like %s", n, lines[0])
		}
	}
}
