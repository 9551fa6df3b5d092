package mechanisms

import (
	inv "inquest/investigations"
)

func writeSwallowed() Mechanism {
	return Mechanism{
		ID: "write-swallowed", Fate: inv.FateNeverWritten, Title: "write swallowed",
		About: "The INSERT reached the server and wrote nothing: a trigger, a rule or ON CONFLICT DO NOTHING took it.",
		Cause: func(v View) inv.Cause {
			if len(v.property("swallows")) == 0 && len(ignoresConflict(v)) > 0 {
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
				Says: "a trigger of the table drops inserts for a value that this request had",
				Find: func(v View) inv.Facts { return v.property("swallows").With("matches", "true") },
			}),
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

// swallowers are what can take an insert into the table without an error.
func swallowers(v View) inv.Facts {
	return append(v.property("swallows"), ignoresConflict(v)...)
}

// ignoresConflict are statements that insert this record and do nothing when
// another row is in the way.
func ignoresConflict(v View) inv.Facts {
	return v.Facts.Of(inv.LogStatement).Where(func(f inv.Fact) bool {
		return f.Attr("op") == "create" && f.Attr("on-conflict") == "nothing" && (f.Attr("joins") == "id" || f.Attr("unique") == "true")
	})
}
