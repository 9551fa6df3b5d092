package mechanisms

import (
	"fmt"

	inv "inquest/investigations"
)

func keyChanged() Mechanism {
	return Mechanism{
		ID: "key-changed", Fate: inv.FateRekeyed, Title: "key changed",
		About: "An UPDATE gave the row another key.",
		Cause: byActor,
		Rules: []Rule{
			proof(Rule{
				Says: "an update that changed the key was committed",
				Find: func(v View) inv.Facts {
					if r, ok := Last(Ended(v.Story.Rekeys, Committed)); ok {
						return r.Facts()
					}
					return nil
				},
				Looked: func(v View) bool { return v.Facts.Any(inv.WALCovered) },
			}),
			{
				Role: Contradicts, Says: "a row stands under the asked key",
				Find:   func(v View) inv.Facts { return ownRows(v) },
				Looked: func(v View) bool { return v.Facts.Any(inv.RowAbsent) },
			},
			{
				Role: Contradicts, Says: "the row is gone from under its new key as well",
				Find: func(v View) inv.Facts {
					keys := v.Story.keys()
					if len(keys) == 0 {
						return nil
					}
					last := keys[len(keys)-1]
					if d, ok := v.Story.removal(); ok && position(d) > position(last) {
						return d.Facts()
					}
					if r, ok := emptied(v, last); ok && len(rekeyedRow(v, "true")) == 0 {
						return r.Facts()
					}
					return rekeyedRow(v, "false")
				},
				Looked: func(v View) bool { return v.Facts.Any(inv.RowRekeyed) },
			},
			{
				Role: Contradicts, Says: "the row was deleted under the asked key",
				Find: func(v View) inv.Facts {
					if len(Ended(v.Story.Rekeys, Committed)) > 0 {
						return nil
					}
					return rowDeleted(Contradicts).Find(v)
				},
			},
		},
		Says: func(v View) string {
			if r, ok := Last(Ended(v.Story.Rekeys, Committed)); ok {
				if r.Fact.Attr("moved") == "true" {
					return fmt.Sprintf("xid %s, committed %s, changed the partition key, which is a part of the key, and so moved the row to another partition%s.", r.Xid, clock(r.When()), bySession(v))
				}
				return fmt.Sprintf("xid %s, committed %s, changed the key from %s to %s%s.", r.Xid, clock(r.When()), r.Fact.Attr("old"), r.Fact.Attr("new"), bySession(v))
			}
			return "An update would have changed the key."
		},
		Settles: []string{"a row with the same content under another key", "WAL of the time between the row's commit and now"},
	}
}
