package mechanisms

import (
	"fmt"

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
			committed(Contradicts),
			{Role: Contradicts, Says: "the transaction was rolled back", Find: aborted(Contradicts).Find},
		},
		Says: func(v View) string {
			for _, f := range endsOf(v, Open) {
				return fmt.Sprintf("xid %s is still open: %s", f.Attr("xid"), f.Says)
			}
			return "The transaction that inserted it would still be open."
		},
		Settles: []string{"pg_stat_activity with pg_monitor"},
	}
}

// endsOf are the facts that show the end of the key's inserting transactions.
func endsOf(v View, end Outcome) inv.Facts {
	var out inv.Facts
	for _, s := range Ended(v.Story.Inserts, end) {
		out = append(out, s.Ends...)
	}
	return out
}
