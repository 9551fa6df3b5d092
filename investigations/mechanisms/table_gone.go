package mechanisms

import (
	inv "inquest/investigations"
)

// tableGone is the committed removal of the table, or of the part of it that held
// the row, that took the row.
func tableGone(v View, kind inv.FactKind) inv.Facts {
	if r, ok := takenWith(v); ok && r.Fact.Kind == kind {
		return r.Facts()
	}
	return nil
}

// rowDeleted is the rule that the row itself was deleted.
func rowDeleted(role Role) Rule {
	return Rule{
		Role: role, Says: "the row itself was deleted",
		Find: func(v View) inv.Facts {
			if d, ok := v.Story.removal(); ok {
				return d.Facts()
			}
			return nil
		},
		Looked: func(v View) bool { return v.Facts.Any(inv.WALCovered) },
	}
}

// noneSinceStored is the rule that WAL was read without a hole since the row was
// stored and tells of no such removal of its table.
func noneSinceStored(says string, kind inv.FactKind) Rule {
	return Rule{
		Role: Contradicts, Says: says,
		Find: func(v View) inv.Facts {
			ins, ok := Last(Ended(v.Story.Inserts, Committed))
			if !ok || v.Facts.Any(kind) {
				return nil
			}
			return coveredSince(v, ins.When())
		},
		Looked: func(v View) bool { return v.Facts.Any(kind) },
	}
}

// statementLogged is the rule that a log shows a statement of this kind on the
// table. It was written before the statement ran, so it supports and proves
// nothing.
func statementLogged(says, op string) Rule {
	return Rule{
		Role: Supports, Says: says,
		Find: func(v View) inv.Facts { return removalStatements(v).With("op", op) },
	}
}

// bySession names the one session that can have done the act.
func bySession(v View) string {
	if a := soleActor(v); len(a) > 0 {
		return " by " + sessionName(a[0])
	}
	return ""
}
