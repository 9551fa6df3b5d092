package mechanisms

import (
	"fmt"
	"slices"

	inv "inquest/investigations"
)

func rolledBack() Mechanism {
	notOurs := slices.Concat(deadlocks, serializations, terminations)
	return Mechanism{
		ID: "rolled-back", Fate: inv.FateNeverCommitted, Title: "rolled back",
		About: "The row was inserted, and its transaction was rolled back after the success had been answered.",
		Cause: Always(inv.CauseApplication),
		Rules: []Rule{
			written(Needs),
			aborted(Needs),
			proof(Rule{
				Says: "the log gives a reason for which transactions are rolled back",
				Find: func(v View) inv.Facts { return otherErrorsOfAbort(v, notOurs...) },
			}),
			proof(Rule{
				Says: "the log covers the abort, and nothing but a ROLLBACK, of all or of a part, explains the silence",
				Find: func(v View) inv.Facts {
					if len(errorsNearAbort(v)) > 0 || !explicitAbort(v) {
						return nil
					}
					return logCoversAbort(v)
				},
				Looked: func(v View) bool { return len(errorsNearAbort(v)) > 0 },
			}),
			triedAgain(),
			committed(Contradicts),
			{
				Role: Contradicts, Says: "a deadlock, a serialization failure or a termination ended the transaction",
				Find:   func(v View) inv.Facts { return errorsOfAbort(v, notOurs...) },
				Looked: func(v View) bool { return len(logCoversAbort(v)) > 0 },
			},
			notRolledBack(),
		},
		Says: func(v View) string {
			ins, ok := Last(Ended(v.Story.Inserts, Aborted))
			if !ok {
				return "The row would have been inserted and rolled back."
			}
			s := fmt.Sprintf("xid %s inserted the row into %s and was rolled back%s", ins.Xid, ins.Fact.Attr("table"), at(ins.When()))
			if why := otherErrorsOfAbort(v, notOurs...); len(why) > 0 {
				return s + ": " + why[0].Says + "." + again(v)
			}
			if len(logCoversAbort(v)) > 0 && len(errorsNearAbort(v)) == 0 {
				return s + "; the server log covers that moment and shows no error, which leaves a plain ROLLBACK, a ROLLBACK TO SAVEPOINT or an exception block that undid only a part of the transaction, or a closed connection." + again(v)
			}
			return s + "; no log tells why." + again(v)
		},
		Settles: []string{
			"the PostgreSQL server log of that moment, with %x or csvlog for the xid",
			"the application's log of the request that created it",
		},
	}
}

// explicitAbort reports whether an ABORT record of the key's transaction was read.
func explicitAbort(v View) bool {
	for _, s := range Ended(v.Story.Inserts, Aborted) {
		for _, f := range s.Ends {
			if f.Attr("record") == "true" {
				return true
			}
		}
	}
	return false
}

// implicitAborts are aborts that the server knows of although the WAL that was
// read up to a later point holds no ABORT record.
func implicitAborts(v View) inv.Facts {
	var out inv.Facts
	for _, s := range Ended(v.Story.Inserts, Aborted) {
		for _, f := range s.Ends {
			if f.Attr("record") == "false" {
				out = append(out, f)
			}
		}
	}
	return out
}
