package mechanisms

import (
	inv "inquest/investigations"
)

func restoredBackup() Mechanism {
	return lostBy(losing{
		id: "restored-backup", title: "restored to an earlier state", cause: inv.CauseAccidental,
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
