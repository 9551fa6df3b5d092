package mechanisms

import (
	"fmt"

	inv "inquest/investigations"
)

func partitionDrop() Mechanism {
	return Mechanism{
		ID: "partition-drop", Fate: inv.FateDeleted, Title: "partition dropped",
		About: "The partition that held the row was dropped, as retention of partitioned tables does.",
		Cause: func(v View) inv.Cause {
			for _, f := range soleActor(v) {
				if isPerson(f) {
					return inv.CauseAccidental
				}
			}
			return inv.CauseRetention
		},
		Rules: []Rule{
			proof(Rule{
				Says: "the partition that held the row was dropped after the row had been committed",
				Find: func(v View) inv.Facts {
					return tableGone(v, inv.TableDropped).Where(func(f inv.Fact) bool { return f.Attr("part") != "" })
				},
				Looked: func(v View) bool { return v.Facts.Any(inv.WALCovered) },
			}),
			statementLogged("a log shows a partition being dropped", "drop"),
			{
				Role: Supports, Says: "a partition tool is set to drop old partitions of the table",
				Find: func(v View) inv.Facts { return v.property("partition-retention").With("value", "drop") },
			},
			rowDeleted(Contradicts),
			{
				Role: Contradicts, Says: "the table is not partitioned",
				Find: func(v View) inv.Facts {
					return v.property("candidate").Where(func(f inv.Fact) bool { return f.Attr("partitioned") == "false" })
				},
			},
		},
		Says: func(v View) string {
			for _, f := range tableGone(v, inv.TableDropped) {
				return fmt.Sprintf("xid %s dropped the partition that held the row%s%s: %s.", f.Attr("xid"), at(f.Time), bySession(v), f.Says)
			}
			return "The row's partition would have been dropped."
		},
		Settles: []string{"WAL of the time between the row's commit and now", "the server log with log_statement = ddl", "the partition tool's configuration, such as partman's part_config"},
	}
}
