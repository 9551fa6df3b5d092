package mechanisms

import (
	"fmt"
	"slices"

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
				Role: Supports, Says: "the only node that was asked is a standby that has not replayed all it received",
				Find: loneAndBehind,
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
			{
				Role: Contradicts, Says: "the row is not there at all",
				Find: func(v View) inv.Facts {
					if len(loneAndBehind(v)) > 0 {
						return nil
					}
					return notThere().Find(v)
				},
				Looked: notThere().Looked,
			},
		},
		Says: func(v View) string {
			for _, n := range v.Nodes {
				if n.Facts.Any(inv.RowAbsent) && len(ownRows(v)) > 0 {
					return "The row is on the primary, and not on " + n.Server + n.why() + "."
				}
			}
			if len(loneAndBehind(v)) > 0 {
				return fmt.Sprintf("Only a standby was asked, which has replayed up to %s of the %s that it received%s: a row that was committed since is not in it yet.",
					orUnknown(v.setting("server.replay_lsn"), "an unknown position"), orUnknown(v.setting("server.receive_lsn"), "WAL"), map[string]string{"t": ", and its replay is paused"}[v.setting("server.replay_paused")])
			}
			return "A node that lags behind would not have the row."
		},
		Settles: []string{"name the node that reads go to as a second --db", "pg_last_wal_replay_lsn() and pg_is_wal_replay_paused() there"},
	}
}

// loneAndBehind are the facts by which the home server is a standby that lags, while
// no other node of its cluster was asked.
func loneAndBehind(v View) inv.Facts {
	if v.setting("server.in_recovery") != "t" || slices.ContainsFunc(v.Nodes, func(n Node) bool { return sameCluster(v, n) }) {
		return nil
	}
	replayed, received := lsn(v.setting("server.replay_lsn")), lsn(v.setting("server.receive_lsn"))
	if v.setting("server.replay_paused") != "t" && received <= replayed {
		return nil
	}
	return (Node{Facts: v.Facts}).behind()
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
