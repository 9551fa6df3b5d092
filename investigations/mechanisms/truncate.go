package mechanisms

import (
	"fmt"

	inv "inquest/investigations"
)

func truncate() Mechanism {
	return Mechanism{
		ID: "truncate", Fate: inv.FateDeleted, Title: "table truncated",
		About: "TRUNCATE emptied the table.",
		Cause: unlessJob,
		Rules: []Rule{
			proof(Rule{
				Says:   "the table was given an empty file after the row had been committed",
				Find:   func(v View) inv.Facts { return tableGone(v, inv.TableTruncated) },
				Looked: func(v View) bool { return v.Facts.Any(inv.WALCovered) },
			}),
			statementLogged("a log shows a TRUNCATE of the table", "truncate"),
			rowDeleted(Contradicts),
			noneSinceStored("WAL since the row was stored holds no TRUNCATE of the table", inv.TableTruncated),
			{
				Role: Contradicts, Says: "the same transaction filled the table again",
				Find: func(v View) inv.Facts {
					var out inv.Facts
					for _, r := range Ended(v.Story.Removals, Committed) {
						out = append(out, refilled(v, r)...)
					}
					return out
				},
				Looked: func(v View) bool { return v.Facts.Any(inv.TableTruncated) },
			},
		},
		Says: func(v View) string {
			for _, f := range tableGone(v, inv.TableTruncated) {
				for _, r := range Ended(v.Story.Removals, Committed) {
					if r.Xid == f.Attr("xid") && len(refilled(v, r)) > 0 {
						return fmt.Sprintf("xid %s truncated %s%s%s and filled it again in the same transaction.", r.Xid, f.Attr("table"), at(f.Time), bySession(v))
					}
				}
				return fmt.Sprintf("xid %s truncated %s%s%s.", f.Attr("xid"), f.Attr("table"), at(f.Time), bySession(v))
			}
			return "TRUNCATE would have emptied the table."
		},
		Settles: []string{"WAL of the time between the row's commit and now", "the server log with log_statement = ddl"},
	}
}
