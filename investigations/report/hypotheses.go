package report

import "inquest/investigations"

func (p *page) hypotheses() {
	sec := p.begin("hypotheses", "Hypotheses")
	var ruledOut, untested []investigations.Hypothesis
	n := 0
	for _, h := range p.assessed.Hypotheses {
		switch h.Standing {
		case investigations.RuledOut:
			ruledOut = append(ruledOut, h)
		case investigations.Untested:
			untested = append(untested, h)
		default:
			n++
			sec.hypothesis(n, h)
		}
	}
	if n == 0 {
		sec.para("No explanation is supported by what was seen.")
	}
	if len(ruledOut) > 0 {
		sec.heading("Ruled out")
		sec.table([]string{"Explanation", "Cause", "Against it", "Evidence"}, each2(ruledOut, ruledOutRow))
	}
	if len(untested) > 0 {
		sec.heading("Not tested")
		sec.table([]string{"Explanation", "Cause", "Nothing could be said about", "What would settle it"}, each2(untested, untestedRow))
	}
}

func (s *section) hypothesis(n int, h investigations.Hypothesis) {
	s.heading("%d. %s (%s): %s", n, text(h.Mechanism), text(string(h.Cause)), text(string(h.Standing)))
	if h.Summary != "" {
		s.para("%s", text(sentence(h.Summary)))
	}
	s.labelled("For it"+cited(h.Supports), wordsOr(h.For, h.Supports))
	s.labelled("Against it"+cited(h.Contradicts), wordsOr(h.Against, h.Contradicts))
	s.labelled("Not tested", texts(h.Untested))
	s.labelled("What would settle it", texts(h.Settles))
}

func cited(ids []string) string {
	if len(ids) == 0 {
		return ""
	}
	return " (" + refs(ids) + ")"
}

// wordsOr lists what a hypothesis says in words, or at least the evidence.
func wordsOr(words, ids []string) []string {
	if len(words) > 0 {
		return texts(words)
	}
	return each(ids, func(id string) string { return "evidence " + text(id) })
}

func ruledOutRow(h investigations.Hypothesis) []string {
	return []string{text(h.Mechanism), text(string(h.Cause)), joined(h.Against), refs(h.Contradicts)}
}

func untestedRow(h investigations.Hypothesis) []string {
	return []string{text(h.Mechanism), text(string(h.Cause)), joined(h.Untested), joined(h.Settles)}
}

func joined(list []string) string {
	out := ""
	for i, s := range list {
		if i > 0 {
			out += "; "
		}
		out += text(s)
	}
	return out
}
