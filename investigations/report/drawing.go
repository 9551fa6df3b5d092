package report

import (
	"fmt"
	"html"
	"slices"
	"strings"
	"time"

	"inquest/investigations"
	"inquest/sources"
)

// The drawing's measures, in its own units.
const (
	drawWidth = 960
	nameWidth = 170
	laneStep  = 30
	laneHigh  = 22
	maxLanes  = 24
	maxBars   = 2000
)

// lane is one source in the drawing.
type lane struct {
	source  string
	covers  []sources.Coverage
	moments []investigations.Moment
}

// drawing returns the timeline as inline SVG: one lane a source, with what was
// read, how many lines, the gaps, and a mark for each moment. It is empty when
// nothing carries a time.
func drawing(s investigations.State, a investigations.Assessment) string {
	w, ok := stretch(s, a)
	lanes := lanesOf(a)
	if !ok || len(lanes) == 0 {
		return ""
	}
	d := draw{from: w.From, per: float64(drawWidth-nameWidth-10) / float64(w.To.Sub(w.From))}
	d.to = w.To
	high := len(lanes)*laneStep + 30
	fmt.Fprintf(&d.b, `<svg viewBox="0 0 %d %d" role="img" aria-label="Timeline: what each source read, its gaps, and the moments found">`+"\n", drawWidth, high)
	for i, l := range lanes {
		d.lane(l, i*laneStep)
	}
	d.axis(len(lanes) * laneStep)
	d.b.WriteString("</svg>\n")
	if d.outside > 0 {
		fmt.Fprintf(&d.b, "<p>%s outside the drawn window; the table has all.</p>\n", plural(d.outside, "moment lies", "moments lie"))
	}
	return d.b.String()
}

// stretch is the window of the case, or else what the moments span, or else
// what the sources cover.
func stretch(s investigations.State, a investigations.Assessment) (sources.Window, bool) {
	if w := s.Window; !w.From.IsZero() && w.To.After(w.From) {
		return w, true
	}
	var w sources.Window
	widen := func(t time.Time) {
		if t.IsZero() {
			return
		}
		if w.From.IsZero() || t.Before(w.From) {
			w.From = t
		}
		if t.After(w.To) {
			w.To = t
		}
	}
	for _, m := range a.Timeline {
		widen(m.Time)
		widen(m.Until)
	}
	if w.From.IsZero() {
		for _, c := range a.Coverage {
			widen(c.From)
			widen(c.To)
		}
	}
	if w.From.IsZero() {
		return w, false
	}
	return w.Widen(max(time.Millisecond, w.To.Sub(w.From)/50)), true
}

// lanesOf returns a lane for each source that read something or tells of a
// moment, in that order.
func lanesOf(a investigations.Assessment) []*lane {
	var out []*lane
	by := map[string]*lane{}
	of := func(source string) *lane {
		if by[source] == nil {
			by[source] = &lane{source: source}
			if len(out) < maxLanes {
				out = append(out, by[source])
			}
		}
		return by[source]
	}
	for _, c := range a.Coverage {
		if !c.From.IsZero() && !slices.ContainsFunc(of(c.Source).covers, func(o sources.Coverage) bool { return sameStretch(o, c) }) {
			of(c.Source).covers = append(of(c.Source).covers, c)
		}
	}
	for _, m := range a.Timeline {
		if !m.Time.IsZero() {
			of(m.Source).moments = append(of(m.Source).moments, m)
		}
	}
	return out
}

func sameStretch(a, b sources.Coverage) bool {
	return a.From.Equal(b.From) && a.To.Equal(b.To) && slices.Equal(a.Gaps, b.Gaps) && slices.Equal(a.Buckets, b.Buckets)
}

// draw writes shapes; x of a time is linear from the left edge.
type draw struct {
	b        strings.Builder
	from, to time.Time
	per      float64 // units a nanosecond
	outside  int
}

func (d *draw) x(t time.Time) float64 {
	switch {
	case t.Before(d.from):
		t = d.from
	case t.After(d.to):
		t = d.to
	}
	return nameWidth + float64(t.Sub(d.from))*d.per
}

func (d *draw) rect(class string, from, to time.Time, y, high float64, title string) {
	if to.Before(d.from) || from.After(d.to) {
		return
	}
	x := d.x(from)
	fmt.Fprintf(&d.b, `<rect class="%s" x="%.1f" y="%.1f" width="%.1f" height="%.1f">%s</rect>`+"\n", class, x, y, max(2, d.x(to)-x), high, titled(title))
}

func (d *draw) lane(l *lane, y int) {
	name := []rune(visible(l.source, false))
	if len(name) > 26 {
		name = append(name[:25], '…')
	}
	fmt.Fprintf(&d.b, `<text x="0" y="%d">%s</text>`+"\n", y+laneHigh-7, html.EscapeString(string(name)))
	for _, c := range l.covers {
		d.cover(c, float64(y))
	}
	for _, m := range l.moments {
		d.mark(m, y)
	}
}

func (d *draw) cover(c sources.Coverage, y float64) {
	d.rect("read", c.From, c.To, y, laneHigh, "read: "+span(c.From, c.To))
	var most int64
	for _, n := range c.Buckets {
		most = max(most, n)
	}
	for i, n := range c.Buckets {
		if n > 0 && c.BucketWidth > 0 && len(c.Buckets) <= maxBars {
			from := c.BucketStart.Add(time.Duration(i) * c.BucketWidth)
			high := laneHigh * float64(n) / float64(most)
			d.rect("bar", from, from.Add(c.BucketWidth), y+laneHigh-high, high, fmt.Sprintf("%s: %s", moment(from), plural(int(n), "line", "lines")))
		}
	}
	for _, g := range c.Gaps {
		d.rect("gap", g.From, g.To, y, laneHigh, "gap: "+gapText(g))
	}
}

func (d *draw) mark(m investigations.Moment, y int) {
	if m.Time.Before(d.from) || m.Time.After(d.to) {
		d.outside++
		return
	}
	if m.Until.After(m.Time) {
		d.rect("hit", m.Time, m.Until, float64(y)+laneHigh-8, 8, span(m.Time, m.Until)+" "+m.Summary)
		return
	}
	x := d.x(m.Time)
	fmt.Fprintf(&d.b, `<path class="hit" d="M%.1f %dl5 9l-5 9l-5 -9z">%s</path>`+"\n", x, y+2, titled(moment(m.Time)+" "+m.Summary))
}

func (d *draw) axis(y int) {
	fmt.Fprintf(&d.b, `<line class="axis" x1="%d" y1="%d" x2="%d" y2="%d"/>`+"\n", nameWidth, y, drawWidth-10, y)
	fmt.Fprintf(&d.b, `<text class="soft" x="%d" y="%d">%s</text>`+"\n", nameWidth, y+18, moment(d.from))
	fmt.Fprintf(&d.b, `<text class="soft" x="%d" y="%d" text-anchor="end">%s UTC</text>`+"\n", drawWidth-10, y+18, moment(d.to))
}

func titled(s string) string {
	return "<title>" + html.EscapeString(visible(s, false)) + "</title>"
}
