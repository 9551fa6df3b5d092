package mechanisms

import (
	inv "inquest/investigations"
)

// notThere is the rule that no row stands under the id anywhere that was read.
func notThere() Rule {
	return Rule{
		Role: Contradicts, Says: "the row is not there at all",
		Find: func(v View) inv.Facts {
			if v.All.Any(inv.RowVisible, inv.RowFlagged, inv.RowElsewhere, inv.IndexDisagrees) {
				return nil
			}
			return v.Facts.Of(inv.RowAbsent)
		},
		Looked: func(v View) bool { return v.All.Any(inv.RowVisible, inv.RowFlagged) },
	}
}
