package mechanisms

import (
	"slices"
	"strings"

	inv "inquest/investigations"
)

// fateElsewhere: the row stands in a place where the application does not look.
func fateElsewhere(v View) (inv.Fate, bool) {
	if len(v.Story.Existed()) > 0 {
		return fateAhead(v)
	}
	if len(ownRows(v)) > 0 || len(v.Story.Inserts) > 0 || !v.Facts.Any(inv.RowAbsent) {
		return fateAhead(v)
	}
	when := bornWhen(v)
	if there := v.Facts.Of(inv.RowElsewhere); len(there) > 0 {
		never := neverIn(v, "", when)
		if len(never) == 0 {
			return copyOrRecord(there, there[0].Says), true
		}
		standing := inv.Probable
		if there[0].Attr("reason") != "" {
			standing = inv.Established
		}
		return fate(inv.FateHidden, standing, append(there, never...), "%s", there[0].Says)
	}
	for _, n := range v.Nodes {
		seen, how := n.Facts.Of(inv.RowVisible), apart(v, n)
		if len(seen) == 0 || how == "" {
			continue
		}
		where := "The row is in " + seen[0].Attr("table") + " on " + n.Server + ", which is " + how + " than the one that was asked."
		facts := append(slices.Clone(seen), v.Facts.Of(inv.RowAbsent)...)
		proof := append(bornIn(n.Story, seen[0].Attr("table"), when), neverIn(v, "", when)...)
		if len(proof) == 0 {
			return copyOrRecord(facts, where), true
		}
		standing := inv.Probable // a number means another record there
		if globallyUnique(v.Record) {
			standing = inv.Established
		}
		return fate(inv.FateHidden, standing, append(facts, proof...), "%s", where)
	}
	return fateAhead(v)
}

// inOtherPlaces are rows of the record on nodes that are surely another place.
func inOtherPlaces(v View) inv.Facts {
	var out inv.Facts
	for _, n := range v.Nodes {
		if apart(v, n) != "" {
			out = append(out, n.Facts.Of(inv.RowVisible)...)
		}
	}
	return out
}

// fateBehind: the home server has the row and another node of the cluster, which
// reads may go to, does not.
func fateBehind(v View, visible inv.Facts) (inv.Fate, bool) {
	for _, n := range v.Nodes {
		absent := n.Facts.Of(inv.RowAbsent)
		if len(absent) == 0 || n.Facts.Any(inv.RowVisible) || !sameCluster(v, n) || !askedAfter(absent, visible) {
			continue
		}
		facts := append(append(inv.Facts{}, visible...), absent...)
		return fate(inv.FateHidden, inv.Established, append(facts, n.behind()...), "The row is in %s here, and %s does not have it%s: reads that go there do not find it.", visible[0].Attr("table"), n.Server, n.why())
	}
	return none()
}

// askedAfter reports whether a node was asked once more after the other had shown
// the row: before that the row may not have been stored yet.
func askedAfter(absent, visible inv.Facts) bool {
	return slices.ContainsFunc(absent, func(a inv.Fact) bool {
		return !slices.ContainsFunc(visible, func(s inv.Fact) bool { return a.Time.Before(s.Time) })
	})
}

// fateAhead: the home server, a lone standby, does not have a row that another
// node of its cluster shows.
func fateAhead(v View) (inv.Fate, bool) {
	if v.setting("server.in_recovery") != "t" || !v.Facts.Any(inv.RowAbsent) {
		return none()
	}
	for _, n := range v.Nodes {
		if seen := n.Facts.Of(inv.RowVisible); len(seen) > 0 && sameCluster(v, n) {
			return fate(inv.FateHidden, inv.Established, append(seen, v.Facts.Of(inv.RowAbsent)...), "The row is on %s, and this standby does not have it.", n.Server)
		}
	}
	return none()
}

// behind are the facts by which the node lags or has diverged.
func (n Node) behind() inv.Facts {
	return n.Facts.Of(inv.Setting).Where(func(f inv.Fact) bool {
		switch f.Attr("name") {
		case "server.in_recovery", "server.replay_paused":
			return f.Attr("value") == "t"
		case "server.replay_lsn", "server.timeline":
			return true
		}
		return false
	})
}

func (n Node) why() string {
	switch {
	case n.setting("server.replay_paused") == "t":
		return ", a standby whose replay is paused"
	case n.setting("server.in_recovery") == "t":
		return ", a standby that has replayed up to " + orUnknown(n.setting("server.replay_lsn"), "an unknown position")
	}
	return ""
}

// fateOtherSchema: the row is read in a table of one schema, while the
// application's search path leads to a table of the same name in another.
func fateOtherSchema(v View, visible inv.Facts) (inv.Fate, bool) {
	table := visible[0].Attr("table")
	if list := v.property("resolves-elsewhere").With("table", table); len(list) > 0 {
		f := list[0]
		if v.Record.Table != "" && strings.Contains(v.Record.Table, ".") && strings.EqualFold(v.Record.Table, table) {
			return none() // the person asked for this very table
		}
		facts := append(inv.Facts{f}, visible...)
		where := "The row is in " + table + ", while the application looks in " + f.Attr("value") + ": " + f.Says + "."
		proof := writtenThere(v, table, f.Attr("value"))
		if len(proof) == 0 {
			return copyOrRecord(facts, where), true
		}
		return fate(inv.FateHidden, inv.Established, append(facts, proof...), "%s", where)
	}
	if twin := v.property("lookalike").With("table", table); len(twin) > 0 {
		facts := append(slices.Clone(twin), visible...)
		where := "The row is in " + table + ", which is no part of " + twin[0].Attr("value") + ": " + twin[0].Says + "."
		proof := append(detachLogged(v, table), writtenThere(v, table, twin[0].Attr("value"))...)
		if by := detachConfigured(v, table); len(proof) == 0 && len(by) > 0 {
			return fate(inv.FateHidden, inv.Probable, append(facts, by...), "%s And %s.", where, by[0].Says)
		}
		if len(proof) == 0 {
			return copyOrRecord(facts, where), true
		}
		return fate(inv.FateHidden, inv.Established, append(facts, proof...), "%s", where)
	}
	return none()
}

// writtenThere shows that the record was written to a table, and not to the other
// one in which it is missed.
func writtenThere(v View, table, other string) inv.Facts {
	when := bornWhen(v)
	return append(bornIn(v.Story, table, when), neverIn(v, other, when)...)
}

// blockOf is the block number of a row address such as (12,4).
func blockOf(tid string) string {
	block, _, ok := strings.Cut(strings.Trim(tid, "()"), ",")
	if !ok {
		return ""
	}
	return block
}
