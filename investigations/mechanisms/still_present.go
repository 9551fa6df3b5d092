package mechanisms

import (
	"fmt"

	inv "inquest/investigations"
)

func stillPresent() Mechanism {
	return Mechanism{
		ID: "still-present", Fate: inv.FatePresent, Title: "still there",
		About: "The row is there, visible, under the asked id: what fails lies between the client and the table.",
		Cause: Always(inv.CauseApplication),
		Rules: []Rule{
			proof(Rule{
				Says: "the row is read under the asked id",
				Find: func(v View) inv.Facts {
					if len(perhapsFormer(v)) > 0 {
						return nil // the application may not show such a row
					}
					return ownRows(v)
				},
			}),
			{
				Role: Supports, Says: "the row is read under the asked id, with a mark that former rows have",
				Find: func(v View) inv.Facts {
					if len(perhapsFormer(v)) == 0 {
						return nil
					}
					return ownRows(v)
				},
			},
			has(Contradicts, inv.RowFlagged, "a flag hides it"),
			{Role: Contradicts, Says: "a view over the table hides it by a flag", Find: hidingViews},
			has(Contradicts, inv.RowMasked, "the application's role does not see it"),
			has(Contradicts, inv.IndexDisagrees, "the index does not find it"),
			{
				Role: Contradicts, Says: "no table holds the id",
				Find: func(v View) inv.Facts {
					if len(ownRows(v)) > 0 {
						return nil
					}
					return v.Facts.Of(inv.RowAbsent)
				},
				Looked: func(v View) bool { return len(ownRows(v)) > 0 },
			},
		},
		Says: func(v View) string {
			for _, f := range ownRows(v) {
				return fmt.Sprintf("The row is in %s and can be read by its key.", f.Attr("table"))
			}
			return "The row would still be there."
		},
		Settles: []string{"read the row as the application's role (--as ROLE)", "ask the API now (--api)"},
	}
}
