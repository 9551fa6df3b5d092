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
			for _, f := range sole(v, flagXid(v)) {
				switch {
				case isInteractive(f):
					return inv.CauseAccidental
				case isJob(f):
					return inv.CauseRetention
				}
			}
			return inv.CauseApplication
		},
		Rules: []Rule{
			proof(has(Supports, inv.RowFlagged, "the row is read with its flag set")),
			{
				Role: Supports, Says: "a request to delete it was answered with success",
				Find: func(v View) inv.Facts {
					return v.Facts.Of(inv.APIAnswer).Where(func(f inv.Fact) bool {
						return f.Attr("op") == "delete" && f.Number("status") >= 200 && f.Number("status") < 300
					})
				},
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
					if v.Facts.Any(inv.RowFlagged) {
						return nil
					}
					return ownRows(v)
				},
				Looked: func(v View) bool { return v.Facts.Any(inv.RowFlagged) },
			},
		},
		Says: func(v View) string {
			for _, f := range v.Facts.Of(inv.RowFlagged) {
				return fmt.Sprintf("The row is in %s with %s = %s.", f.Attr("table"), f.Attr("column"), f.Attr("value"))
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
