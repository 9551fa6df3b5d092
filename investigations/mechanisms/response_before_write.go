package mechanisms

import (
	inv "inquest/investigations"
)

func responseBeforeWrite() Mechanism {
	return Mechanism{
		ID: "response-before-write", Fate: inv.FateNeverWritten, Title: "answered before it was written",
		About: "Success was answered, or an id minted, and no insert ever reached the database.",
		Cause: Always(inv.CauseApplication),
		Rules: []Rule{
			{
				Role: Needs, Says: "the id was handed out",
				Find: func(v View) inv.Facts { return v.Facts.Of(inv.IDIssued) },
			},
			{
				Role: Needs, Says: "WAL from before the id was handed out until now holds no row version of it",
				Find: func(v View) inv.Facts {
					for _, f := range v.Facts.Of(inv.IDIssued) {
						if c := coveringAbsence(v, f.Time); len(c) > 0 {
							return c
						}
					}
					return nil
				},
				Looked: func(v View) bool { return !v.Story.Empty() },
			},
			proof(Rule{
				Says: "the application logged a failure of the same request, or of the work it queued, after the answer",
				Find: failedAfterAnswer,
			}),
			proof(Rule{
				Says:   "statements were logged at that moment, and no insert of the record is among them",
				Find:   noStatement,
				Looked: func(v View) bool { return len(insertStatements(v)) > 0 },
			}),
			triedAgain(),
			written(Contradicts),
			{Role: Contradicts, Says: "the record was shown to somebody who asked for it", Find: shown},
			{Role: Contradicts, Says: "the server refused the insert", Find: refused},
			{Role: Contradicts, Says: "the insert statement reached the server", Find: insertStatements},
			{
				Role: Contradicts, Says: "the row is there",
				Find:   func(v View) inv.Facts { return append(ownRows(v), v.Facts.Of(inv.RowElsewhere)...) },
				Looked: func(v View) bool { return v.Facts.Any(inv.RowAbsent) },
			},
		},
		Says: func(v View) string {
			if list := v.Facts.Of(inv.IDIssued); len(list) > 0 {
				f := list[0]
				s := "The id was handed out" + at(f.Time) + ": " + f.Says
				if len(coveringAbsence(v, f.Time)) > 0 {
					s = "The id was handed out" + at(f.Time) + ", and no insert of it reached this database: " + f.Says
				} else if len(v.Story.Inserts) == 0 {
					s += "; whether an insert of it ever reached a server was not seen"
				}
				if e := failedAfterAnswer(v); len(e) > 0 {
					s += "; afterwards: " + e[0].Says
				}
				return s + again(v)
			}
			return "Nothing shows that the id was handed out."
		},
		Settles: []string{
			"the application's log of the create request: did it open a transaction at all?",
			"WAL of the moment the id was handed out, from an archive (--wal)",
			"other databases the application can write to (--db)",
		},
	}
}

// failedAfterAnswer are failures that the application logged of the record or of
// its request once the id had been handed out.
func failedAfterAnswer(v View) inv.Facts {
	issued := v.Facts.Of(inv.IDIssued)
	return v.Facts.Of(inv.RequestFailed).Where(func(f inv.Fact) bool {
		for _, i := range issued {
			if !i.Time.IsZero() && !f.Time.IsZero() && !f.Time.Before(latest(i)) {
				return true
			}
		}
		return false
	})
}

// noStatement is the fact that the server logged statements that change rows at
// the moment the id was handed out, while no insert of the record is among them.
func noStatement(v View) inv.Facts {
	if len(insertStatements(v)) > 0 || len(takers(v)) > 0 {
		return nil
	}
	return v.Facts.Of(inv.LogCovers).With("of", "issue").With("statements", "true").With("inserts", "0")
}
