package mechanisms

import (
	"fmt"

	inv "inquest/investigations"
)

func crashInFlight() Mechanism {
	return Mechanism{
		ID: "crash-in-flight", Fate: inv.FateNeverCommitted, Title: "crash in flight",
		About: "The backend or the server died in the middle of the transaction that inserted the row.",
		Cause: Always(inv.CauseSystem),
		Rules: []Rule{
			written(Needs),
			{
				Role: Needs, Says: "the transaction ended without a commit",
				Find: func(v View) inv.Facts {
					if ins, ok := Last(Ended(v.Story.Inserts, Aborted, Unfinished)); ok {
						return ins.Facts()
					}
					return nil
				},
			},
			proof(Rule{
				Says: "the log says that this backend was terminated, or crashed",
				Find: func(v View) inv.Facts {
					if len(perhapsUnhardened(v)) > 0 {
						return nil
					}
					return errorsOfAbort(v, terminations...)
				},
				Looked: func(v View) bool { return len(logCoversAbort(v)) > 0 },
			}),
			proof(Rule{
				Says: "the transaction has no end in WAL, crash recovery follows it, and commits waited for the disk",
				Find: func(v View) inv.Facts {
					if explicitAbort(v) || len(perhapsUnhardened(v)) > 0 {
						return nil
					}
					return crashesAfterInsert(v)
				},
				Looked: explicitAbort,
			}),
			committed(Contradicts),
			{
				Role: Contradicts, Says: "the transaction is still there",
				Find: func(v View) inv.Facts { return append(endsOf(v, Prepared), endsOf(v, Open)...) },
			},
			{
				Role: Contradicts, Says: "the log covers the abort and shows no termination, while an ABORT record was written",
				Find: func(v View) inv.Facts {
					if !explicitAbort(v) || len(errorsOf(errorsNearAbort(v), terminations...)) > 0 {
						return nil
					}
					return logCoversAbort(v)
				},
				Looked: func(v View) bool { return len(errorsNearAbort(v)) > 0 },
			},
			anotherReason(terminations...),
		},
		Says: func(v View) string {
			ins, ok := Last(Ended(v.Story.Inserts, Aborted, Unfinished))
			if !ok {
				return "The transaction would have died with its backend or its server."
			}
			s := fmt.Sprintf("xid %s inserted the row into %s and never ended by itself", ins.Xid, ins.Fact.Attr("table"))
			if why := errorsOfAbort(v, terminations...); len(why) > 0 {
				return s + ": " + why[0].Says
			}
			if c := crashesAfterInsert(v); len(c) > 0 && !explicitAbort(v) {
				return s + ": " + c[0].Says
			}
			return s + "; whether a crash or a rollback ended it is not shown."
		},
		Settles: []string{
			"the PostgreSQL server log of that moment", "the kernel log of the database host",
			"where commits do not wait for the disk: the application's log, whether its COMMIT had returned before the crash",
		},
	}
}

// crashesAfterInsert are the crash recoveries that came after the key was
// written, by WAL position where both have one, else by time.
func crashesAfterInsert(v View) inv.Facts {
	ins, ok := Last(Ended(v.Story.Inserts, Aborted, Unfinished))
	if !ok {
		return nil
	}
	return v.Facts.Of(inv.CrashRecovery).Where(func(f inv.Fact) bool {
		crash := Step{Fact: f}
		if position(crash) > 0 && position(ins) > 0 {
			return position(crash) > position(ins)
		}
		return !f.Time.IsZero() && !ins.Fact.Time.IsZero() && !f.Time.Before(ins.Fact.Time)
	})
}

func errorsOf(fs inv.Facts, states ...string) inv.Facts {
	return fs.Where(func(f inv.Fact) bool {
		for _, s := range states {
			if f.Attr("sqlstate") == s {
				return true
			}
		}
		return false
	})
}
