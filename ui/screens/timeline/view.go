package timeline

import (
	"fmt"
	"time"

	"inquest/investigations"
	"inquest/sources"
	"inquest/ui/nav"
	"inquest/ui/parts"
	"inquest/ui/text"
	"inquest/ui/theme"
)

// View draws the histograms, one for each source, above the events.
func (s *Screen) View(f nav.Frame) []string {
	right := fmt.Sprintf("%d of %d events", len(s.rows), len(s.all()))
	out := []string{parts.Head{Record: s.live.Snap.State.Record.ID, Title: "Timeline", Count: right, Server: s.live.Server()}.Draw(f)}
	bars := s.bars(f)
	if most := max(f.H/3, 2); len(bars) > most {
		bars = bars[:most]
	}
	out = append(out, bars...)
	rest := f.Sized(f.W, f.H-len(out))
	in := f.Sized(f.W-2, rest.H-2)
	lines := parts.FilterLine(in, &s.filter)
	if s.list.Len() == 0 {
		lines = append(lines, parts.Para(in, f.Theme.Dim, " ", "No event is shown. "+s.why())...)
	}
	lines = append(lines, s.list.Draw(in.H-len(lines), func(i int, selected bool) string {
		return s.row(in, i, s.all()[s.rows[i]], selected)
	})...)
	return append(out, parts.Pane{Title: "Events", Right: "times in " + zoneName(f), Focused: true, Foot: s.details()}.Draw(f.Theme, f.W, rest.H, lines)...)
}

func (s *Screen) why() string {
	switch {
	case s.filter.Text() != "":
		return "Nothing matches the filter: esc clears it."
	case len(s.all()) > 0:
		return "All sources are switched off."
	default:
		return "Nothing with a time has been found yet."
	}
}

func zoneName(f nav.Frame) string { return f.Now.In(f.Zone).Format("MST") }

// details says what the line of the selected event has no room for.
func (s *Screen) details() string {
	m, ok := s.moment()
	if !ok {
		return ""
	}
	at := m.Time.UTC().Format("2006-01-02 15:04:05.000000 MST")
	if m.Unordered {
		at += " ⚠ zone or clock not known: do not order it against others"
	}
	return at
}

func (s *Screen) row(f nav.Frame, i int, m investigations.Moment, selected bool) string {
	t := f.Theme
	var whole *theme.Style
	marker := "  "
	if selected {
		whole, marker = &t.Selected, "▸ "
	}
	at := m.Time.In(f.Zone)
	stamp := at.Format("15:04:05.000")
	if i == 0 || s.all()[s.rows[i-1]].Time.In(f.Zone).YearDay() != at.YearDay() {
		stamp = at.Format("2 Jan 15:04:05.000")
	}
	if !m.Until.IsZero() && m.Until.After(m.Time) {
		stamp += " ±" + parts.Span(m.Until.Sub(m.Time)/2)
	}
	l := parts.Row(f.W, whole).Add(t.Key, marker).Cell(t.Accent, stamp, min(26, f.W/3)).Add(t.Text, " ").Cell(t.Dim, text.Clean(m.Source), min(14, f.W/6)).Add(t.Text, " ")
	tail := m.Evidence
	if m.Unordered {
		tail = "⚠ " + tail
	}
	return l.Add(t.Text, text.Fit(text.Clean(m.Summary), l.Left()-text.Width(tail)-2)).Right(t.Dim, tail+" ").String()
}

// bars draws one histogram for each source that was read or that has events.
func (s *Screen) bars(f nav.Frame) []string {
	span := s.span()
	if span.IsZero() {
		return nil
	}
	t := f.Theme
	const name = 18
	w := max(f.W-name-4, 8)
	format := "15:04:05"
	if span.To.Sub(span.From) > 48*time.Hour {
		format = "2 Jan"
	}
	from, to := span.From.In(f.Zone).Format(format), span.To.In(f.Zone).Format(format)
	head := parts.NewLine(f.W).To(name+2).Add(t.Dim, from)
	if s.zoom > 0 {
		head.Add(t.Dim, fmt.Sprintf("  zoomed %d×, - zooms out", 1<<min(s.zoom, 30)))
	}
	out := []string{head.Right(t.Dim, to+"  ").String()}
	for i, src := range s.sources() {
		events := func(from, until time.Time) int { return s.live.Snap.Count(from, until, src) }
		var covs []sources.Coverage
		for _, c := range s.live.Snap.Assessment.Coverage {
			if c.Source == src {
				covs = append(covs, c)
			}
		}
		glyph := "●"
		if s.hidden[src] {
			glyph = "○"
		}
		l := parts.NewLine(f.W).Add(t.Key, fmt.Sprintf(" %d ", i+1)).Cell(t.Text, glyph+" "+text.Clean(src), name-2).Add(t.Text, " ")
		out = append(out, parts.AddBars(l, t, parts.Histogram(covs, events, span, w)).String())
	}
	return out
}
