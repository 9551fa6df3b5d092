package mechanisms

import (
	"fmt"

	inv "inquest/investigations"
)

func replaced() Mechanism {
	return Mechanism{
		ID: "replaced", Fate: inv.FateRekeyed, Title: "removed and stored again under another id",
		About: "The row was removed, and its content inserted again under another id.",
		Cause: byActor,
		Rules: []Rule{
			proof(Rule{
				Says:   "the transaction that removed the row inserted the same content under another key",
				Find:   replacedBy,
				Looked: func(v View) bool { return len(contents(v)) > 0 },
			}),
			{
				Role: Supports, Says: "the same content stands under another key",
				Find: func(v View) inv.Facts { return v.Facts.Of(inv.RowTwin) },
			},
			{
				Role: Contradicts, Says: "an update changed the key in place",
				Find: func(v View) inv.Facts {
					if r, ok := Last(Ended(v.Story.Rekeys, Committed)); ok {
						return r.Facts()
					}
					return nil
				},
			},
			{
				Role: Contradicts, Says: "the transaction that removed the row inserted nothing",
				Find: func(v View) inv.Facts {
					return contents(v).Where(func(f inv.Fact) bool { return f.Attr("complete") == "true" && f.Attr("inserts") == "0" })
				},
				Looked: func(v View) bool { return len(contents(v)) > 0 },
			},
		},
		Says: func(v View) string {
			for _, f := range replacedBy(v) {
				return fmt.Sprintf("xid %s removed the row and inserted its content again under the key %s (equal in %s)%s.", f.Attr("xid"), f.Attr("key"), f.Attr("by"), bySession(v))
			}
			for _, f := range v.Facts.Of(inv.RowTwin) {
				return fmt.Sprintf("A row with the same content (equal in %s) stands under the key %s.", f.Attr("by"), f.Attr("key"))
			}
			return "The row would have been stored again under another id."
		},
		Settles: []string{"a row with the same natural key (--hint)", "WAL of the transaction that removed the row"},
	}
}
