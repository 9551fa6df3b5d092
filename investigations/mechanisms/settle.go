package mechanisms

import (
	inv "inquest/investigations"
)

// whatWouldSettle lists, cheapest first, what would settle an undetermined fate,
// by what could not be seen.
func whatWouldSettle(v View) []string {
	var out []string
	add := func(when bool, what string) {
		if when {
			out = append(out, what)
		}
	}
	o := v.Outcomes
	add(v.noDatabase(), "the database that the record belongs to: --db")
	unread := !v.noDatabase() && !v.Facts.Any(inv.RowAbsent, inv.RowVisible)
	add(unread && len(v.property("row-security")) > 0, "read the table as its owner or as a role with BYPASSRLS: row-level security hides rows from this one")
	add(unread && len(v.property("row-security")) == 0, "read the table by its key: --db with a role that may SELECT it")
	add(!v.Facts.Any(inv.IDIssued), "a log, or the client's own record, that shows how the create was answered: --logs")
	add(!v.noDatabase() && o["database.lineage"] != inv.Found && !v.Facts.Any(inv.WALKeyAbsent), "WAL of the moment the id was issued: a role that may read it, or --wal with an archive")
	add(!v.noDatabase() && o["database.versions"] == inv.BlindOutcome, "raw pages of the table, for dead row versions: a role that may read them, as the probe of the row versions says")
	add(o["database.serverlog"] != inv.Found && o["database.serverlog"] != inv.Absent, "the PostgreSQL server log of that time: --logs")
	add(true, "a backup taken after the create: if it holds the row, it was deleted later")
	return out
}
