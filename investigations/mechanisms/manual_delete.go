package mechanisms

import (
	inv "inquest/investigations"
)

func manualDelete() Mechanism {
	return Mechanism{
		ID: "manual-delete", Fate: inv.FateDeleted, Title: "deleted by hand",
		About: "A person deleted the row in an interactive client.",
		Cause: Always(inv.CauseAccidental),
		Rules: []Rule{
			deleted(Needs),
			proof(actorIs(Supports, "exactly one session can have done it, an interactive client used at human pace", person)),
			{
				Role: Supports, Says: "an interactive client was among the sessions that can have done it",
				Find: func(v View) inv.Facts { return actors(v).Where(isInteractive) },
			},
			actorNot("every session that can have done it is known, and none is an interactive client", typed),
			replicated(Contradicts),
			removedByTable(Contradicts),
		},
		Says: func(v View) string {
			if s := soleActor(v).Where(isInteractive); len(s) > 0 {
				return "The delete was committed while one session could have done it: " + sessionName(s[0]) + "."
			}
			if s := actors(v).Where(isInteractive); len(s) > 0 {
				return "An interactive session was connected when the delete was committed, among others: " + sessionName(s[0]) + "."
			}
			if len(actors(v)) > 0 {
				return "None of the sessions that could have done it is known to be a person's."
			}
			return "Whose session did it is not known: it may have been a person's."
		},
		Settles: []string{
			"the server log's connection and statement lines around the commit",
			"ask who was connected with a personal role at that moment",
		},
	}
}

// removedByTable is the rule that the whole table or partition went, not the row.
func removedByTable(role Role) Rule {
	return Rule{
		Role: role, Says: "the whole table was emptied or dropped",
		Find: func(v View) inv.Facts {
			if _, deleted := v.Story.removal(); deleted {
				return nil
			}
			if r, ok := Last(Ended(v.Story.Removals, Committed)); ok {
				return r.Facts()
			}
			return nil
		},
		Looked: func(v View) bool { return v.Facts.Any(inv.WALCovered) },
	}
}

// replicated is the rule that the change was applied from another server, where
// its actor is.
func replicated(role Role) Rule {
	return Rule{
		Role: role, Says: "the change was applied from another server by replication",
		Find: func(v View) inv.Facts {
			a, ok := act(v)
			if !ok {
				return nil
			}
			return a.Ends.Where(func(f inv.Fact) bool { return f.Attr("origin") != "" && f.Attr("origin") != "0" })
		},
		Looked: func(v View) bool { return len(actors(v)) > 0 },
	}
}
