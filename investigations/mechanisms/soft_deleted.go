package mechanisms

import (
	"fmt"

	inv "inquest/investigations"
)

func softDeleted() Mechanism {
	return Mechanism{
		ID: "soft-deleted", Fate: inv.FateHidden, Title: "soft-deleted",
		About: "The row is there, and a flag or a timestamp hides it from the application.",
		Cause: func(v View) inv.Cause {
			cause := familyOf(v, sessionsOf(v, flagXid(v)), inv.CauseUndetermined)
			if cause == inv.CauseUndetermined && len(deleteRequests(v)) > 0 {
				return inv.CauseApplication
			}
			return cause
		},
		Rules: []Rule{
			proof(has(Supports, inv.RowFlagged, "the row is read with its flag set")),
			proof(Rule{Says: "the row is read, and a view over the table leaves it out by a flag", Find: hidingViews}),
			{
				Role: Supports, Says: "the row is read with a mark that former rows have: a switch that is off, a validity that has ended",
				Find: perhapsFormer,
			},
			{
				Role: Supports, Says: "a request to delete it was answered with success",
				Find: deleteRequests,
			},
			{
				Role: Contradicts, Says: "the row is not there at all",
				Find: func(v View) inv.Facts {
					if v.Facts.Any(inv.RowVisible, inv.RowFlagged) {
						return nil
					}
					return v.Facts.Of(inv.RowAbsent)
				},
				Looked: func(v View) bool { return v.Facts.Any(inv.RowVisible, inv.RowFlagged) },
			},
			{
				Role: Contradicts, Says: "the row is visible and carries no set flag",
				Find: func(v View) inv.Facts {
					if v.Facts.Any(inv.RowFlagged) || len(hidingViews(v))+len(perhapsFormer(v)) > 0 {
						return nil
					}
					return ownRows(v)
				},
				Looked: func(v View) bool { return v.Facts.Any(inv.RowFlagged) || len(hidingViews(v)) > 0 },
			},
		},
		Says: func(v View) string {
			for _, f := range v.Facts.Of(inv.RowFlagged) {
				return fmt.Sprintf("The row is in %s with %s = %s.", f.Attr("table"), f.Attr("column"), f.Attr("value"))
			}
			for _, f := range hidingViews(v) {
				return fmt.Sprintf("The row is in %s with %s = %s, and the view %s leaves it out.", f.Attr("table"), f.Attr("column"), f.Attr("is"), f.Attr("value"))
			}
			for _, f := range perhapsFormer(v) {
				return fmt.Sprintf("The row is in %s with %s = %s, which an application may take for removed.", f.Attr("table"), f.Attr("column"), f.Attr("value"))
			}
			return "A flag would hide the row."
		},
		Settles: []string{"read the row by its key without the application's filter"},
	}
}

// flagXid is the transaction that last updated the row, when it is known.
func flagXid(v View) string {
	if u, ok := Last(Ended(v.Story.Updates, Committed)); ok {
		return u.Xid
	}
	return ""
}

// hidingViews are views over the table that do not show the row, because of a
// flag which they filter by.
func hidingViews(v View) inv.Facts {
	return v.property("view-lacks").Where(func(f inv.Fact) bool { return f.Attr("column") != "" })
}
