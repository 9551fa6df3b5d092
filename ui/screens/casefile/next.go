package casefile

import (
	"fmt"
	"slices"
	"time"

	"inquest/investigations"
	"inquest/sources"
	"inquest/ui/parts"
	"inquest/ui/text"
)

// soon is how near the end of evidence must be to be the next thing to do.
const soon = 12 * time.Hour

// NextAt says what to do next, for someone who has never seen the program.
func (s *Screen) NextAt(now time.Time) string {
	snap := s.live.Snap
	switch {
	case !s.live.Ready:
		return "the case is being read"
	case s.live.Busy():
		if say := s.cameUpon(); say != "" {
			return say
		}
		return fmt.Sprintf("look around while %s at work · x cancels", working(s.live.Working()))
	case s.live.Session.ReadOnly() != "":
		return "read-only: " + s.live.Session.ReadOnly()
	}
	if why := s.apart(); why != "" {
		if len(snap.State.Runs) > 0 && s.cannotConnect() == "" {
			return "a shows the answer; C names sources, to look again"
		} else if len(snap.State.Runs) == 0 {
			return why
		}
	}
	src, all := unusable(snap.State.Sources)
	undecided := len(snap.State.Runs) > 0 && snap.Assessment.Fate.Kind == investigations.FateUndetermined
	if src != "" && s.cannotConnect() == "" && (all || undecided) {
		return "C corrects the sources: " + text.Source(src, 24) + " cannot be used"
	}
	if len(snap.State.Runs) == 0 {
		if e := expiring(snap.Assessment, now); e != "" {
			return "press R to run the checklist: " + e
		}
		return "press R to run the whole checklist, or r for this step alone"
	}
	if n, first := blind(snap.Assessment); n > 0 && snap.Assessment.Fate.Standing != investigations.Established {
		return fmt.Sprintf("%s could not look (⊘): %d, then tab says how to open it", count(n, "probe"), (first+1)%10)
	}
	if i := s.unanswered(); i >= 0 && snap.Assessment.Fate.Standing != investigations.Established {
		return fmt.Sprintf("press A to answer what only you can know (step %d)", i+1)
	}
	if i := slices.IndexFunc(snap.Assessment.Steps, s.yours); i >= 0 {
		return fmt.Sprintf("a shows the answer, w the report · %d v: step %d waits for your verdict", (i+1)%10, i+1)
	}
	return "a shows the answer in full, w the report, e writes it to a file"
}

// yours reports a step that waits for a person: its probes ran, and none of them
// could tell anything for or against.
func (s *Screen) yours(st investigations.StepResult) bool {
	return st.Verdict == investigations.VerdictOpen && !s.live.Busy() &&
		slices.ContainsFunc(st.Probes, func(p investigations.ProbeResult) bool { return p.Ran })
}

// unusable returns the first source that cannot be used, or "", and whether
// there is none that can.
func unusable(list []sources.Status) (first string, all bool) {
	n := 0
	for _, s := range list {
		if s.State != sources.StateFailed {
			continue
		}
		if n++; first == "" {
			first = s.Source
		}
	}
	return first, n == len(list)
}

func expiring(a investigations.Assessment, now time.Time) string {
	for _, e := range a.Expiring {
		if left := e.At.Sub(now); !e.At.IsZero() && left > 0 && left < soon {
			return e.What + " can be gone in " + parts.Span(left)
		}
	}
	return ""
}

func blind(a investigations.Assessment) (n, firstStep int) {
	for i, st := range a.Steps {
		for _, p := range st.Probes {
			if p.Ran && p.Reading.Outcome == investigations.BlindOutcome && p.Reading.Opens != "" {
				if n == 0 {
					firstStep = i
				}
				n++
			}
		}
	}
	return n, firstStep
}

func (s *Screen) unanswered() int {
	for i, st := range s.live.Snap.Assessment.Steps {
		for _, q := range st.Step.Questions {
			if _, ok := s.live.Snap.State.Answers[q.ID]; !ok {
				return i
			}
		}
	}
	return -1
}

func working(n int) string {
	if n == 1 {
		return "1 probe is"
	}
	return fmt.Sprintf("%d probes are", n)
}

// Counts reports whether some evidence will be gone at a known moment: the
// screen then shows how long it still is.
func (s *Screen) Counts(now time.Time) bool {
	return slices.ContainsFunc(s.live.Snap.Assessment.Expiring, func(e sources.Expiry) bool { return e.At.After(now) })
}
