package mechanisms

import (
	inv "inquest/investigations"
)

// fateUnreplayed: a standby shows the row, and WAL that it has received and not
// replayed yet, because its replay is delayed or paused, holds what took it.
func fateUnreplayed(v View) (inv.Fate, bool) {
	replayed := lsn(v.setting("server.replay_lsn"))
	if v.setting("server.in_recovery") != "t" || replayed == 0 || len(ownRows(v)) == 0 {
		return none()
	}
	var took []Step
	if d, ok := v.Story.removal(); ok {
		took = append(took, d)
	}
	if r, ok := v.Story.departure(); ok {
		took = append(took, r)
	}
	if r, ok := takenWith(v); ok {
		took = append(took, r)
	}
	for _, s := range took {
		if position(s) < replayed {
			return none() // replayed: the row that is shown is another
		}
	}
	if len(took) == 0 {
		return none()
	}
	for _, rule := range []func(View) (inv.Fate, bool){fateRekeyed, fateRemoved} {
		if f, ok := rule(v); ok {
			return f, true
		}
	}
	return none()
}

// standing tells of standbys that still show a row that is gone or has another key:
// it can be copied from there.
func standing(v View, f inv.Fate) inv.Fate {
	if f.Kind != inv.FateDeleted && f.Kind != inv.FateLost && f.Kind != inv.FateRekeyed {
		return f
	}
	for _, n := range append([]Node{{Server: homeServer(v.All), Facts: v.Facts}}, v.Nodes...) {
		seen := n.Facts.Of(inv.RowVisible).Where(func(f inv.Fact) bool { return f.Attr("as") == "" && f.Attr("refers") != "true" })
		if len(seen) == 0 || n.setting("server.in_recovery") != "t" || !sameCluster(v, n) {
			continue
		}
		how := "has replayed up to " + orUnknown(n.setting("server.replay_lsn"), "an unknown position")
		hold := " (pg_wal_replay_pause() holds it)"
		if n.setting("server.replay_paused") == "t" {
			how, hold = "has its replay paused at "+orUnknown(n.setting("server.replay_lsn"), "an unknown position"), " (do not resume it)"
		}
		f.Summary += " The row still stands on " + n.Server + ", a standby that " + how + ": copy it from there now, before it replays what took the row" + hold + "."
		f.Evidence = appendNew(f.Evidence, seen.Evidence()...)
	}
	return f
}
