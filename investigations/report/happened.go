package report

import (
	"fmt"
	"regexp"
	"strings"

	"inquest/investigations"
)

// fateWords finish the sentence "The record …".
var fateWords = map[investigations.FateKind]string{
	investigations.FatePresent:        "is there",
	investigations.FateHidden:         "is stored, but hidden from the one who looked",
	investigations.FateDeleted:        "was stored and then deleted",
	investigations.FateLost:           "was stored and then lost, without anybody deleting it",
	investigations.FateNeverCommitted: "was written but never committed, so it was never really stored",
	investigations.FateNeverWritten:   "was never written to this database",
	investigations.FateRekeyed:        "is stored under another id",
}

var standingWords = map[investigations.Standing]string{
	investigations.Established: "this is established: the database's own records show it",
	investigations.Probable:    "this is probable: the evidence fits, but does not prove it",
}

// happened is the part for whoever reads nothing else: the fate, the cause, and
// what was not seen.
func (p *page) happened() {
	sec := p.begin("happened", "What happened")
	sec.para("**%s.** %s", p.fateSentence(), text(p.assessed.Fate.Summary))
	sec.para("%s", p.causeSentence())
	sec.para("%s", p.limitSentence())
	sec.labelled("What would settle it", texts(p.assessed.Fate.Settles))
	sec.para("inquest looked for this record in the sources named below and changed nothing in them. All times are UTC unless a line says otherwise. " +
		"E1, E2, … are pieces of evidence: the appendix holds what each says, where it comes from, the exact query and the hash of what was stored.")
}

func (p *page) fateSentence() string {
	f := p.assessed.Fate
	words, known := fateWords[f.Kind]
	standing, firm := standingWords[f.Standing]
	if !known || !firm {
		return "What became of the record is undetermined: the evidence does not settle it"
	}
	return "The record " + words + "; " + standing
}

func (p *page) causeSentence() string {
	if lead, ok := p.assessed.Leading(); ok {
		return fmt.Sprintf("**The likeliest cause is %s** (%s): %s", text(words(lead.Mechanism)), text(string(lead.Cause)), text(sentence(lead.Summary)))
	}
	var open []string
	for _, h := range p.assessed.Hypotheses {
		if h.Standing == investigations.Possible {
			open = append(open, text(words(h.Mechanism)))
		}
	}
	if len(open) == 0 {
		return "**The cause is undetermined:** no explanation is supported well enough by what was seen."
	}
	return fmt.Sprintf("**The cause is undetermined:** still possible %s %s.", isAre(len(open)), strings.Join(open, ", "))
}

func (p *page) limitSentence() string {
	blind, gaps, notRun := p.unseen(), p.gaps(), p.notRun()
	if p.probesRan() == 0 {
		return "**Nothing was looked at:** no probe has run yet."
	}
	var parts []string
	count := func(n int, one, many string) {
		if n > 0 {
			parts = append(parts, plural(n, one, many))
		}
	}
	count(len(blind), "thing could not be looked at", "things could not be looked at")
	count(len(gaps), "stretch of time is missing from what was read", "stretches of time are missing from what was read")
	count(len(notRun), "question was not asked", "questions were not asked")
	if len(parts) == 0 {
		return "**Nothing that was asked for stayed unseen;** what each step cannot exclude by its nature is in the checklist."
	}
	return fmt.Sprintf("**Not everything was seen:** %s. “%s” lists each with what would open it.", strings.Join(parts, ", "), notSeenTitle)
}

func (p *page) probesRan() int {
	n := 0
	for _, step := range p.assessed.Steps {
		for _, pr := range step.Probes {
			if pr.Ran {
				n++
			}
		}
	}
	return n
}

var slug = regexp.MustCompile(`^[a-z]+(-[a-z]+)+$`)

// words is the name of a mechanism as people say it.
func words(name string) string {
	if slug.MatchString(name) {
		return strings.ReplaceAll(name, "-", " ")
	}
	return name
}

func isAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// sentence ends s with a full stop.
func sentence(s string) string {
	if s == "" || strings.HasSuffix(s, ".") || strings.HasSuffix(s, "?") || strings.HasSuffix(s, "!") {
		return s
	}
	return s + "."
}
