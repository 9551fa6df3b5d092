package mechanisms

import (
	"fmt"
	"slices"
	"strings"

	inv "inquest/investigations"
)

func transactionOpen() Mechanism {
	return Mechanism{
		ID: "transaction-open", Fate: inv.FateNeverCommitted, Title: "transaction still open",
		About: "The row was inserted by a transaction that is still open: it may yet commit.",
		Cause: Always(inv.CauseApplication),
		Rules: []Rule{
			proof(Rule{
				Says: "a backend holds the transaction that wrote the row",
				Find: func(v View) inv.Facts { return endsOf(v, Open) },
			}),
			{
				Role: Supports, Says: "an open transaction has written to the table",
				Find: func(v View) inv.Facts { return writingTo(v, inv.XactOpen) },
			},
			committed(Contradicts),
			{Role: Contradicts, Says: "the transaction was rolled back", Find: aborted(Contradicts).Find},
			{Role: Contradicts, Says: "the transaction is prepared", Find: func(v View) inv.Facts { return endsOf(v, Prepared) }},
		},
		Says: func(v View) string {
			for _, f := range endsOf(v, Open) {
				return fmt.Sprintf("xid %s is still open: %s", f.Attr("xid"), f.Says)
			}
			for _, f := range writingTo(v, inv.XactOpen) {
				return "An open transaction has written to the table, perhaps this row: " + f.Says
			}
			return "The transaction that inserted it would still be open."
		},
		Settles: []string{"pg_stat_activity with pg_monitor"},
	}
}

// writingTo are unfinished transactions that hold the lock of a write on the table
// in focus, while no version of the row was read that could be theirs.
func writingTo(v View, kind inv.FactKind) inv.Facts {
	if !v.Story.Empty() || !v.gone() {
		return nil
	}
	return v.Facts.Of(kind).Where(func(f inv.Fact) bool {
		return slices.ContainsFunc(strings.Split(f.Attr("writes"), ","), func(t string) bool { return v.Focus.holds(t) })
	})
}

// endsOf are the facts that show the end of the key's inserting transactions.
func endsOf(v View, end Outcome) inv.Facts {
	var out inv.Facts
	for _, s := range Ended(v.Story.Inserts, end) {
		out = append(out, s.Ends...)
	}
	return out
}
