package report

import (
	"slices"

	"inquest/investigations"
	"inquest/sources"
)

// notSeenTitle is what the part is called, where it is referred to as well.
const notSeenTitle = "What was not seen"

// blindSpot is one thing that was not seen: why, what it kept from being
// answered, and what would open it.
type blindSpot struct {
	why, opens string
	kept       []string
}

// unseen gathers every reason for which something could not be looked at. The
// same reason in several probes is one blind spot.
func (p *page) unseen() []blindSpot {
	var out []blindSpot
	add := func(why, opens, kept string) {
		if i := slices.IndexFunc(out, func(b blindSpot) bool { return b.why == why && b.opens == opens }); i >= 0 {
			if !slices.Contains(out[i].kept, kept) {
				out[i].kept = append(out[i].kept, kept)
			}
			return
		}
		out = append(out, blindSpot{why: why, opens: opens, kept: []string{kept}})
	}
	for _, step := range p.assessed.Steps {
		for _, r := range step.Probes {
			p.unseenBy(r, add)
		}
	}
	for _, st := range p.state.Sources {
		if st.Problem != "" {
			add(st.Problem, "", st.Source)
		}
		for _, ab := range st.Abilities {
			if !ab.OK {
				add(orElse(ab.Why, "not possible here"), ab.Opens, st.Source+": "+ab.Name)
			}
		}
	}
	return out
}

func (p *page) unseenBy(r investigations.ProbeResult, add func(why, opens, kept string)) {
	title := orElse(r.Probe.Title, r.Probe.ID)
	reasons := p.state.Runs[r.Probe.ID].Blind
	if !r.Ran || r.Reading.Outcome == investigations.NotApplicable {
		return
	}
	if len(reasons) == 0 && r.Reading.Outcome == investigations.BlindOutcome {
		add(r.Reading.Summary, r.Reading.Opens, title)
	}
	for _, b := range reasons {
		add(b.Why, b.Opens, title)
	}
}

// notRun lists the probes that have not run, with what they need.
func (p *page) notRun() []string {
	var out []string
	for _, step := range p.assessed.Steps {
		for _, r := range step.Probes {
			if !r.Ran {
				out = append(out, text(orElse(r.Probe.Title, r.Probe.ID)))
			}
		}
	}
	return out
}

// gap is a stretch of a source that was not covered.
type gap struct {
	source string
	sources.Gap
}

// gaps lists every distinct gap, in the order of coverage.
func (p *page) gaps() []gap {
	var out []gap
	for _, c := range p.assessed.Coverage {
		for _, g := range c.Gaps {
			if one := (gap{c.Source, g}); !slices.Contains(out, one) {
				out = append(out, one)
			}
		}
	}
	return out
}

func (p *page) limits() []string {
	var out []string
	for _, c := range p.assessed.Coverage {
		for _, l := range c.Limits {
			if line := text(c.Source + ": " + l); !slices.Contains(out, line) {
				out = append(out, line)
			}
		}
	}
	return out
}

func (p *page) notSeen() {
	sec := p.begin("not-seen", notSeenTitle)
	blind, gaps, limits, notRun := p.unseen(), p.gaps(), p.limits(), p.notRun()
	if len(blind)+len(gaps)+len(limits)+len(notRun) == 0 {
		sec.para("No probe was blind, no source has a known gap, and no source named a limit.")
		return
	}
	sec.para("None of this counts against any explanation: what could not be seen may have happened.")
	if len(blind) > 0 {
		sec.table([]string{"Could not look", "So unanswered", "What would open it"}, each2(blind, func(b blindSpot) []string {
			return []string{text(b.why), joined(b.kept), orElse(text(b.opens), "nothing known")}
		}))
	}
	if len(gaps) > 0 {
		sec.table([]string{"Source with a gap", "From", "To", "Why"}, each2(gaps, func(g gap) []string {
			return []string{text(g.source), moment(g.From), moment(g.To), text(g.Reason)}
		}))
	}
	sec.labelled("Would not show even where it was read", limits)
	sec.labelled("Not asked: these probes have not run", notRun)
}

func (p *page) expiring() {
	sec := p.begin("expiring", "Evidence that expires")
	if len(p.assessed.Expiring) == 0 {
		sec.para("Nothing is known to expire.")
		return
	}
	sec.table([]string{"What", "Gone", "Why"}, each2(p.assessed.Expiring, func(x sources.Expiry) []string {
		when := moment(x.At)
		if x.At.IsZero() {
			when = "certainly, but when is not known"
		}
		return []string{text(x.What), when, text(x.Why)}
	}))
}
