package mechanisms

import (
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
	if there := v.Facts.Of(inv.RowElsewhere); len(there) > 0 {
		standing := inv.Probable
		if there[0].Attr("reason") != "" {
			standing = inv.Established
		}
		return fate(inv.FateHidden, standing, there, "%s", there[0].Says)
	}
	for _, n := range v.Nodes {
		seen, how := n.Facts.Of(inv.RowVisible), apart(v, n)
		if len(seen) == 0 || how == "" {
			continue
		}
		standing := inv.Probable // a number means another record there
		if globallyUnique(v.Record) {
			standing = inv.Established
		}
		return fate(inv.FateHidden, standing, append(seen, v.Facts.Of(inv.RowAbsent)...), "The row is in %s on %s, which is %s than the one that was asked.", seen[0].Attr("table"), n.Server, how)
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
		if len(absent) == 0 || n.Facts.Any(inv.RowVisible) || !sameCluster(v, n) {
			continue
		}
		facts := append(append(inv.Facts{}, visible...), absent...)
		return fate(inv.FateHidden, inv.Established, append(facts, n.behind()...), "The row is in %s here, and %s does not have it%s: reads that go there do not find it.", visible[0].Attr("table"), n.Server, n.why())
	}
	return none()
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
		return fate(inv.FateHidden, inv.Established, append(inv.Facts{f}, visible...), "The row is in %s, while the application looks in %s: %s.", table, f.Attr("value"), f.Says)
	}
	if twin := v.property("lookalike").With("table", table); len(twin) > 0 {
		return fate(inv.FateHidden, inv.Established, append(twin, visible...), "The row is in %s, which is no part of %s any more: %s.", table, twin[0].Attr("value"), twin[0].Says)
	}
	return none()
}

// blockOf is the block number of a row address such as (12,4).
func blockOf(tid string) string {
	block, _, ok := strings.Cut(strings.Trim(tid, "()"), ",")
	if !ok {
		return ""
	}
	return block
}
