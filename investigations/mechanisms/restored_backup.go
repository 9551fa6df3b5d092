package mechanisms

import (
	"strings"

	inv "inquest/investigations"
)

func restoredBackup() Mechanism {
	return lostBy(losing{
		id: "restored-backup", title: "restored to an earlier state", cause: byRestorer,
		about: "The cluster or the table was put back to a state from before the record.",
		says:  "the commit stands in WAL that the restored server's history does not have",
		rules: []Rule{
			{
				Role: Supports, Says: "one transaction emptied the table and filled it again",
				Find: func(v View) inv.Facts {
					for _, r := range Ended(v.Story.Removals, Committed) {
						if c := refilled(v, r); len(c) > 0 {
							return append(r.Facts(), c...)
						}
					}
					return nil
				},
			},
			{
				Role: Supports, Says: "the table's sequence stands behind the id",
				Find: setBack,
			},
			supportedBySigns("a restore is told by the timeline's history or a log", "restore"),
		},
		settles: []string{"the server log of its start", "WAL or a backup from before the restore (--wal)", "ask who restored it, and from when"},
	})
}

// byRestorer is the family of who put the server or the table back. A table's
// reload was a session's; a recovery that was given a point to stop at was
// somebody's choice, and took more than was meant. A server that came back from a
// copy for no reason that is told may have been a person's, a disk's or a tool's.
func byRestorer(v View) inv.Cause {
	for _, r := range Ended(v.Story.Removals, Committed) {
		if len(refilled(v, r)) > 0 {
			return familyOf(v, sessionsOf(v, append([]string{r.Xid}, topsOf(r)...)...), inv.CauseUndetermined)
		}
	}
	if len(chosenTarget(v)) > 0 {
		return inv.CauseAccidental
	}
	return inv.CauseUndetermined
}

// chosenTarget are the signs that a recovery was told where to stop: by the
// timeline's history (xlogrecovery.c, getRecoveryStopReason) or by the server log.
func chosenTarget(v View) inv.Facts {
	return signs(v, "restore").Where(func(f inv.Fact) bool {
		for _, reason := range []string{"before ", "after ", "at restore point"} {
			if strings.HasPrefix(f.Attr("reason"), reason) {
				return true
			}
		}
		return f.Attr("target") == "true"
	})
}
