package mechanisms

import (
	inv "inquest/investigations"
)

// losing describes a mechanism by which a stored row is lost without a delete.
type losing struct {
	id, title, about, says string
	cause                  func(View) inv.Cause
	rules                  []Rule
	settles                []string
}

// lostBy returns the mechanism: it is proved when a loss of its kind is shown,
// and contradicted by any delete that was read.
func lostBy(l losing) Mechanism {
	return Mechanism{
		ID: l.id, Fate: inv.FateLost, Title: l.title, About: l.about, Cause: l.cause,
		Rules: append([]Rule{
			proof(Rule{Says: l.says, Find: func(v View) inv.Facts { return lossesBy(v, l.id) }}),
			rowDeleted(Contradicts),
			{
				Role: Contradicts, Says: "the row is there",
				Find:   func(v View) inv.Facts { return ownRows(v) },
				Looked: func(v View) bool { return v.Facts.Any(inv.RowAbsent) },
			},
		}, l.rules...),
		Says: func(v View) string {
			for _, x := range losses(v) {
				if x.mechanism == l.id {
					return x.says
				}
			}
			return l.about
		},
		Settles: l.settles,
	}
}

func supportedBySigns(says, how string) Rule {
	return Rule{Role: Supports, Says: says, Find: func(v View) inv.Facts { return signs(v, how) }}
}
