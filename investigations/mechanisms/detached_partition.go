package mechanisms

import (
	"strings"

	inv "inquest/investigations"
)

func detachedPartition() Mechanism {
	return Mechanism{
		ID: "detached-partition", Fate: inv.FateHidden, Title: "partition detached",
		About: "The partition that holds the row was detached; its table is still there.",
		Cause: byDetach,
		Rules: []Rule{
			proof(Rule{
				Says: "the row is in a table that looks like a former partition",
				Find: formerPartition,
			}),
			statementLogged("a log shows a partition being detached", "detach"),
			{
				Role: Supports, Says: "a partition tool is set to take old partitions off and keep their tables",
				Find: func(v View) inv.Facts {
					for _, f := range formerPartition(v) {
						return detachConfigured(v, f.Attr("table"))
					}
					return nil
				},
			},
			{
				Role: Contradicts, Says: "the row is in the table itself",
				Find: func(v View) inv.Facts {
					if len(formerPartition(v)) > 0 {
						return nil
					}
					return ownRows(v)
				},
			},
			notThere(),
		},
		Says: func(v View) string {
			for _, f := range formerPartition(v) {
				says := "The row is in " + f.Attr("table") + ": " + f.Says + "."
				for _, by := range detachConfigured(v, f.Attr("table")) {
					says += " And " + by.Says + "."
				}
				return says
			}
			return "The row's partition would have been detached."
		},
		Settles: []string{"tables with the same columns as the partitioned one", "the server log with log_statement = ddl"},
	}
}

func byDetach(v View) inv.Cause {
	for _, f := range soleActor(v) {
		if isPerson(f) {
			return inv.CauseAccidental
		}
	}
	return inv.CauseRetention
}

func formerPartition(v View) inv.Facts {
	return v.property("lookalike").Where(func(p inv.Fact) bool {
		return len(ownRows(v).With("table", p.Attr("table"))) > 0
	})
}

// detachConfigured is what a partition tool is set to do with old partitions, when
// it would leave the table where and as it is.
func detachConfigured(v View, table string) inv.Facts {
	schema, _, _ := strings.Cut(table, ".")
	return v.property("partition-retention").Where(func(f inv.Fact) bool {
		parent, _, _ := strings.Cut(f.Attr("table"), ".")
		switch f.Attr("value") {
		case "detach":
			return schema == parent
		case "move":
			return schema == f.Attr("schema")
		}
		return false
	})
}
