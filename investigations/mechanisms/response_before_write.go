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
			proof(Rule{
				Says: "WAL from before the id was handed out until now holds no row version of it",
				Find: func(v View) inv.Facts {
					for _, f := range v.Facts.Of(inv.IDIssued) {
						if c := coveringAbsence(v, f.Time); len(c) > 0 {
							return c
						}
					}
					return nil
				},
				Looked: func(v View) bool { return !v.Story.Empty() },
			}),
			written(Contradicts),
			{
				Role: Contradicts, Says: "the server refused the insert",
				Find: func(v View) inv.Facts {
					return v.Facts.Of(inv.LogError).Where(func(f inv.Fact) bool { return f.Attr("op") == "create" && f.Attr("joins") == "id" })
				},
			},
			{
				Role: Contradicts, Says: "the insert statement reached the server",
				Find: func(v View) inv.Facts {
					return v.Facts.Of(inv.LogStatement).Where(func(f inv.Fact) bool { return f.Attr("op") == "create" && f.Attr("joins") == "id" })
				},
			},
			{
				Role: Contradicts, Says: "a trigger or rule of the table can swallow an insert",
				Find: func(v View) inv.Facts {
					return v.Facts.Of(inv.TableProperty).Where(func(f inv.Fact) bool { return f.Attr("name") == "swallows" })
				},
			},
			{
				Role: Contradicts, Says: "the row is there",
				Find:   func(v View) inv.Facts { return ownRows(v) },
				Looked: func(v View) bool { return v.Facts.Any(inv.RowAbsent) },
			},
		},
		Says: func(v View) string {
			for _, f := range v.Facts.Of(inv.IDIssued) {
				return "The id was handed out" + at(f.Time) + ", and no insert of it reached this server: " + f.Says
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
