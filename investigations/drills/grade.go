package drills

import (
	"fmt"
	"slices"
	"strings"

	"inquest/investigations"
)

// Grade is how an answer compares with the truth.
type Grade struct {
	// Overclaim is the worst: an established fate that is wrong or that the
	// evidence does not establish, or a leading hypothesis that is wrong.
	Overclaim      bool
	FateRight      bool
	CauseRight     bool
	MechanismRight bool
	// Says tells people what was right and what was not, in one line.
	Says string
}

// Right reports whether everything was.
func (g Grade) Right() bool {
	return !g.Overclaim && g.FateRight && g.CauseRight && g.MechanismRight
}

// Grade compares an answer with the truth. The hypotheses are ranked; only a first
// one that leads is part of the answer.
func (t Truth) Grade(fate investigations.Fate, hyps []investigations.Hypothesis) Grade {
	g := Grade{FateRight: t.acceptsFate(fate)}
	g.Overclaim = !g.FateRight && fate.Standing == investigations.Established
	lead, leads := leading(hyps)
	switch {
	case leads:
		g.MechanismRight = slices.Contains(t.Mechanisms, lead.Mechanism)
		// Where several causes are accepted the actor decides: to leave it open is right.
		open := lead.Cause == investigations.CauseUndetermined
		g.CauseRight = slices.Contains(t.Causes, lead.Cause) || open && len(t.Causes) > 1
		if !g.MechanismRight || !g.CauseRight && !open {
			g.Overclaim = true
		}
	default:
		g.MechanismRight = len(t.Mechanisms) == 0 || t.OrNone
		g.CauseRight = g.MechanismRight
	}
	g.Says = g.say(t, fate, lead, leads)
	return g
}

// acceptsFate reports whether a fate with its standing is a right answer.
func (t Truth) acceptsFate(f investigations.Fate) bool {
	if f.Kind == investigations.FateUndetermined {
		return slices.Contains(t.Standings, investigations.Undetermined)
	}
	return f.Kind == t.Fate && f.Standing != investigations.Undetermined && slices.Contains(t.Standings, f.Standing)
}

func leading(hyps []investigations.Hypothesis) (investigations.Hypothesis, bool) {
	if len(hyps) > 0 && hyps[0].Standing == investigations.Leading {
		return hyps[0], true
	}
	return investigations.Hypothesis{}, false
}

func (g Grade) say(truth Truth, fate investigations.Fate, lead investigations.Hypothesis, leads bool) string {
	var b strings.Builder
	if g.Overclaim {
		b.WriteString("OVERCLAIM: ")
	}
	fmt.Fprintf(&b, "fate %s: said %s, %s", rightOrWrong(g.FateRight), fate.Kind, fate.Standing)
	if !g.FateRight {
		fmt.Fprintf(&b, ", accepted is %s", truth.fates())
	}
	said := "undetermined"
	if leads {
		said = fmt.Sprintf("%s (%s)", lead.Mechanism, lead.Cause)
	}
	fmt.Fprintf(&b, "; cause %s: said %s", rightOrWrong(g.MechanismRight && g.CauseRight), said)
	if !g.MechanismRight || !g.CauseRight {
		fmt.Fprintf(&b, ", accepted is %s", truth.mechanisms())
	}
	return b.String()
}

func rightOrWrong(ok bool) string {
	if ok {
		return "right"
	}
	return "wrong"
}

func (t Truth) fates() string {
	var words []string
	for _, s := range t.Standings {
		if s == investigations.Undetermined {
			words = append(words, "undetermined")
			continue
		}
		words = append(words, fmt.Sprintf("%s, %s", t.Fate, s))
	}
	return strings.Join(words, " or ")
}

func (t Truth) mechanisms() string {
	if len(t.Mechanisms) == 0 {
		return "undetermined"
	}
	causes := make([]string, len(t.Causes))
	for i, c := range t.Causes {
		causes[i] = string(c)
	}
	said := fmt.Sprintf("%s (%s)", strings.Join(t.Mechanisms, " or "), strings.Join(causes, " or "))
	if t.OrNone {
		said += " or undetermined"
	}
	return said
}
