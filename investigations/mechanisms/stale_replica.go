package mechanisms

import (
	inv "inquest/investigations"
)

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
		if absent := n.Facts.Of(inv.RowAbsent); sameCluster(v, n) && !n.Facts.Any(inv.RowVisible) && askedAfter(absent, ownRows(v)) {
			out = append(out, absent...)
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
