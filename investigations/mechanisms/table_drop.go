package mechanisms

import (
	"fmt"

	inv "inquest/investigations"
)

func tableDrop() Mechanism {
	return Mechanism{
		ID: "table-drop", Fate: inv.FateDeleted, Title: "table dropped",
		About: "The table was dropped, and perhaps made again, with the rows gone.",
		Cause: unlessJob,
		Rules: []Rule{
			proof(Rule{
				Says: "the table that held the row was dropped after the row had been committed",
				Find: func(v View) inv.Facts {
					return tableGone(v, inv.TableDropped).Where(func(f inv.Fact) bool { return f.Attr("part") == "" })
				},
				Looked: func(v View) bool { return v.Facts.Any(inv.WALCovered) },
			}),
			statementLogged("a log shows a DROP of the table", "drop"),
			rowDeleted(Contradicts),
			noneSinceStored("WAL since the row was stored holds no drop of the table", inv.TableDropped),
			{
				Role: Contradicts, Says: "a partition was dropped, not the table",
				Find: func(v View) inv.Facts {
					return tableGone(v, inv.TableDropped).Where(func(f inv.Fact) bool { return f.Attr("part") != "" })
				},
			},
		},
		Says: func(v View) string {
			for _, f := range tableGone(v, inv.TableDropped) {
				return fmt.Sprintf("xid %s dropped the table that held the row%s%s: %s.", f.Attr("xid"), at(f.Time), bySession(v), f.Says)
			}
			return "The table would have been dropped and made again."
		},
		Settles: []string{"WAL of the time between the row's commit and now", "the server log with log_statement = ddl"},
	}
}
