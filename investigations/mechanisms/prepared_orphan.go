package mechanisms

import (
	"fmt"

	inv "inquest/investigations"
)

func preparedOrphan() Mechanism {
	return Mechanism{
		ID: "prepared-orphan", Fate: inv.FateNeverCommitted, Title: "prepared and forgotten",
		About: "The row was inserted by a transaction that was prepared for two-phase commit and never finished.",
		Cause: Always(inv.CauseApplication),
		Rules: []Rule{
			proof(Rule{
				Says: "the transaction that wrote the row is prepared and not finished",
				Find: func(v View) inv.Facts { return endsOf(v, Prepared) },
			}),
			{
				Role: Supports, Says: "a prepared transaction has written to the table",
				Find: func(v View) inv.Facts { return writingTo(v, inv.XactPrepared) },
			},
			committed(Contradicts),
			{Role: Contradicts, Says: "the transaction was rolled back", Find: aborted(Contradicts).Find},
		},
		Says: func(v View) string {
			for _, f := range endsOf(v, Prepared) {
				return fmt.Sprintf("xid %s was prepared as %q%s and is waiting for COMMIT PREPARED or ROLLBACK PREPARED.", f.Attr("xid"), f.Attr("gid"), at(f.Time))
			}
			for _, f := range writingTo(v, inv.XactPrepared) {
				return "A prepared transaction has written to the table, perhaps this row: " + f.Says
			}
			return "The transaction would be prepared and never finished."
		},
		Settles: []string{"SELECT * FROM pg_prepared_xacts"},
	}
}
