package mechanisms

import (
	"fmt"

	inv "inquest/investigations"
)

func indexCorruption() Mechanism {
	return Mechanism{
		ID: "index-corruption", Fate: inv.FateHidden, Title: "index damaged",
		About: "The table holds the row, and the index that lookups use does not find it.",
		Cause: Always(inv.CauseDatabase),
		Rules: []Rule{
			proof(has(Supports, inv.IndexDisagrees, "the row is found without the index and not with it")),
			{
				Role: Supports, Says: "a collation changed under the index",
				Find: func(v View) inv.Facts { return v.property("collation") },
			},
			{
				Role: Contradicts, Says: "the row is found by its key",
				Find: func(v View) inv.Facts { return ownRows(v).With("via", "key") },
			},
			{
				Role: Contradicts, Says: "the row is found neither with the index nor without it",
				Find: func(v View) inv.Facts { return v.Facts.Of(inv.RowAbsent).With("via", "heap") },
			},
		},
		Says: func(v View) string {
			for _, f := range v.Facts.Of(inv.IndexDisagrees) {
				return fmt.Sprintf("A sequential scan of %s finds the row; a lookup by its key does not.", f.Attr("table"))
			}
			return "The index would miss the row."
		},
		Settles: []string{"read the row with index scans off", "bt_index_check(…, heapallindexed => true) of amcheck"},
	}
}
