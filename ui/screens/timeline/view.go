package timeline

import (
	"fmt"
	"strings"
	"time"

	"inquest/investigations"
	"inquest/sources"
	"inquest/ui/nav"
	"inquest/ui/parts"
	"inquest/ui/text"
	"inquest/ui/theme"
)

// beside is the width from which the selected event stands beside the list, and
// below the height from which it stands under it.
const (
	besideWidth = 160
	belowHeight = 30
)

// View draws the histograms, one for each source, above the events.
func (s *Screen) View(f nav.Frame) []string {
	right := fmt.Sprintf("%d of %d events", s.rows.Len(), s.rows.Total())
	out := []string{parts.Head{Record: s.live.Snap.State.Record.ID, Title: "Timeline", Count: right, Server: s.live.Server()}.Draw(f)}
	bars := s.histograms(f)
	if most := max(f.H/3, 2); len(bars) > most {
		bars = bars[:most]
	}
	out = append(out, bars...)
	rest := f.Sized(f.W, f.H-len(out))
	s.hits.Reset()
	s.top = len(out)
	switch {
	case f.W >= besideWidth:
		side := min(max(f.W/3, 60), 80)
		return append(out, parts.Beside(s.events(rest.Sized(f.W-side, rest.H)), s.selected(rest.Sized(side, rest.H)))...)
	case f.H >= belowHeight:
		return append(append(out, s.events(rest.Sized(f.W, rest.H-7))...), s.selected(rest.Sized(f.W, 7))...)
	}
	return append(out, s.events(rest)...)
}

func (s *Screen) events(f nav.Frame) []string {
	in := f.Sized(f.W-2, f.H-2)
	lines := parts.FilterLine(in, &s.rows.Filter)
	if s.rows.Request != "" {
		lines = append(lines, parts.NewLine(in.W).Add(f.Theme.Key, " follows ").Clean(f.Theme.Text, s.rows.Request).Add(f.Theme.Dim, "  f shows all").String())
	}
	switch {
	case s.rows.Busy():
		lines = append(lines, parts.NewLine(in.W).Add(f.Theme.Accent, " "+theme.Spinner(f.Tick)+" ").Add(f.Theme.Dim, fmt.Sprintf("searching %d events…", s.rows.Total())).String())
	case s.rows.Len() == 0:
		lines = append(lines, parts.Para(in, f.Theme.Dim, " ", "No event is shown. "+s.why())...)
	}
	source := s.sourceWidth(in.W)
	list := s.rows.List()
	s.hits.AddList(1, s.top+1+len(lines), in.W, in.H-len(lines), list, s.open)
	day := -1 // of the line above
	if from, _ := list.Window(in.H - len(lines)); from > 0 {
		before, _ := s.rows.At(from - 1)
		day = before.Time.In(f.Zone).YearDay()
	}
	lines = append(lines, list.Draw(in.H-len(lines), func(k int, selected bool) string {
		m, _ := s.rows.At(k)
		newDay := !m.Time.IsZero() && m.Time.In(f.Zone).YearDay() != day
		day = m.Time.In(f.Zone).YearDay()
		return s.row(in, m, selected, newDay, source)
	})...)
	p := parts.Pane{Title: "Events", Right: "times in " + f.Now.In(f.Zone).Format("MST"), Focused: true}
	if list.Len() > in.H {
		p.Foot = fmt.Sprintf("%d of %d", list.Cursor()+1, list.Len())
	}
	return p.Draw(f.Theme, f.W, f.H, lines)
}

func (s *Screen) why() string {
	switch {
	case s.rows.Filter.Text() != "":
		return "Nothing matches the filter: esc clears it."
	case s.rows.Total() > 0:
		return "All sources are switched off."
	default:
		return "Nothing has been found yet."
	}
}

// sourceWidth is the width of the column of sources: what the longest name
// needs, and no more than a sixth of the line.
func (s *Screen) sourceWidth(w int) int {
	need := 4
	for _, name := range s.sources() {
		need = max(need, text.Width(text.SourceName(name)))
	}
	return min(need, max(w/6, 10))
}

func (s *Screen) row(f nav.Frame, m investigations.Moment, selected, newDay bool, source int) string {
	t := f.Theme
	var whole *theme.Style
	marker := "  "
	if selected {
		whole, marker = &t.Selected, "▸ "
	}
	stamp := parts.MomentTime(m, f.Zone)
	if newDay {
		stamp = m.Time.In(f.Zone).Format("2 Jan ") + stamp
	}
	l := parts.Row(f.W, whole).Add(t.Key, marker).Cell(t.Accent, stamp, min(25, f.W/3)).Add(t.Text, " ").Cell(t.Dim, text.Source(m.Source, source), source).Add(t.Text, " ")
	tail := parts.Flags(s.live.Snap.State.Notes, m) + m.Evidence
	return l.Add(t.Text, text.Fit(text.Clean(parts.WithoutID(m.Summary, s.live.Snap.State.Record.ID)), l.Left()-text.Width(tail)-2)).Right(t.Dim, tail+" ").String()
}

