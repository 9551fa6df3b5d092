package mechanisms

import (
	"fmt"

	inv "inquest/investigations"
)

func idMismatch() Mechanism {
	return Mechanism{
		ID: "id-mismatch", Fate: inv.FatePresent, Title: "asked under another spelling",
		About: "The row is there under an id that differs from the asked one in case, braces, blanks, encoding or a digit.",
		Cause: Always(inv.CauseApplication),
		Rules: []Rule{
			proof(has(Supports, inv.RowNear, "a row's key equals the asked id once normalised, or within one edit")),
			{
				Role: Contradicts, Says: "a row stands under exactly the asked id",
				Find:   func(v View) inv.Facts { return ownRows(v) },
				Looked: func(v View) bool { return v.Facts.Any(inv.RowAbsent) },
			},
			{
				Role: Contradicts, Says: "the asked id has a history of its own",
				Find: func(v View) inv.Facts {
					var out inv.Facts
					for _, s := range v.Story.Inserts {
						out = append(out, s.Fact)
					}
					return out
				},
				Looked: func(v View) bool { return v.Facts.Any(inv.WALKeyAbsent) },
			},
		},
		Says: func(v View) string {
			for _, f := range v.Facts.Of(inv.RowNear) {
				return fmt.Sprintf("%s holds %q; the asked id was %q.", f.Attr("table"), f.Attr("key"), v.Record.ID)
			}
			return "A row under a similar id would be there."
		},
		Settles: []string{"compare the id in the create's response with the one that was asked for"},
	}
}
