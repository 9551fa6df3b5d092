package mechanisms

import (
	"slices"
	"strings"

	inv "inquest/investigations"
)

// interactive names clients that people type into. A program name alone proves
// no person: scripts call psql too.
var interactive = []string{"psql", "pgadmin", "dbeaver", "datagrip", "tableplus", "postico", "beekeeper", "navicat", "heidisql", "azure data studio", "pgcli"}

func manualDelete() Mechanism {
	return Mechanism{
		ID: "manual-delete", Fate: inv.FateDeleted, Title: "deleted by hand",
		About: "A person deleted the row in an interactive client.",
		Cause: Always(inv.CauseAccidental),
		Rules: []Rule{
			deleted(Needs),
			proof(Rule{
				Says: "exactly one session can have done it, an interactive client used at human pace",
				Find: func(v View) inv.Facts {
					return deleters(v).Where(func(f inv.Fact) bool { return onlyOne(f) && isInteractive(f) && f.Attr("pace") == "human" })
				},
			}),
			{
				Role: Supports, Says: "an interactive client was among the sessions that can have done it",
				Find: func(v View) inv.Facts { return deleters(v).Where(isInteractive) },
			},
			{
				Role: Contradicts, Says: "the only session that can have done it is no interactive client",
				Find: func(v View) inv.Facts {
					return deleters(v).Where(func(f inv.Fact) bool { return onlyOne(f) && f.Attr("application-known") == "true" && !isInteractive(f) })
				},
			},
			{
				Role: Contradicts, Says: "every session that can have done it is known, and none is an interactive client",
				Find: func(v View) inv.Facts {
					all := deleters(v)
					complete := len(all) > 0
					for _, f := range all {
						complete = complete && f.Attr("complete") == "true" && f.Attr("application-known") == "true" && !isInteractive(f)
					}
					if !complete {
						return nil
					}
					return all
				},
			},
			removedByTable(Contradicts),
		},
		Says: func(v View) string {
			for _, f := range deleters(v) {
				if onlyOne(f) && isInteractive(f) {
					return "The delete was committed while one session could have done it: " + sessionName(f) + "."
				}
			}
			if s := deleters(v).Where(isInteractive); len(s) > 0 {
				return "An interactive session was connected when the delete was committed, among others: " + sessionName(s[0]) + "."
			}
			return "No session that could have done it is known to be a person's."
		},
		Settles: []string{
			"the server log's connection and statement lines around the commit",
			"ask who was connected with a personal role at that moment",
		},
	}
}

// deleters are the sessions that can have committed the delete.
func deleters(v View) inv.Facts {
	d, ok := Last(Ended(v.Story.Deletes, Committed))
	if !ok {
		return nil
	}
	return v.Facts.Of(inv.SessionAtCommit).With("of", d.Xid)
}

func onlyOne(f inv.Fact) bool {
	return f.Attr("complete") == "true" && f.Number("count") == 1
}

func isInteractive(f inv.Fact) bool {
	app := strings.ToLower(f.Attr("application"))
	return app != "" && slices.ContainsFunc(interactive, func(s string) bool { return strings.Contains(app, s) })
}

// removedByTable is the rule that the whole table or partition went, not the row.
func removedByTable(role Role) Rule {
	return Rule{
		Role: role, Says: "the whole table was emptied or dropped",
		Find: func(v View) inv.Facts {
			if len(Ended(v.Story.Deletes, Committed)) > 0 {
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
