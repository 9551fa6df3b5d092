package mechanisms

import (
	inv "inquest/investigations"
)

func wrongPlace() Mechanism {
	return Mechanism{
		ID: "wrong-place", Fate: inv.FateHidden, Title: "stored in another place",
		About: "The row was stored in another table, schema or database than the one the application reads.",
		Cause: Always(inv.CauseApplication),
		Rules: []Rule{
			proof(has(Supports, inv.RowElsewhere, "the key stands in a place where the application does not look")),
			proof(Rule{
				Says: "another database or cluster that was named has the row",
				Find: func(v View) inv.Facts {
					if len(ownRows(v)) > 0 {
						return nil
					}
					return inOtherPlaces(v)
				},
			}),
			proof(Rule{
				Says: "the row is in a table of one schema, and the search path leads to its namesake in another",
				Find: otherSchema,
			}),
			{
				Role: Contradicts, Says: "the row is where the application looks",
				Find: func(v View) inv.Facts {
					if len(otherSchema(v)) > 0 {
						return nil
					}
					return ownRows(v)
				},
				Looked: func(v View) bool { return v.Facts.Any(inv.RowAbsent) },
			},
			{
				Role: Contradicts, Says: "the row was written to the table that the application reads",
				Find: func(v View) inv.Facts {
					if s, ok := Last(v.Story.Existed()); ok && len(otherSchema(v)) == 0 {
						return s.Facts()
					}
					return nil
				},
				Looked: func(v View) bool { return v.Facts.Any(inv.WALKeyAbsent) },
			},
		},
		Says: func(v View) string {
			for _, f := range v.Facts.Of(inv.RowElsewhere) {
				return f.Says
			}
			for _, f := range inOtherPlaces(v) {
				return "The row is in " + f.Attr("table") + " on " + f.Attr("server") + ", and not where it was asked."
			}
			for _, f := range otherSchema(v) {
				return "The row is in " + f.Attr("table") + ", while the application looks in " + f.Attr("value") + ": " + f.Says + "."
			}
			return "The row would stand in another table, schema or database."
		},
		Settles: []string{"the connection string and search_path of the instance that wrote it", "other databases of the cluster, and other clusters (--db)"},
	}
}

// otherSchema tells that the table that holds the row is not the one that the
// application's search path leads to.
func otherSchema(v View) inv.Facts {
	return v.property("resolves-elsewhere").Where(func(p inv.Fact) bool {
		return len(ownRows(v).With("table", p.Attr("table"))) > 0
	})
}
