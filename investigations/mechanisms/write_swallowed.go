package mechanisms

import (
	"slices"

	inv "inquest/investigations"
)

func writeSwallowed() Mechanism {
	return Mechanism{
		ID: "write-swallowed", Fate: inv.FateNeverWritten, Title: "write swallowed",
		About: "The INSERT reached the server and wrote nothing: a trigger, a rule or ON CONFLICT DO NOTHING took it.",
		Cause: func(v View) inv.Cause {
			if len(takers(v)) == 0 && len(ignoresConflict(v)) > 0 {
				return inv.CauseApplication
			}
			return inv.CauseDatabase
		},
		Rules: []Rule{
			{
				Role: Needs, Says: "something can swallow an insert into the table",
				Find: swallowers,
			},
			proof(Rule{
				Says: "the insert reached the server without an error, and WAL holds no row version of it",
				Find: func(v View) inv.Facts {
					for _, f := range insertStatements(v) {
						if c := coveringAbsence(v, f.Time); len(c) > 0 && len(swallowers(v)) > 0 {
							return append(inv.Facts{f}, c...)
						}
					}
					return nil
				},
			}),
			proof(Rule{
				Says: "a trigger or rule of the table drops inserts on a condition that holds for the values of this one",
				Find: func(v View) inv.Facts { return swallowing(v).With("holds", "true") },
			}),
			{
				Role: Contradicts, Says: "no trigger or rule of the table takes an insert of these values",
				Find: func(v View) inv.Facts {
					if len(swallowers(v)) > 0 {
						return nil
					}
					return swallowing(v).With("holds", "false")
				},
				Looked: func(v View) bool { return len(swallowing(v)) > 0 },
			},
			written(Contradicts),
			{Role: Contradicts, Says: "the server refused the insert with an error", Find: refused},
			{
				Role: Contradicts, Says: "the row is there",
				Find:   func(v View) inv.Facts { return ownRows(v) },
				Looked: func(v View) bool { return v.Facts.Any(inv.RowAbsent) },
			},
		},
		Explains: []string{"response-before-write"},
		Says: func(v View) string {
			if list := swallowers(v); len(list) > 0 {
				f := list[0]
				s := "An insert can vanish without an error: " + f.Says + "."
				if st := insertStatements(v); len(st) > 0 {
					s = "The insert reached the server" + at(st[0].Time) + " and wrote nothing: " + f.Says + "."
				}
				return s
			}
			return "A trigger, a rule or ON CONFLICT DO NOTHING would have taken the insert."
		},
		Settles: []string{"the trigger's or rule's condition against the request's values", "the statement log: did the INSERT reach the server?", "the command tag that the application got: INSERT 0 0"},
	}
}

// swallowers are what can take an insert of this record without an error.
func swallowers(v View) inv.Facts { return append(takers(v), ignoresConflict(v)...) }

// takers are the triggers and rules that can take an insert, but for those whose
// condition does not hold for the values of this one. One whose condition holds
// comes first.
func takers(v View) inv.Facts {
	checked := swallowing(v)
	out := slices.Clone(checked.With("holds", "true"))
	for _, p := range v.property("swallows") {
		if len(checked.With("name", p.Attr("value"))) == 0 || len(checked.With("name", p.Attr("value")).With("holds", "unknown")) > 0 {
			out = append(out, p)
		}
	}
	return out
}

// swallowing are the triggers and rules that were held against the values of the
// insert.
func swallowing(v View) inv.Facts {
	return v.Facts.Of(inv.PredicateChecked).With("kind", "swallow")
}

// ignoresConflict are statements that insert this record and do nothing when
// another row is in the way.
func ignoresConflict(v View) inv.Facts {
	return v.Facts.Of(inv.LogStatement).Where(func(f inv.Fact) bool {
		return f.Attr("op") == "create" && f.Attr("on-conflict") == "nothing" && (f.Attr("joins") == "id" || f.Attr("unique") == "true")
	})
}
