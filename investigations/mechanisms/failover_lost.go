package mechanisms

import (
	inv "inquest/investigations"
)

func failoverLost() Mechanism {
	return lostBy(losing{
		id: "failover-lost", title: "lost in a failover", cause: Always(inv.CauseDatabase),
		about: "A node was promoted that had not received the commit.",
		says:  "the commit stands beyond the point where the promoted node's history left the old one",
		rules: []Rule{
			supportedBySigns("a promotion is told by the timeline's history or a log", "failover"),
			singleTimeline(),
		},
		settles: []string{"the old primary's data folder or its pg_wal (--wal)", "the timeline history file", "the promoted node's server log"},
	})
}

// singleTimeline is the rule that the server never left its first timeline.
func singleTimeline() Rule {
	return Rule{
		Role: Contradicts, Says: "the server is on its first timeline",
		Find: func(v View) inv.Facts {
			if v.Facts.Any(inv.TimelineSwitch) {
				return nil
			}
			return v.Facts.Of(inv.Setting).With("name", "server.timeline").With("value", "1")
		},
		Looked: func(v View) bool { return v.Facts.Any(inv.TimelineSwitch) },
	}
}
