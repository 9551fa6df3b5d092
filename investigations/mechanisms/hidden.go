package mechanisms

import (
	"fmt"

	inv "inquest/investigations"
)

// notThere is the rule that no row stands under the id anywhere that was read.
func notThere() Rule {
	return Rule{
		Role: Contradicts, Says: "the row is not there at all",
		Find: func(v View) inv.Facts {
			if v.All.Any(inv.RowVisible, inv.RowFlagged, inv.RowElsewhere, inv.IndexDisagrees) {
				return nil
			}
			return v.Facts.Of(inv.RowAbsent)
		},
		Looked: func(v View) bool { return v.All.Any(inv.RowVisible, inv.RowFlagged) },
	}
}

func rowSecurity() Mechanism {
	return Mechanism{
		ID: "row-security", Fate: inv.FateHidden, Title: "hidden by row-level security",
		About: "A policy hides the row from the application's role.",
		Cause: Always(inv.CauseDatabase),
		Rules: []Rule{
			proof(has(Supports, inv.RowMasked, "the row is read when policies are bypassed, and not as the application's role")),
			{
				Role: Supports, Says: "the table has row-level security",
				Find: func(v View) inv.Facts { return v.property("row-security") },
			},
			proof(Rule{
				Says: "the table has policies, the row is there, and the application answered that it is not",
				Find: func(v View) inv.Facts {
					p := v.property("row-security")
					if len(p) == 0 || len(ownRows(v)) == 0 || len(policyOpen(v)) == 0 || v.Options.AppRole != "" {
						return nil
					}
					return append(p, policyOpen(v)...)
				},
			}),
			{
				Role: Contradicts, Says: "the application's role sees the row",
				Find: func(v View) inv.Facts { return v.Facts.Of(inv.RowVisible).With("as", v.Options.AppRole).Where(hasRole) },
			},
			{
				Role: Contradicts, Says: "the table has no row-level security",
				Find: func(v View) inv.Facts {
					return v.property("candidate").With("rls", "off")
				},
			},
			notThere(),
		},
		Says: func(v View) string {
			for _, f := range v.Facts.Of(inv.RowMasked) {
				return fmt.Sprintf("The role %s does not see the row of %s: %s.", f.Attr("as"), f.Attr("table"), reason(f))
			}
			for _, f := range v.property("row-security") {
				return "Whether the application's role sees the row was not tried: " + f.Says + "."
			}
			return "A policy would hide the row from the application."
		},
		Settles: []string{"read the row as the application's role: --as ROLE, with its settings: --as-setting k=v"},
	}
}

func hasRole(f inv.Fact) bool { return f.Attr("as") != "" }

func indexCorruption() Mechanism {
	return Mechanism{
		ID: "index-corruption", Fate: inv.FateHidden, Title: "index damaged",
		About: "The table holds the row, and the index that lookups use does not find it.",
		Cause: Always(inv.CauseDatabase),
		Rules: []Rule{
			proof(has(Supports, inv.IndexDisagrees, "the row is found without the index and not with it")),
			{
				Role: Supports, Says: "a collation changed under the index",
				Find: func(v View) inv.Facts { return v.property("collation") },
			},
			{
				Role: Contradicts, Says: "the row is found by its key",
				Find: func(v View) inv.Facts { return ownRows(v).With("via", "key") },
			},
			{
				Role: Contradicts, Says: "the row is found neither with the index nor without it",
				Find: func(v View) inv.Facts { return v.Facts.Of(inv.RowAbsent).With("via", "heap") },
			},
		},
		Says: func(v View) string {
			for _, f := range v.Facts.Of(inv.IndexDisagrees) {
				return fmt.Sprintf("A sequential scan of %s finds the row; a lookup by its key does not.", f.Attr("table"))
			}
			return "The index would miss the row."
		},
		Settles: []string{"read the row with index scans off", "bt_index_check(…, heapallindexed => true) of amcheck"},
	}
}

