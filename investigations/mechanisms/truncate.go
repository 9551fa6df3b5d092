package mechanisms

import (
	"fmt"

	inv "inquest/investigations"
)

func truncate() Mechanism {
	return Mechanism{
		ID: "truncate", Fate: inv.FateDeleted, Title: "table truncated",
		About: "TRUNCATE emptied the table.",
		Cause: byActor(inv.CauseAccidental),
		Rules: []Rule{
			proof(Rule{
				Says:   "the table was given an empty file after the row had been committed",
				Find:   func(v View) inv.Facts { return tableGone(v, inv.TableTruncated) },
				Looked: func(v View) bool { return v.Facts.Any(inv.WALCovered) },
			}),
			statementLogged("a log shows a TRUNCATE of the table", "truncate"),
			rowDeleted(Contradicts),
		},
		Says: func(v View) string {
			for _, f := range tableGone(v, inv.TableTruncated) {
				return fmt.Sprintf("xid %s truncated %s%s%s.", f.Attr("xid"), f.Attr("table"), at(f.Time), bySession(v))
			}
			return "TRUNCATE would have emptied the table."
		},
		Settles: []string{"WAL of the time between the row's commit and now", "the server log with log_statement = ddl"},
	}
}

func tableDrop() Mechanism {
	return Mechanism{
		ID: "table-drop", Fate: inv.FateDeleted, Title: "table dropped",
		About: "The table was dropped, and perhaps made again, with the rows gone.",
		Cause: byActor(inv.CauseAccidental),
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

// tableGone are the committed removals of the table, or of the part of it that
// held the row, when the row had been committed before.
func tableGone(v View, kind inv.FactKind) inv.Facts {
	var out inv.Facts
	for _, r := range Ended(v.Story.Removals, Committed) {
		if r.Fact.Kind == kind && len(committedBefore(v, r)) > 0 && !storedAfter(v, r) {
			out = append(out, r.Facts()...)
		}
	}
	return out
}

// rowDeleted is the rule that the row itself was deleted.
func rowDeleted(role Role) Rule {
	return Rule{
		Role: role, Says: "the row itself was deleted",
		Find: func(v View) inv.Facts {
			if d, ok := v.Story.removal(); ok {
				return d.Facts()
			}
			return nil
		},
		Looked: func(v View) bool { return v.Facts.Any(inv.WALCovered) },
	}
}

// statementLogged is the rule that a log shows a statement of this kind on the
// table. It was written before the statement ran, so it supports and proves
// nothing.
func statementLogged(says, op string) Rule {
	return Rule{
		Role: Supports, Says: says,
		Find: func(v View) inv.Facts { return removalStatements(v).With("op", op) },
	}
}

// bySession names the one session that can have done the act.
func bySession(v View) string {
	if a := soleActor(v); len(a) > 0 {
		return " by " + sessionName(a[0])
	}
	return ""
}
