package mechanisms

import (
	"errors"
	"fmt"

	inv "inquest/investigations"
)

// Role is what a rule's facts do for its mechanism.
type Role string

// The three roles. Without every Needs the mechanism cannot lead; one Contradicts
// takes it out of the lead.
const (
	Needs       Role = "needs"
	Supports    Role = "supports"
	Contradicts Role = "contradicts"
)

// Rule is one line of a mechanism: which facts matter to it, and how.
type Rule struct {
	Role Role
	// Proof marks support that proves this mechanism against its twins: without
	// one proof a mechanism is possible at best.
	Proof bool
	// Says is what the rule looks for, in words.
	Says string
	// Find returns the facts that fulfil the rule; none: not fulfilled.
	Find func(v View) inv.Facts
	// Looked reports whether the facts would have been seen had they been there.
	// Nil means that only finding them shows that somebody looked.
	Looked func(v View) bool
}

// Mechanism is one specific way for a record to go missing.
type Mechanism struct {
	ID    string // stable, as in the taxonomy
	Fate  inv.FateKind
	Title string
	// About is one sentence on what the mechanism is.
	About string
	// Cause names the family by the actor.
	Cause func(v View) inv.Cause
	Rules []Rule
	// Says is the sentence for people when the mechanism leads or is possible: it
	// names actor, time and proof as far as the facts tell.
	Says func(v View) string
	// Settles lists what would settle it, cheapest first.
	Settles []string
	// Explains lists mechanisms that this one explains more closely when both are
	// proved: the same event seen from nearer by.
	Explains []string
}

// Always is a Cause that does not depend on the facts.
func Always(c inv.Cause) func(View) inv.Cause { return func(View) inv.Cause { return c } }

// Check reports the first mistake in a list of mechanisms.
func Check(list []Mechanism) error {
	seen := map[string]bool{}
	for i, m := range list {
		if m.ID == "" {
			return fmt.Errorf("mechanism %d has no id", i)
		}
		if err := checkOne(m, seen); err != nil {
			return fmt.Errorf("mechanism %s: %w", m.ID, err)
		}
		seen[m.ID] = true
	}
	return nil
}

func checkOne(m Mechanism, seen map[string]bool) error {
	proofs, against := 0, 0
	for _, r := range m.Rules {
		if r.Find == nil || r.Says == "" {
			return errors.New("a rule without Find or Says")
		}
		if r.Proof && r.Role != Supports {
			return fmt.Errorf("rule %q: only support can be proof", r.Says)
		}
		if r.Proof {
			proofs++
		}
		if r.Role == Contradicts {
			against++
		}
	}
	switch {
	case seen[m.ID]:
		return errors.New("id used twice")
	case m.Title == "" || m.About == "" || m.Says == nil || m.Cause == nil:
		return errors.New("title, about, sentence or cause missing")
	case m.Fate == "" || m.Fate == inv.FateUndetermined:
		return errors.New("no fate")
	case proofs == 0:
		return errors.New("nothing could prove it")
	case against == 0:
		return errors.New("nothing could contradict it")
	case len(m.Settles) == 0:
		return errors.New("nothing would settle it")
	}
	return nil
}
