package mechanisms

import (
	"fmt"
	"strconv"
	"time"

	inv "inquest/investigations"
)

func raceDelete() Mechanism {
	return Mechanism{
		ID: "race-delete", Fate: inv.FateDeleted, Title: "removed by a worker with an older view",
		About: "A worker decided what to remove before this row was committed, and removed it all the same.",
		Cause: Always(inv.CauseConcurrency),
		Rules: []Rule{
			deleted(Needs),
			proof(Rule{
				Says:   "the transaction that deleted the row had begun before the one that inserted it",
				Find:   deleterOlder,
				Looked: func(v View) bool { return len(Ended(v.Story.Inserts, Committed)) > 0 },
			}),
			proof(Rule{
				Says: "the work that deleted it had begun before the row was committed, and the row's commit lies between that and the delete",
				Find: decidedBefore,
			}),
			{
				Role: Contradicts, Says: "the row had been committed long before it was deleted",
				Find: func(v View) inv.Facts {
					d, ok := v.Story.removal()
					ins, stored := Last(Ended(v.Story.Inserts, Committed))
					if !ok || !stored || d.When().IsZero() || ins.When().IsZero() || d.When().Sub(ins.When()) < raceReach || len(decidedBefore(v))+len(deleterOlder(v)) > 0 {
						return nil
					}
					return append(d.Facts(), ins.Facts()...)
				},
				Looked: func(v View) bool { return len(Ended(v.Story.Inserts, Committed)) > 0 },
			},
			actorIs(Contradicts, "the one session that can have done it was a person's", person),
			replicated(Contradicts),
			removedByTable(Contradicts),
		},
		Explains: []string{"retention-delete", "api-delete", "script-delete"},
		Says: func(v View) string {
			d, ok := v.Story.removal()
			ins, stored := Last(Ended(v.Story.Inserts, Committed))
			switch {
			case ok && stored && len(deleterOlder(v)) > 0:
				return fmt.Sprintf("xid %s deleted the row, and is older than xid %s, which inserted it: it acted on a view from before the row.", d.Xid, ins.Xid)
			case ok && len(decidedBefore(v)) > 0:
				return "The work that deleted the row began before the row was committed: " + decidedBefore(v)[0].Says
			}
			return "A worker with an older view would have removed the row."
		},
		Settles: []string{"the worker's log: when did it read what to remove?", "WAL of the deleting transaction and of the insert"},
	}
}

// raceReach is how soon after the commit a racing worker removes a row.
const raceReach = 10 * time.Minute

// deleterOlder shows that the deleting transaction got its number before the
// inserting one. Subtransactions are numbered later than their parents, so both
// are compared by their top transaction where one is known.
func deleterOlder(v View) inv.Facts {
	d, ok := v.Story.removal()
	ins, stored := Last(Ended(v.Story.Inserts, Committed))
	if !ok || !stored || sameTransaction(ins, d) || d.Fact.Attr("lsn") == "" || ins.Fact.Attr("lsn") == "" {
		return nil
	}
	deleter, inserter := number(d), number(ins)
	if deleter == 0 || inserter == 0 || int32(uint32(deleter)-uint32(inserter)) >= 0 {
		return nil
	}
	return append(d.Facts(), ins.Facts()...)
}

// number is the xid of the step's top transaction.
func number(s Step) uint64 {
	xid := s.Xid
	for _, top := range topsOf(s) {
		xid = top
	}
	n, _ := strconv.ParseUint(xid, 10, 32)
	return n
}

// decidedBefore are runs of jobs, and sessions' transactions, that stand around
// the delete and began before the row was committed. A job that logs elsewhere has
// another clock: then the order must hold by what is known of the two.
func decidedBefore(v View) inv.Facts {
	ins, stored := Last(Ended(v.Story.Inserts, Committed))
	if !stored || ins.When().IsZero() {
		return nil
	}
	return append(runsAround(v, false), soleActor(v)...).Where(func(f inv.Fact) bool {
		began, err := time.Parse(time.RFC3339Nano, f.Attr("started"))
		if err != nil {
			return false
		}
		if f.Kind == inv.JobRun && f.Attr("from") == "log" {
			return v.before(f.Attr("source"), began, ins)
		}
		return began.Before(ins.When())
	})
}
