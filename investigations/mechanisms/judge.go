package mechanisms

import (
	"cmp"
	"slices"

	inv "inquest/investigations"
)

// NewJudge returns a judge over the list. The list must have passed Check.
func NewJudge(list []Mechanism) inv.Judge {
	return func(d inv.Deliberation) inv.Judgement {
		v := newView(d, decideFocus(d))
		v.Fate = v.Focus.reserve(decideFate(v))
		all := make([]weighed, 0, len(list))
		for _, m := range list {
			all = append(all, weigh(m, v))
		}
		lead(all, v.Fate)
		rank(all)
		j := inv.Judgement{Fate: v.Fate, Table: v.Focus.Table, Parts: v.Focus.parts()}
		for _, w := range all {
			j.Hypotheses = append(j.Hypotheses, w.hypothesis)
		}
		return j
	}
}

// weighed is a mechanism with what the facts say about it.
type weighed struct {
	mechanism      Mechanism
	hypothesis     inv.Hypothesis
	proved, needed bool
	direct         int // supporting facts that are ground truth
	against        int
}

func weigh(m Mechanism, v View) weighed {
	w := weighed{mechanism: m, needed: true, hypothesis: inv.Hypothesis{
		Cause: m.Cause(v), Mechanism: m.ID, Fate: m.Fate, Summary: m.Says(v), Settles: m.Settles,
	}}
	for _, r := range m.Rules {
		w.apply(r, v)
	}
	w.judgeFate(v)
	w.hypothesis.Standing = w.standing(v)
	return w
}

func (w *weighed) apply(r Rule, v View) {
	h := &w.hypothesis
	found := r.Find(v)
	if len(found) == 0 {
		if r.Role == Needs {
			w.needed = false
		}
		if r.Looked == nil || !r.Looked(v) {
			h.Untested = append(h.Untested, r.Says)
		}
		return
	}
	if r.Role == Contradicts {
		w.against++
		h.Contradicts = appendNew(h.Contradicts, found.Evidence()...)
		h.Against = appendNew(h.Against, r.Says+": "+found[0].Says)
		return
	}
	w.proved = w.proved || r.Proof
	for _, f := range found {
		if f.Ground == inv.GroundTruth {
			w.direct++
		}
	}
	h.Supports = appendNew(h.Supports, found.Evidence()...)
	h.For = appendNew(h.For, r.Says+": "+found[0].Says)
}

// judgeFate counts a settled fate of another kind as a contradiction.
func (w *weighed) judgeFate(v View) {
	if v.Fate.Kind == inv.FateUndetermined || v.Fate.Kind == w.mechanism.Fate {
		return
	}
	w.against++
	w.hypothesis.Contradicts = appendNew(w.hypothesis.Contradicts, v.Fate.Evidence...)
	w.hypothesis.Against = appendNew(w.hypothesis.Against, "the record's fate is another ("+string(v.Fate.Kind)+", "+string(v.Fate.Standing)+")")
}

// standing is what the mechanism's own rules allow; lead raises one of them.
func (w *weighed) standing(v View) inv.Standing {
	another := v.Fate.Kind != inv.FateUndetermined && v.Fate.Kind != w.mechanism.Fate
	switch {
	case w.against == 1 && another && v.Fate.Standing != inv.Established && len(w.hypothesis.For) > 0:
		return inv.Possible // only a probable fate speaks against it
	case w.against > 0:
		return inv.RuledOut
	case len(w.hypothesis.For) > 0, v.Fate.Kind == w.mechanism.Fate:
		return inv.Possible
	default:
		return inv.Untested
	}
}

// lead raises the one mechanism that is proved, needed, uncontradicted and of
// the settled fate. Of two such, one may explain the other more closely; if
// neither does, none leads and the cause is undetermined.
func lead(all []weighed, settled inv.Fate) {
	var candidates []*weighed
	for i := range all {
		w := &all[i]
		if w.proved && w.needed && w.against == 0 && w.mechanism.Fate == settled.Kind {
			candidates = append(candidates, w)
		}
	}
	candidates = slices.DeleteFunc(candidates, func(w *weighed) bool {
		return slices.ContainsFunc(candidates, func(o *weighed) bool { return slices.Contains(o.mechanism.Explains, w.mechanism.ID) })
	})
	if len(candidates) == 1 {
		candidates[0].hypothesis.Standing = inv.Leading
	}
}

var standingOrder = map[inv.Standing]int{inv.Leading: 0, inv.Possible: 1, inv.Untested: 2, inv.RuledOut: 3}

// rank orders by standing, then fewest contradictions, then most direct
// support, then most support; the list's own order breaks ties.
func rank(all []weighed) {
	slices.SortStableFunc(all, func(a, b weighed) int {
		return cmp.Or(
			cmp.Compare(standingOrder[a.hypothesis.Standing], standingOrder[b.hypothesis.Standing]),
			cmp.Compare(a.against, b.against),
			cmp.Compare(b.direct, a.direct),
			cmp.Compare(len(b.hypothesis.Supports), len(a.hypothesis.Supports)),
		)
	})
}

func appendNew(list []string, more ...string) []string {
	for _, s := range more {
		if !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	return list
}
