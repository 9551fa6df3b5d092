package mechanisms

import (
	"fmt"

	inv "inquest/investigations"
)

func insertRefused() Mechanism {
	return Mechanism{
		ID: "insert-refused", Fate: inv.FateNeverWritten, Title: "insert refused",
		About: "The server refused the INSERT, and success was answered all the same.",
		Cause: Always(inv.CauseApplication),
		Rules: []Rule{
			proof(Rule{
				Says: "the server log has the refusal, with the id in it", Find: refused,
			}),
			{Role: Supports, Says: "the id was handed out", Find: func(v View) inv.Facts { return v.Facts.Of(inv.IDIssued) }},
			triedAgain(),
			written(Contradicts),
			{
				Role: Contradicts, Says: "the record was written after the refusal",
				Find: func(v View) inv.Facts {
					if list := refused(v); len(list) > 0 {
						return writtenAfter(v, list[len(list)-1])
					}
					return nil
				},
			},
		},
		Says: func(v View) string {
			for _, f := range refused(v) {
				return fmt.Sprintf("The insert was refused%s with %s: %s", at(f.Time), f.Attr("sqlstate"), f.Attr("message")) + again(v)
			}
			return "The server would have refused the insert."
		},
		Settles: []string{"the PostgreSQL server log of the moment the id was handed out"},
	}
}
