package mechanisms

import (
	inv "inquest/investigations"
)

func unloggedReset() Mechanism {
	return lostBy(losing{
		id: "unlogged-reset", title: "unlogged table emptied", cause: Always(inv.CauseSystem),
		about: "The table is unlogged, and crash recovery emptied it.",
		says:  "the table is unlogged, and crash recovery came after the row was stored",
		rules: []Rule{{
			Role: Supports, Says: "the table is unlogged, and the server went through crash recovery, which empties such tables",
			Find: func(v View) inv.Facts {
				unlogged := v.property("persistence").With("value", "unlogged")
				if crash := v.Facts.Of(inv.CrashRecovery); len(unlogged) > 0 && len(crash) > 0 {
					return append(unlogged, crash...)
				}
				return nil
			},
		}, {
			Role: Contradicts, Says: "the table is permanent",
			Find: func(v View) inv.Facts { return v.property("persistence").With("value", "permanent") },
		}},
		settles: []string{"proof that the id was handed out before the crash: the application's log, the client's own record", "pg_class.relpersistence of the table", "the PostgreSQL server log since the record was created"},
	})
}
