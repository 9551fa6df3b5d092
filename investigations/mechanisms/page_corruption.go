package mechanisms

import (
	inv "inquest/investigations"
)

func pageCorruption() Mechanism {
	return lostBy(losing{
		id: "page-corruption", title: "page damaged", cause: Always(inv.CauseSystem),
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
