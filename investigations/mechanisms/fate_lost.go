package mechanisms

import (
	"slices"
	"strings"
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
	for _, find := range []func(View) (loss, bool){discardedLoss, otherNodeLoss, unloggedLoss, damageLoss, futureLoss} {
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
	for _, f := range v.Facts.Of(inv.TimelineSwitch) {
		l.facts = append(l.facts, f)
	}
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
			best, when = inv.Facts{f}, f.Time
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

// damageLoss: the row was committed, WAL since then holds no delete of it, it is
// not in the table, and the server knows of damage.
func damageLoss(v View) (loss, bool) {
	ins, ok := Last(v.Story.Existed())
	covered := ok && len(coveredSince(v, ins.When())) > 0
	if !ok || len(damage(v)) == 0 || !covered && len(damagedBlocks(v)) == 0 {
		return loss{}, false
	}
	l := loss{mechanism: "page-corruption", standing: inv.Probable, facts: append(ins.Facts(), damage(v)...)}
	l.says = "The row was committed to " + ins.Table() + " " + clock(ins.When()) + ", no delete of it is in WAL, and it is not in the table: " + damage(v)[0].Says + "."
	if !covered {
		l.says = "The row was committed to " + ins.Table() + " " + clock(ins.When()) + ", the page it stood on was damaged, and it is not in the table: " + damage(v)[0].Says + "."
	}
	if covered && len(damagedBlocks(v)) > 0 {
		l.standing = inv.Established
	}
	return l, true
}

// coveredSince are the facts by which WAL was read without a hole from t to now.
func coveredSince(v View, t time.Time) inv.Facts {
	return v.Facts.Of(inv.WALCovered).Where(func(f inv.Fact) bool {
		return !t.IsZero() && !f.Time.IsZero() && !f.Time.After(t) && f.Attr("last") == "true" && f.Attr("unread") == ""
	})
}

// damage is what is known of damage to the table in focus.
func damage(v View) inv.Facts {
	if own := damagedBlocks(v); len(own) > 0 {
		return own
	}
	return append(v.property("checksum-failures"), v.property("zero-damaged-pages")...)
}

// damagedBlocks are the damaged blocks that the row's versions stood on.
func damagedBlocks(v View) inv.Facts {
	return v.Facts.Of(inv.BlockDamaged).Where(func(b inv.Fact) bool {
		file := slices.ContainsFunc(v.property("file"), func(p inv.Fact) bool { return p.Attr("value") == b.Attr("file") })
		return file && slices.ContainsFunc(v.Story.Existed(), func(s Step) bool { return blockOf(s.Fact.Attr("tid")) == b.Attr("block") })
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

// fateUnhardened: the commit was acknowledged while commits were not waited for,
// and a crash came right after.
func fateUnhardened(v View) (inv.Fate, bool) {
	facts := unhardened(v)
	if len(facts) == 0 || len(v.Story.Existed()) > 0 || !v.Facts.Any(inv.RowAbsent) {
		return none()
	}
	return fate(inv.FateLost, inv.Probable, facts, "The record was acknowledged %s while commits did not wait for the disk (%s), and the server crashed right after: %s", clock(facts[0].Time), facts[1].Says, facts[2].Says)
}

// hardenReach is how long an asynchronous commit can stay unwritten: three times
// wal_writer_delay at its default, with room for the log's clock.
const hardenReach = 2 * time.Second

// unhardened returns the acknowledgement, the setting by which it did not wait,
// and the crash that followed: the three signs of a lost asynchronous commit.
func unhardened(v View) inv.Facts {
	lax := laxSettings(v)
	if len(lax) == 0 || v.property("persistence").With("value", "unlogged") != nil {
		return nil
	}
	for _, f := range v.Facts.Of(inv.IDIssued) {
		for _, c := range v.Facts.Of(inv.CrashRecovery) {
			if f.Time.IsZero() || c.Time.IsZero() || f.Time.After(c.Time) {
				continue
			}
			if t, ok := lastAlive(v, c); ok && f.Time.Before(t.Add(-clockSlack)) || !ok && c.Time.Sub(f.Time) > hardenReach {
				continue // it was on disk before the crash, or long before
			}
			return inv.Facts{f, lax[0], c}
		}
	}
	return nil
}

// clockSlack is how much an answer's clock may differ from the commit's.
const clockSlack = 100 * time.Millisecond

// lastAlive is the time of the last commit that recovery found, when the log
// tells it: what was committed after it did not survive.
func lastAlive(v View, crash inv.Fact) (time.Time, bool) {
	const recovery = time.Hour
	for _, f := range v.Facts.Of(inv.SystemEvent).With("how", "last-commit") {
		t, err := time.Parse(time.RFC3339Nano, f.Attr("last-commit"))
		if d := f.Time.Sub(crash.Time); err == nil && d >= 0 && d < recovery {
			return t, true
		}
	}
	return time.Time{}, false
}

// laxSettings are settings by which a commit is acknowledged before it is
// durable. One that is set for a role counts when that role is the application's
// or wrote near the record.
func laxSettings(v View) inv.Facts {
	return v.Facts.Of(inv.Setting).Where(func(f inv.Fact) bool {
		switch f.Attr("name") {
		case "synchronous_commit", "fsync":
			return f.Attr("value") == "off" && concerns(v, f.Attr("scope"))
		}
		return false
	})
}

// concerns reports whether a setting's scope, such as "set for role shop_app",
// holds for the sessions that wrote the record.
func concerns(v View, scope string) bool {
	_, rest, ok := strings.Cut(scope, "role ")
	if !ok {
		return true
	}
	role, _, _ := strings.Cut(rest, " database ")
	if v.Options.AppRole != "" {
		return role == v.Options.AppRole
	}
	return len(v.Facts.Where(func(f inv.Fact) bool {
		return (f.Kind == inv.LogStatement || f.Kind == inv.SessionAtCommit) && f.Attr("user") == role
	})) > 0
}