// selected says what the line of the selected event has no room for.
func (s *Screen) selected(f nav.Frame) []string {
	t := f.Theme
	in := f.Sized(f.W-2, f.H-2)
	m, ok := s.moment()
	if !ok {
		return parts.Pane{Title: "Selected event"}.Draw(t, f.W, f.H, nil)
	}
	var lines []string
	at := parts.Para(in, t.Strong, " ", parts.MomentTimeLong(m, f.Zone)+" · "+m.Source)
	lines = append(lines, at...)
	if why := m.Doubt(); why != "" {
		lines = append(lines, parts.Para(in, t.Weak, " ⚠ ", why)...)
	}
	lines = append(lines, parts.Para(in, t.Text, " ", m.Summary)...)
	if m.Request != "" {
		lines = append(lines, parts.Para(in, t.Accent, " request ", m.Request)...)
	}
	for _, n := range parts.NotesOn(s.live.Snap.State.Notes, parts.EventThing(m).ID) {
		lines = append(lines, parts.Para(in, t.Accent, " note: ", n)...)
	}
	if e, ok := s.live.Snap.State.EvidenceByID(m.Evidence); ok {
		lines = append(lines, parts.Para(in, t.Dim, " "+e.ID+" ", strings.TrimSpace(e.Query))...)
	}
	return parts.Pane{Title: "Selected event", Foot: m.Evidence}.Draw(t, f.W, f.H, lines)
}

// bars are the histograms as they were last counted.
type bars struct {
	version, width int
	span           sources.Window
	cells          [][]parts.Cell
}

// histograms draws one for each source, below a ruler.
func (s *Screen) histograms(f nav.Frame) []string {
	span := s.span()
	if span.IsZero() {
		return nil
	}
	t := f.Theme
	name := min(s.sourceWidth(f.W)+2, f.W/3)
	w := max(f.W-name-6, 8)
	s.count(span, w)
	out := []string{s.ruler(f, span, name+4, w)}
	for i, src := range s.sources() {
		glyph, st := "✓", t.Text
		if s.rows.Hidden[src] {
			glyph, st = "✗", t.Dim
		}
		number := "   "
		if i < 9 {
			number = fmt.Sprintf(" %d ", i+1)
		}
		l := parts.NewLine(f.W).Add(t.Key, number).Cell(st, glyph+" "+text.Source(src, name-2), name).Add(t.Text, " ")
		out = append(out, parts.AddBars(l, t, s.bars.cells[i]).String())
	}
	return out
}

// count fills the cells, once for a span, a width and a state of the case.
func (s *Screen) count(span sources.Window, w int) {
	if b := &s.bars; b.version == s.live.Snap.Version && b.width == w && b.span == span {
		return
	}
	s.bars = bars{version: s.live.Snap.Version, width: w, span: span}
	events := s.live.Snap.Events
	for _, src := range s.sources() {
		var covs []sources.Coverage
		for _, c := range s.live.Snap.Assessment.Coverage {
			if covers(c.Source, src) {
				covs = append(covs, c)
			}
		}
		n := func(from, until time.Time) int { return events.Count(src, from, until) }
		s.bars.cells = append(s.bars.cells, parts.Histogram(covs, n, span, w))
	}
}

// covers reports whether a coverage tells of the source of an event: WAL is
// covered for each server, and its events say only wal.
func covers(coverage, source string) bool {
	return coverage == source || source == "wal" && strings.HasPrefix(strings.ToLower(coverage), "wal")
}

// ruler is the line above the bars: both ends, how it is zoomed, and where the
// window of the case begins and ends when that lies in sight.
func (s *Screen) ruler(f nav.Frame, span sources.Window, at, w int) string {
	t := f.Theme
	layout := parts.Stamp(span, f.Zone)
	from, to := span.From.In(f.Zone).Format(layout), span.To.In(f.Zone).Format(layout)
	win := s.live.Snap.State.Window
	mid := s.zoomText(f, win)
	l := parts.NewLine(f.W).To(at).Add(t.Dim, from)
	if text.Width(from)+text.Width(to)+text.Width(mid)+4 <= w {
		l.Add(t.Dim, "  "+mid)
	}
	right := to
	if !win.IsZero() && win.Contains(span.From) && win.Contains(span.To) {
		return l.Right(t.Dim, right+"  ").String()
	}
	return markWindow(l, t, at, w, span, win, right)
}

// markWindow draws ⟨ and ⟩ where the window begins and ends.
func markWindow(l *parts.Line, t *theme.Theme, at, w int, span, win sources.Window, right string) string {
	place := func(x time.Time) int {
		if x.IsZero() || x.Before(span.From) || x.After(span.To) {
			return -1
		}
		return at + min(int(int64(w)*int64(x.Sub(span.From))/max(int64(span.To.Sub(span.From)), 1)), w-1)
	}
	for _, m := range []struct {
		at   int
		sign string
	}{{place(win.From), "⟨"}, {place(win.To), "⟩"}} {
		if m.at > l.Used() && m.at < at+w-text.Width(right)-1 {
			l.To(m.at).Add(t.Key, m.sign)
		}
	}
	return l.Right(t.Dim, right+"  ").String()
}

func (s *Screen) zoomText(f nav.Frame, win sources.Window) string {
	bases := s.spans()
	switch {
	case s.zoom > 0:
		return fmt.Sprintf("zoomed %d×, - zooms out", 1<<min(s.zoom, 30))
	case s.zoom == 0 && len(bases) > 1 && bases[0] != win:
		return "the events in the window " + win.From.In(f.Zone).Format("15:04") + "–" + win.To.In(f.Zone).Format("15:04") + ", - shows all of it"
	case -s.zoom == len(bases)-1 && len(bases) > 1 && bases[len(bases)-1] != win:
		return "all events, ⟨ ⟩ the window, + zooms in"
	case len(bases) > 1 && bases[0] == win:
		return "the window, - shows events outside it"
	case len(bases) > 1:
		return "the window, + shows its events"
	}
	return ""
}
