package mechanisms

import (
	"slices"

	inv "inquest/investigations"
)

// fateStanding: the row was committed, WAL from then on shows nothing that took
// it, and it was not read because row-level security thins out what this role is
// shown.
func fateStanding(v View) (inv.Fate, bool) {
	policies, stored := v.property("row-security"), v.Story.Existed()
	if len(policies) == 0 || len(v.property("row-filtered")) == 0 || len(stored) == 0 || v.Facts.Any(inv.RowAbsent, inv.RowVisible) || len(v.Story.Removals) > 0 {
		return none()
	}
	if len(Ended(slices.Concat(v.Story.Deletes, v.Story.Rekeys), Committed)) > 0 {
		return none()
	}
	last := stored[len(stored)-1]
	covered := coveredSince(v, last.When())
	if len(covered) == 0 {
		return none()
	}
	facts := append(inv.Facts{last.Fact}, append(covered, policies...)...)
	return fate(inv.FateHidden, inv.Probable, facts,
		"The row was committed to %s at %s, and WAL since then holds nothing that took it. This role is not shown it: the table has row-level security, which may hide it from the application as well.",
		last.Fact.Attr("table"), clock(last.When()))
}

// fateLeftOut: the table has the row, and a view over it leaves it out by a flag.
// Whether the application reads the view is not known here, unless its answers
// show the record.
func fateLeftOut(v View, visible inv.Facts) (inv.Fate, bool) {
	views := hidingViews(v)
	if len(views) == 0 || len(shown(v)) > 0 {
		return none()
	}
	f := views[0]
	return fate(inv.FateHidden, inv.Probable, append(slices.Clone(views), visible...),
		"The row is still in %s, but %s = %s, and the view %s, which reads the table, leaves it out: an application that reads the view does not find it.",
		f.Attr("table"), f.Attr("column"), f.Attr("is"), f.Attr("value"))
}
