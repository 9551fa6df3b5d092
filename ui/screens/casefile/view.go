package casefile

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

// shown keeps what is dear to draw while nothing changed.
type shown struct {
	version, width int
	span           sources.Window
	bars           []parts.Cell
}

// View draws the header and the panes: all four side by side where there is
// room, else the one in focus with the others folded to a line each.
func (s *Screen) View(f nav.Frame) []string {
	head := s.header(f)
	body := f.Sized(f.W, f.H-len(head))
	if !s.live.Ready {
		return append(head, parts.Pane{Title: "Reading the case…", Focused: true}.Draw(f.Theme, body.W, body.H, s.reading(body))...)
	}
	s.hits.Reset()
	if f.W >= 100 && body.H >= 22 {
		return append(head, s.wide(body, len(head))...)
	}
	return append(head, s.stacked(body, len(head))...)
}

func (s *Screen) wide(f nav.Frame, y int) []string {
	left := min(max(f.W*3/10, 30), 36)
	if f.W >= 118 {
		left = min(max(f.W/4, 46), 52)
	}
	right := f.W - left
	top := min(len(investigations.Steps())+2, f.H-6)
	upper := f.H * 11 / 20
	s.clickable(paneChecklist, 0, y, left, top)
	s.clickable(paneCauses, 0, y+top, left, f.H-top)
	s.clickable(paneStep, left, y, right, upper)
	s.clickable(paneTimeline, left, y+upper, right, f.H-upper)
	return parts.Beside(
		append(s.draw(paneChecklist, f.Sized(left, top)), s.draw(paneCauses, f.Sized(left, f.H-top))...),
		append(s.draw(paneStep, f.Sized(right, upper)), s.draw(paneTimeline, f.Sized(right, f.H-upper))...),
	)
}

func (s *Screen) stacked(f nav.Frame, y int) []string {
	var out []string
	for p := paneChecklist; p < panes; p++ {
		if p == s.focus {
			s.clickable(p, 0, y+len(out), f.W, f.H-int(panes)+1)
			out = append(out, s.draw(p, f.Sized(f.W, f.H-int(panes)+1))...)
			continue
		}
		s.clickable(p, 0, y+len(out), f.W, 1)
		title, _ := s.title(p, f)
		out = append(out, parts.Pane{Title: title}.Folded(f.Theme, f.W, s.summary(p, f)))
	}
	return out
}

func (s *Screen) draw(p pane, f nav.Frame) []string {
	title, right := s.title(p, f)
	in := f.Sized(f.W-2, f.H-2)
	var lines []string
	switch p {
	case paneChecklist:
		lines = s.checklist(in)
	case paneStep:
		lines = s.stepBody(in)
	case paneTimeline:
		lines = s.timelineBody(in)
	case paneCauses:
		lines = s.causesBody(in)
	}
	return parts.Pane{Title: title, Right: right, Foot: s.foot(p, in), Focused: p == s.focus}.Draw(f.Theme, f.W, f.H, lines)
}

// foot says what of a pane lies out of sight.
func (s *Screen) foot(p pane, f nav.Frame) string {
	n, at := 0, 0
	switch p {
	case paneStep:
		if s.rows.Hidden() > 0 {
			return "↑↓ more"
		}
		return ""
	case paneChecklist:
		n, at = s.steps.Len(), s.steps.Cursor()
	case paneTimeline:
		n, at = s.events.Len(), s.events.List().Cursor()
	case paneCauses:
		n, at = s.causes.Len(), s.causes.Cursor()
	}
	if n <= f.H {
		return ""
	}
	return fmt.Sprintf("%d of %d", at+1, n)
}

func (s *Screen) title(p pane, f nav.Frame) (title, right string) {
	a := s.live.Snap.Assessment
	switch p {
	case paneChecklist:
		return "Checklist", fmt.Sprintf("%d/%d", s.done(), len(a.Steps))
	case paneStep:
		st, ok := s.step()
		if !ok {
			return "Step", ""
		}
		title = fmt.Sprintf("%d %s", s.stepIndex()+1, st.Step.Title)
		if f.W >= 60 {
			title += " · " + st.Step.Asks
		}
		return title, ""
	case paneTimeline:
		title = fmt.Sprintf("Timeline · %d", s.events.Len())
		if s.events.Narrowed() {
			title += fmt.Sprintf(" of %d", s.events.Total())
		}
		if at, _, ok := s.stretch(); ok {
			title += " · " + at.In(f.Zone).Format("MST")
		}
		if f.W >= 64 {
			right = s.histogram(f)
		}
		return title, right
	default:
		return "What it could be", ""
	}
}

// summary says of a folded pane what is in it.
func (s *Screen) summary(p pane, f nav.Frame) string {
	a := s.live.Snap.Assessment
	switch p {
	case paneChecklist:
		return fmt.Sprintf("%d of %d steps have a verdict", s.done(), len(a.Steps))
	case paneStep:
		st, _ := s.step()
		m := f.Theme.Verdict(st.Verdict)
		return m.Glyph + " " + m.Word + " · " + count(len(st.Probes), "probe") + ", " + count(len(st.Step.Questions), "question")
	case paneTimeline:
		if bars := s.histogram(f); bars != "" {
			return bars
		}
		return "nothing with a time yet"
	default:
		if h, ok := a.Leading(); ok {
			return "● " + words(h.Mechanism) + " leads"
		}
		if len(a.Hypotheses) == 0 || len(s.live.Snap.State.Runs) == 0 {
			return "not weighed yet"
		}
		return "no cause leads of " + fmt.Sprint(len(a.Hypotheses))
	}
}

