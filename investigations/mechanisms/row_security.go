package mechanisms

import (
	"fmt"

	inv "inquest/investigations"
)

func rowSecurity() Mechanism {
	return Mechanism{
		ID: "row-security", Fate: inv.FateHidden, Title: "hidden by row-level security",
		About: "A policy hides the row from the application's role.",
		Cause: Always(inv.CauseDatabase),
		Rules: []Rule{
			proof(has(Supports, inv.RowMasked, "the row is read when policies are bypassed, and not as the application's role")),
			{
				Role: Supports, Says: "the table has row-level security",
				Find: func(v View) inv.Facts { return v.property("row-security") },
			},
			proof(Rule{
				Says: "the table has policies, the row is there, and the application answered that it is not",
				Find: func(v View) inv.Facts {
					p := v.property("row-security")
					if len(p) == 0 || len(ownRows(v)) == 0 || len(policyOpen(v)) == 0 || v.Options.AppRole != "" {
						return nil
					}
					return append(p, policyOpen(v)...)
				},
			}),
			{
				Role: Contradicts, Says: "the application's role sees the row",
				Find: func(v View) inv.Facts { return v.Facts.Of(inv.RowVisible).With("as", v.Options.AppRole).Where(hasRole) },
			},
			{
				Role: Contradicts, Says: "the table has no row-level security",
				Find: func(v View) inv.Facts {
					return v.property("candidate").With("rls", "off")
				},
			},
			notThere(),
		},
		Says: func(v View) string {
			for _, f := range v.Facts.Of(inv.RowMasked) {
				return fmt.Sprintf("The role %s does not see the row of %s: %s.", f.Attr("as"), f.Attr("table"), reason(f))
			}
			for _, f := range v.property("row-security") {
				return "Whether the application's role sees the row was not tried: " + f.Says + "."
			}
			return "A policy would hide the row from the application."
		},
		Settles: []string{"read the row as the application's role: --as ROLE, with its settings: --as-setting k=v"},
	}
}

func hasRole(f inv.Fact) bool { return f.Attr("as") != "" }
