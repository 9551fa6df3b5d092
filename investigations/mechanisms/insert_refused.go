package mechanisms

import (
	"fmt"
	"slices"

	inv "inquest/investigations"
)

func insertRefused() Mechanism {
	refused := func(v View) inv.Facts {
		return v.Facts.Of(inv.LogError).Where(func(f inv.Fact) bool {
			return f.Attr("joins") == "id" && f.Attr("op") == "create" && slices.Contains(refusals, f.Attr("sqlstate"))
		})
	}
	return Mechanism{
		ID: "insert-refused", Fate: inv.FateNeverWritten, Title: "insert refused",
		About: "The server refused the INSERT, and success was answered all the same.",
		Cause: Always(inv.CauseApplication),
		Rules: []Rule{
			proof(Rule{Says: "the server log has the refusal, with the id in it", Find: refused}),
			{Role: Supports, Says: "the id was handed out", Find: func(v View) inv.Facts { return v.Facts.Of(inv.IDIssued) }},
			written(Contradicts),
		},
		Says: func(v View) string {
			for _, f := range refused(v) {
				return fmt.Sprintf("The insert was refused%s with %s: %s", at(f.Time), f.Attr("sqlstate"), f.Attr("message"))
			}
			return "The server would have refused the insert."
		},
		Settles: []string{"the PostgreSQL server log of the moment the id was handed out"},
	}
}
