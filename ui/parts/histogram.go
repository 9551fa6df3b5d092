package parts

import (
	"strings"
	"time"

	"inquest/sources"
	"inquest/ui/theme"
)

// Cell is one column of a histogram.
type Cell struct {
	Count int64
	// Gap marks a stretch that the source does not cover: silence means nothing.
	Gap bool
}

// Histogram counts what sources read over time. Lines come from the buckets of
// a coverage; events, when given, counts the moments from one time until before
// another. A cell without anything in it is a gap when a source says so or when
// none covers it.
func Histogram(covs []sources.Coverage, events func(from, until time.Time) int, span sources.Window, w int) []Cell {
	if w <= 0 || span.From.IsZero() || !span.To.After(span.From) {
		return nil
	}
	g := grid{from: span.From, step: span.To.Sub(span.From) / time.Duration(w), cells: make([]Cell, w)}
	if g.step <= 0 {
		return nil
	}
	covered, holes := make([]bool, w), make([]bool, w)
	for _, c := range covs {
		g.bucket(c)
		if c.From.IsZero() || c.ZoneUnknown {
			continue
		}
		g.each(c.From, c.To, func(i int) { covered[i] = true })
		for _, gap := range c.Gaps {
			g.inside(gap.From, gap.To, func(i int) { holes[i] = true })
		}
	}
	for i := range g.cells {
		if from := g.from.Add(time.Duration(i) * g.step); events != nil {
			g.cells[i].Count += int64(events(from, from.Add(g.step)))
		}
		g.cells[i].Gap = g.cells[i].Count == 0 && (holes[i] || !covered[i])
	}
	return g.cells
}

type grid struct {
	from  time.Time
	step  time.Duration
	cells []Cell
}

func (g grid) bucket(c sources.Coverage) {
	// Lines of a bucket as wide as a good part of the picture may lie anywhere in
	// it: they would only make it look full.
	if c.BucketWidth <= 0 || c.BucketWidth > g.step*time.Duration(max(len(g.cells)/4, 1)) {
		return
	}
	for i, n := range c.Buckets {
		if n > 0 {
			from := c.BucketStart.Add(time.Duration(i) * c.BucketWidth)
			cells := max(int64(c.BucketWidth/g.step), 1)
			g.each(from, from.Add(c.BucketWidth-1), func(i int) { g.cells[i].Count += max(n/cells, 1) })
		}
	}
}

// each calls f for the cells that the span touches.
func (g grid) each(from, to time.Time, f func(int)) {
	if to.Before(g.from) {
		return
	}
	last := min(int(to.Sub(g.from)/g.step), len(g.cells)-1)
	for i := max(0, int(from.Sub(g.from)/g.step)); i <= last; i++ {
		f(i)
	}
}

// inside calls f for the cells that lie in the span, at least for the one in
// its middle: a short gap stays visible.
func (g grid) inside(from, to time.Time, f func(int)) {
	if to.Before(g.from) {
		return
	}
	first := int((from.Sub(g.from) + g.step - 1) / g.step)
	last := int(to.Sub(g.from)/g.step) - 1
	if last < first {
		mid := int(from.Add(to.Sub(from)/2).Sub(g.from) / g.step)
		first, last = mid, mid
	}
	for i := max(first, 0); i <= min(last, len(g.cells)-1); i++ {
		f(i)
	}
}

var levels = []string{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"}

// AddBars appends the histogram to a line: the taller the more, ░ for a gap.
func AddBars(l *Line, t *theme.Theme, cells []Cell) *Line {
	most := int64(1)
	for _, c := range cells {
		most = max(most, c.Count)
	}
	var run strings.Builder
	for i := 0; i < len(cells); {
		st, s := barOf(t, cells[i], most)
		run.Reset()
		run.WriteString(s)
		for i++; i < len(cells) && cells[i].Gap == cells[i-1].Gap; i++ {
			_, s = barOf(t, cells[i], most)
			run.WriteString(s)
		}
		l.Add(st, run.String())
	}
	return l
}

// BarText returns the histogram without styles.
func BarText(t *theme.Theme, cells []Cell) string {
	most := int64(1)
	var out strings.Builder
	for _, c := range cells {
		most = max(most, c.Count)
	}
	for _, c := range cells {
		_, s := barOf(t, c, most)
		out.WriteString(s)
	}
	return out.String()
}

func barOf(t *theme.Theme, c Cell, most int64) (theme.Style, string) {
	switch {
	case c.Gap:
		return t.Gap, "░"
	case c.Count == 0:
		return t.Bar, levels[0]
	default:
		i := 1 + int(c.Count*int64(len(levels)-2)/most)
		return t.Bar, levels[min(i, len(levels)-1)]
	}
}
