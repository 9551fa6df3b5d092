package mechanisms

import (
	"fmt"
	"slices"

	inv "inquest/investigations"
)

func triggerDelete() Mechanism {
	return Mechanism{
		ID: "trigger-delete", Fate: inv.FateDeleted, Title: "deleted by a trigger",
		About: "A trigger on some table deletes rows of this one.",
		Cause: Always(inv.CauseDatabase),
		Rules: []Rule{
			deleted(Needs),
			{
				Role: Needs, Says: "a trigger runs code that deletes from the table",
				Find: func(v View) inv.Facts { return v.property("trigger-deletes") },
			},
			proof(Rule{
				Says:   "the same transaction changed the trigger's table before it deleted the row",
				Find:   triggerFired,
				Looked: func(v View) bool { return len(contents(v)) > 0 },
			}),
			{
				Role: Contradicts, Says: "the same transaction did not change the table of any such trigger",
				Find: func(v View) inv.Facts {
					if len(v.property("trigger-deletes")) == 0 || len(triggerFired(v)) > 0 {
						return nil
					}
					return contents(v).Where(func(f inv.Fact) bool { return f.Attr("complete") == "true" })
				},
				Looked: func(v View) bool { return len(triggerFired(v)) > 0 },
			},
			{
				Role: Contradicts, Says: "no trigger of the database deletes from the table",
				Find: func(v View) inv.Facts { return v.property("no-trigger-deletes") },
			},
			replicated(Contradicts),
			removedByTable(Contradicts),
		},
		Explains: []string{"manual-delete", "api-delete", "script-delete", "retention-delete"},
		Says: func(v View) string {
			for _, f := range triggerFired(v) {
				p := firing(v, f)[0]
				return fmt.Sprintf("xid %s changed %s, and its trigger %s deleted the row: %s.", f.Attr("xid"), p.Attr("on"), p.Attr("value"), p.Says)
			}
			for _, p := range v.property("trigger-deletes") {
				return "A trigger could have deleted the row: " + p.Says + "."
			}
			return "No trigger is known that deletes from the table."
		},
		Settles: []string{"WAL of the deleting transaction, with the order of its changes", "the trigger functions' source as it was then"},
	}
}

// triggerFired is the deleting transaction when it did what fires a trigger that
// deletes from this table.
func triggerFired(v View) inv.Facts {
	return contents(v).Where(func(f inv.Fact) bool { return len(firing(v, f)) > 0 })
}

// firing are the triggers that a transaction's changes to other tables fired.
func firing(v View, f inv.Fact) inv.Facts {
	return v.property("trigger-deletes").Where(func(p inv.Fact) bool {
		on := p.Attr("on")
		if on == "" || v.Focus.holds(on) {
			return false
		}
		for event, did := range map[string]string{"insert": "inserted", "update": "updated", "delete": "deleted"} {
			if p.Attr(event) == "true" && slices.Contains(tablesIn(f, did), on) {
				return true
			}
		}
		return false
	})
}
