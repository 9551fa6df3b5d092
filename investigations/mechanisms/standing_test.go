package mechanisms

import (
	"testing"

	inv "inquest/investigations"
)

func TestRowsThatStandAndAreNotShown(t *testing.T) {
	there := facts(candidateFact(orders), visible(orders))
	left := prop("view-lacks", "public.open_orders")
	byFlag := prop("view-lacks", "public.open_orders")
	byFlag.Attrs["column"], byFlag.Attrs["is"] = "is_active", "f"
	policies := facts(candidateFact(orders, "rls", "on"), prop("row-security", "on"), prop("row-filtered", "by key"))
	unread := facts(candidateFact(orders, "rls", "on"), prop("row-security", "on"))
	check(t, []verdict{
		{name: "a view leaves it out by a flag", facts: facts(there, byFlag), fate: "hidden probable", lead: "soft-deleted undetermined"},
		{name: "a view leaves it out, nothing tells why", facts: facts(there, left), fate: "present established", lead: "still-present application"},
		{name: "a view leaves it out, and the application shows it", facts: facts(there, byFlag, f(inv.APIAnswer, sec(2), "op", "read", "status", "200")), fate: "present established"},
		{name: "policies hide what WAL shows to stand", facts: facts(policies, inserted("700", "0/100", "(1,1)", 0), commits("700", 0.1), walCovered()), fate: "hidden probable"},
		{name: "policies, and the row was never asked for", facts: facts(unread, inserted("700", "0/100", "(1,1)", 0), commits("700", 0.1), walCovered()), fate: "undetermined undetermined"},
		{name: "a logged insert, and nothing else", facts: facts(candidateFact(orders), absent(orders), f(inv.LogStatement, sec(1), "op", "create", "joins", "id", "table", orders)), fate: "undetermined undetermined"},
		{name: "policies, and WAL has a hole since", facts: facts(policies, inserted("700", "0/100", "(1,1)", 0), commits("700", 0.1)), fate: "undetermined undetermined"},
		{name: "policies, and it was deleted", facts: facts(policies, removed(), walCovered()), fate: "deleted established"},
		{name: "policies, and it was rolled back", facts: facts(policies, inserted("700", "0/100", "(1,1)", 0), f(inv.XactAborted, sec(0.2), "xid", "700"), walCovered()), fate: "never-committed established"},
	})
}
