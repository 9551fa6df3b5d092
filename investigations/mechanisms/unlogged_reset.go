package mechanisms

import (
	inv "inquest/investigations"
)

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
