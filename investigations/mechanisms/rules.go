package mechanisms

import (
	"slices"

	inv "inquest/investigations"
)

// Sqlstates of errors that end a transaction for reasons of their own.
var (
	deadlocks      = []string{"40P01"}
	serializations = []string{"40001"}
	terminations   = []string{"57P01", "57P02", "57P03", "crash"}
)

// written is the rule that a row version of the key was really written.
func written(role Role) Rule {
	return Rule{
		Role: role, Says: "a row version of the key was written",
		Find: func(v View) inv.Facts {
			var out inv.Facts
			for _, s := range v.Story.Inserts {
				out = append(out, s.Fact)
			}
			return out
		},
		Looked: func(v View) bool { return v.Facts.Any(inv.WALKeyAbsent) },
	}
}

// committed is the rule that an insert of the key committed.
func committed(role Role) Rule {
	return Rule{
		Role: role, Says: "the insert's transaction committed",
		Find: func(v View) inv.Facts {
			if ins, ok := Last(Ended(v.Story.Inserts, Committed)); ok {
				return ins.Facts()
			}
			return nil
		},
		Looked: func(v View) bool { return len(Ended(v.Story.Inserts, Aborted, Prepared, Open)) > 0 },
	}
}

// aborted is the rule that the insert's transaction was rolled back.
func aborted(role Role) Rule {
	return Rule{
		Role: role, Says: "the insert's transaction was rolled back",
		Find: func(v View) inv.Facts {
			if ins, ok := Last(Ended(v.Story.Inserts, Aborted)); ok {
				return ins.Facts()
			}
			return nil
		},
		Looked: func(v View) bool { return len(v.Story.Inserts) > 0 },
	}
}

// deleted is the rule that a committed delete of the key was read.
func deleted(role Role) Rule {
	return Rule{
		Role: role, Says: "a committed delete of the row was read",
		Find: func(v View) inv.Facts {
			if d, ok := v.Story.removal(); ok {
				return d.Facts()
			}
			return nil
		},
		Looked: func(v View) bool { return v.Facts.Any(inv.WALCovered) },
	}
}

// deletedOrLogged is the rule that a committed delete was read, or that, where none
// could be read, logs tell of the removal.
func deletedOrLogged(role Role) Rule {
	read := deleted(role)
	return Rule{
		Role: role, Says: "a committed delete of the row was read, or a log tells of its removal",
		Find: func(v View) inv.Facts {
			if found := read.Find(v); len(found) > 0 {
				return found
			}
			if !v.Story.Empty() {
				return nil
			}
			return loggedDeletes(v)
		},
		Looked: read.Looked,
	}
}

// has is the rule that there are facts of a kind.
func has(role Role, kind inv.FactKind, says string) Rule {
	return Rule{Role: role, Says: says, Find: func(v View) inv.Facts { return v.Facts.Of(kind) }}
}

// proof turns support into proof of its own.
func proof(r Rule) Rule {
	r.Role, r.Proof = Supports, true
	return r
}

// abortXids are the transactions that wrote the key and did not commit.
func abortXids(v View) []string {
	var out []string
	for _, s := range Ended(v.Story.Inserts, Aborted) {
		out = append(out, s.Xid)
		for _, e := range s.Ends {
			if top := e.Attr("top"); top != "" {
				out = append(out, top)
			}
		}
	}
	return out
}

// errorsOfAbort are the logged errors that were tied to the key's aborted
// transaction: by its xid, or by standing alone at its moment.
func errorsOfAbort(v View, states ...string) inv.Facts {
	xids := abortXids(v)
	return v.Facts.Of(inv.LogError).Where(func(f inv.Fact) bool {
		tied := slices.Contains(xids, f.Attr("of")) && (f.Attr("joins") == "xid" || f.Attr("unique") == "true")
		return tied && (len(states) == 0 || slices.Contains(states, f.Attr("sqlstate")))
	})
}

// otherErrorsOfAbort are those whose sqlstate is none of the given.
func otherErrorsOfAbort(v View, not ...string) inv.Facts {
	return errorsOfAbort(v).Where(func(f inv.Fact) bool { return !slices.Contains(not, f.Attr("sqlstate")) })
}

// errorsNearAbort are errors at the moment of the abort that could belong to it
// or to another session.
func errorsNearAbort(v View) inv.Facts {
	xids := abortXids(v)
	return v.Facts.Of(inv.LogError).Where(func(f inv.Fact) bool { return slices.Contains(xids, f.Attr("of")) })
}

// logCoversAbort is the fact that the server log was read over the moment of the
// abort at error level.
func logCoversAbort(v View) inv.Facts {
	xids := abortXids(v)
	return v.Facts.Of(inv.LogCovers).Where(func(f inv.Fact) bool { return slices.Contains(xids, f.Attr("of")) })
}

// noneLogged is the rule that the log covers the abort and shows no error of
// these kinds there.
func noneLogged(says string, states ...string) Rule {
	return Rule{
		Role: Contradicts, Says: says,
		Find: func(v View) inv.Facts {
			for _, f := range errorsNearAbort(v) {
				if slices.Contains(states, f.Attr("sqlstate")) {
					return nil
				}
			}
			return logCoversAbort(v)
		},
		Looked: func(v View) bool { return len(errorsNearAbort(v)) > 0 },
	}
}

// anotherReason is the rule that the log gives the abort another reason.
func anotherReason(states ...string) Rule {
	return Rule{
		Role: Contradicts, Says: "the log gives another reason for the abort",
		Find:   func(v View) inv.Facts { return otherErrorsOfAbort(v, states...) },
		Looked: func(v View) bool { return len(logCoversAbort(v)) > 0 },
	}
}
