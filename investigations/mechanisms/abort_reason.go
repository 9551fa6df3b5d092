package mechanisms

import (
	"fmt"

	inv "inquest/investigations"
)

// abortReason describes a mechanism that is a rollback with one logged reason.
type abortReason struct {
	id, title, about, says, silent string
	cause                          inv.Cause
	states                         []string
}

// notRolledBack is the rule that the transaction was not rolled back: it is still
// open or prepared, or it was cut off without an ABORT record.
func notRolledBack() Rule {
	return Rule{
		Role: Contradicts, Says: "the transaction was not rolled back",
		Find: func(v View) inv.Facts {
			if len(Ended(v.Story.Inserts, Aborted)) == 0 {
				return append(endsOf(v, Prepared), endsOf(v, Open)...)
			}
			if explicitAbort(v) {
				return nil
			}
			return implicitAborts(v)
		},
		Looked: explicitAbort,
	}
}

// abortedBecause returns the mechanism of a rollback that only the server log
// can tell from the others: WAL holds the same ABORT record for all of them.
func abortedBecause(r abortReason) Mechanism {
	return Mechanism{
		ID: r.id, Fate: inv.FateNeverCommitted, Title: r.title, About: r.about, Cause: Always(r.cause),
		Rules: []Rule{
			written(Needs),
			aborted(Needs),
			proof(Rule{
				Says:   r.says,
				Find:   func(v View) inv.Facts { return errorsOfAbort(v, r.states...) },
				Looked: func(v View) bool { return len(logCoversAbort(v)) > 0 },
			}),
			committed(Contradicts),
			notRolledBack(),
			noneLogged(r.silent, r.states...),
			anotherReason(r.states...),
		},
		Says: func(v View) string {
			ins, ok := Last(Ended(v.Story.Inserts, Aborted))
			why := errorsOfAbort(v, r.states...)
			if !ok || len(why) == 0 {
				return r.about
			}
			return fmt.Sprintf("xid %s inserted the row into %s and was rolled back%s: %s", ins.Xid, ins.Fact.Attr("table"), at(ins.When()), why[0].Says)
		},
		Settles: []string{"the PostgreSQL server log of that moment"},
	}
}
