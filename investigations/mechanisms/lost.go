package mechanisms

import (
	inv "inquest/investigations"
)

// losing describes a mechanism by which a stored row is lost without a delete.
type losing struct {
	id, title, about, says string
	cause                  inv.Cause
	rules                  []Rule
	settles                []string
}

// lostBy returns the mechanism: it is proved when a loss of its kind is shown,
// and contradicted by any delete that was read.
func lostBy(l losing) Mechanism {
	return Mechanism{
		ID: l.id, Fate: inv.FateLost, Title: l.title, About: l.about, Cause: Always(l.cause),
		Rules: append([]Rule{
			proof(Rule{Says: l.says, Find: func(v View) inv.Facts { return lossesBy(v, l.id) }}),
			rowDeleted(Contradicts),
			{
				Role: Contradicts, Says: "the row is there",
				Find:   func(v View) inv.Facts { return ownRows(v) },
				Looked: func(v View) bool { return v.Facts.Any(inv.RowAbsent) },
			},
		}, l.rules...),
		Says: func(v View) string {
			for _, x := range losses(v) {
				if x.mechanism == l.id {
					return x.says
				}
			}
			return l.about
		},
		Settles: l.settles,
	}
}

func unloggedReset() Mechanism {
	return lostBy(losing{
		id: "unlogged-reset", title: "unlogged table emptied", cause: inv.CauseSystem,
		about: "The table is unlogged, and crash recovery emptied it.",
		says:  "the table is unlogged, and crash recovery came after the row was stored",
		rules: []Rule{{
			Role: Contradicts, Says: "the table is permanent",
			Find: func(v View) inv.Facts { return v.property("persistence").With("value", "permanent") },
		}},
		settles: []string{"pg_class.relpersistence of the table", "the PostgreSQL server log since the record was created"},
	})
}

func failoverLost() Mechanism {
	return lostBy(losing{
		id: "failover-lost", title: "lost in a failover", cause: inv.CauseDatabase,
		about: "A node was promoted that had not received the commit.",
		says:  "the commit stands beyond the point where the promoted node's history left the old one",
		rules: []Rule{
			supportedBySigns("a promotion is told by the timeline's history or a log", "failover"),
			singleTimeline(),
		},
		settles: []string{"the old primary's data folder or its pg_wal (--wal)", "the timeline history file", "the promoted node's server log"},
	})
}

func restoredBackup() Mechanism {
	return lostBy(losing{
		id: "restored-backup", title: "restored to an earlier state", cause: inv.CauseAccidental,
		about: "The cluster or the table was put back to a state from before the record.",
		says:  "the commit stands in WAL that the restored server's history does not have",
		rules: []Rule{
			supportedBySigns("a restore is told by the timeline's history or a log", "restore"),
		},
		settles: []string{"the server log of its start", "WAL or a backup from before the restore (--wal)", "ask who restored it, and from when"},
	})
}

func pageCorruption() Mechanism {
	return lostBy(losing{
		id: "page-corruption", title: "page damaged", cause: inv.CauseSystem,
		about: "The page that held the row was damaged, emptied or cannot be read.",
		says:  "the row was committed and never deleted, and the server knows of damage",
		rules: []Rule{
			{
				Role: Supports, Says: "the page that held the row is named as damaged",
				Find: func(v View) inv.Facts { return damagedBlocks(v) },
			},
			{
				Role: Supports, Says: "the server or the host reported damage",
				Find: func(v View) inv.Facts {
					return v.Facts.Of(inv.SystemEvent).Where(func(f inv.Fact) bool { return f.Attr("how") == "damage" })
				},
			},
		},
		settles: []string{"verify_heapam and bt_index_check (amcheck)", "pg_stat_database.checksum_failures", "the kernel log of the database host for I/O errors"},
	})
}

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

func supportedBySigns(says, how string) Rule {
	return Rule{Role: Supports, Says: says, Find: func(v View) inv.Facts { return signs(v, how) }}
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
