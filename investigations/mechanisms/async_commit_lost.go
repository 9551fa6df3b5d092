package mechanisms

import (
	inv "inquest/investigations"
)

func asyncCommitLost() Mechanism {
	return Mechanism{
		ID: "async-commit-lost", Fate: inv.FateLost, Title: "commit lost in a crash",
		About: "The commit was acknowledged before it was durable, and the server crashed right after.",
		Cause: Always(inv.CauseSystem),
		Rules: []Rule{
			{
				Role: Needs, Says: "the server crashed after the record was acknowledged",
				Find: func(v View) inv.Facts { return v.Facts.Of(inv.CrashRecovery) },
			},
			proof(Rule{
				Says: "commits did not wait for the disk, and the crash followed the acknowledgement at once",
				Find: unhardened,
			}),
			{
				Role: Supports, Says: "the insert was logged as a statement",
				Find: insertStatements,
			},
			committed(Contradicts),
			{
				Role: Contradicts, Says: "commits waited for the disk",
				Find: func(v View) inv.Facts {
					if len(laxSettings(v)) > 0 {
						return nil
					}
					return v.Facts.Of(inv.Setting).Where(func(f inv.Fact) bool {
						return f.Attr("name") == "synchronous_commit" && f.Attr("value") == "on"
					})
				},
				Looked: func(v View) bool { return len(laxSettings(v)) > 0 },
			},
			rowDeleted(Contradicts),
		},
		Says: func(v View) string {
			if f := unhardened(v); len(f) > 0 {
				return "The record was acknowledged" + at(f[0].Time) + ", while commits did not wait for the disk (" + f[1].Says + "), and the crash took the commit: " + f[2].Says
			}
			return "The commit would have been acknowledged before it was on disk."
		},
		Settles: []string{"synchronous_commit of the application's role, database and sessions", "WAL up to the crash: is the insert there without its COMMIT?"},
	}
}
