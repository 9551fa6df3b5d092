package mechanisms

import (
	"slices"
	"time"

	inv "inquest/investigations"
)

// loss is one way in which a stored row is lost without a delete: what shows that
// it was stored, and what shows the past going.
type loss struct {
	mechanism string
	standing  inv.Standing
	facts     inv.Facts
	says      string
}

// losses are all losses that the facts show, the best shown first.
func losses(v View) []loss {
	if !v.Facts.Any(inv.RowAbsent) || v.Facts.Any(inv.RowVisible, inv.IndexDisagrees) {
		return nil
	}
	if _, removed := v.Story.removal(); removed || len(Ended(v.Story.Rekeys, Committed)) > 0 {
		return nil
	}
	var out []loss
	for _, find := range []func(View) (loss, bool){reloadLoss, discardedLoss, otherNodeLoss, unloggedLoss, damageLoss, futureLoss} {
		if l, ok := find(v); ok {
			out = append(out, l)
		}
	}
	slices.SortStableFunc(out, func(a, b loss) int { return standingRank(a.standing) - standingRank(b.standing) })
	return out
}

func standingRank(s inv.Standing) int {
	if s == inv.Established {
		return 0
	}
	return 1
}

// fateLost: the commit was read on one side, no delete took the row, and the
// server lost its past in between.
func fateLost(v View) (inv.Fate, bool) {
	for _, l := range losses(v) {
		return fate(inv.FateLost, l.standing, l.facts, "%s", l.says)
	}
	return none()
}

// lossesBy are the facts of the losses of one mechanism.
func lossesBy(v View, mechanism string) inv.Facts {
	var out inv.Facts
	for _, l := range losses(v) {
		if l.mechanism == mechanism {
			out = append(out, l.facts...)
		}
	}
	return out
}

// discardedLoss: the commit stands in WAL that the server's history left behind:
// past the fork of an older timeline, or in segments that contradict its own.
func discardedLoss(v View) (loss, bool) {
	ins, ok := Last(Ended(append(slices.Clone(v.Discarded.Inserts), v.Discarded.Updates...), Committed))
	if !ok || len(v.Story.Existed()) > 0 {
		return loss{}, false
	}
	l := loss{standing: inv.Established, facts: ins.Facts(), mechanism: howRewound(v, ins.When())}
	l.facts = append(l.facts, v.Facts.Of(inv.TimelineSwitch)...)
	l.says = "The row was committed to " + ins.Table() + " " + clock(ins.When()) + " in WAL that is no part of the server's history any more: " + rewound(l.mechanism) + "."
	if _, deleted := v.Discarded.removal(); deleted {
		return loss{}, false // it had been deleted before that history was left behind
	}
	return l, true
}

func rewound(mechanism string) string {
	switch mechanism {
	case "failover-lost":
		return "a node was promoted that had not received it"
	case "restored-backup":
		return "the server was put back to an earlier state"
	}
	return "by a failover or a restore"
}

// howRewound tells a failover from a restore by what came after the commit: the
// timeline's own history first; then a promotion in the log; then the signs of a
// recovery from a backup or an archive, which a standby writes as well. Empty
// when nothing tells.
func howRewound(v View, since time.Time) string {
	if len(v.Facts.Of(inv.TimelineSwitch).With("from", "wal").With("how", "restore")) > 0 {
		return "restored-backup"
	}
	switch failover, restore := after(signs(v, "failover"), since), after(signs(v, "restore"), since); {
	case len(failover) > 0:
		return "failover-lost"
	case len(restore) > 0:
		return "restored-backup"
	}
	return ""
}

// signs are the events that tell how the server's past was left behind.
func signs(v View, how string) inv.Facts {
	return v.Facts.Where(func(f inv.Fact) bool {
		switch f.Kind {
		case inv.TimelineSwitch, inv.SystemEvent, inv.CrashRecovery:
			return f.Attr("how") == how
		}
		return false
	})
}