func staleReplica() Mechanism {
	return Mechanism{
		ID: "stale-replica", Fate: inv.FateHidden, Title: "replica behind",
		About: "Reads go to a node that lags behind or has diverged, and does not have the row.",
		Cause: Always(inv.CauseDatabase),
		Rules: []Rule{
			proof(Rule{
				Says: "one node of the cluster has the row, and another does not",
				Find: func(v View) inv.Facts {
					if seen := ownRows(v); len(seen) > 0 {
						return append(seen, nodesWithout(v)...).Where(func(inv.Fact) bool { return len(nodesWithout(v)) > 0 })
					}
					return nodesWith(v)
				},
				Looked: func(v View) bool { return len(v.Nodes) > 0 },
			}),
			{
				Role: Supports, Says: "the node without it is a standby that lags or is paused",
				Find: func(v View) inv.Facts {
					var out inv.Facts
					for _, n := range v.Nodes {
						if n.setting("server.in_recovery") == "t" && len(nodesWithout(v)) > 0 {
							out = append(out, n.behind()...)
						}
					}
					return out
				},
			},
			{
				Role: Contradicts, Says: "every node that was asked has the row",
				Find: func(v View) inv.Facts {
					var out inv.Facts
					for _, n := range v.Nodes {
						out = append(out, n.Facts.Of(inv.RowVisible)...)
					}
					if len(nodesWithout(v)) > 0 || len(ownRows(v)) == 0 {
						return nil
					}
					return out
				},
			},
			notThere(),
		},
		Says: func(v View) string {
			for _, n := range v.Nodes {
				if n.Facts.Any(inv.RowAbsent) && len(ownRows(v)) > 0 {
					return "The row is on the primary, and not on " + n.Server + n.why() + "."
				}
			}
			return "A node that lags behind would not have the row."
		},
		Settles: []string{"name the node that reads go to as a second --db", "pg_last_wal_replay_lsn() and pg_is_wal_replay_paused() there"},
	}
}

func nodesWithout(v View) inv.Facts {
	var out inv.Facts
	for _, n := range v.Nodes {
		if sameCluster(v, n) && !n.Facts.Any(inv.RowVisible) {
			out = append(out, n.Facts.Of(inv.RowAbsent)...)
		}
	}
	return out
}

func nodesWith(v View) inv.Facts {
	var out inv.Facts
	for _, n := range v.Nodes {
		if sameCluster(v, n) && v.setting("server.in_recovery") == "t" {
			out = append(out, n.Facts.Of(inv.RowVisible)...)
		}
	}
	return out
}

func wrongPlace() Mechanism {
	return Mechanism{
		ID: "wrong-place", Fate: inv.FateHidden, Title: "stored in another place",
		About: "The row was stored in another table, schema or database than the one the application reads.",
		Cause: Always(inv.CauseApplication),
		Rules: []Rule{
			proof(has(Supports, inv.RowElsewhere, "the key stands in a place where the application does not look")),
			proof(Rule{
				Says: "another database or cluster that was named has the row",
				Find: func(v View) inv.Facts {
					if len(ownRows(v)) > 0 {
						return nil
					}
					return inOtherPlaces(v)
				},
			}),
			proof(Rule{
				Says: "the row is in a table of one schema, and the search path leads to its namesake in another",
				Find: otherSchema,
			}),
			{
				Role: Contradicts, Says: "the row is where the application looks",
				Find: func(v View) inv.Facts {
					if len(otherSchema(v)) > 0 {
						return nil
					}
					return ownRows(v)
				},
				Looked: func(v View) bool { return v.Facts.Any(inv.RowAbsent) },
			},
			{
				Role: Contradicts, Says: "the row was written to the table that the application reads",
				Find: func(v View) inv.Facts {
					if s, ok := Last(v.Story.Existed()); ok && len(otherSchema(v)) == 0 {
						return s.Facts()
					}
					return nil
				},
				Looked: func(v View) bool { return v.Facts.Any(inv.WALKeyAbsent) },
			},
		},
		Says: func(v View) string {
			for _, f := range v.Facts.Of(inv.RowElsewhere) {
				return f.Says
			}
			for _, f := range inOtherPlaces(v) {
				return "The row is in " + f.Attr("table") + " on " + f.Attr("server") + ", and not where it was asked."
			}
			for _, f := range otherSchema(v) {
				return "The row is in " + f.Attr("table") + ", while the application looks in " + f.Attr("value") + ": " + f.Says + "."
			}
			return "The row would stand in another table, schema or database."
		},
		Settles: []string{"the connection string and search_path of the instance that wrote it", "other databases of the cluster, and other clusters (--db)"},
	}
}

// otherSchema tells that the table that holds the row is not the one that the
// application's search path leads to.
func otherSchema(v View) inv.Facts {
	return v.property("resolves-elsewhere").Where(func(p inv.Fact) bool {
		return len(ownRows(v).With("table", p.Attr("table"))) > 0
	})
}

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
				return "The row is in " + f.Attr("table") + ": " + f.Says + "."
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
