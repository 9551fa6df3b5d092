package mechanisms

import (
	"fmt"
	"slices"

	inv "inquest/investigations"
)

func cascadeDelete() Mechanism {
	return Mechanism{
		ID: "cascade-delete", Fate: inv.FateDeleted, Title: "cascade from the parent",
		About: "The parent row was deleted, and ON DELETE CASCADE took this one with it.",
		Cause: byActor,
		Rules: []Rule{
			deleted(Needs),
			{
				Role: Needs, Says: "a foreign key of the table cascades deletes",
				Find: func(v View) inv.Facts { return v.property("cascade") },
			},
			proof(Rule{
				Says:   "the same transaction deleted from the parent's table first",
				Find:   parentFirst,
				Looked: func(v View) bool { return len(contents(v)) > 0 },
			}),
			{
				Role: Contradicts, Says: "the same transaction did not delete from any parent's table before",
				Find: func(v View) inv.Facts {
					if len(v.property("cascade")) == 0 || len(parentFirst(v)) > 0 {
						return nil
					}
					return contents(v).Where(func(f inv.Fact) bool { return f.Attr("complete") == "true" })
				},
				Looked: func(v View) bool { return len(parentFirst(v)) > 0 },
			},
			{
				Role: Contradicts, Says: "no foreign key of the table cascades deletes",
				Find: func(v View) inv.Facts {
					return v.property("candidate").With("table", v.Focus.Table).With("cascades", "none")
				},
			},
			replicated(Contradicts),
			removedByTable(Contradicts),
		},
		Explains: []string{"manual-delete", "api-delete", "script-delete", "retention-delete"},
		Says: func(v View) string {
			if list := parentFirst(v); len(list) > 0 {
				f := list[0]
				s := fmt.Sprintf("xid %s deleted from %s first, and the foreign key %s took the row", f.Attr("xid"), parentIn(v, f), cascadeName(v, f))
				if a := soleActor(v); len(a) > 0 {
					return s + "; one session could have done it: " + sessionName(a[0]) + "."
				}
				return s + "."
			}
			return "A delete of the parent would have taken the row with it."
		},
		Settles: []string{"the parent row: is it still there?", "WAL of the deleting transaction, with the order of its deletes"},
	}
}

// parentFirst is the deleting transaction when it deleted from a table whose
// deletes cascade to this one, before it deleted here.
func parentFirst(v View) inv.Facts {
	return contents(v).Where(func(f inv.Fact) bool { return parentIn(v, f) != "" })
}

func parentIn(v View, f inv.Fact) string {
	order := tablesIn(f, "deleted")
	here := slices.IndexFunc(order, func(t string) bool { return v.Focus.holds(t) })
	for _, p := range v.property("cascade") {
		if i := slices.Index(order, p.Attr("parent")); i >= 0 && i < here {
			return p.Attr("parent")
		}
	}
	return ""
}

func cascadeName(v View, f inv.Fact) string {
	for _, p := range v.property("cascade") {
		if p.Attr("parent") == parentIn(v, f) {
			return p.Attr("value")
		}
	}
	return ""
}

// holds reports whether a table is the one in focus or a part of it.
func (fo Focus) holds(table string) bool { return fo.members[table] }