// otherNodeLoss: another node of the same cluster has the commit, beyond the
// point where the home server's timeline left the common history.
func otherNodeLoss(v View) (loss, bool) {
	forks := v.Facts.Of(inv.TimelineSwitch).With("from", "wal")
	for _, n := range v.Nodes {
		if !sameCluster(v, n) {
			continue
		}
		ins, ok := Last(Ended(n.Story.Inserts, Committed))
		if !ok {
			continue
		}
		for _, fork := range forks {
			at := lsn(fork.Attr("lsn"))
			if at > 0 && position(ins) >= at && n.setting("server.timeline") != v.setting("server.timeline") {
				l := loss{mechanism: howRewound(v, ins.When()), standing: inv.Established, facts: append(ins.Facts(), fork)}
				l.says = "The row was committed on " + n.Server + " " + clock(ins.When()) + ", after the point at which this server's history left the common one: " + rewound(l.mechanism) + "."
				return l, true
			}
		}
	}
	return loss{}, false
}

// sameCluster reports whether a node holds the same database as the home server:
// it comes from the same initdb, and the database has the same name.
func sameCluster(v View, n Node) bool {
	id := v.setting("server.system_identifier")
	return id != "" && id == n.setting("server.system_identifier") && v.setting("server.database") == n.setting("server.database")
}

// apart says how a node is surely another place than the home server, or "".
func apart(v View, n Node) string {
	for _, x := range []struct{ name, says string }{
		{"server.system_identifier", "another cluster"}, {"server.database", "another database of the cluster"},
	} {
		if mine, its := v.setting(x.name), n.setting(x.name); mine != "" && its != "" && mine != its {
			return x.says
		}
	}
	return ""
}

// unloggedLoss: the table is unlogged, and crash recovery, which empties such
// tables, came after the row was stored.
func unloggedLoss(v View) (loss, bool) {
	unlogged := v.property("persistence").With("value", "unlogged")
	if len(unlogged) == 0 {
		return loss{}, false
	}
	stored, when := storedAt(v)
	if len(stored) == 0 {
		return loss{}, false
	}
	for _, f := range v.Facts.Of(inv.CrashRecovery) {
		if f.Time.IsZero() || f.Time.Before(when) {
			continue
		}
		standing := inv.Established
		if len(deleteSigns(v)) > 0 {
			standing = inv.Probable
		}
		return loss{
			mechanism: "unlogged-reset", standing: standing, facts: slices.Concat(stored, inv.Facts{f}, unlogged),
			says: "The row was stored " + clock(when) + " in " + unlogged[0].Attr("table") + ", an unlogged table, which crash recovery emptied " + clock(f.Time) + ".",
		}, true
	}
	return loss{}, false
}

// storedAt shows that the record was stored, and when: its commit, or an answer
// that handed it out or showed it.
func storedAt(v View) (inv.Facts, time.Time) {
	if s, ok := Last(v.Story.Existed()); ok && !s.When().IsZero() {
		return s.Facts(), s.When()
	}
	var best inv.Facts
	var when time.Time
	for _, f := range v.Facts {
		read := f.Kind == inv.APIAnswer && f.Number("status") >= 200 && f.Number("status") < 300 && f.Attr("op") != "delete"
		if (f.Kind == inv.IDIssued || read) && !f.Time.IsZero() && (when.IsZero() || f.Time.Before(when)) {
			best, when = inv.Facts{f}, latest(f)
		}
	}
	return best, when
}

// deleteSigns are logs that speak of a deletion of the record.
func deleteSigns(v View) inv.Facts {
	return v.Facts.Where(func(f inv.Fact) bool {
		return f.Attr("op") == "delete" && (f.Kind == inv.APIAnswer && f.Number("status") < 300 || f.Kind == inv.LogStatement && f.Attr("joins") == "id")
	})
}

// futureLoss: a transaction that was seen lies in the server's future, because
// the server went back in time.
func futureLoss(v View) (loss, bool) {
	future := v.Facts.Of(inv.XactFuture)
	back := v.Facts.Where(func(f inv.Fact) bool { return f.Kind == inv.CrashRecovery || f.Kind == inv.TimelineSwitch })
	if len(future) == 0 || len(back) == 0 {
		return loss{}, false
	}
	return loss{
		mechanism: howRewound(v, time.Time{}), standing: inv.Probable, facts: append(slices.Clone(future), back...),
		says: "Transaction " + future[0].Attr("xid") + ", which wrote the row, is one the server has never heard of: its commit was lost when the server went back in time.",
	}, true
}
