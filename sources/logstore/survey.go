package logstore

import (
	"context"
	"time"

	"inquest/sources"
	"inquest/sources/logscan"
)

// Survey is what a store holds of a log in a stretch: where its first and last
// lines stand and how many there are over time.
type Survey struct {
	First, Last time.Time // zero: there is no line
	Counts      logscan.Counts
	// Exact is false when Counts are no numbers of lines that silences may be read
	// off.
	Exact  bool
	Limits []string
}

// mostGaps are as many silences as are told with their exact ends.
const mostGaps = 16

// Edge finds the time of the first, or of the last, line in a stretch; zero:
// there is none.
type Edge func(ctx context.Context, w sources.Window, last bool) (time.Time, error)

// Cover says what was read of the window w. It is covered from its start only
// when the log has a line there or before, and to its end only when it has one there
// or behind: what lies before the first line, or behind the last, is not known to
// be silence.
func (s *Survey) Cover(ctx context.Context, v *sources.Coverage, w sources.Window, edge Edge) error {
	if s.First.IsZero() {
		v.From, v.To = time.Time{}, time.Time{}
		v.Limits = append(v.Limits, s.Limits...)
		return nil
	}
	v.From, v.To = s.First, s.Last
	if s.First.Before(w.From) {
		v.From = w.From
	}
	if !w.To.IsZero() && s.Last.After(w.To) {
		v.To = w.To
	}
	s.Counts.Fill(v)
	v.Limits = append(v.Limits, s.Limits...)
	if !s.Exact {
		return nil
	}
	var failed error
	for i, g := range s.Counts.Gaps() {
		if !w.Overlaps(sources.Window{From: g.From, To: g.To}) {
			continue
		}
		if i < mostGaps && failed == nil {
			failed = s.exact(ctx, &g, edge)
		}
		v.Gaps = append(v.Gaps, g)
	}
	return failed
}

// exact moves a gap's ends out to the lines before and behind it.
func (s *Survey) exact(ctx context.Context, g *sources.Gap, edge Edge) error {
	width := s.Counts.Width
	before, err := edge(ctx, sources.Window{From: g.From.Add(-width), To: g.From.Add(1)}, true)
	if err != nil {
		return err
	}
	after, err := edge(ctx, sources.Window{From: g.To, To: g.To.Add(width + 1)}, false)
	if err != nil {
		return err
	}
	if !before.IsZero() {
		g.From = before
	}
	if !after.IsZero() {
		g.To = after
	}
	return nil
}

// Width returns how wide the stretches are in which a store is asked to count
// the lines of w: fine enough to show a silence, and few enough for one answer.
func Width(w sources.Window) time.Duration {
	const most = 2000
	for _, d := range []time.Duration{
		10 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 3 * time.Hour, 6 * time.Hour,
	} {
		if w.To.Sub(w.From)/d < most {
			return d
		}
	}
	return 24 * time.Hour
}

// Around is the stretch that is surveyed for a query of w, so that its edges are
// seen to have lines on their far side, and near queries share one survey.
func Around(w sources.Window, now time.Time) sources.Window {
	const step = 15 * time.Minute
	from := w.From.Add(-2 * step).Truncate(step)
	to := w.To.Add(3 * step).Truncate(step)
	if end := now.Add(time.Minute).Truncate(time.Second); to.After(end) {
		to = end
	}
	if !from.Before(to) {
		to = from.Add(step)
	}
	return sources.Window{From: from.UTC(), To: to.UTC()}
}
