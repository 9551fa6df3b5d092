package casefile

import (
	"fmt"

	"inquest/investigations"
	"inquest/ui/nav"
	"inquest/ui/parts"
	"inquest/ui/text"
)

// What a search came upon is shown while it runs: the first lines, for the answer
// is often among them long before the last file is read.

// mostHitLines is how many of the first hits stand below a running probe.
const mostHitLines = 5

// hitLines draws the first hits of a running probe, and how many there are.
func (s *Screen) hitLines(f nav.Frame, h investigations.Hits) []string {
	if h.Count == 0 {
		return nil
	}
	t := f.Theme
	shown := h.First[:min(len(h.First), mostHitLines)]
	head := hitsText(h.Count) + " so far"
	if h.Count > len(shown) {
		head += fmt.Sprintf(", the first %d", len(shown))
	}
	out := []string{parts.NewLine(f.W).Add(t.Strong, "      "+head+":").String()}
	for _, x := range shown {
		l := parts.NewLine(f.W).Add(t.Dim, "      ")
		if clock := hitTime(x, f); clock != "" {
			l.Add(t.Text, clock+" ")
		}
		where := x.Position
		if where == "" {
			where = x.Source
		}
		out = append(out, l.Add(t.Accent, text.Source(where, f.W/4)+" ").Clean(t.Text, s.withoutID(x.Text)).String())
	}
	return out
}

// withoutID writes the record's id shortly: the line is known to name it, and what
// stands beside it is what matters.
func (s *Screen) withoutID(line string) string {
	return parts.WithoutID(line, s.live.Snap.State.Record.ID)
}

// hitTime is the time of a hit as its own clock tells it; none when that is no time
// to compare with others.
func hitTime(x investigations.Hit, f nav.Frame) string {
	if x.Unclear || x.Time.IsZero() {
		return ""
	}
	return x.Time.In(f.Zone).Format("2 Jan 15:04:05")
}

// hitsOf counts what the running probes of a step came upon.
func (s *Screen) hitsOf(st investigations.StepResult) int {
	n := 0
	for _, p := range st.Probes {
		n += s.live.Running[p.Probe.ID].Hits.Count
	}
	return n
}

// cameUpon says in which step a running search came upon something, unless that
// step is in front; "" when none has.
func (s *Screen) cameUpon() string {
	for i, st := range s.live.Snap.Assessment.Steps {
		if n := s.hitsOf(st); n > 0 && i != s.stepIndex() {
			return fmt.Sprintf("%d shows the %s found so far, while the search goes on · x cancels", (i+1)%10, hitsText(n))
		}
	}
	return ""
}

func hitsText(n int) string { return count(n, "line") }