func (s *Screen) done() int {
	n := 0
	for _, st := range s.live.Snap.Assessment.Steps {
		if st.Verdict != investigations.VerdictOpen {
			n++
		}
	}
	return n
}

// span is the stretch of time that the histogram shows: the events in the
// window, the window, or what the timeline holds.
func (s *Screen) span() sources.Window {
	if spans := parts.Spans(s.live.Snap.Events, s.live.Snap.State.Window); len(spans) > 0 {
		return spans[0]
	}
	return sources.Window{}
}

// stretch is the time of the first and of the last event; false when none has one.
func (s *Screen) stretch() (first, last time.Time, ok bool) {
	events := s.live.Snap.Events
	n := events.Timed()
	if n == 0 {
		return first, last, false
	}
	return events.At(0).Time, events.At(n - 1).Time, true
}

func (s *Screen) histogram(f nav.Frame) string {
	w := min(max(f.W-52, 10), 60)
	if s.shown.version != s.live.Snap.Version || s.shown.width != w {
		events := func(from, until time.Time) int { return s.live.Snap.Events.Count("", from, until) }
		span := s.span()
		s.shown = shown{version: s.live.Snap.Version, width: w, span: span, bars: parts.Histogram(s.live.Snap.Assessment.Coverage, events, span, w)}
	}
	if len(s.shown.bars) == 0 {
		return ""
	}
	layout := parts.Stamp(s.shown.span, f.Zone)
	return s.shown.span.From.In(f.Zone).Format(layout) + " " + parts.BarText(f.Theme, s.shown.bars) + " " + s.shown.span.To.In(f.Zone).Format(layout)
}

// header names record, window, server and fate.
func (s *Screen) header(f nav.Frame) []string {
	t, st := f.Theme, s.live.Snap.State
	l := parts.NewLine(f.W).Add(t.Text, " ").Clean(t.Strong, st.Record.ID)
	if s.live.Snap.Table != "" {
		l.Add(t.Dim, " · ").Clean(t.Text, s.live.Snap.Table)
	}
	if w := windowText(st.Window, f.Zone); w != "" {
		l.Add(t.Dim, " · "+w)
	}
	srv, n := s.live.Server(), s.counts()
	server := parts.NewLine(f.W).Add(t.Text, " ").Clean(s.serverStyle(t), srv).Add(t.Dim, " · "+n)
	if text.Width(srv)+text.Width(n)+4 < l.Left() {
		l.Right(s.serverStyle(t), text.Clean(srv)+" · "+n+" ")
		return append([]string{l.String()}, s.fate(f)...)
	}
	return append([]string{l.String(), server.String()}, s.fate(f)...)
}

func (s *Screen) serverStyle(t *theme.Theme) theme.Style {
	for _, src := range s.live.Snap.State.Sources {
		if src.Kind == sources.KindPostgres && src.State == sources.StateFailed {
			return t.Bad
		}
	}
	return t.Accent
}

func (s *Screen) counts() string {
	n := count(len(s.live.Snap.State.Sources), "source")
	if s.live.Snap.Gaps > 0 {
		n += " · " + count(s.live.Snap.Gaps, "gap")
	}
	return n
}

func (s *Screen) fate(f nav.Frame) []string {
	t := f.Theme
	kind := s.live.Snap.Assessment.Fate
	switch j := s.live.Snap.State.Judged; {
	case len(s.live.Snap.State.Runs) == 0:
		kind = investigations.Fate{}
	case !s.live.Ready && j != nil:
		kind = j.Fate // as it was judged last
	}
	m := t.Fate(kind)
	lead := " " + m.Glyph + " " + strings.ToUpper(m.Word[:1]) + m.Word[1:]
	say, st := kind.Summary, t.Text
	if say == "" {
		say, st = s.live.Snap.State.Recording, t.Weak
	}
	l := parts.NewLine(f.W).Add(m.Style, lead)
	if say == "" {
		return []string{l.String()}
	}
	l.Add(t.Dim, " — ")
	say = text.Clean(say)
	first := text.Wrap(say, l.Left())[0]
	rest := strings.TrimPrefix(say[min(len(first), len(say)):], " ")
	if rest == "" || f.H < 20 || first == "" {
		return []string{l.Add(st, say).String()}
	}
	return []string{l.Add(st, first).String(), parts.NewLine(f.W).Add(st, "   "+rest).String()}
}

// reading says what is being read: a case of a hundred thousand log lines takes a
// moment.
func (s *Screen) reading(f nav.Frame) []string {
	n := len(s.live.Snap.State.Evidence)
	if n == 0 {
		return nil
	}
	what := count(n, "piece") + " of evidence"
	if s.live.Snap.State.Judged != nil {
		what += "; the answer above is the one that was saved with the case"
	}
	return parts.Para(f.Sized(f.W-2, f.H), f.Theme.Dim, " ", what+".")
}

func windowText(w sources.Window, zone *time.Location) string {
	if w.IsZero() {
		return ""
	}
	from, to := w.From.In(zone), w.To.In(zone)
	switch {
	case w.From.IsZero():
		return "until " + to.Format("2 Jan 15:04 MST")
	case w.To.IsZero():
		return "since " + from.Format("2 Jan 15:04 MST")
	case from.YearDay() == to.YearDay() && from.Year() == to.Year():
		return from.Format("2 Jan 15:04") + "–" + to.Format("15:04 MST")
	}
	return from.Format("2 Jan 15:04") + "–" + to.Format("2 Jan 15:04 MST")
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
